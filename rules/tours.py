"""Guard tours (电子巡更): checkpoints fall due after a tour's start; missed, late and out-of-order ones are told."""

from dataclasses import replace

from rules.draft import Draft, about
from rules.effects import JsonValue
from rules.index import site_index
from rules.site import Site, Stop, Tour, Zone
from rules.state import Walkers

MINUTE_MS = 60_000
START_WITHIN_MIN = 15
"""A start that is longer past does not begin a tour: the guard could not keep its windows."""
_DAY = 1440
_WEEK_MIN = 7 * _DAY


def begin(d: Draft, now: int) -> None:
    """Begin the tours whose start has come; `now` in minutes since day 0, by a clock that is sure."""
    if not near(d.site, now):
        return
    for tour in d.site.tours.values():
        start = _start(tour, now)
        if start is None or d.durable.tours_begun.get(tour.id) == start:
            continue
        if tour.id in d.durable.tours:
            _end(d, tour)
        since = d.now - (now - start) * MINUTE_MS
        d.keep(tours_begun={**d.durable.tours_begun, tour.id: start})
        d.record("tour.started", {"tour": tour.id, "stops": [stop.zone for stop in tour.stops]})
        _put(d, tour, Walkers(since, since))
    due(d)


def near(site: Site, now: int) -> bool:
    """Whether a tour may begin in this minute."""
    return now % _WEEK_MIN in _minutes(site)


def _minutes(site: Site) -> frozenset[int]:
    """The minutes of a week, from day 0, at which a tour may begin: asked for every minute of a life."""
    found: frozenset[int] | None = site.__dict__.get("_tour_minutes")
    if found is None:
        starts = [((weekday + 1) * _DAY + minute) for t in site.tours.values() for weekday, minute in t.starts]
        late = range(START_WITHIN_MIN + 1)
        found = site.__dict__["_tour_minutes"] = frozenset((s + more) % _WEEK_MIN for s in starts for more in late)
    return found


def _start(tour: Tour, now: int) -> int | None:
    """The start that came within the last minutes, the latest of them."""
    day = now // _DAY
    starts = (
        base * _DAY + minute for base in (day - 1, day) for weekday, minute in tour.starts if (base - 1) % 7 == weekday
    )
    return max((start for start in starts if 0 <= now - start <= START_WITHIN_MIN), default=None)


def _put(d: Draft, tour: Tour, walkers: Walkers) -> None:
    """Keep it with the moment at which something of it is due next."""
    open_ = [_until(walkers, stop) for stop in tour.stops if stop.zone not in (*walkers.reached, *walkers.missed)]
    last = max((_until(walkers, stop) for stop in tour.stops), default=walkers.since)
    d.keep(tours={**d.durable.tours, tour.id: replace(walkers, due=min(open_, default=last))})


def _until(walkers: Walkers, stop: Stop) -> int:
    return walkers.since + stop.until_min * MINUTE_MS


def due(d: Draft) -> None:
    """Checkpoints whose window is over are missed; a tour whose windows are all over ends."""
    for id_ in [id_ for id_, walkers in d.durable.tours.items() if walkers.due <= d.now]:
        tour = d.site.tours[id_]
        walkers = d.durable.tours[id_]
        for stop in tour.stops:
            if _until(walkers, stop) <= d.now and stop.zone not in (*walkers.reached, *walkers.missed):
                walkers = replace(walkers, missed=(*walkers.missed, stop.zone))
                d.record("tour.missed", _told(d, tour, d.site.zones.get(stop.zone)))
        _put(d, tour, walkers)
        if all(_until(walkers, stop) <= d.now for stop in tour.stops):
            _end(d, tour)


def _end(d: Draft, tour: Tour) -> None:
    walkers = d.durable.tours[tour.id]
    d.keep(tours={id_: other for id_, other in d.durable.tours.items() if id_ != tour.id})
    missed = len(tour.stops) - len(walkers.reached)
    d.record(
        "tour.ended",
        {
            "tour": tour.id,
            "reached": len(walkers.reached),
            "missed": missed,
            "late": walkers.late,
            "out_of_order": walkers.odd,
        },
    )


def reached(d: Draft, zone: Zone) -> None:
    """The guard is at a checkpoint."""
    for id_ in site_index(d.site).stops[zone.id]:
        walkers = d.durable.tours.get(id_)
        if walkers is not None and zone.id not in walkers.reached:
            _reached(d, d.site.tours[id_], walkers, zone)


def _reached(d: Draft, tour: Tour, walkers: Walkers, zone: Zone) -> None:
    told = _told(d, tour, zone)
    at = next(i for i, stop in enumerate(tour.stops) if stop.zone == zone.id)
    stop = tour.stops[at]
    here = (*walkers.reached, zone.id)
    if zone.id in walkers.missed:
        d.record("tour.late", told)
        missed = tuple(id_ for id_ in walkers.missed if id_ != zone.id)
        _put(d, tour, replace(walkers, reached=here, missed=missed, late=walkers.late + 1))
        return
    early = d.now < walkers.since + stop.after_min * MINUTE_MS
    done = (*walkers.reached, *walkers.missed)
    if early or any(other.zone not in done for other in tour.stops[:at]):
        d.record("tour.out-of-order", told)
        kept = walkers.reached if early else here
        _put(d, tour, replace(walkers, reached=kept, odd=walkers.odd + 1))
        return
    d.record("tour.reached", told)
    _put(d, tour, replace(walkers, reached=here))


def _told(d: Draft, tour: Tour, zone: Zone | None) -> dict[str, JsonValue]:
    del d
    return {"tour": tour.id, **(about(zone) if zone else {})}
