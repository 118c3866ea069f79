"""Whole lives: one seed gives one life bit for bit, what a crash forgets, and what lives have shown together."""

# ruff: noqa: ARG002 - a fake takes what its port has

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

import pytest

from hil.life.clock import DAY_MS
from hil.life.coverage import Coverage
from hil.life.happenings import Awake, Dark, Happening, Held, Person, Pin, Recorded, Shown, WallClock
from hil.life.life import Life, Makers, Terms, derived_seed, first_day
from hil.life.lives import default_makers, live
from hil.life.rates import RATES
from hil.life.scripts import SCRIPTS
from hil.life.sites import YEARS, ground
from hil.life.violation import Violation
from rules.site import ZoneType
from rules.stimuli import Wish
from rules.table import AreaMode

DIGEST = """
from hil.life.life import Terms
from hil.life.lives import live
from hil.life.sites import ground
print(live(Terms(ground("crowded"), 11, 6)).digest)
"""


H = TypeVar("H", bound=Happening)


class Witness:
    """Sees all and judges nothing."""

    violations: Sequence[Violation] = ()

    def __init__(self) -> None:
        self.seen: list[Happening] = []
        self.ended: list[int] = []

    def watch(self, happening: Happening) -> None:
        self.seen.append(happening)

    def finish(self, at: int, journal: Sequence[Recorded], center: Sequence[Held]) -> None:
        self.ended.append(at)
        assert [(r.journal, r.seq) for r in journal] == [(r.journal, r.seq) for r in self.of(Recorded)]

    def of(self, kind: type[H]) -> list[H]:
        return [happening for happening in self.seen if isinstance(happening, kind)]

    def kinds(self, since: int = 0) -> list[str]:
        return [h.kind for h in self.seen[since:] if isinstance(h, Recorded)]


def _watched_by(witness: Witness) -> Makers:
    return replace(default_makers(), judge=lambda _ground: witness)


def make(site: str = "crowded", seed: int = 5, days: int = 1) -> tuple[Life, Witness]:
    """A life in which nothing happens by itself, with its users known, at one o'clock in the morning."""
    witness = Witness()
    life = Life(Terms(ground(site), seed, days, rates={}), _watched_by(witness))
    life.begin()
    go_on(life, 3_600_000 + 300_000)
    assert len(witness.of(Person)) > 10
    return life, witness


def go_on(life: Life, span_ms: int) -> None:
    """Live on for so long, and be there then."""
    life.live_until(life.clock.now + span_ms)


# --- one seed, one life ---------------------------------------------------------------------------------


