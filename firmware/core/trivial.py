"""Codes that nobody may choose: those that everybody would try first, and those that are counted from another one.

EN 50131-3 wants the disallowed codes declared (digest §1.2). Of each length there are 120: the ten of one digit
repeated (0000), the ten that count up and the ten that count down by one, over 9 to 0 as well (1234, 7890, 4321), and
the ninety of two digits in turn (1212, 50505). Besides those that read as a day, for birthdays are tried next, and the
site's own numbers, which stand on its door.
"""

import re
from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from firmware.language import Text

if TYPE_CHECKING:
    from firmware.config import PanelFile

REASONS: Mapping[str, Text] = {
    "repeated": ("one digit repeated", "同一数字重复"),
    "counting": ("digits that count up or down", "数字依次递增或递减"),
    "in-turn": ("two digits in turn", "两个数字交替"),
    "day": ("a day or a year, as of a birth", "日期或年份，如生日"),
    "site": ("a number of this site", "本场所的号码"),
}
_DAYS: Mapping[int, tuple[str, ...]] = {4: ("MD", "DM", "Y"), 6: ("yMD", "DMy", "MDy"), 8: ("YMD", "DMY", "MDY")}
"""By the number of digits. Y: four digits of a year, y: the last two, M: month, D: day."""
_WIDTH = {"Y": 4, "y": 2, "M": 2, "D": 2}
_YEARS = range(1900, 2100)
_LEAP = 2000


def trivial(code: str, site: Collection[str] = ()) -> str:
    """Why this code is too simple (`REASONS`), or nothing. For at least four digits; `site`: `site_numbers`."""
    digits = [int(digit) for digit in code]
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    if steps == {0}:
        return "repeated"
    if steps in ({1}, {9}):
        return "counting"
    if digits[2:] == digits[:-2]:
        return "in-turn"
    if any(_is_day(code, form) for form in _DAYS.get(len(code), ())):
        return "day"
    return "site" if any(code in number or number in code for number in site) else ""


def site_numbers(file: "PanelFile") -> frozenset[str]:
    """The numbers of four digits and more that name the site: in its id and name, its accounts and telephones."""
    texts = [file.panel.id, file.panel.name, file.panel.gb28181_id or ""]
    for path in file.path:
        if path.kind == "dc09":
            texts.append(path.account)
        elif path.kind == "sms":
            texts += [*path.numbers, *path.other_numbers]
    return frozenset(found for text in texts for found in re.findall(r"[0-9]{4,}", text))


def _is_day(code: str, form: str) -> bool:
    parts = {}
    for name in form:
        parts[name], code = int(code[: _WIDTH[name]]), code[_WIDTH[name] :]
    year = parts.get("Y", _LEAP + parts.get("y", 0))
    try:
        date(year, parts.get("M", 1), parts.get("D", 1))
    except ValueError:
        return False
    return year in _YEARS


def near(code: str) -> tuple[str, ...]:
    """The codes of the same length that differ by 1 or 2, without going round at the ends (digest §1.2)."""
    here = (int(code) + step for step in (-2, -1, 1, 2))
    return tuple(f"{other:0{len(code)}}" for other in here if 0 <= other < 10 ** len(code))
