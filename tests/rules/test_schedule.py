"""Opening hours, from the written rules: late to close, automatic arming, opening outside hours, holidays."""

from dataclasses import replace

import pytest

from rules import AreaMode, ClockTold, CodeEntered, Effect, Hours, Right, Site, User, UserRemoved, UserSet, Wish
from tests.rules.branch import Panel, kinds, payload, told
from tests.rules.shop import (
    AUTO_MIN,
    CLOSES,
    EXIT_MS,
    FRIDAY,
    LATE_MIN,
    MANAGER,
    MINUTE_MS,
    OPEN,
    OPENS,
    SITE,
    arm,
    armed,
    clock,
    disarm,
    fresh,
    minutes,
)

AUTO = CLOSES + AUTO_MIN
SCHEDULE = SITE.schedules["office-hours"]


def site(**changes: object) -> Site:
    """The shop with another schedule."""
    return replace(SITE, schedules={"office-hours": replace(SCHEDULE, **changes)})  # type: ignore[arg-type]


# Late to close


def test_an_area_that_is_not_armed_in_time_is_reported_once() -> None:
    panel = fresh()
    assert "area.late-to-close" not in kinds(minutes(panel, CLOSES - 1, CLOSES + LATE_MIN - 1))
    effects = clock(panel, CLOSES + LATE_MIN)
    assert payload(effects, "area.late-to-close")["areas"] == ["hall"]
    assert "area.late-to-close" not in kinds(minutes(panel, CLOSES + LATE_MIN, CLOSES + LATE_MIN + 5))


def test_an_armed_area_is_not_late() -> None:
    assert "area.late-to-close" not in kinds(minutes(armed(fresh()), CLOSES, AUTO + 2))


# Automatic arming


def test_it_arms_itself_with_its_exit_delay() -> None:
    panel = fresh()
    minutes(panel, CLOSES, AUTO - 1)
    assert panel.mode() is AreaMode.DISARMED
    effects = clock(panel, AUTO)
    assert payload(effects, "area.exit-started")["by"] == "schedule:office-hours"
    assert panel.mode() is AreaMode.EXIT_DELAY
    effects = panel.wait(EXIT_MS)
    assert payload(effects, "area.armed-automatically")["by"] == "schedule:office-hours"
    assert panel.mode("vault") is AreaMode.DISARMED


def test_it_warns_before() -> None:
    panel = fresh()
    minutes(panel, CLOSES, AUTO - SCHEDULE.warn_min - 1)
    assert "auto-arm-soon" not in told(clock(panel, AUTO - SCHEDULE.warn_min - 1), "")
    assert told(clock(panel, AUTO - SCHEDULE.warn_min), "") == ["auto-arm-soon"]
    assert told(minutes(panel, AUTO - SCHEDULE.warn_min + 1, AUTO - 1), "") == []


def test_a_schedule_without_automatic_arming_only_reports() -> None:
    panel = fresh(site(auto_after_min=None))
    assert kinds(minutes(panel, CLOSES, AUTO + 60)) == ["area.late-to-close"]
    assert panel.mode() is AreaMode.DISARMED


def test_postponing_puts_it_off_so_often() -> None:
    panel = fresh(site(postpones=2))
    minutes(panel, CLOSES, AUTO - 5)
    for _ in range(2):
        assert kinds(panel.code(MANAGER, Wish.POSTPONE)) == ["area.auto-arm-postponed"]
    assert kinds(panel.code(MANAGER, Wish.POSTPONE)) == []
    minutes(panel, AUTO - 5, AUTO + 2 * SCHEDULE.postpone_min - 1)
    assert panel.mode() is AreaMode.DISARMED
    clock(panel, AUTO + 2 * SCHEDULE.postpone_min)
    assert panel.mode() is AreaMode.EXIT_DELAY


def test_postponing_needs_the_right_to_arm() -> None:
    panel = fresh()
    panel.play(UserSet("technician", User("guard", "Guard", 2, ("hall",), "e1" * 16, rights=(Right.DISARM,))))
    minutes(panel, CLOSES, AUTO - 5)
    assert kinds(panel.code("e1" * 16, Wish.POSTPONE)) == []
    clock(panel, AUTO)
    assert panel.mode() is AreaMode.EXIT_DELAY


def test_what_is_in_the_way_fails_it_with_reasons() -> None:
    panel = fresh()
    panel.read("window", OPEN)
    effects = minutes(panel, CLOSES, AUTO)
    assert payload(effects, "area.auto-arm-failed")["reasons"] == ["tamper:window"]
    assert panel.mode() is AreaMode.DISARMED


def test_a_panel_without_users_does_not_arm_itself_and_says_why() -> None:
    panel = fresh()
    for user in list(panel.state.users):
        panel.play(UserRemoved("technician", user))
    effects = minutes(panel, CLOSES, AUTO)
    assert payload(effects, "area.auto-arm-failed")["reasons"] == ["no-user"]
    assert panel.mode() is AreaMode.DISARMED


