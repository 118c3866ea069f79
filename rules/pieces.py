"""The panel state as canonical JSON, piece by piece, so that what did not change is not encoded again.

Members are written in sorted order by hand (RFC 8785 for our domain: sorted ASCII keys, no spaces, no floats); a test
holds the whole against a general encoder.
"""

from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring as _plain_quote
from typing import TYPE_CHECKING

from rules.stimuli import User

try:
    from json.encoder import c_encode_basestring as _quote  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - another Python without the C encoder
    _quote = _plain_quote

if TYPE_CHECKING:
    from rules.state import Alarm, AreaState, Durable, ZoneState

VERSION = 1


def _list(texts: Iterable[str]) -> str:
    return f"[{','.join(map(_quote, texts))}]"


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _alarm(alarm: "Alarm | None") -> str:
    if alarm is None:
        return "null"
    return (
        f'{{"silenced":{_flag(alarm.silenced)},"since":{alarm.since},"until":{alarm.until},'
        f'"zones":{_list(alarm.zones)}}}'
    )


def area_piece(a: "AreaState") -> str:
    """`"id":{...}` of an area."""
    return (
        f'{_quote(a.id)}:{{"alarm":{_alarm(a.alarm)},"by":{_quote(a.by)},"deadline":{_number(a.deadline)},'
        f'"entry_zones":{_list(a.entry_zones)},"how":{_quote(a.how)},"memory":{_list(a.memory)},'
        f'"mode":"{a.mode.value}","strobe":{_flag(a.strobe)},"user":{_quote(a.user)}}}'
    )


def zone_piece(z: "ZoneState") -> str:
    """`"id":{...}` of a zone."""
    return (
        f'{_quote(z.id)}:{{"alarm":{_quote(z.alarm)},"bypassed":{_flag(z.bypassed)},'
        f'"fault":{_quote(z.fault)},"tamper":{_quote(z.tamper)}}}'
    )


def _user(u: User) -> str:
    return (
        f'{_quote(u.id)}:{{"areas":{_list(u.areas)},"duress_key":{_quote(u.duress_key)},"key":{_quote(u.key)},'
        f'"level":{u.level},"name":{_quote(u.name)}}}'
    )


def people_piece(users: Mapping[str, User]) -> str:
    """`{...}` of all users."""
    return f"{{{','.join(_user(users[id_]) for id_ in sorted(users))}}}"


def durable_piece(d: "Durable") -> str:
    """The whole snapshot. Lockouts and troubles are lists of pairs, because their names may be any text."""
    areas, zones = d.areas, d.zones
    lockouts = ",".join(f"[{_quote(name)},{until}]" for name, until in sorted(d.lockouts.items()))
    troubles = ",".join(f"[{_quote(name)},{_quote(detail)}]" for name, detail in sorted(d.troubles.items()))
    return (
        f'{{"areas":{{{",".join([areas[i].piece for i in sorted(areas)])}}},"config_hash":{_quote(d.config_hash)},'
        f'"counter":{d.counter},"incident":{d.incident},"lockouts":[{lockouts}],'
        f'"powered_ms":{_number(d.powered_ms)},"troubles":[{troubles}],"users":{d.people.piece},'
        f'"version":{VERSION},"zones":{{{",".join([zones[i].piece for i in sorted(zones)])}}}}}'
    )
