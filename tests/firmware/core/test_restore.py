"""How the panel comes back: what it knows of the wall clock after a restart and after the dark."""

from dataclasses import replace

import pytest

import rules
from firmware.clock import utc_text
from firmware.core.restore import RTC_WITHIN_S, behind, restart
from firmware.journal import Restored
from rules.stimuli import ClockTold
from tests.clock import TurnedClock
from tests.rules.branch import branch

SITE = branch()


def state(sure: bool) -> rules.PanelState:
    """A panel whose clock was told, sure or not."""
    told = ClockTold(739_000, 600, sure)
    return rules.step(SITE, rules.initial(SITE), told, 1000)[0]


def kept(clock: TurnedClock, sure: bool) -> Restored:
    return Restored(rules.encode(state(sure)), clock.boot(), clock.now_ms, utc_text(clock.utc()), 3, "restart")


@pytest.mark.parametrize("sure", [True, False])
def test_a_restart_of_core_changes_nothing_of_the_clock(sure: bool) -> None:
    clock = TurnedClock()
    found = restart(SITE, kept(clock, sure), clock, "1.0", "c0", lambda: None)
    assert (found.started.cause, found.sure) == ("restart", sure)


@pytest.mark.parametrize(
    ("sure", "rtc_off_s", "dark_s", "after"),
    [
        (True, 0.0, 3600, True),
        (True, RTC_WITHIN_S - 1, 3600, True),
        (True, RTC_WITHIN_S + 1, 3600, False),  # the time of this boot is not the battery's
        (True, None, 3600, False),  # no clock with a battery: the time of the last shutdown
        (True, 0.0, -60, False),  # before the journal's last moment
        (False, 0.0, 3600, False),
    ],
)
def test_over_a_power_cut_a_clock_stays_sure_only_by_its_battery(
    sure: bool, rtc_off_s: float | None, dark_s: int, after: bool
) -> None:
    clock = TurnedClock()
    before = kept(clock, sure)
    clock.reboot(dark_s * 1000)
    rtc = None if rtc_off_s is None else int(clock.utc() + rtc_off_s)
    found = restart(SITE, before, clock, "1.0", "c0", lambda: rtc)
    assert (found.started.cause, found.sure) == ("power-up", after)


@pytest.mark.parametrize(
    ("sure", "dark_s", "suspected"),
    [(True, -1, True), (True, 0, False), (False, -1, False)],
    ids=["before a sure moment", "not before it", "before one that was not sure itself"],
)
def test_a_clock_that_comes_up_before_a_sure_moment_has_lost_its_time(sure: bool, dark_s: int, suspected: bool) -> None:
    clock = TurnedClock()
    before = kept(clock, sure)
    clock.reboot(dark_s * 1000)
    restart(SITE, before, clock, "1.0", "c0", lambda: None)
    assert clock.suspected is suspected


def test_that_somebody_set_the_clock_back_in_this_boot_is_no_loss() -> None:
    clock = TurnedClock()
    before = kept(clock, sure=True)
    clock.now_utc -= 3600
    restart(SITE, before, clock, "1.0", "c0", lambda: None)
    assert not clock.suspected


@pytest.mark.parametrize("text", ["", "2026", utc_text(0.0)])
def test_only_a_time_after_now_speaks_against_a_clock(text: str) -> None:
    assert not behind(text, TurnedClock())
    assert behind(utc_text(TurnedClock().utc() + 1), TurnedClock())


def test_an_unset_clock_is_sure_of_nothing() -> None:
    clock = TurnedClock()
    before = kept(clock, sure=True)
    clock.reboot(1000)
    clock.quality = "unset"
    assert not restart(SITE, before, clock, "1.0", "c0", lambda: int(clock.utc())).sure


def test_a_panel_without_a_state_is_sure_of_nothing() -> None:
    clock = TurnedClock()
    assert not restart(SITE, replace(kept(clock, sure=True), state=None), clock, "1.0", "c0", lambda: None).sure


def test_what_the_clock_is_is_kept_with_the_state() -> None:
    assert rules.decode(rules.encode(state(True))).durable.clock_sure is True
    assert rules.decode(rules.encode(state(False))).durable.clock_sure is False
