"""The one-time code as a person or a script gives it: without echo, from a file or input, never an argument."""

import getpass
import sys
from pathlib import Path

from firmware.protocol.one_time_code import MAX_TYPED, BadCode, read_code
from provisioning.enrolment.texts import say
from provisioning.enrolment.trouble import EXIT_WRONG, Trouble

TRIES = 3


def code_of(file: Path | None) -> str:
    """The code's 20 letters. `file`: `-` is standard input, None asks. Raises `Trouble`."""
    if file is not None:
        return _read(_first_line(file))
    if not sys.stdin.isatty():
        raise Trouble("no-terminal", code=EXIT_WRONG)
    for left in reversed(range(TRIES)):
        try:
            return _read(getpass.getpass(say("code")))
        except Trouble as slip:
            if not left:
                raise
            print(slip, file=sys.stderr)
    raise AssertionError


def _read(typed: str) -> str:
    try:
        return read_code(typed.strip())
    except BadCode as bad:
        raise Trouble(f"code-{bad.reason}", code=EXIT_WRONG) from None


def _first_line(file: Path) -> str:
    try:
        if str(file) == "-":
            return sys.stdin.readline(4 * MAX_TYPED)
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.readline(4 * MAX_TYPED)
    except OSError as error:
        raise Trouble("option", code=EXIT_WRONG, option="--code-file", detail=error) from None
