"""How long one step of the rules takes: medians over ordinary stimuli, on a small and on a large site.

The bar of the design: ≤ 15 µs for 64 zones in 8 areas, and flat in the number of zones (512 zones ≤ 1.3×).
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from statistics import median
from time import perf_counter_ns

from rules import (
    Area,
    CodeEntered,
    Condition,
    Output,
    OutputKind,
    PanelState,
    Place,
    Site,
    Stimulus,
    User,
    UserSet,
    Wish,
    Zone,
    ZoneChanged,
    ZoneType,
    encode,
    initial,
    step,
)
from rules.state import ZoneState

_TYPES = (ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.INSTANT)


def site(zones: int, areas: int) -> Site:
    """A site with so many zones and areas, and a siren, a strobe and a lamp for each area."""
    ids = [f"area-{i}" for i in range(areas)]
    made = [
        Zone(f"zone-{i}", i + 1, f"Zone {i}", _TYPES[(i // areas) % len(_TYPES)], (ids[i % areas],))
        for i in range(zones)
    ]
    outputs = [
        output
        for area in ids
        for output in (
            Output(f"siren-{area}", OutputKind.SIREN, (area,), Place.EXTERNAL),
            Output(f"strobe-{area}", OutputKind.STROBE, (area,)),
            Output(f"lamp-{area}", OutputKind.ARMED, (area,)),
        )
    ]
    return Site(
        areas={id_: Area(id_, i + 1, f"Area {i}", 30_000, 0) for i, id_ in enumerate(ids)},
        zones={zone.id: zone for zone in made},
        outputs={output.id: output for output in outputs},
    )


def _armed(place: Site) -> PanelState:
    user = User("user", "User", 2, tuple(place.areas), "aa")
    state, _ = step(place, initial(place), UserSet("bench", user), 0)
    return step(place, state, CodeEntered("keypad", "aa", Wish.ARM), 1)[0]


def _median_us(once: Callable[[], object], rounds: int = 2000) -> float:
    spans = []
    for _ in range(rounds):
        begin = perf_counter_ns()
        once()
        spans.append(perf_counter_ns() - begin)
    return median(spans) / 1000


def _cases(place: Site) -> dict[str, tuple[PanelState, Stimulus]]:
    disarmed, armed = initial(place), _armed(place)
    door = next(zone.id for zone in place.zones.values() if zone.type is ZoneType.ENTRY_EXIT)
    pir = next(zone.id for zone in place.zones.values() if zone.type is ZoneType.INSTANT)
    active, normal = Condition.ACTIVE, Condition.NORMAL
    return {
        "zone active, disarmed": (disarmed, ZoneChanged(pir, active)),
        "zone normal, disarmed": (step(place, disarmed, ZoneChanged(pir, active), 2)[0], ZoneChanged(pir, normal)),
        "zone unchanged": (armed, ZoneChanged(pir, normal)),
        "entry delay begins": (armed, ZoneChanged(door, active)),
        "alarm begins": (armed, ZoneChanged(pir, active)),
        "alarm restored": (step(place, armed, ZoneChanged(pir, active), 2)[0], ZoneChanged(pir, normal)),
        "line cut, disarmed": (disarmed, ZoneChanged(pir, Condition.OPEN)),
        "wrong code": (armed, CodeEntered("keypad", "bb")),
        "disarm all areas": (armed, CodeEntered("keypad", "aa", Wish.DISARM)),
    }


def _day(place: Site) -> list[Stimulus]:
    """An ordinary day: people walk about, arm, come back by the door and disarm; then a burglar."""
    instant = [zone.id for zone in place.zones.values() if zone.type is ZoneType.INSTANT]
    door = next(zone.id for zone in place.zones.values() if zone.type is ZoneType.ENTRY_EXIT)
    active, normal = Condition.ACTIVE, Condition.NORMAL
    walk = [ZoneChanged(id_, condition) for id_ in instant[:16] for condition in (active, normal)]
    return [
        *walk,
        CodeEntered("keypad", "aa", Wish.ARM),
        ZoneChanged(door, active),
        ZoneChanged(door, normal),
        CodeEntered("keypad", "aa", Wish.DISARM),
        *walk,
        CodeEntered("keypad", "aa", Wish.ARM),
        *walk,
        CodeEntered("keypad", "aa", Wish.DISARM),
    ]


def _day_us(place: Site, rounds: int = 40) -> float:
    """Median of all steps of such days, one after the other."""
    state, _ = step(place, initial(place), UserSet("bench", User("user", "User", 2, tuple(place.areas), "aa")), 0)
    spans = []
    for now in range(1, rounds + 1):
        for stimulus in _day(place):
            begin = perf_counter_ns()
            state, _ = step(place, state, stimulus, now)
            spans.append(perf_counter_ns() - begin)
    return median(spans) / 1000


def _encode_one(place: Site) -> float:
    """A snapshot after one of all zones has changed, and something stands on each: the dearest that there is."""
    full = {id_: ZoneState(id_, fault="fault") for id_ in place.zones}
    durable = replace(_armed(place).durable, zones=full)
    encode(PanelState(durable))
    one = next(iter(full))
    spans = []
    for _ in range(2000):
        changed = PanelState(replace(durable, zones={**full, one: ZoneState(one, bypassed=True)}))
        begin = perf_counter_ns()
        encode(changed)
        spans.append(perf_counter_ns() - begin)
    return median(spans) / 1000


def measure() -> dict[str, float]:
    """Medians in µs; names end in the size of the site (`64/8`: 64 zones in 8 areas).

    `step, an ordinary day` is the figure to hold against the bar; the others show where the time goes.
    """
    found: dict[str, float] = {}
    for zones, areas in ((64, 8), (512, 8)):
        place = site(zones, areas)
        found[f"step, an ordinary day, {zones}/{areas}"] = _day_us(place)
        for name, (state, stimulus) in _cases(place).items():
            found[f"{name}, {zones}/{areas}"] = _median_us(partial(step, place, state, stimulus, 3))
        found[f"encode, one zone changed, {zones}/{areas}"] = _encode_one(place)
    return found


if __name__ == "__main__":
    for label, microseconds in measure().items():
        print(f"{microseconds:8.2f} µs  {label}")
