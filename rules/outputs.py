"""Which outputs are on: a pure function of the state, and the only place that works out what to switch."""

from collections.abc import Iterator, Mapping

from rules.effects import Switch
from rules.index import site_index
from rules.site import Output, OutputKind, Place, Site
from rules.state import AreaState, PanelState
from rules.table import SET_MODES


def outputs(site: Site, state: PanelState) -> Mapping[str, bool]:
    """Output id → wanted on or off."""
    return {o.id: is_on(o, state.areas) for o in site.outputs.values()}


def is_on(output: Output, areas: Mapping[str, AreaState]) -> bool:
    """Whether the output is wanted on.

    A siren sounds while one of its areas has an alarm that nobody silenced; an external one only for an area that is
    set (EN 50131-1 Table 7, digest §1.5 and §1.7). A strobe is on until disarm. The armed lamp is on when every area
    it serves is set.
    """
    if output.kind is OutputKind.SIREN:
        return any(_sounds(areas[id_], output.place) for id_ in output.areas)
    if output.kind is OutputKind.STROBE:
        return any(areas[id_].strobe for id_ in output.areas)
    return all(areas[id_].mode in SET_MODES for id_ in output.areas)


def _sounds(area: AreaState, place: Place) -> bool:
    alarm = area.alarm
    return alarm is not None and not alarm.silenced and (place is Place.INTERNAL or area.mode in SET_MODES)


def switches(site: Site, before: Mapping[str, AreaState], after: Mapping[str, AreaState]) -> Iterator[Switch]:
    """What to switch between two states, each output at most once, in the panel file's order of areas."""
    if before is after:
        return
    seen = set()
    for id_, served in site_index(site).outputs_of.items():
        if before[id_] is after[id_]:
            continue
        for output in served:
            if output.id not in seen:
                seen.add(output.id)
                if (on := is_on(output, after)) is not is_on(output, before):
                    yield Switch(output.id, on)
