"""A short scenario for each kind of the vocabulary that the rules decide: what must happen for it to be recorded."""

from collections.abc import Mapping

from rules import (
    CodeEntered,
    Condition,
    Effect,
    KeysTold,
    PanelStopping,
    RemoteCommand,
    TestDone,
    TroubleChanged,
    User,
    UserRemoved,
    UserSet,
    Wish,
)
from rules.vocabulary import TROUBLES
from tests.rules.branch import Panel
from tests.rules.shop import (
    ACTIVE,
    AUTO_MIN,
    CLOSES,
    ENTRY_MS,
    EXIT_MS,
    FAULT,
    GUEST,
    INSTALLER,
    LATE_MIN,
    MANAGER,
    MANAGER_DURESS,
    MINUTE_MS,
    NORMAL,
    OPEN,
    SIREN_MS,
    SITE,
    TOUR_AT,
    WRONG,
    Scenario,
    arm,
    armed,
    clock,
    disarm,
    minutes,
    session,
    started,
)


def zone(id_: str, condition: Condition = ACTIVE) -> Scenario:
    return lambda panel: panel.read(id_, condition)


def back(id_: str, condition: Condition = ACTIVE) -> Scenario:
    """The zone's condition ends."""

    def play(panel: Panel) -> tuple[Effect, ...]:
        panel.read(id_, condition)
        return panel.read(id_, NORMAL)

    return play


def while_armed(id_: str) -> Scenario:
    return lambda panel: armed(panel).read(id_)


def trouble(name: str) -> Scenario:
    return lambda panel: panel.play(TroubleChanged(name, True, "x"))


def trouble_ended(name: str) -> Scenario:
    def play(panel: Panel) -> tuple[Effect, ...]:
        panel.play(TroubleChanged(name, True, "x"))
        return panel.play(TroubleChanged(name, False, "x"))

    return play


def entry_ran_out(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).read("door")
    return panel.wait(ENTRY_MS)


def entry_restored(panel: Panel) -> tuple[Effect, ...]:
    entry_ran_out(panel)
    return panel.read("door", NORMAL)


def exit_error(panel: Panel) -> tuple[Effect, ...]:
    arm(panel)
    panel.read("door")
    return panel.wait(EXIT_MS)


def exit_error_alarm(panel: Panel) -> tuple[Effect, ...]:
    exit_error(panel)
    return panel.wait(ENTRY_MS)


def second_detector(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).trip("window")
    panel.wait(MINUTE_MS)
    return panel.read("pir")


def second_hold_up(panel: Panel) -> tuple[Effect, ...]:
    panel.trip("button")
    panel.wait(3 * MINUTE_MS)
    return panel.read("button-2")


def duress(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER_DURESS, Wish.ARM, "hall")


def exit_restarted(panel: Panel) -> tuple[Effect, ...]:
    arm(panel)
    panel.wait(10_000)
    panel.trip("door")
    return panel.read("door")


def exit_ended(panel: Panel) -> tuple[Effect, ...]:
    arm(panel)
    return panel.wait(EXIT_MS)


def part_armed(panel: Panel) -> tuple[Effect, ...]:
    arm(panel, part="night")
    return panel.wait(EXIT_MS)


def armed_by_schedule(panel: Panel) -> tuple[Effect, ...]:
    return minutes(panel, CLOSES, CLOSES + AUTO_MIN + 2)


def refused(panel: Panel) -> tuple[Effect, ...]:
    panel.read("window")
    return arm(panel)


def overridden(panel: Panel) -> tuple[Effect, ...]:
    panel.read("window")
    return arm(panel, override=True)


def recent_close(panel: Panel) -> tuple[Effect, ...]:
    return armed(panel, quiet_ms=MINUTE_MS).read("window")


def postponed(panel: Panel) -> tuple[Effect, ...]:
    minutes(panel, CLOSES, CLOSES + AUTO_MIN - 5)
    return panel.code(MANAGER, Wish.POSTPONE)


def auto_arm_failed(panel: Panel) -> tuple[Effect, ...]:
    panel.read("window", OPEN)
    return minutes(panel, CLOSES, CLOSES + AUTO_MIN + 2)


def late_to_close(panel: Panel) -> tuple[Effect, ...]:
    return minutes(panel, CLOSES, CLOSES + LATE_MIN)