def test_one_seed_gives_one_life_in_any_process() -> None:
    here = live(Terms(ground("crowded"), 11, 6))
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        there = subprocess.run(
            [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
        )
        assert there.stdout.strip() == here.digest
    assert live(Terms(ground("crowded"), 12, 6)).digest != here.digest


def test_a_longer_life_begins_as_the_shorter_one() -> None:
    lives = []
    for days in (2, 3):
        witness = Witness()
        Life(Terms(ground("bank"), 5, days), _watched_by(witness)).run()
        lives.append([happening for happening in witness.seen if happening.at < 2 * DAY_MS])
    assert lives[0] == lives[1]
    assert len(lives[0]) > 2_000


def test_every_life_of_a_call_can_be_lived_alone() -> None:
    seeds = [derived_seed(9, number) for number in range(50)]
    assert seeds[0] == 9
    assert len(set(seeds)) == 50


def test_some_lives_have_leap_days() -> None:
    leap = {date(year, 2, 29).toordinal() for year in YEARS if year % 4 == 0}
    begun = [first_day(seed) for seed in range(40)]
    assert any(day < leap_day < day + 365 for day in begun for leap_day in leap)


def test_the_life_is_settled_before_it_is_compared() -> None:
    witness = Witness()
    life = Life(Terms(ground("bank"), 2, 2), _watched_by(witness))
    outcome = life.run()
    assert witness.ended == [2 * DAY_MS + 2 * 3_600_000]
    assert outcome.records == len(witness.of(Recorded)) > 50
    assert outcome.held == len(witness.of(Held)) > 50


# --- crashes ------------------------------------------------------------------------------------------------


def arm_with_fuse(fuse: int, power: bool) -> tuple[bool, bool, bool]:
    """Arm the roof, which has no exit delay, and die: whether it was shown, was on disk, is armed afterwards."""
    life, witness = make()
    clerk = life.world.book.known["clerk-roof-1"]
    since = len(witness.seen)
    life.crash(power=power, fuse=fuse)
    life.world.type("keypad-roof", clerk.code, Wish.ARM, areas=("roof",))
    go_on(life, 5_000)
    if life.awake:
        life.crash(power=power, fuse=None)
    assert [type(h) for h in witness.seen[since:]].count(Dark) == 1
    go_on(life, 1_000)
    life.start()
    go_on(life, 5_000)
    shown = any(isinstance(h, Shown) and h.notice == "armed" for h in witness.seen[since:])
    return shown, "area.armed" in witness.kinds(since), life.mode("roof") == "armed"


@pytest.mark.clause("GB 50394 comes back set")
@pytest.mark.parametrize("power", [False, True])
def test_a_crash_forgets_what_was_not_on_disk_and_nothing_that_was_told(power: bool) -> None:
    fates = [arm_with_fuse(fuse, power) for fuse in range(8)]
    assert (False, False, False) in fates, "some fuse is too short"
    assert (True, True, True) in fates, "some fuse is long enough"
    for shown, recorded, armed in fates:
        assert recorded == armed
        assert armed or not shown


@pytest.mark.parametrize(("power", "falls"), [(True, True), (False, None)])
def test_outputs_fall_with_the_power_and_are_claimed_again_before_the_inputs(power: bool, falls: bool | None) -> None:
    life, witness = make()
    life.world.trip("vault-door", 3_000)
    go_on(life, 4_000)
    assert life.panel.pins["siren-inside"]
    since = len(witness.seen)
    life.crash(power=power, fuse=None)
    if falls:
        assert not any(life.panel.pins.values())
    go_on(life, 2_000)
    life.start()
    order = [type(h) for h in witness.seen[since:]]
    assert life.panel.pins["siren-inside"]
    assert order.index(Dark) < order.index(Awake)
    if falls:
        assert Pin(life.clock.now, "siren-inside", True) in witness.seen[since : since + order.index(Awake)]


def test_a_delay_goes_on_exactly_after_a_kill_and_with_what_remained_after_a_power_cut() -> None:
    for power, dark_ms in ((False, 20_000), (True, 3_600_000)):
        life, _ = make()
        clerk = life.world.book.known["clerk-storage-1"]
        life.world.type("keypad-storage", clerk.code, Wish.ARM, areas=("storage",))
        go_on(life, 55_000)  # of the exit delay's 120 s, noted at least each ten
        life.crash(power=power, fuse=None)
        go_on(life, dark_ms)
        life.start()
        assert life.mode("storage") == "exit-delay"
        go_on(life, 40_000)
        assert life.mode("storage") == "exit-delay"
        go_on(life, 36_000)
        assert life.mode("storage") == "armed"


def test_a_dark_panel_learns_at_its_start_what_the_wires_read_and_what_is_over() -> None:
    life, witness = make()
    life.world.trouble("siren", True, "siren-outside")
    life.world.trouble("camera", True, "process")
    go_on(life, 2_000)
    life.crash(power=True, fuse=None)
    life.world.hold("shop-case")
    life.world.trouble("siren", False, "siren-outside")
    go_on(life, 60_000)
    since = len(witness.seen)
    life.start()
    go_on(life, 2_000)
    kinds = witness.kinds(since)
    assert {"panel.started", "trouble.siren-ended", "alarm.24-hour"} <= set(kinds)
    assert "trouble.camera-ended" not in kinds
    assert [h.cause for h in witness.seen[since:] if isinstance(h, Awake)] == ["power-up"]


def test_an_orderly_stop_loses_nothing() -> None:
    life, witness = make()
    life.stop("restart")
    assert "panel.stopped" in witness.kinds()
    assert not life.awake
    life.start(version="9.9.9")
    go_on(life, 1_000)
    assert {"panel.started", "panel.software-changed"} <= set(witness.kinds())


def test_a_user_whose_change_was_lost_is_not_believed_to_be_known() -> None:
    known = set()
    for fuse in range(6):
        life, witness = make()
        life.world.counts["user-added"] = 1
        since = len(witness.seen)
        life.crash(power=True, fuse=fuse)
        life.world.play(SCRIPTS["user-added"](life.world, "hall"))
        go_on(life, 5_000)
        if life.awake:
            life.crash(power=True, fuse=None)
        life.start()
        go_on(life, 1_000)
        told = any(isinstance(h, Person) for h in witness.seen[since:])
        assert told == ("clerk-2" in life.panel.state.users) == ("clerk-2" in life.world.book.known)
        known.add(told)
    assert known == {False, True}


def test_a_user_whose_change_is_on_disk_is_known_though_the_one_who_asked_has_left() -> None:
    kept = set()
    for fuse in range(6):
        life, _ = make()
        life.world.counts["user-added"] = 1
        life.crash(power=True, fuse=fuse)
        life.world.play(SCRIPTS["user-added"](life.world, "hall"))
        go_on(life, 5_000)
        if life.awake:
            life.crash(power=True, fuse=None)
        go_on(life, 1_800_000)  # the technician waits three minutes at most
        life.start()
        go_on(life, 1_000)
        assert ("clerk-2" in life.panel.state.users) == ("clerk-2" in life.world.book.known)
        kept.add("clerk-2" in life.world.book.known)
    assert kept == {False, True}


# --- the clock -------------------------------------------------------------------------------------------------


def test_the_clock_is_told_at_each_full_minute_and_when_it_is_set() -> None:
    life, witness = make()
    since = len(witness.seen)
    begun = life.clock.now
    go_on(life, 180_000)
    told = [h for h in witness.seen[since:] if isinstance(h, WallClock)]
    assert [h.at for h in told] == [begun + 60_000 * n for n in (1, 2, 3)]
    life.set_clock(-DAY_MS, "free-running")
    last = [h for h in witness.seen if isinstance(h, WallClock)][-1]
    assert (last.day, last.sure) == (told[-1].day - 1, False)


# --- commands ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("EN 50131-1 levels remote")
@pytest.mark.parametrize("deed", ["forged", "stale", "replayed"])
def test_only_genuine_commands_do_anything(deed: str) -> None:
    life, witness = make()
    life.order(Wish.ARM, "genuine", ("roof",))
    go_on(life, 2_000)
    assert life.mode("roof") == "armed"
    life.order(Wish.DISARM, "genuine", ("roof",))
    go_on(life, 2_000)
    life.order(Wish.ARM, "genuine", ("roof",))
    go_on(life, 2_000)
    assert life.mode("roof") == "armed"
    since = len(witness.seen)
    for _ in range(6):
        life.order(Wish.DISARM, deed, ("roof",))
    go_on(life, 2_000)
    assert life.mode("roof") == "armed"
    assert "command.refused" in witness.kinds(since)


# --- what lives show --------------------------------------------------------------------------------------------------


pytestmark = pytest.mark.timeout(600)  # a hundred days of lives, on whatever machine


@pytest.fixture(scope="module")
def shown() -> Coverage:
    """What some short lives show together in which everything happens often."""
    often = {kind: replace(rate, per_year=rate.per_year * 16) for kind, rate in RATES.items()}
    whole = Coverage()
    makers = replace(default_makers(), judge=lambda _ground: Witness())
    for seed in range(5):
        whole.add(live(Terms(ground("crowded"), 500 + seed, 16, rates=often), makers=makers).coverage)
    return whole


def test_every_kind_of_record_that_the_rules_decide_comes_about(shown: Coverage) -> None:
    assert shown.unseen_kinds() == []


def test_every_zone_type_is_active_faulty_and_cut_somewhere(shown: Coverage) -> None:
    seen = {tuple(name.split(":")) for name in shown.zones}
    assert {(kind.value, condition) for kind in ZoneType for condition in ("active", "fault")} <= seen
    assert {condition for _, condition in seen} == {"normal", "active", "open", "short", "masked", "fault"}


def test_areas_go_through_every_mode(shown: Coverage) -> None:
    steps = {tuple(name.split(">")) for name in shown.steps if ">" in name}
    assert {mode for step in steps for mode in step} == {mode.value for mode in AreaMode}
    for step in (
        ("disarmed", "exit-delay"),
        ("exit-delay", "armed"),
        ("exit-delay", "entry-delay"),
        ("exit-delay", "disarmed"),
        ("disarmed", "armed"),
        ("armed", "entry-delay"),
        ("armed", "alarm"),
        ("entry-delay", "alarm"),
        ("entry-delay", "armed"),
        ("alarm", "armed"),
        ("alarm", "disarmed"),
    ):
        assert step in steps


def test_everything_that_people_can_ask_for_is_asked(shown: Coverage) -> None:
    assert set(shown.wishes) == {wish.value for wish in Wish}
    assert set(shown.happenings) == set(RATES)
