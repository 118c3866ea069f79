"""The durable state as bytes and back, moved to another boot's clock, and fitted to another panel file."""

import json
from dataclasses import replace
from typing import Any, TypeVar

from rules.pieces import VERSION
from rules.site import Site, Zone
from rules.state import NOTHING_LIVE, Alarm, AreaState, Durable, PanelState, People, ZoneState
from rules.stimuli import User
from rules.table import SET_MODES, AreaMode
from rules.zones import ALARM_KINDS, NEVER_BYPASSED

MAX_INTEGER = 2**53 - 1
MAX_BYTES = 4 * 1024 * 1024
"""A snapshot is never longer: 512 users, 512 zones and 32 areas fit many times."""

T = TypeVar("T")


def encode(state: PanelState) -> bytes:
    """The durable part as canonical JSON (RFC 8785): the same state gives the same bytes."""
    return state.durable.encoded


def rebase(state: PanelState, shift_ms: int) -> PanelState:
    """The state with all its moments later by `shift_ms` (negative: earlier): for a new boot, or a clock that stood."""

    def moved(moment: int | None) -> int | None:
        return None if moment is None else moment + shift_ms

    def moved_alarm(alarm: Alarm | None) -> Alarm | None:
        return alarm and replace(alarm, since=alarm.since + shift_ms, until=alarm.until + shift_ms)

    durable, live = state.durable, state.live
    areas = {a.id: replace(a, deadline=moved(a.deadline), alarm=moved_alarm(a.alarm)) for a in durable.areas.values()}
    lockouts = {source: until + shift_ms for source, until in durable.lockouts.items()}
    return PanelState(
        replace(durable, areas=areas, lockouts=lockouts, powered_ms=moved(durable.powered_ms)),
        replace(
            live,
            held={zone: until + shift_ms for zone, until in live.held.items()},
            settle_due=moved(live.settle_due),
        ),
    )


def adapt(site: Site, state: PanelState) -> PanelState:
    """The state under another panel file: what the file no longer has is dropped, new areas are disarmed.

    An area that remains keeps its mode, its alarm and its timers. Drivers report every zone again, so the live
    part is forgotten. A bypass of a zone that may not be bypassed any more ends, as does an alarm of a zone that is of
    another type now. Fitting a state that fits changes
    nothing.
    """
    durable = state.durable
    areas = {id_: _fitted(site, durable.areas[id_]) if id_ in durable.areas else AreaState(id_) for id_ in site.areas}
    zones = {
        id_: kept
        for id_, stood in durable.zones.items()
        if id_ in site.zones and not (kept := _fitted_zone(site.zones[id_], stood)).quiet
    }
    users = {
        id_: replace(user, areas=tuple(area for area in user.areas if area in site.areas))
        for id_, user in durable.people.users.items()
    }
    return PanelState(replace(durable, areas=areas, zones=zones, people=People(users)), NOTHING_LIVE)


def _fitted_zone(zone: Zone, stood: ZoneState) -> ZoneState:
    """What stands on the zone as it is now: a door that became a hold-up button must not be bypassed, nor be in alarm
    as a door; either would swallow its first press."""
    bypassable = zone.bypassable and zone.type not in NEVER_BYPASSED
    alarm = stood.alarm if stood.alarm == ALARM_KINDS[zone.type] else ""
    return replace(stood, bypassed=stood.bypassed and bypassable, alarm=alarm)