def opened_outside_hours(panel: Panel) -> tuple[Effect, ...]:
    armed(panel)
    clock(panel, 3 * 60)
    return disarm(panel)


def entry_route(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).read("door")
    return panel.read("corridor")


def entry_cancelled(panel: Panel) -> tuple[Effect, ...]:
    arm(armed(panel), "vault")
    panel.read("lobby")
    return disarm(panel, "vault")


def held(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).read("door")
    return panel.read("window")


def aborted(panel: Panel) -> tuple[Effect, ...]:
    held(panel)
    panel.wait(5_000)
    return disarm(panel)


def cancelled(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).trip("window")
    panel.wait(MINUTE_MS)
    return disarm(panel)


def silenced(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).trip("window")
    return panel.code(MANAGER, Wish.SILENCE, "hall")


def silenced_to_its_end(panel: Panel) -> tuple[Effect, ...]:
    silenced(panel)
    return panel.wait(SIREN_MS)


def siren_at_its_limit(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).trip("window")
    return panel.wait(SIREN_MS)


def alarm_put_out(panel: Panel) -> tuple[Effect, ...]:
    panel.trip("seismic")
    return panel.code(MANAGER, Wish.TOGGLE, "vault")


def reinstated(panel: Panel) -> tuple[Effect, ...]:
    armed(panel).trip("window")
    return panel.wait(31 * MINUTE_MS)


def keyed_twice(panel: Panel) -> tuple[Effect, ...]:
    panel.trip("key")
    return panel.read("key")


def bypass(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.BYPASS, zone="window")


def unbypass(panel: Panel) -> tuple[Effect, ...]:
    bypass(panel)
    return panel.code(MANAGER, Wish.UNBYPASS, zone="window")


def isolate(panel: Panel) -> tuple[Effect, ...]:
    session(panel)
    return panel.code(INSTALLER, Wish.ISOLATE, zone="window")


def unisolate(panel: Panel) -> tuple[Effect, ...]:
    isolate(panel)
    return panel.code(INSTALLER, Wish.UNISOLATE, zone="window")


def shut_down(panel: Panel) -> tuple[Effect, ...]:
    armed(panel)
    seen: tuple[Effect, ...] = ()
    for _ in range(3):
        seen += panel.trip("window") + panel.wait(SIREN_MS)
    return seen


def shut_down_ended(panel: Panel) -> tuple[Effect, ...]:
    shut_down(panel)
    return panel.wait(8 * 60 * MINUTE_MS)


def locked_out(panel: Panel) -> tuple[Effect, ...]:
    seen: tuple[Effect, ...] = ()
    for _ in range(5):
        seen += panel.code(WRONG)
    return seen


def lock_out_ended(panel: Panel) -> tuple[Effect, ...]:
    locked_out(panel)
    return panel.wait(90_000)


def spent(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(GUEST, Wish.ARM, "hall")


def session_left(panel: Panel) -> tuple[Effect, ...]:
    session(panel)
    return panel.code(INSTALLER, Wish.LEAVE)


def reset(panel: Panel) -> tuple[Effect, ...]:
    cancelled(panel)
    return panel.code(MANAGER, Wish.RESET)


def mains_lost(panel: Panel) -> tuple[Effect, ...]:
    panel.play(TroubleChanged("mains", True))
    return panel.wait(10 * MINUTE_MS)


def mains_back(panel: Panel) -> tuple[Effect, ...]:
    mains_lost(panel)
    return panel.play(TroubleChanged("mains", False))


def mains_dip(panel: Panel) -> tuple[Effect, ...]:
    panel.play(TroubleChanged("mains", True))
    panel.wait(MINUTE_MS)
    return panel.play(TroubleChanged("mains", False))


def paths_lost(panel: Panel) -> tuple[Effect, ...]:
    panel.play(TroubleChanged("path", True, "first"))
    return panel.play(TroubleChanged("path", True, "second"))


def paths_back(panel: Panel) -> tuple[Effect, ...]:
    paths_lost(panel)
    return panel.play(TroubleChanged("path", False, "first"))


def replayed(panel: Panel) -> tuple[Effect, ...]:
    panel.remote(7, Wish.STATUS)
    return panel.remote(7, Wish.STATUS)


def daily_report(panel: Panel) -> tuple[Effect, ...]:
    return minutes(panel, SITE.timings.report_minute - 1, SITE.timings.report_minute)


def daily_report_in_trouble(panel: Panel) -> tuple[Effect, ...]:
    panel.play(TroubleChanged("siren", True))
    return daily_report(panel)


def walk(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.WALK_TEST)


def walked(panel: Panel) -> tuple[Effect, ...]:
    walk(panel)
    return panel.read("pir")


def walk_ended(panel: Panel) -> tuple[Effect, ...]:
    walk(panel)
    return panel.code(MANAGER, Wish.END_TEST)


def hold_up_tested(panel: Panel) -> tuple[Effect, ...]:
    session(panel)
    panel.play(CodeEntered("kp", INSTALLER, Wish.WALK_TEST, hold_up=True))
    return panel.read("button")


def siren_test(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.SIREN_TEST)


def siren_test_ended(panel: Panel) -> tuple[Effect, ...]:
    siren_test(panel)
    return panel.wait(5_000)


def battery_test(panel: Panel) -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.BATTERY_TEST)


