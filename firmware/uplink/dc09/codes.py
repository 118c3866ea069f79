"""What a record becomes in Contact ID (DC-05) or SIA (DC-03): codes from the vocabulary, area, zone or user number.

Pure. The identity of the record goes with each message as x-data `I`, so that one record over two paths is one. A
record that is no event of the code table gives no message; one about several areas gives one for each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeGuard

from firmware.protocol.records import Record
from firmware.uplink.dc09.frame import Message, time_text
from firmware.uplink.sms.texts import moment_of
from rules.vocabulary import KINDS, Kind

Format: TypeAlias = Literal["adm-cid", "sia-dcs"]
Extras: TypeAlias = Literal["all", "one", "none"]

USER_CODES = frozenset(
    {121, 313, 441, 442, 574, 601, 604, 607, 625, 627, 628, 630, 631, 632, 642, 652, 653}
    | {*range(400, 410), *range(411, 417), *range(421, 426), 429, 430, *range(450, 460), *range(462, 467)}
)
"""Event codes whose CCC is a user, else a zone or device (digest §4.3, and column `ccc_field` of its §4.4)."""
MAX_CID_NUMBER = 999
MAX_CID_AREA = 99
STALE_S = 30.0
"""A record that is older bears its time of occurrence (x-data H)."""
_NAME_LENGTH = 32
_NOT_IN_TEXT = set("[]|^/\"'")

_PATH_CODES: tuple[tuple[int, str, str], ...] = ((351, "LT", "LR"), (352, "LT", "LR"), (353, "NT", "NR"))
"""By the place of the path in the panel file: first, second, any other. Code, SIA of fault and restore (§4.4)."""
_UNRECEIPTED = (354, "YC", "YK")
_UPLINK = (350, "YS", "YK")


@dataclass(frozen=True)
class Names:
    """What the panel file knows. `areas`: id → number. `zones`: id → name. `users`: id → number.

    `paths`: ids in the file's order. `devices`: id of a camera, output, box, bus or module → its place, from 1.
    """

    areas: Mapping[str, int] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    devices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Style:
    """How this receiver wants it. `text`: a name behind the number (SIA). `mac`: 12 hex digits, empty for none."""

    format: Format = "adm-cid"
    extras: Extras = "one"
    text: bool = False
    mac: str = ""


@dataclass(frozen=True)
class _Event:
    """`restore`: the qualifier is 3. `area` 0: of no area. `number`: of zone, user or device, 0 for none."""

    code: int
    restore: bool
    sia: str
    area: int
    number: int
    name: str


def messages(record: Record, names: Names, style: Style, now_s: float) -> tuple[Message, ...]:
    """What goes out for a record, nothing where the table has no code for it. `now_s`: UTC."""
    kind = KINDS.get(record.header.kind)
    if kind is None or not _has_code(kind, style):
        return ()
    payload = record.payload or {}
    number, name = _number(kind, payload, names)
    code, sia = _codes(kind, payload, names)
    extras = _extras(record, style, now_s)
    return tuple(
        _message(_Event(code, kind.cid // 1000 == 3, sia, area, number, name), style, extras)
        for area in _areas(payload, names)
    )


def _has_code(kind: Kind, style: Style) -> bool:
    return kind.cid != 0 if style.format == "adm-cid" else bool(kind.sia)


def _codes(kind: Kind, payload: Mapping[str, Any], names: Names) -> tuple[int, str]:
    if kind.name not in ("trouble.path", "trouble.path-ended"):
        return kind.cid % 1000, kind.sia
    subject = payload.get("subject")
    if subject in names.paths:
        row = _PATH_CODES[min(names.paths.index(subject), len(_PATH_CODES) - 1)]
    else:
        row = _UNRECEIPTED if subject == "receipts" else _UPLINK
    return row[0], row[2] if kind.cid // 1000 == 3 else row[1]


def _areas(payload: Mapping[str, Any], names: Names) -> list[int]:
    """The numbers of its areas; a zone's event is one event, whose ever the zone is."""
    known = [names.areas[id_] for id_ in _items(payload, "areas") if isinstance(id_, str) and id_ in names.areas]
    if not known:
        known = [number for number in _items(payload, "area_numbers") if _is_number(number)]
    if payload.get("zone_number") is not None or payload.get("zone"):
        known = known[:1]
    return list(dict.fromkeys(known)) or [0]


def _number(kind: Kind, payload: Mapping[str, Any], names: Names) -> tuple[int, str]:
    """The number behind the code, and the name that belongs to it."""
    if kind.cid % 1000 in USER_CODES:
        user = str(payload.get("user") or "")
        own = int(user) if user.isascii() and user.isdigit() and len(user) <= 6 else 0
        return names.users.get(user, own), ""
    number = payload.get("zone_number")
    if _is_number(number):
        return number, names.zones.get(str(payload.get("zone")), "")
    return names.devices.get(str(payload.get("subject")), 0), ""


def _message(event: _Event, style: Style, extras: tuple[str, ...]) -> Message:
    fits = event.number <= MAX_CID_NUMBER and event.area <= MAX_CID_AREA
    if style.format == "adm-cid" and fits:
        qualifier = 3 if event.restore else 1
        return Message("ADM-CID", f"{qualifier}{event.code:03d} {event.area:02d} {event.number:03d}", extras)
    area = f"ri{event.area}/" if event.area else ""
    name = _plain(event.name) if style.text else ""
    return Message("SIA-DCS", f"N{area}{event.sia}{event.number:03d}" + (f"^{name}^" if name else ""), extras)


def _extras(record: Record, style: Style, now_s: float) -> tuple[str, ...]:
    header = record.header
    if style.extras == "none":
        return ()
    moment = moment_of(record)
    happened = None if moment is None else moment.timestamp()
    stale = happened is not None and abs(now_s - happened) > STALE_S
    identity = f"I{header.journal}-{header.seq}"
    if style.extras == "one":
        return (f"{identity} {header.time}" if stale else identity,)
    occurred = (f"H{time_text(happened)[1:]}",) if happened is not None and stale else ()
    return ((f"M{style.mac}",) if style.mac else ()) + occurred + (identity,)


def _plain(name: str) -> str:
    """As much of a name as the standard's text allows: printable ASCII without its own signs."""
    kept = "".join(c for c in name if " " <= c <= "~" and c not in _NOT_IN_TEXT)
    return " ".join(kept.split())[:_NAME_LENGTH]


def _items(payload: Mapping[str, Any], key: str) -> list[Any]:
    value = payload.get(key)
    return value if isinstance(value, list) else []


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value <= 999_999
