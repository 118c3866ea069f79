"""The whole tree of commands: each says what it does, with an example, and prints its data as JSON on request."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer

from firmware.cli import commands
from firmware.synopsis import synopsis

SAY_DONE = {
    "cameras relearn": "says that it is done",
    "evidence export": "writes a bundle",
    "evidence hold": "says that it is done",
    "evidence release": "says that it is done",
    "remote": "is the far command",
}
"""Commands that print no data, and what they do instead."""
OTHER_WAYS = {"center", "completion", "desk", "run"}
"""Commands of the desk and of services, with parsers of their own."""


def leaves() -> Iterator[tuple[str, Any]]:
    for name, point in commands().items():
        app = getattr(import_module(point.module), "app", None)
        if isinstance(app, typer.Typer):
            yield from _below(typer.main.get_command(app), name)


def _below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if not below:
        yield name, command
    for word, sub in (below or {}).items():
        yield from _below(sub, f"{name} {word}")


TREE = dict(leaves())


def test_the_tree_is_whole() -> None:
    tops = {name.split(" ")[0] for name in TREE}
    assert tops | OTHER_WAYS >= set(commands())
    assert len(TREE) > 30


@pytest.mark.parametrize("name", TREE)
def test_each_command_has_help_in_both_languages_with_an_example(name: str) -> None:
    text = TREE[name].help or ""
    assert f"fenghuo {name.split(' ')[0]}" in text, "an example"
    assert any("\u4e00" <= sign <= "\u9fff" for sign in text), "Chinese"
    for param in TREE[name].params:
        said = getattr(param, "help", None)
        assert said or param.name == "help", f"{name}: {param.name} says nothing of itself"


@pytest.mark.parametrize("name", TREE)
def test_each_command_that_prints_data_prints_json(name: str) -> None:
    options = {option for param in TREE[name].params for option in param.opts}
    assert ("--json" in options) is (name not in SAY_DONE)


@pytest.mark.parametrize("name", [name for name in TREE if name.split(" ")[0] not in ("demo", "simulate")])
def test_exit_codes_are_told(name: str) -> None:
    group = typer.main.get_command(import_module(commands()[name.split(" ")[0]].module).app)
    told = f"{TREE[name].help} {group.help}"
    assert "xit code" in told or "退出码" in told, name


@pytest.mark.parametrize("name", commands())
def test_the_list_of_commands_says_what_each_is_for(name: str) -> None:
    said = synopsis(commands()[name].value)
    assert said
    assert any("\u4e00" <= sign <= "\u9fff" for sign in said)