def battery_test_passed(panel: Panel) -> tuple[Effect, ...]:
    battery_test(panel)
    return panel.play(TestDone("battery", True))


def battery_test_failed(panel: Panel) -> tuple[Effect, ...]:
    battery_test(panel)
    return panel.play(TestDone("battery", False))


def battery_test_passed_again(panel: Panel) -> tuple[Effect, ...]:
    battery_test_failed(panel)
    return battery_test_passed(panel)


def tour(panel: Panel, minute: int = 0) -> tuple[Effect, ...]:
    return minutes(panel, TOUR_AT - 1, TOUR_AT + minute)


def reached(panel: Panel) -> tuple[Effect, ...]:
    tour(panel, 2)
    return panel.read("post-1")


def missed(panel: Panel) -> tuple[Effect, ...]:
    return tour(panel, 11)


def late(panel: Panel) -> tuple[Effect, ...]:
    missed(panel)
    return panel.read("post-1")


def out_of_order(panel: Panel) -> tuple[Effect, ...]:
    tour(panel, 6)
    return panel.read("post-2")


def tour_ended(panel: Panel) -> tuple[Effect, ...]:
    reached(panel)
    panel.read("post-1", NORMAL)
    return minutes(panel, TOUR_AT + 3, TOUR_AT + 21)


