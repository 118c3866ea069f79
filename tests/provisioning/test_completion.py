"""Completion as a shell asks for it, and in real ones: bash, zsh, fish."""

import os
import sys
from pathlib import Path

import pexpect
import pytest

from provisioning import completion
from provisioning.completion import SCRIPTS, fitting
from tests.provisioning.calling import call
from tests.provisioning.test_users import WANG, Core

BANK = "docs/examples/bank.toml"


@pytest.mark.parametrize(
    ("words", "some"),
    [
        (["si"], {"site"}),
        (["site", "in"], {"install"}),
        (["site", ""], {"check", "diff", "explain", "install", "new", "set"}),
        (["site", "new", "--re"], {"--replace", "--receipt-key"}),
        (["site", "new", "--k"], {"--kind"}),
        (["users", ""], {"change", "grant", "list", "revoke", "set"}),
        (["nothing", ""], set()),
        (["site", "check", "docs"], set()),
        (["run", "--"], set()),
        (["--panel", ""], set()),
        (["--panel", "root@x", "site", "in"], {"install"}),
        (["walk-test", "--config", BANK, "--area", ""], {"hall", "vault"}),
        (["try", "camera", "--config", BANK, "--camera", "l"], {"lobby"}),
        (["try", "path", "--config", BANK, "--path", ""], {"center-1"}),
        (["users", "set", "li", "--right", "by"], {"bypass"}),
        (["cameras", "relearn", "--config", BANK, ""], {"lobby"}),
        (["cameras", "relearn", "lobby", ""], set()),
        (["walk-test", "--config", "no-such-file", "--area", ""], set()),
        (["users", "list", "--js"], {"--json"}),
    ],
)
def test_what_fits(words: list[str], some: set[str]) -> None:
    assert set(fitting(words)) >= some
    assert all(word.startswith(words[-1]) for word in fitting(words))
    if not some:
        assert fitting(words) == []


def test_the_first_word_is_a_command() -> None:
    assert {"site", "users", "run", "journal"} <= set(fitting([""]))
    assert fitting([]) == fitting([""])


def test_scripts_and_what_is_not_understood() -> None:
    for shell in SCRIPTS:
        assert "completion words" in call(completion.main, shell).stdout
    assert call(completion.main, "csh").returncode == 2
    assert call(completion.main, "--help").returncode == 0


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A `fenghuo` that is this tree's."""
    made = tmp_path / "fenghuo"
    made.write_text(f'#!/bin/sh\nexec {sys.executable} -m firmware.cli "$@"\n')
    made.chmod(0o755)
    (tmp_path / "panel.toml").write_text(Path(BANK).read_text())
    return made


def environment(program: Path) -> dict[str, str]:
    found = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}
    return found | {"TERM": "dumb", "FENGHUO_LANG": "en"}


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("fenghuo site ins\t", "fenghuo site install"),
        ("fenghuo walk-test --area v\t", "fenghuo walk-test --area vault"),
        ("fenghuo site check pan\t", "fenghuo site check panel.toml"),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_person_at_a_real_shell_presses_the_tabulator(shell: str, typed: str, completed: str, program: Path) -> None:
    words = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}[shell]
    rc = {
        "bash": "PS1='ready> '; ",
        "zsh": "PS1='ready> '; autoload -Uz compinit; compinit -u -d ./dump; unsetopt zle_bracketed_paste; ",
        "fish": "function fish_prompt; echo -n 'ready> '; end\n",
    }[shell]
    (program.parent / "rc").write_text(rc + SCRIPTS[shell])
    person = pexpect.spawn(
        shell, words, cwd=program.parent, env=environment(program), encoding="utf-8", timeout=60, dimensions=(24, 150)
    )
    with person:  # zsh would outlive its terminal, and never rest
        person.sendline(". ./rc; echo read''y")
        person.expect("\r\nready\r\n")
        person.expect("ready> ")
        person.send(typed)
        person.expect_exact(completed)


def test_users_of_a_running_panel_are_completed(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text(Path(BANK).read_text())
    core = Core(tmp_path)
    core.users = {"wang": WANG, "qiu": WANG}
    try:
        config = ["--config", str(tmp_path / "panel.toml")]
        assert fitting(["users", "revoke", *config, ""]) == ["qiu", "wang"]
        assert fitting(["users", "change", *config, "w"]) == ["wang"]
        assert fitting(["users", "change", "wang", *config, ""]) == []
    finally:
        core.close()
