"""Completion as a shell asks for it, and in a real bash."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning import completion
from provisioning.completion import SCRIPTS, fitting
from tests.provisioning.calling import call


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


def test_a_real_bash_completes(tmp_path: Path) -> None:
    """With a `fenghuo` that is this tree's."""
    program = tmp_path / "fenghuo"
    program.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -m provisioning.completion "$@"\n')
    program.chmod(0o755)
    script = SCRIPTS["bash"] + 'COMP_WORDS=(fenghuo site ins); COMP_CWORD=2; _fenghuo; echo "${COMPREPLY[@]}"\n'
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert done.stdout.strip() == "install", done.stderr