def _fitted(site: Site, area: AreaState) -> AreaState:
    def known(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(id_ for id_ in ids if id_ in site.zones)

    alarm = area.alarm and replace(area.alarm, zones=known(area.alarm.zones))
    return replace(area, entry_zones=known(area.entry_zones), memory=known(area.memory), alarm=alarm)


def decode(data: bytes) -> PanelState:
    """The state that `encode` wrote; ValueError with place, what was found and what was expected if it can't be one."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"snapshot: found {len(data)} bytes, expected at most {MAX_BYTES}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"snapshot: found no JSON ({error}), expected an object") from None
    durable = _durable(value)
    try:
        encoded = durable.encoded
    except UnicodeEncodeError:
        raise ValueError("snapshot: found text with a lone surrogate, expected Unicode text") from None
    if encoded != data:
        raise ValueError("snapshot: found other spacing, order or escapes, expected canonical JSON (RFC 8785)")
    return PanelState(durable)


def _durable(value: object) -> Durable:
    v = _members(
        value,
        "$",
        "areas config_hash counter incident lockouts powered_ms troubles users version zones",
    )
    if v["version"] != VERSION:
        raise _wrong("$.version", v["version"], f"version {VERSION}")
    return Durable(
        areas={id_: _area(id_, a) for id_, a in _typed(v["areas"], "$.areas", dict).items()},
        zones={id_: _zone(id_, z) for id_, z in _typed(v["zones"], "$.zones", dict).items()},
        troubles={name: _typed(detail, "$.troubles", str) for name, detail in _pairs(v["troubles"], "$.troubles")},
        people=People({id_: _user(id_, u) for id_, u in _typed(v["users"], "$.users", dict).items()}),
        lockouts={source: _int(until, "$.lockouts") for source, until in _pairs(v["lockouts"], "$.lockouts")},
        incident=_count(v["incident"], "$.incident"),
        counter=_count(v["counter"], "$.counter"),
        powered_ms=_int_or_none(v["powered_ms"], "$.powered_ms"),
        config_hash=_typed(v["config_hash"], "$.config_hash", str),
    )


def _area(id_: str, value: object) -> AreaState:
    place = f"$.areas.{id_}"
    v = _members(value, place, "alarm by deadline entry_zones how memory mode strobe user")
    mode = _one_of(v["mode"], f"{place}.mode", [m.value for m in AreaMode])
    area = AreaState(
        id=id_,
        mode=AreaMode(mode),
        deadline=_int_or_none(v["deadline"], f"{place}.deadline"),
        by=_typed(v["by"], f"{place}.by", str),
        user=_typed(v["user"], f"{place}.user", str),
        how=_one_of(v["how"], f"{place}.how", ["", "code", "key", "remote"]),
        entry_zones=_texts(v["entry_zones"], f"{place}.entry_zones"),
        alarm=_alarm(v["alarm"], f"{place}.alarm"),
        strobe=_typed(v["strobe"], f"{place}.strobe", bool),
        memory=_texts(v["memory"], f"{place}.memory"),
    )
    _consistent(area, place)
    return area


def _consistent(area: AreaState, place: str) -> None:
    """A mode without its timer would never end, and an alarm without its mode would sound for nobody."""
    timed = area.mode in (AreaMode.EXIT_DELAY, AreaMode.ENTRY_DELAY)
    if timed is not (area.deadline is not None):
        raise _wrong(f"{place}.deadline", area.deadline, "a moment" if timed else "null")
    alarming = area.mode is AreaMode.ALARM
    if alarming is not (area.alarm is not None) and (alarming or area.mode in SET_MODES):
        raise _wrong(f"{place}.alarm", area.alarm, "an object" if alarming else "null")
    if not area.how and area.mode is not AreaMode.DISARMED:
        raise _wrong(f"{place}.how", area.how, "how it was armed")


def _alarm(value: object, place: str) -> Alarm | None:
    if value is None:
        return None
    v = _members(value, place, "silenced since until zones")
    return Alarm(
        since=_int(v["since"], f"{place}.since"),
        until=_int(v["until"], f"{place}.until"),
        silenced=_typed(v["silenced"], f"{place}.silenced", bool),
        zones=_texts(v["zones"], f"{place}.zones"),
    )


def _zone(id_: str, value: object) -> ZoneState:
    place = f"$.zones.{id_}"
    v = _members(value, place, "alarm bypassed fault tamper")
    zone = ZoneState(
        id=id_,
        bypassed=_typed(v["bypassed"], f"{place}.bypassed", bool),
        alarm=_one_of(v["alarm"], f"{place}.alarm", ["", *STANDING_ALARMS]),
        tamper=_one_of(v["tamper"], f"{place}.tamper", ["", "open", "short", "masked"]),
        fault=_one_of(v["fault"], f"{place}.fault", ["", "fault", "masked"]),
    )
    if zone.quiet:
        raise _wrong(place, value, "something that stands")
    return zone


STANDING_ALARMS = ("alarm.entry", "alarm.intruder", "alarm.24-hour", "alarm.hold-up", "alarm.tamper")


def _user(id_: str, value: object) -> User:
    place = f"$.users.{id_}"
    v = _members(value, place, "areas duress_key key level name")
    return User(
        id=id_,
        name=_typed(v["name"], f"{place}.name", str),
        level=_int(v["level"], f"{place}.level"),
        areas=_texts(v["areas"], f"{place}.areas"),
        key=_typed(v["key"], f"{place}.key", str, secret=True),
        duress_key=_typed(v["duress_key"], f"{place}.duress_key", str, secret=True),
    )


def _wrong(place: str, found: object, expected: str) -> ValueError:
    return ValueError(f"{place}: found {str(found)[:60]!r}, expected {expected}")


def _members(value: object, place: str, names: str) -> dict[str, Any]:
    members = _typed(value, place, dict)
    if sorted(members) != names.split():
        raise _wrong(place, " ".join(sorted(members)), f"the members {names}")
    return members


def _typed(value: object, place: str, kind: type[T], *, secret: bool = False) -> T:
    if type(value) is not kind:
        raise _wrong(place, type(value).__name__ if secret else value, kind.__name__)
    return value


def _int(value: object, place: str) -> int:
    number = _typed(value, place, int)
    if abs(number) > MAX_INTEGER:
        raise _wrong(place, number, "a whole number within ±(2^53 - 1)")
    return number


def _count(value: object, place: str) -> int:
    number = _int(value, place)
    if number < 0:
        raise _wrong(place, number, "0 or more")
    return number


def _int_or_none(value: object, place: str) -> int | None:
    return None if value is None else _int(value, place)


def _texts(value: object, place: str) -> tuple[str, ...]:
    return tuple(_typed(item, f"{place}[{i}]", str) for i, item in enumerate(_typed(value, place, list)))


def _one_of(value: object, place: str, allowed: list[str]) -> str:
    text = _typed(value, place, str)
    if text not in allowed:
        raise _wrong(place, text, f"one of {', '.join(allowed)}")
    return text


def _pairs(value: object, place: str) -> list[tuple[str, object]]:
    pairs = []
    for i, item in enumerate(_typed(value, place, list)):
        if type(item) is not list or len(item) != 2:
            raise _wrong(f"{place}[{i}]", item, "a pair")
        pairs.append((_typed(item[0], f"{place}[{i}]", str), item[1]))
    return pairs
