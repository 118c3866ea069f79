"""The plan of a life: what each day brings, drawn from the table of rates, and the script of each kind."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from hil.life import crime, machine, nature, staff, upkeep
from hil.life.clock import DAY_MS
from hil.life.people import first_staff
from hil.life.rates import EMPTY_DAY, RATES, TRIPS_A_DAY, Rate
from hil.life.upkeep import set_user
from hil.life.world import Script, World
from rules.stimuli import TestDone

_OTHERS: Mapping[str, str] = {
    "duress-code": "duress_code",
    "night-hold-up": "hold_up",
    "late-visitor": "late_visitor",
}


def _script_of(kind: str) -> Callable[[World, str], Script]:
    name = _OTHERS.get(kind, kind.replace("-", "_"))
    for room in (crime, nature, machine, upkeep, staff):
        found = vars(room).get(name)
        if found is not None and found.__module__ == room.__name__:
            script: Callable[[World, str], Script] = found
            return script
    raise KeyError(kind)


SCRIPTS: Mapping[str, Callable[[World, str], Script]] = MappingProxyType({kind: _script_of(kind) for kind in RATES})
"""Kind → its script; each takes the world and an area that was drawn for it."""


def begin(w: World, rates: Mapping[str, Rate] = RATES, settle_in: bool = True) -> None:
    """Put the first night and all days to come into the queue. `settle_in`: the installer sets the users up first."""
    w.on_alarm = lambda: staff.watch_alarms(w)
    if settle_in:
        w.play(_commissioning(w), 60_000)
    w.at(0, _day, (w, rates))


def _commissioning(w: World) -> Script:
    for who in first_staff(w.site, w.random, w.book):
        w.play(set_user(w, who), w.between(0, 3_000_000))
    yield 0


def _day(what: tuple[World, Mapping[str, Rate]]) -> None:
    w, rates = what
    w.at(w.now + DAY_MS, _day, what)
    day, weekday = w.calendar.day_at(w.now), w.calendar.weekday_at(w.now)
    open_ = {area: w.ground.opening(area, day, weekday) for area in w.site.areas}
    for area, hours in open_.items():
        if hours is not None:
            w.play(staff.working_day(w, area, *hours))
        elif not w.ground.doors(area):
            w.play(staff.keep_armed(w, area))
        elif w.site.areas[area].schedule == "":
            _quiet_day(w, area)
    for tour in w.site.tours.values():
        for start_day, minute in tour.starts:
            if start_day == weekday:
                w.play(staff.tour(w, tour.id), w.until(minute) + 1_000)
    for kind, rate in rates.items():
        _draw(w, kind, rate, open_)


def _quiet_day(w: World, area: str) -> None:
    """Some detectors see something even where nobody works: a guard, the sun."""
    for zone in w.ground.worked(area):
        if w.chance(TRIPS_A_DAY * EMPTY_DAY):
            w.at(w.now + w.between(0, DAY_MS - 1), _glimpse, (w, area, zone))


def _glimpse(what: tuple[World, str, str]) -> None:
    w, area, zone = what
    if not w.is_set(area):
        w.trip(zone, w.between(500, 4_000))


def _draw(w: World, kind: str, rate: Rate, open_: Mapping[str, tuple[int, int] | None]) -> None:
    """Let a kind happen today, or not, or several times."""
    chance = rate.per_year / 365
    while w.random.random() < chance / (1 + chance):
        area = w.random.choice(tuple(w.site.areas))
        minute = _minute(w, rate, open_[area])
        if minute is not None:
            w.at(w.now + int(minute * 60_000) + w.between(0, 59_999), _happen, (w, kind, area))


def _minute(w: World, rate: Rate, hours: tuple[int, int] | None) -> float | None:
    if rate.when == "any":
        return w.random.random() * 1_440
    if rate.when == "night":
        return (1_320 + w.random.random() * 420) % 1_440
    if rate.when == "open":
        return None if hours is None else hours[0] + w.random.random() * (hours[1] - hours[0])
    if hours is None:
        return w.random.random() * 1_440
    shut = 1_440 - hours[1] + hours[0] - 60
    return (hours[1] + 30 + w.random.random() * max(30, shut)) % 1_440


def _happen(what: tuple[World, str, str]) -> None:
    w, kind, area = what
    w.count(kind)
    w.play(SCRIPTS[kind](w, area))


def battery_answer(w: World) -> Script:
    """What becomes of a battery test that the rules asked for: passed, failed, or never answered."""
    yield w.seconds(2, 40)
    fate = w.random.random()
    if fate < 0.8 and w.hands.awake:
        w.hands.feed(TestDone("battery", fate < 0.6, "load test"))
