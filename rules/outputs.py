"""Which outputs are on: a pure function of the state, and the only place that works out what to switch."""

from collections.abc import Mapping

from rules.effects import Switch
from rules.index import site_index
from rules.site import Output, OutputKind, Place, Site
from rules.state import AreaState, PanelState
from rules.table import SET_MODES

# A member of an enum costs a look-up of 0.1 µs each time it is named.
_SIREN, _STROBE, _ARMED, _EXTERNAL = OutputKind.SIREN, OutputKind.STROBE, OutputKind.ARMED, Place.EXTERNAL


def outputs(site: Site, state: PanelState) -> Mapping[str, bool]:
    """Output id → wanted on or off."""
    return {o.id: is_on(o, state.areas) for o in site.outputs.values()}


def is_on(output: Output, areas: Mapping[str, AreaState]) -> bool:
    """Whether the output is wanted on.

    A siren sounds while one of its areas has an alarm that nobody silenced; an external one only for an area that is
    set (EN 50131-1 Table 7, digest §1.5 and §1.7). A strobe is on until disarm. The armed lamp is on when every area
    it serves is set.
    """
    kind, external = output.kind, output.place is _EXTERNAL
    for id_ in output.areas:
        area = areas[id_]
        if kind is _SIREN:
            alarm = area.alarm
            if alarm is not None and not alarm.silenced and not (external and area.mode not in SET_MODES):
                return True
        elif kind is _STROBE:
            if area.strobe:
                return True
        elif area.mode not in SET_MODES:
            return False
    return kind is _ARMED and bool(output.areas)


def shown(area: AreaState) -> tuple[bool, bool, bool]:
    """All that outputs take from an area: whether its sirens sound, its strobe is on, it is set."""
    alarm = area.alarm
    return alarm is not None and not alarm.silenced, area.strobe, area.mode in SET_MODES


def switches(site: Site, before: Mapping[str, AreaState], after: Mapping[str, AreaState]) -> list[Switch]:
    """What to switch between two states, each output once, in the panel file's order of areas."""
    found: dict[str, Switch] = {}
    if before is not after:
        for id_, served in site_index(site).outputs_of.items():
            old, new = before[id_], after[id_]
            if old is not new and shown(old) != shown(new):
                for output in served:
                    on = is_on(output, after)
                    if on is not is_on(output, before):
                        found[output.id] = Switch(output.id, on)
    return list(found.values())
