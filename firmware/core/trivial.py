"""Codes that nobody may choose: those that everybody would try first, and those that are counted from another one.

EN 50131-3 wants the disallowed codes declared (digest §1.2). Of each length there are 120: the ten of one digit
repeated (0000), the ten that count up and the ten that count down by one, over 9 to 0 as well (1234, 7890, 4321), and
the ninety of two digits in turn (1212, 50505).
"""

from collections.abc import Mapping
from itertools import pairwise

from firmware.language import Text

REASONS: Mapping[str, Text] = {
    "repeated": ("one digit repeated", "同一数字重复"),
    "counting": ("digits that count up or down", "数字依次递增或递减"),
    "in-turn": ("two digits in turn", "两个数字交替"),
}


def trivial(code: str) -> str:
    """Why this code is too simple (`REASONS`), or nothing. For codes of at least four digits."""
    digits = [int(digit) for digit in code]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    if steps == {0}:
        return "repeated"
    if steps in ({1}, {9}):
        return "counting"
    return "in-turn" if digits[2:] == digits[:-2] else ""


def near(code: str) -> tuple[str, ...]:
    """The codes of the same length that differ by 1 or 2, without going round at the ends (digest §1.2)."""
    here = (int(code) + step for step in (-2, -1, 1, 2))
    return tuple(f"{other:0{len(code)}}" for other in here if 0 <= other < 10 ** len(code))
