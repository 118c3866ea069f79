"""A person at a terminal: `fenghuo` in a pseudo terminal, as it is typed and read."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect

PATIENCE_S = 60
AGAIN_S = 10


def at_terminal(
    *words: str, cwd: Path, lang: str = "en", preexec: Callable[[], None] | None = None, term: str = "dumb"
) -> "pexpect.spawn[str]":
    """The command, started in this folder."""
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "FENGHUO_LANG": lang, "PYTHONPATH": root, "TERM": term, "COLUMNS": "150"}
    child: pexpect.spawn[str] = pexpect.spawn(
        sys.executable,
        ["-m", "firmware.cli", *words],
        cwd=cwd,
        env=environment,
        encoding="utf-8",
        timeout=PATIENCE_S,
        preexec_fn=preexec,
        dimensions=(40, 150),
    )
    return child


def ended(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """The exit code and the rest of what it said."""
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus, child.before or ""


def interrupted(child: "pexpect.spawn[str]") -> tuple[int | None, str]:
    """The same after Ctrl-C. Where nothing happens a person presses it again: CPython loses one that comes between a
    prompt and its read."""
    for _ in range(3):
        child.sendintr()
        with contextlib.suppress(pexpect.TIMEOUT):
            child.expect(pexpect.EOF, timeout=AGAIN_S)
            break
    child.close()
    return child.exitstatus, child.before or ""
