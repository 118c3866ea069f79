"""Asking a person for codes: without echo, twice where it counts, never from an argument that others could see.

Where a script gives them they come as lines of standard input.
"""

import getpass
import re
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from firmware.config import PanelFile
from firmware.core.trivial import REASONS, near, site_numbers, trivial
from firmware.language import Text, pick

_DIGITS = re.compile(r"[0-9]+\Z")
LEAST, MOST = 4, 8
"""Digits of any code."""
TRIES = 3
_COLONS = ":\uff1a"

MANAGER: Text = ("Your own code: ", "您的密码：")
USER: Text = ("The user's code: ", "用户密码：")
NEW: Text = ("New code, {least} to {most} digits: ", "新密码，{least} 至 {most} 位数字：")
DURESS: Text = ("Duress code, empty for none: ", "胁迫密码，无则留空：")
_AGAIN: Text = ("Again: ", "再次输入：")
_DIFFERENT: Text = ("the two are not the same", "两次输入不一致")
_NOT_A_CODE: Text = ("a code is {least} to {most} digits here", "此处密码为 {least} 至 {most} 位数字")
_SAME: Text = ("the duress code must be another than the code", "胁迫密码不得与密码相同")
_NO_TERMINAL: Text = (
    "codes are asked for at a terminal; a script gives them with --code-stdin",
    "密码须在终端输入；脚本请使用 --code-stdin",
)
_BAD_LINE: Text = ("--code-stdin: line {n} should be {what}: {why}", "--code-stdin：第 {n} 行应为{what}：{why}")


_TOO_SIMPLE: Text = ("this code is too simple ({why})", "密码过于简单（{why}）")


@dataclass(frozen=True)
class Form:
    """What a code must look like. `least`: digits; `simple`: too simple ones are taken too (simulated pins);
    `numbers`: of the site, which are too simple."""

    least: int = LEAST
    simple: bool = True
    numbers: frozenset[str] = frozenset()


ANY = Form()


def form_of(file: PanelFile) -> Form:
    """As the panel of this file wants them."""
    return Form(file.panel.pin_digits, file.panel.pins == "simulated", site_numbers(file))


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

    def fresh(self, prompt: Text, form: Form, optional: bool = False) -> str:
        """A new code of this form, typed twice; a slip may be corrected a few times."""
        for left in reversed(range(TRIES)):
            try:
                return self._twice(prompt, form, optional)
            except BadCode as bad:
                if not left:
                    raise
                print(bad, file=sys.stderr)
        raise AssertionError

    def _twice(self, prompt: Text, form: Form, optional: bool) -> str:
        code = _checked(self._ask(pick(prompt, least=form.least, most=MOST)), form, optional)
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
        return self._next(prompt, ANY, False)

    def fresh(self, prompt: Text, form: Form, optional: bool = False) -> str:
        """The next line; an optional one may be empty or missing."""
        return self._next(prompt, form, optional)

    def _next(self, prompt: Text, form: Form, optional: bool) -> str:
        self._count += 1
        try:
            return _checked(self._stream.readline(100), form, optional)
        except BadCode as bad:
            what = pick(prompt, least=form.least, most=MOST).strip().rstrip(_COLONS)
            raise BadCode(pick(_BAD_LINE, n=self._count, what=what, why=bad)) from None


def generated(form: Form, other: str = "") -> str:
    """A code by chance, as short as it may be: none that is too simple, or near the other one."""
    while True:
        code = f"{secrets.randbelow(10**form.least):0{form.least}}"
        if not trivial(code, form.numbers) and code != other and code not in (near(other) if other else ()):
            return code


def different(code: str, duress: str) -> None:
    """Raises `BadCode` when the duress code is the code itself."""
    if code == duress:
        raise BadCode(pick(_SAME))


def _checked(typed: str, form: Form = ANY, optional: bool = False) -> str:
    code = typed.strip()
    if not code and optional:
        return ""
    if not (_DIGITS.match(code) and form.least <= len(code) <= MOST):
        raise BadCode(pick(_NOT_A_CODE, least=form.least, most=MOST))
    if not form.simple and (why := trivial(code, form.numbers)):
        raise BadCode(pick(_TOO_SIMPLE, why=pick(REASONS[why])))
    return code
