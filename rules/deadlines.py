"""When the rules want to be called again: the earliest of all moments that the state holds.

Each part keeps its own earliest moment, so a part that did not change costs nothing.
"""

from collections.abc import Iterator

from rules.state import Durable, Live, PanelState

_NEVER = 2**62


def next_deadline(state: PanelState) -> int | None:
    """When `DeadlinePassed` is due, monotonic ms; None when no timer runs."""
    durable, live = state.durable.__dict__, state.live.__dict__
    first: int | None = durable.get("_due")
    if first is None:
        first = durable["_due"] = min(_durable(state.durable), default=_NEVER)
    second: int | None = live.get("_due")
    if second is None:
        second = live["_due"] = min(_live(state.live), default=_NEVER)
    due = first if first < second else second
    return None if due == _NEVER else due


def _durable(d: Durable) -> Iterator[int]:
    for area in d.areas.values():
        if (due := area.deadline) is not None:
            yield due
            if (warn := area.warn_at) is not None:
                yield warn
        if area.alarm is not None:
            yield area.alarm.until
        if area.confirm_until is not None:
            yield area.confirm_until
    for zone in d.zones.values():
        if zone.shut is not None:
            yield zone.shut
    for siren in d.sirens.values():
        if siren.until is not None:
            yield siren.until
    for pending in d.pending:
        yield pending.due
    yield from d.lockouts.values()
    yield from d.delayed.values()
    for single in (d.granted, d.installer, d.siren_test, d.battery_test):
        if single is not None:
            yield single
    if d.walk is not None:
        yield d.walk.until
    for tour in d.tours.values():
        yield tour.due


def _live(live: Live) -> Iterator[int]:
    yield from live.held.values()
    yield from live.holds.values()
    yield from live.chimes.values()
    for _, until in live.crossed.values():
        yield until
