"""Which outputs are on: a pure function of the state, and the only place that works out what to switch.

When a siren of its own delay and limit sounds is kept in the state (`rules.sirens`); everything else follows from
areas, zones and indications at once.
"""

from collections.abc import Mapping

from rules.effects import Switch
from rules.index import SiteIndex, site_index
from rules.site import Condition, Output, OutputKind, Site
from rules.state import AreaState, PanelState
from rules.table import SET_MODES, AreaMode

# A member of an enum costs a look-up of 0.1 µs each time it is named.
_SIREN, _STROBE, _ARMED, _ALARM = OutputKind.SIREN, OutputKind.STROBE, OutputKind.ARMED, OutputKind.ALARM
_BUZZER, _RELAY = OutputKind.BUZZER, OutputKind.RELAY
_DELAYS = frozenset({AreaMode.EXIT_DELAY, AreaMode.ENTRY_DELAY})


def outputs(site: Site, state: PanelState) -> Mapping[str, bool]:
    """Output id → wanted on or off."""
    return {o.id: is_on(o, state) for o in site.outputs.values()}


def is_on(output: Output, state: PanelState) -> bool:
    """Whether the output is wanted on: see "Sirens, strobe, lamps, relays" in docs/rules.md."""
    durable, kind = state.durable, output.kind
    if kind is _SIREN:
        siren = durable.sirens.get(output.id)
        return (siren is not None and siren.on) or output.id in state.live.chimes
    if kind is _ARMED:
        return bool(output.areas) and all(durable.areas[id_].mode in SET_MODES for id_ in output.areas)
    if kind is _STROBE:
        return any(durable.areas[id_].strobe for id_ in output.areas)
    if kind is _BUZZER:
        return any(durable.areas[id_].mode in _DELAYS for id_ in output.areas)
    if kind is _ALARM:
        served = set(output.areas)
        return any(not i.areas or served.intersection(i.areas) for i in durable.indications)
    return output.id in state.live.chimes or (kind is _RELAY and _followed(output.follows, state))


def _followed(follows: str, state: PanelState) -> bool:
    what, _, name = follows.partition(":")
    if what == "zone":
        return state.live.conditions.get(name) is Condition.ACTIVE
    area = state.durable.areas.get(name)
    if area is None or what not in ("area", "alarm"):
        return False
    return area.mode in SET_MODES if what == "area" else area.alarm is not None and not area.alarm.silenced


def shown(area: AreaState) -> tuple[AreaMode, bool, bool]:
    """All that outputs take from an area, but for its sirens' own times."""
    return area.mode, area.strobe, area.alarm is not None and not area.alarm.silenced


def switches(site: Site, before: PanelState, after: PanelState) -> list[Switch]:
    """What to switch between two states, each output once, in the panel file's order of areas."""
    if before is after:
        return []
    found: dict[str, Switch] = {}
    for output in _concerned(site_index(site), site, before, after):
        if output.id not in found and (on := is_on(output, after)) is not is_on(output, before):
            found[output.id] = Switch(output.id, on)
    return list(found.values())


def _concerned(index: SiteIndex, site: Site, before: PanelState, after: PanelState) -> list[Output]:
    """The outputs that may have changed."""
    old, new = before.durable, after.durable
    found: list[Output] = []
    if old is not new:
        if old.sirens is not new.sirens:
            found += [s for s in index.sirens if old.sirens.get(s.id) is not new.sirens.get(s.id)]
        if old.areas is not new.areas:
            for id_, served in index.outputs_of.items():
                was, now = old.areas[id_], new.areas[id_]
                if was is not now and shown(was) != shown(now):
                    found += served
        if old.indications is not new.indications:
            found += index.lamps
    was_live, live = before.live, after.live
    if was_live is not live:
        if was_live.chimes is not live.chimes:
            found += [o for o in site.outputs.values() if (o.id in was_live.chimes) is not (o.id in live.chimes)]
        if index.relays_of and was_live.conditions is not live.conditions:
            for zone, relays in index.relays_of.items():
                if was_live.conditions.get(zone) is not live.conditions.get(zone):
                    found += relays
    return found
