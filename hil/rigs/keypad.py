"""The keys of docs/keypads.md for what a scenario wants to type: for rigs that press real keys."""

from collections.abc import Mapping
from typing import Any

from firmware.protocol.messages import Code, WishName

_WITHOUT_NUMBER: Mapping[WishName, str] = {
    "disarm": "*40",
    "silence": "*41",
    "reset": "*42",
    "rearm": "*43",
    "postpone": "*44",
    "status": "*49",
    "grant": "*90",
    "leave": "*91",
    "walk-test": "*92",
    "end-test": "*95",
    "siren-test": "*96",
    "battery-test": "*97",
}
_WITH_ZONE: Mapping[WishName, str] = {"bypass": "*5", "unbypass": "*6", "isolate": "*7", "unisolate": "*8"}


def keys(code: Code, zones: Mapping[str, int], areas: Mapping[str, int]) -> str:
    """What to press, `#` included; `zones` and `areas`: numbers by id. Raises `ValueError` for what no key does."""
    digits = code.digits.removesuffix("#")
    if code.wish == "toggle":
        area = f"*0{areas[code.areas[0]]:02d}" if len(code.areas) == 1 else ""
        if code.areas and not area:
            raise ValueError(f"the keypad names one area or none, not {code.areas}")
        return f"{area}{digits}#"
    if code.areas:
        raise ValueError(f"{code.wish} is for the keypad's areas, not for {code.areas}")
    if code.wish == "arm":
        return f"*{3 if code.override else 2 if code.instant else 1}0{digits}#"
    if code.wish == "walk-test" and (code.quiet or code.hold_up):
        return f"*{94 if code.hold_up else 93}{digits}#"
    if code.wish in _WITH_ZONE:
        return f"{_WITH_ZONE[code.wish]}{zones[code.zone]:03d}{digits}#"
    if code.wish not in _WITHOUT_NUMBER:
        raise ValueError(f"no key does {code.wish}")
    return f"{_WITHOUT_NUMBER[code.wish]}{digits}#"


def keys_at(site: Mapping[str, Any], code: Code) -> str:
    """The same, with the numbers of a panel file as TOML reads it."""
    numbers = {kind: {row["id"]: int(row["number"]) for row in site[kind]} for kind in ("zone", "area")}
    return keys(code, numbers["zone"], numbers["area"])