SCENARIOS: Mapping[str, Scenario] = {
    "alarm.intruder": while_armed("window"),
    "alarm.entry": entry_ran_out,
    "alarm.exit-error": exit_error_alarm,
    "alarm.day": while_armed("office"),
    "alarm.24-hour": zone("seismic"),
    "alarm.confirmed": second_detector,
    "alarm.hold-up": zone("button"),
    "alarm.audible-hold-up": zone("bell-push"),
    "alarm.hold-up-confirmed": second_hold_up,
    "alarm.duress": duress,
    "alarm.duress-button": zone("foot-rail"),
    "alarm.tamper": zone("lid"),
    "alarm.sensor-tamper": zone("window", OPEN),
    "alarm.fire": zone("smoke"),
    "alarm.gas": zone("gas"),
    "alarm.water": zone("cellar"),
    "alarm.technical": zone("boiler"),
    "alarm.medical": zone("pendant"),
    "restore.intruder": lambda panel: armed(panel).trip("window"),
    "restore.entry": entry_restored,
    "restore.day": lambda panel: armed(panel).trip("office"),
    "restore.24-hour": back("seismic"),
    "restore.hold-up": back("button"),
    "restore.audible-hold-up": back("bell-push"),
    "restore.tamper": back("lid"),
    "restore.sensor-tamper": back("window", OPEN),
    "restore.fire": back("smoke"),
    "restore.gas": back("gas"),
    "restore.water": back("cellar"),
    "restore.technical": back("boiler"),
    "restore.medical": back("pendant"),
    "area.exit-started": arm,
    "area.exit-restarted": exit_restarted,
    "area.exit-error": exit_error,
    "area.armed": exit_ended,
    "area.part-armed": part_armed,
    "area.armed-remotely": lambda panel: panel.remote(1, Wish.ARM, "hall"),
    "area.armed-by-key": zone("key"),
    "area.armed-automatically": armed_by_schedule,
    "area.arming-refused": refused,
    "area.arming-overridden": overridden,
    "area.recent-close": recent_close,
    "area.auto-arm-postponed": postponed,
    "area.auto-arm-failed": auto_arm_failed,
    "area.late-to-close": late_to_close,
    "area.opened-outside-hours": opened_outside_hours,
    "area.entry-started": while_armed("door"),
    "area.entry-route": entry_route,
    "area.entry-cancelled": entry_cancelled,
    "area.alarm-aborted": aborted,
    "area.alarm-cancelled": cancelled,
    "area.alarm-ended": silenced_to_its_end,
    "area.alarm-reset": alarm_put_out,
    "area.reinstated": reinstated,
    "area.disarmed": lambda panel: disarm(armed(panel)),
    "area.disarmed-remotely": lambda panel: armed(panel).remote(1, Wish.DISARM, "hall"),
    "area.disarmed-by-key": keyed_twice,
    "siren.silenced": silenced,
    "siren.stopped": siren_at_its_limit,
    "zone.alarm-held": held,
    "zone.bypassed": bypass,
    "zone.unbypassed": unbypass,
    "zone.isolated": isolate,
    "zone.unisolated": unisolate,
    "zone.fault": zone("window", FAULT),
    "zone.fault-ended": back("window", FAULT),
    "zone.hold-up-fault": zone("button", FAULT),
    "zone.hold-up-fault-ended": back("button", FAULT),
    "zone.fire-fault": zone("smoke", FAULT),
    "zone.fire-fault-ended": back("smoke", FAULT),
    "zone.day-trouble": zone("office"),
    "zone.day-trouble-ended": back("office"),
    "zone.unconfirmed": while_armed("cross-1"),
    "zone.swinger-shutdown": shut_down,
    "zone.swinger-ended": shut_down_ended,
    "zone.soak-tripped": while_armed("trial"),
    "code.locked-out": locked_out,
    "code.lock-out-ended": lock_out_ended,
    "code.refused": lambda panel: panel.code(INSTALLER, Wish.ARM, "hall"),
    "user.set": lambda panel: panel.play(UserSet("manager", User("late", "Late", 2, ("hall",), "d1" * 16))),
    "user.removed": lambda panel: panel.play(UserRemoved("manager", "guest")),
    "user.spent": spent,
    "installer.granted": lambda panel: panel.code(MANAGER, Wish.GRANT),
    "installer.entered": session,
    "installer.left": session_left,
    "config.installed": lambda panel: panel.play(started(config="c1")),
    "config.keys": lambda panel: panel.play(KeysTold("center", 1, ("r1",), ("c1",), "root", (), "{}")),
    "panel.software-changed": lambda panel: panel.play(started(version="1.1")),
    "panel.started": lambda panel: panel.play(started()),
    "panel.stopped": lambda panel: panel.play(PanelStopping("SIGTERM")),
    "panel.reset": reset,
    "power.mains-dip": mains_dip,
    "command.done": lambda panel: panel.play(RemoteCommand(1, "Li", Wish.STATUS)),
    "command.refused": replayed,
    "test.report": daily_report,
    "test.report-trouble": daily_report_in_trouble,
    "test.walk-started": walk,
    "test.walk-ended": walk_ended,
    "test.zone-seen": walked,
    "test.hold-up-seen": hold_up_tested,
    "test.siren": siren_test,
    "test.siren-ended": siren_test_ended,
    "test.battery": battery_test,
    "test.battery-ended": battery_test_passed,
    "tour.started": tour,
    "tour.reached": reached,
    "tour.missed": missed,
    "tour.late": late,
    "tour.out-of-order": out_of_order,
    "tour.ended": tour_ended,
    **{f"trouble.{name}": trouble(name) for name in TROUBLES},
    **{f"trouble.{name}-ended": trouble_ended(name) for name in TROUBLES},
    "trouble.mains": mains_lost,
    "trouble.mains-ended": mains_back,
    "trouble.paths": paths_lost,
    "trouble.paths-ended": paths_back,
    "trouble.battery-test": battery_test_failed,
    "trouble.battery-test-ended": battery_test_passed_again,
}
"""Kind → what must happen for it to be recorded."""

MADE_BEFORE = {"user.set", "panel.started", "config.installed"}
"""Kinds that making and starting the panel records."""
