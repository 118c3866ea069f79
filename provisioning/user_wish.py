"""A user as the command line wishes him: the message to the panel from words, and what is wrong with them. Pure."""

from contextlib import suppress
from typing import get_args

from pydantic import ValidationError

from drivers.osdp.cards import printed_26
from firmware.language import Text, pick
from firmware.protocol.messages import RightName, SetUser

_WRONG: Text = ("{what}: not usable; expected {expected}", "{what}：无效；应为 {expected}")
RIGHTS: tuple[str, ...] = get_args(RightName)
_DAY: Text = ("a day as 2026-12-31", "日期，如 2026-12-31")
_EXPECTED: dict[str, Text] = {
    "id": ("1 to 32 of a-z, 0-9 and -, not beginning with -", "1 至 32 个字符：a-z、0-9 和 -，不以 - 开头"),
    "name": ("at most 64 characters", "至多 64 个字符"),
    "new_card": (
        "123,45678 (26 bits), wiegand-BITS-HEX, raw-BITS-HEX or text-NUMBER",
        "123,45678(26 位)、wiegand-位数-十六进制、raw-位数-十六进制 或 text-卡号",
    ),
    "areas": ("1 to 64 areas", "1 至 64 个区域"),
    "rights": (f"some of {', '.join(RIGHTS)}", f"{'、'.join(RIGHTS)} 中的若干项"),
    "once": ("level 2: an installer's first act would spend it", "2级用户：安装员的首次操作即会用掉该密码"),
    "first_day": _DAY,
    "last_day": _DAY,
}
_OPTIONS = {
    "new_card": "--card",
    "areas": "--area",
    "rights": "--right",
    "first_day": "--from",
    "last_day": "--until",
    "once": "--once",
}


def wished(**members: object) -> SetUser:
    """What is wished for, still without codes. Raises `ValidationError`."""
    return SetUser.model_validate(members)


def card_named(text: str) -> str:
    """A card as its reader names it; from the two numbers printed on it where it is of 26 bits.

    A wrong one is left as it is, and refused by the message.
    """
    facility, comma, number = text.partition(",")
    if comma and facility.strip().isdecimal() and number.strip().isdecimal():
        with suppress(ValueError):
            return printed_26(int(facility), int(number))
    return text


def mistakes(error: ValidationError) -> str:
    """Which argument, never its value: it may be a code."""
    names = dict.fromkeys(str(item["loc"][0]) for item in error.errors(include_input=False, include_url=False))
    other: Text = ("another value", "其他值")
    return "\n".join(
        pick(_WRONG, what=_OPTIONS.get(name, name), expected=pick(_EXPECTED.get(name, other))) for name in names
    )
