"""What counts where the panel file says nothing: the defaults of its profile.

They are filled in before the models see the file, so that everybody who reads a loaded file finds a value at each key.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from firmware.config.hours import MINUTES_A_DAY, time_text
from firmware.config.limits import LIMITED
from rules.profiles import DEFAULT, PROFILES, Profile

# Reports of the day go out by night, when nobody needs the panel: from 22:00 to 6:00.
_NIGHT, _NIGHT_MIN = 22 * 60, 8 * 60
_TABLES = ("panel", "timings", "storage")
_ARRAYS = ("area",)

Defaults = Mapping[str, Mapping[str, Any]]
"""Table → key → value."""


def profile_of(data: Mapping[str, Any]) -> Profile:
    """The file's profile; the default one where it names none, or none that there is."""
    panel = data.get("panel")
    name = panel.get("profile") if isinstance(panel, dict) else None
    return PROFILES.get(name, PROFILES[DEFAULT]) if isinstance(name, str) else PROFILES[DEFAULT]


def defaults_of(data: Mapping[str, Any]) -> Defaults:
    """What each key that the file leaves out stands for, as far as the profile and the file itself decide it."""
    profile = profile_of(data)
    found: dict[str, dict[str, Any]] = {}
    for limited in LIMITED:
        if limited.default:
            found.setdefault(limited.table, {})[limited.key] = profile.numbers[limited.number].default
    found["timings"] |= {
        "exit_restart": profile.choices["exit_restart"].on,
        "report_time": time_text(report_minute(_id_in(data.get("panel")))),
        "auto_part": _first_part(data) if profile.choices["auto_part"].on else "",
    }
    return found


def report_minute(panel: str) -> int:
    """The minute of the day of a panel's report: one of the night, by the panel's id, so that a city's spread."""
    digest = hashlib.sha256(b"fenghuo-report\0" + panel.encode("utf-8", "replace")).digest()
    return (_NIGHT + int.from_bytes(digest[:8], "big") % _NIGHT_MIN) % MINUTES_A_DAY


def filled(data: Mapping[str, Any], defaults: Defaults) -> dict[str, Any]:
    """The file with its defaults; what has the wrong type stays as it is, for the models to find."""
    whole = dict(data)
    for name in _TABLES:
        # A file without [panel] has a mistake of its own.
        table = data.get(name, None if name == "panel" else {})
        if isinstance(table, dict):
            whole[name] = {**defaults[name], **table}
    for name in _ARRAYS:
        if isinstance(rows := data.get(name), list):
            whole[name] = [{**defaults[name], **row} if isinstance(row, dict) else row for row in rows]
    return whole


def _first_part(data: Mapping[str, Any]) -> str:
    """Where the profile arms a part when nobody left (CP-01 row 4), it is the first one of the file."""
    parts = data.get("part")
    return _id_in(parts[0]) if isinstance(parts, list) and parts else ""


def _id_in(table: object) -> str:
    found = table.get("id") if isinstance(table, dict) else None
    return found if isinstance(found, str) else ""