def test_a_zone_that_is_not_forceable_fails_it() -> None:
    panel = fresh()
    panel.read("pir")
    assert payload(minutes(panel, CLOSES, AUTO), "area.auto-arm-failed")["reasons"] == ["active:pir"]


def test_a_forceable_zone_is_overridden() -> None:
    panel = fresh()
    panel.read("window")
    effects = minutes(panel, CLOSES, AUTO)
    assert payload(effects, "area.arming-overridden")["reasons"] == ["active:window"]
    assert payload(effects, "zone.bypassed")["zone"] == "window"
    assert panel.mode() is AreaMode.EXIT_DELAY


# Opening


def test_a_disarm_outside_opening_hours_is_recorded_besides() -> None:
    panel = armed(fresh())
    clock(panel, CLOSES + 4 * 60)
    effects = disarm(panel)
    assert "area.disarmed" in kinds(effects)
    assert payload(effects, "area.opened-outside-hours")["user"] == "manager"


@pytest.mark.parametrize(
    ("minute", "outside"), [(OPENS - 1, True), (OPENS, False), (CLOSES - 1, False), (CLOSES, True)]
)
def test_opening_hours_begin_and_end_at_their_minutes(minute: int, outside: bool) -> None:
    panel = armed(fresh())
    clock(panel, minute)
    assert ("area.opened-outside-hours" in kinds(disarm(panel))) is outside


def test_automatic_arming_comes_again_after_it() -> None:
    panel = armed(fresh())
    night = 23 * 60
    clock(panel, night)
    disarm(panel)
    minutes(panel, night, night + AUTO_MIN - 1)
    assert panel.mode() is AreaMode.DISARMED
    clock(panel, night + AUTO_MIN)
    assert panel.mode() is AreaMode.EXIT_DELAY


def test_nothing_disarms_by_schedule() -> None:
    panel = armed(fresh())
    for day in (FRIDAY, FRIDAY + 1):
        for minute in range(0, 1440, 5):
            clock(panel, minute, day)
            panel.wait(5 * MINUTE_MS)
    assert panel.mode() is AreaMode.ARMED
    assert "area.disarmed" not in kinds(effect for _, effect in panel.log)


def test_an_unsure_clock_moves_no_schedule() -> None:
    panel = fresh()
    seen: tuple[Effect, ...] = ()
    for minute in range(CLOSES, AUTO + 30):
        seen += panel.play(ClockTold(FRIDAY, minute, False)) + panel.wait(MINUTE_MS)
    assert [kind for kind in kinds(seen) if kind.startswith("area.")] == []
    assert told(seen, "") == []


# Weeks and holidays


def test_days_that_differ() -> None:
    week = (*(Hours(OPENS, CLOSES),) * 4, Hours(OPENS, 12 * 60), None, None)
    panel = fresh(site(week=week))
    assert "area.late-to-close" in kinds(minutes(panel, 12 * 60, 12 * 60 + LATE_MIN))


def test_a_closed_day_is_outside_opening_hours_all_day() -> None:
    week = (*(Hours(OPENS, CLOSES),) * 5, None, None)
    panel = armed(fresh(site(week=week)))
    clock(panel, 11 * 60, FRIDAY + 1)
    assert "area.opened-outside-hours" in kinds(disarm(panel))


def test_a_holiday_overrides_every_week() -> None:
    panel = armed(fresh(replace(SITE, days={FRIDAY: None})))
    clock(panel, 11 * 60)
    assert "area.opened-outside-hours" in kinds(disarm(panel))


def test_a_special_day_has_its_own_hours() -> None:
    panel = fresh(replace(SITE, days={FRIDAY: Hours(OPENS, 20 * 60)}))
    assert "area.late-to-close" not in kinds(minutes(panel, CLOSES, 20 * 60 + LATE_MIN - 1))
    assert "area.late-to-close" in kinds(clock(panel, 20 * 60 + LATE_MIN))


# Quick re-arm


def rearm(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.REARM)


def test_rearming_arms_again_with_part_and_bypasses() -> None:
    panel = fresh()
    panel.code(MANAGER, Wish.BYPASS, zone="window")
    arm(panel, part="night")
    panel.wait(EXIT_MS)
    disarm(panel)
    panel.wait(4 * MINUTE_MS)
    rearm(panel)
    effects = panel.wait(EXIT_MS)
    assert payload(effects, "area.part-armed")["part"] == "night"
    assert kinds(panel.read("pir")) == []
    assert "alarm.intruder" not in kinds(panel.read("window"))


def test_after_five_minutes_nothing_is_rearmed() -> None:
    panel = armed(fresh())
    disarm(panel)
    panel.wait(5 * MINUTE_MS + 1)
    rearm(panel)
    assert panel.mode() is AreaMode.DISARMED


def test_rearming_needs_the_right_to_arm() -> None:
    panel = fresh()
    panel.play(UserSet("technician", User("guard", "Guard", 2, ("hall",), "e1" * 16, rights=(Right.DISARM,))))
    armed(panel)
    panel.play(CodeEntered("kp", "e1" * 16, Wish.DISARM))
    panel.code("e1" * 16, Wish.REARM)
    assert panel.mode() is AreaMode.DISARMED
