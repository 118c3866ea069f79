"""The simulated world: one seed gives one world, it is busy enough, and everything in its table happens."""

# ruff: noqa: ARG002 - a fake takes what its port has

from collections import Counter
from random import Random

import pytest

from hil.life.clock import DAY_MS, Calendar
from hil.life.happenings import Happening, Troubled, Typed, Wired
from hil.life.rates import RATES, Rate
from hil.life.scripts import SCRIPTS, begin
from hil.life.sites import NAMES, NoSuchSite, ground
from hil.life.world import World
from rules.site import Condition, ZoneType
from rules.stimuli import CodeEntered, Stimulus, TroubleChanged, UserRemoved, UserSet, Wish, ZoneChanged

MONDAY = 739_000 - 739_000 % 7 + 1  # an ordinal that 7 divides is a Sunday


class OpenPanel:
    """A panel that takes everything, is armed and disarmed by whoever asks, and knows every user at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.awake = self.powered = True
        self.seen: list[Happening] = []
        self.fed: list[Stimulus] = []
        self.done: Counter[str] = Counter()
        self.armed: set[str] = set()

    def emit(self, happening: Happening) -> None:
        self.seen.append(happening)

    def feed(self, stimulus: Stimulus) -> None:
        self.fed.append(stimulus)
        book = self.world.book
        if isinstance(stimulus, UserSet):
            if (who := book.changing.pop(stimulus.user.id)) is not None:
                book.known[stimulus.user.id] = who
        elif isinstance(stimulus, UserRemoved):
            del book.known[stimulus.user]
        elif isinstance(stimulus, CodeEntered):
            areas = set(stimulus.areas or self.world.site.areas)
            if stimulus.wish is Wish.ARM:
                self.armed |= areas
            elif stimulus.wish is Wish.DISARM:
                self.armed -= areas
            elif stimulus.wish is Wish.TOGGLE:
                self.armed ^= areas

    def mode(self, area: str) -> str:
        return ("armed" if area in self.armed else "disarmed") if self.awake else ""

    def alarmed(self, area: str) -> bool:
        return False

    def crash(self, power: bool, fuse: int | None) -> None:
        self.done["power" if power else "kill"] += 1
        self.awake, self.powered = False, self.powered and not power

    def stop(self, reason: str) -> None:
        self.awake = False

    def start(self, version: str = "", config: str = "") -> None:
        self.awake = self.powered = True

    def set_clock(self, offset_ms: int, doubt: str) -> None:
        self.done[f"clock-{doubt}"] += 1

    def order(self, wish: Wish, deed: str, areas: tuple[str, ...] = (), zone: str = "") -> None:
        self.done[deed] += 1

    def network(self, what: str, up: bool = True) -> None:
        self.done[f"{what}-{up}"] += 1

    def card(self, what: str, until: int = 0) -> None:
        self.done[f"card-{what}"] += 1


def make(seed: int, site: str = "crowded") -> tuple[World, OpenPanel]:
    world = World(ground(site), Calendar(MONDAY), Random(seed))
    panel = OpenPanel(world)
    world.hands = panel
    return world, panel


def live(world: World, days: float) -> None:
    while world.next_at() < days * DAY_MS:
        world.turn()


def lived(seed: int, days: float, site: str = "crowded") -> tuple[World, OpenPanel]:
    world, panel = make(seed, site)
    begin(world)
    live(world, days)
    return world, panel


def test_one_seed_gives_one_world() -> None:
    one, again, other = (lived(seed, 5)[1].seen for seed in (7, 7, 8))
    assert one == again
    assert one != other


def test_a_working_day_of_the_crowded_site_is_busy() -> None:
    _, panel = lived(3, 5)
    days = Counter(seen.at // DAY_MS for seen in panel.seen if isinstance(seen, Wired))
    # Monday has no users for an hour yet; the rest of the week is as it always is.
    assert all(500 <= days[day] <= 2_500 for day in range(1, 5)), days


def test_time_never_runs_back_and_what_is_told_is_what_was() -> None:
    _, panel = lived(4, 20)
    assert [seen.at for seen in panel.seen] == sorted(seen.at for seen in panel.seen)
    wires = dict.fromkeys(ground("crowded").site.zones, Condition.NORMAL)
    for seen in panel.seen:
        if isinstance(seen, Wired):
            assert (wires[seen.zone] is seen.condition) == seen.asked
            wires[seen.zone] = seen.condition


def test_every_kind_of_the_table_happens_within_some_years_of_worlds() -> None:
    happened: Counter[str] = Counter()
    for seed in range(3):
        happened.update(lived(seed, 365)[0].counts)
    assert set(RATES) - set(happened) == set()
    often = {kind for kind, rate in RATES.items() if rate.per_year >= 20 and rate.when != "open"}
    for kind in often:
        assert 0.4 < happened[kind] / (3 * RATES[kind].per_year) < 1.6, (kind, happened[kind])


def test_each_kind_has_a_script_that_runs_on_every_site() -> None:
    assert set(SCRIPTS) == set(RATES)
    for site in NAMES:
        world, _ = make(1, site)
        begin(world, {})
        live(world, 0.5)
        for kind in RATES:
            for area in world.site.areas:
                world.play(SCRIPTS[kind](world, area))
        live(world, 12)


@pytest.mark.parametrize(
    ("kind", "done"),
    [
        ("power-cut", "power"),
        ("kill", "kill"),
        ("clock-step", "clock-synchronised"),
        ("clock-unsure", "clock-free-running"),
        ("disk-full", "card-full"),
        ("disk-stall", "card-stall"),
        ("link-down", "link-False"),
        ("uplink-restart", "uplink-True"),
        ("broker-restart", "broker-True"),
        ("center-restart", "center-True"),
        ("remote-forged", "forged"),
        ("remote-stale", "stale"),
        ("remote-replayed", "replayed"),
        ("remote-status", "genuine"),
    ],
)
def test_what_is_done_to_the_machine_is_done(kind: str, done: str) -> None:
    world, panel = make(2)
    begin(world, {kind: Rate(3_650)})
    live(world, 6)
    assert panel.done[done] > 0


def test_a_driver_that_dies_is_told_before_its_zones_and_comes_back_after_them() -> None:
    world, panel = make(1)
    bus = world.ground.of_driver["bus-1"]
    world.trip(bus[0], 1_000_000)
    panel.fed.clear()
    world.driver("bus-1", works=False)
    world.driver("bus-1", works=True)
    told = [TroubleChanged("bus", True, "bus-1")]
    faults = [ZoneChanged(zone, Condition.FAULT) for zone in bus]
    back = [ZoneChanged(zone, Condition.ACTIVE if zone == bus[0] else Condition.NORMAL) for zone in bus]
    assert panel.fed == [*told, *faults, *back, TroubleChanged("bus", False, "bus-1")]
    assert [seen.present for seen in panel.seen if isinstance(seen, Troubled)] == [True, False]


def test_a_dark_panel_is_told_nothing_but_the_world_goes_on() -> None:
    world, panel = make(1)
    panel.awake = False
    world.trip("hall-front-door", 5_000)
    world.type("keypad-hall", "123456", Wish.DISARM)
    world.trouble("mains", True)
    assert panel.fed == []
    assert [type(seen) for seen in panel.seen] == [Wired, Troubled]
    assert world.readings()["hall-front-door"] is Condition.ACTIVE


def test_two_trips_that_overlap_end_with_the_later_one() -> None:
    world, panel = make(1)
    world.trip("hall-pir-back", 5_000)
    world.at(1_000, lambda _: world.trip("hall-pir-back", 10_000))
    live(world, 1)
    assert [(seen.at, seen.condition.value) for seen in panel.seen if isinstance(seen, Wired)] == [
        (0, "active"),
        (11_000, "normal"),
    ]


def test_who_types_is_told_as_the_person_he_is() -> None:
    world, panel = make(1)
    begin(world, {})
    live(world, 0.05)
    clerk = world.book.known["clerk-hall-1"]
    panel.seen.clear()
    world.type("keypad-hall", clerk.duress, Wish.DISARM)
    world.type("keypad-hall", clerk.code, Wish.DISARM)
    world.type("keypad-hall", "000000" if clerk.code != "000000" else "000009", Wish.DISARM)
    typed = [(seen.user, seen.duress) for seen in panel.seen if isinstance(seen, Typed)]
    assert typed == [("clerk-hall-1", True), ("clerk-hall-1", False), ("", False)]


def test_the_crowded_site_has_every_zone_type_and_attribute() -> None:
    site = ground("crowded").site
    zones = site.zones.values()
    assert (len(zones), len(site.areas)) == (64, 8)
    assert {zone.type for zone in zones} == set(ZoneType)
    for attribute in [
        "chime",
        "forceable",
        "second_entry",
        "entry_delay_ms",
        "final_door",
        "pulse_window_ms",
        "double_knock",
        "cross_group",
        "soak",
        "detector",
        "supply_cut",
        "cameras",
        "settle_ms",
    ]:
        assert any(getattr(zone, attribute) for zone in zones), attribute
    assert any(len(zone.areas) > 1 for zone in zones)
    assert any(not zone.report_restore for zone in zones)
    assert any(not zone.abort for zone in zones)
    assert site.parts
    assert site.schedules
    assert site.tours


def test_a_site_that_is_none_says_so() -> None:
    with pytest.raises(NoSuchSite, match=r"nowhere\.toml"):
        ground("nowhere.toml")
