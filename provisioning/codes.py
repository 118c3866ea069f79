"""Asking a person for codes: without echo, twice where it counts, never from an argument that others could see.

Where a script gives them they come as lines of standard input.
"""

import getpass
import re
import sys
from collections.abc import Callable
from typing import TextIO

from firmware.language import Text, pick

_FORM = re.compile(r"[0-9]{4,8}\Z")
TRIES = 3
_COLONS = ":\uff1a"

MANAGER: Text = ("Your own code: ", "您的密码：")
NEW: Text = ("New code, 4 to 8 digits: ", "新密码，4 至 8 位数字：")
DURESS: Text = ("Duress code, empty for none: ", "胁迫密码，无则留空：")
_AGAIN: Text = ("Again: ", "再次输入：")
_DIFFERENT: Text = ("the two are not the same", "两次输入不一致")
_NOT_A_CODE: Text = ("a code is 4 to 8 digits", "密码为 4 至 8 位数字")
_SAME: Text = ("the duress code must be another than the code", "胁迫密码不得与密码相同")
_NO_TERMINAL: Text = (
    "codes are asked for at a terminal; a script gives them with --code-stdin",
    "密码须在终端输入；脚本请使用 --code-stdin",
)
_TOO_FEW: Text = ("--code-stdin: line {n} should be {what}", "--code-stdin：第 {n} 行应为{what}")


class BadCode(Exception):
    """No usable code came. The text never holds what was typed."""


class Keyboard:
    """Codes typed by a person, without echo."""

    def __init__(self, ask: Callable[[str], str] = getpass.getpass) -> None:
        if not sys.stdin.isatty():
            raise BadCode(pick(_NO_TERMINAL))
        self._ask = ask

    def existing(self, prompt: Text) -> str:
        """A code that the panel knows already."""
        return _checked(self._ask(pick(prompt)))

    def fresh(self, prompt: Text, optional: bool = False) -> str:
        """A new code, typed twice; a slip may be corrected a few times."""
        for left in reversed(range(TRIES)):
            try:
                return self._twice(prompt, optional)
            except BadCode as bad:
                if not left:
                    raise
                print(bad, file=sys.stderr)
        raise AssertionError

    def _twice(self, prompt: Text, optional: bool) -> str:
        code = _checked(self._ask(pick(prompt)), optional)
        if code and self._ask(pick(_AGAIN)).strip() != code:
            raise BadCode(pick(_DIFFERENT))
        return code


class Lines:
    """Codes as lines of a stream, in the order in which they are asked for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._count = 0

    def existing(self, prompt: Text) -> str:
        """The next line."""
        return self._next(prompt, False)

    def fresh(self, prompt: Text, optional: bool = False) -> str:
        """The next line; an optional one may be empty or missing."""
        return self._next(prompt, optional)

    def _next(self, prompt: Text, optional: bool) -> str:
        self._count += 1
        try:
            return _checked(self._stream.readline(100), optional)
        except BadCode:
            what = pick(prompt).strip().rstrip(_COLONS)
            raise BadCode(pick(_TOO_FEW, n=self._count, what=what)) from None


def different(code: str, duress: str) -> None:
    """Raises `BadCode` when the duress code is the code itself."""
    if code == duress:
        raise BadCode(pick(_SAME))


def _checked(typed: str, optional: bool = False) -> str:
    code = typed.strip()
    if not code and optional:
        return ""
    if not _FORM.match(code):
        raise BadCode(pick(_NOT_A_CODE))
    return code
