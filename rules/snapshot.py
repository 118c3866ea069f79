"""The durable state as bytes and back, moved to another boot's clock, and fitted to another panel file."""

import json
from dataclasses import replace
from typing import Any

from rules.bypass import bypassable
from rules.codec import wrong
from rules.members import DURABLE
from rules.site import Site, Zone
from rules.state import NOTHING_LIVE, AreaState, Durable, Live, PanelState, People, ZoneState
from rules.table import AreaMode
from rules.zones import ALARM_KINDS, ISOLABLE, RESTORE_KINDS

VERSION = 2
"""1 wrote every member, and had fewer; it is still read (`_from_version_1`)."""
MAX_BYTES = 4 * 1024 * 1024
"""A snapshot is never longer: 512 users, 512 zones and 32 areas fit many times."""


def encode(state: PanelState) -> bytes:
    """The durable part as canonical JSON (RFC 8785): the same state gives the same bytes."""
    return b'{"state":%b,"version":%d}' % (DURABLE.write(state.durable).encode(), VERSION)


def rebase(state: PanelState, shift_ms: int) -> PanelState:
    """The state with all its moments later by `shift_ms` (negative: earlier): for a new boot, or a clock that stood."""
    live = state.live
    return PanelState(
        DURABLE.shift(state.durable, shift_ms),
        replace(
            live,
            held=_later(live.held, shift_ms),
            holds=_later(live.holds, shift_ms),
            chimes=_later(live.chimes, shift_ms),
            started=None if live.started is None else live.started + shift_ms,
            knocks={zone: tuple(at + shift_ms for at in moments) for zone, moments in live.knocks.items()},
            crossed={group: (zone, until + shift_ms) for group, (zone, until) in live.crossed.items()},
        ),
    )


def _later(moments: Any, shift_ms: int) -> dict[str, int]:
    return {name: moment + shift_ms for name, moment in moments.items()}


def adapt(site: Site, state: PanelState) -> PanelState:
    """The state under another panel file: what the file no longer has is dropped, new areas are disarmed.

    An area that remains keeps its mode, its alarm and its timers. Drivers report every zone again, so the live part
    is forgotten, but for the clock. A bypass of a zone that may not be bypassed any more ends, as does an alarm of a
    zone that is of another type now; an area that was armed with a part that is gone is armed in full. Fitting a
    state that fits changes nothing.
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
    live = Live(day=state.live.day, minute=state.live.minute, sure=state.live.sure)
    fitted = replace(
        durable,
        areas=areas,
        zones=zones,
        people=People(users),
        pending=tuple(p for p in durable.pending if not p.zone or p.zone in site.zones),
        indications=tuple(i for i in durable.indications if not i.zone or i.zone in site.zones),
        sirens={id_: siren for id_, siren in durable.sirens.items() if id_ in site.outputs},
        tours={id_: tour for id_, tour in durable.tours.items() if id_ in site.tours},
        tours_begun={id_: begun for id_, begun in durable.tours_begun.items() if id_ in site.tours},
        closings={id_: closing for id_, closing in durable.closings.items() if id_ in site.areas},
    )
    return PanelState(fitted, live if live.day else NOTHING_LIVE)


def _fitted_zone(zone: Zone, stood: ZoneState) -> ZoneState:
    """What stands on the zone as it is now: a door that became a hold-up button must not be bypassed, nor be in alarm
    as a door; either would swallow its first press."""
    alarm = stood.alarm if stood.alarm == ALARM_KINDS[zone.type] else ""
    return replace(
        stood,
        bypassed=stood.bypassed and bypassable(zone),
        isolated=stood.isolated and zone.type in ISOLABLE,
        alarm=alarm,
        shut=stood.shut if zone.type in ISOLABLE else None,
    )


def _fitted(site: Site, area: AreaState) -> AreaState:
    def known(ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(id_ for id_ in ids if not id_ or id_ in site.zones)  # a cabinet's alarm has no zone

    return replace(
        area,
        entry_zones=known(area.entry_zones),
        memory=known(area.memory),
        confirm_zones=known(area.confirm_zones),
        alarm=area.alarm and replace(area.alarm, zones=known(area.alarm.zones)),
        part=area.part if area.part in site.parts else "",
    )


def decode(data: bytes) -> PanelState:
    """The state that `encode` wrote; ValueError with place, what was found and what was expected if it can't be one."""
    if len(data) > MAX_BYTES:
        raise ValueError(f"snapshot: found {len(data)} bytes, expected at most {MAX_BYTES}")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"snapshot: found no JSON ({error}), expected an object") from None
    if type(value) is not dict or value.get("version") not in (1, VERSION):
        found = value.get("version") if type(value) is dict else value
        raise wrong("$.version", found, f"version {VERSION} or 1")
    if value["version"] == 1:
        return PanelState(_checked(_from_version_1(value)))
    if sorted(value) != ["state", "version"]:
        raise wrong("$", " ".join(sorted(value)), "the members state version")
    state = PanelState(_checked(value["state"]))
    try:
        encoded = encode(state)
    except UnicodeEncodeError:
        raise ValueError("snapshot: found text with a lone surrogate, expected Unicode text") from None
    if encoded != data:
        raise ValueError("snapshot: found other spacing, order or escapes, expected canonical JSON (RFC 8785)")
    return state


def _checked(value: object) -> Durable:
    durable: Durable = DURABLE.read(value, "$.state")
    for area in durable.areas.values():
        _consistent(area, f"$.state.areas.{area.id}")
    for zone in durable.zones.values():
        if zone.quiet:
            raise wrong(f"$.state.zones.{zone.id}", "{}", "something that stands")
        if zone.alarm and zone.alarm not in RESTORE_KINDS:
            raise wrong(f"$.state.zones.{zone.id}.alarm", zone.alarm, "the kind of an alarm that stands")
    return durable


def _consistent(area: AreaState, place: str) -> None:
    """A mode without its timer would never end, and an alarm without its mode would sound for nobody."""
    timed = area.mode in (AreaMode.EXIT_DELAY, AreaMode.ENTRY_DELAY)
    if timed is not (area.deadline is not None):
        raise wrong(f"{place}.deadline", area.deadline, "a moment" if timed else "null")
    if area.mode is AreaMode.ALARM and area.alarm is None:
        raise wrong(f"{place}.alarm", area.alarm, "an object")
    if not area.how and area.mode is not AreaMode.DISARMED:
        raise wrong(f"{place}.how", area.how, "how it was armed")


def _from_version_1(value: dict[str, Any]) -> dict[str, Any]:
    """A panel that is updated while armed comes back armed: the first version's members, under their new names."""
    rest = {name: member for name, member in value.items() if name not in ("version", "users")}
    return {**rest, "people": value.get("users")}
