"""Each siren's own time: its delay, its limit, and the rest after it, over all the areas that it serves.

Sources: EN 50131-1 and GB limits of warning devices (digest §1.5, §8). The result is in the state, so a restart goes on
with it; `rules.switching` only reads it.
"""

from rules.draft import Draft
from rules.index import site_index
from rules.site import Output, Place
from rules.state import AreaState, Siren
from rules.table import SET_MODES

_REST = Siren()


def settled(d: Draft) -> None:
    """Bring every siren in line with the alarms of its areas; at the end of each step."""
    durable, before = d.durable, d.before.durable
    if durable is before and not durable.sirens:
        return
    if durable.areas is before.areas and durable.troubles is before.troubles and not _due(d):
        return
    sirens = dict(durable.sirens)
    for output in site_index(d.site).sirens:
        was = sirens.get(output.id, _REST)
        now = _siren(d, output, was)
        if now == _REST:
            sirens.pop(output.id, None)
        elif now != was:
            sirens[output.id] = now
    if sirens != durable.sirens:
        d.keep(sirens=sirens)


def _due(d: Draft) -> bool:
    return any(siren.until is not None and siren.until <= d.now for siren in d.durable.sirens.values())


def _siren(d: Draft, output: Output, was: Siren) -> Siren:
    causes = [since for id_ in output.areas if (since := _cause(d.areas[id_], output, d.now)) is not None]
    if not causes:
        return _REST
    rested = was.rested
    if was.on:
        if was.until is None or was.until > d.now:
            return was
        rested = was.until
    young = [since for since in causes if rested is None or since >= rested]
    if not young:
        return Siren(rested=rested)
    delay = 0 if "paths" in d.durable.troubles else output.delay_ms
    start = min(young) + delay
    if start > d.now:
        return Siren(until=start, rested=rested)
    return Siren(on=True, until=d.now + (output.limit_ms or d.site.timings.siren_max_ms))


def _cause(area: AreaState, output: Output, now: int) -> int | None:
    """Since when the area wants this siren; None when it does not."""
    alarm, external = area.alarm, output.place is Place.EXTERNAL
    if alarm is not None and not alarm.silenced:
        return None if external and not (alarm.external and area.mode in SET_MODES) else alarm.since
    # An exit error is a warning to the one who leaves, inside only (CP-01 row 19). It began with the arming.
    began = now if area.armed_at is None else area.armed_at
    return began if area.exit_error and not external else None
