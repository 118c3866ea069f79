"""The oracle itself: for each promise a story in which it is kept, and one in which the oracle sees it broken."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from hil.life.happenings import Awake, Commanded, Dark, Held, Linked, Pin, Recorded, Shown, Wired
from hil.life.oracle import Oracle
from hil.life.oracle_rules import RULES
from rules.effects import JsonValue
from rules.site import Condition
from rules.stimuli import Wish
from tests.hil.life.oracle_story import (
    BOTH,
    ENTRY_MS,
    EXIT_MS,
    FAULT,
    HALL,
    HOUR,
    LAMPS,
    LATE,
    MASKED,
    MINUTE,
    MONDAY,
    OPEN,
    SECOND,
    SHORT,
    SLOW,
    SOUNDERS,
    VAULT,
    A,
    N,
    Story,
)

Tale = Callable[[Story], None]
KEPT: dict[str, list[Tale]] = {}
BROKEN: dict[str, list[Tale]] = {}
SETTINGS: dict[Tale, dict[str, object]] = {}


def kept(*rules: str, **settings: object) -> Callable[[Tale], Tale]:
    """A story in which these promises count, and are kept."""
    return _enter(KEPT, rules, settings)


def broken(*rules: str, **settings: object) -> Callable[[Tale], Tale]:
    """A story in which these promises are broken."""
    return _enter(BROKEN, rules, settings)


def _enter(book: dict[str, list[Tale]], rules: tuple[str, ...], settings: dict[str, object]) -> Callable[[Tale], Tale]:
    def enter(tale: Tale) -> Tale:
        for rule in rules:
            assert rule in RULES
            book.setdefault(rule, []).append(tale)
        SETTINGS[tale] = settings
        return tale

    return enter


def _story(tale: Tale) -> Story:
    story = Story(**SETTINGS[tale])  # type: ignore[arg-type]
    assert not story.broken, "the stage itself is in order"
    tale(story)
    story.wait(2 * MINUTE)
    return story


# --- what must sound and be recorded --------------------------------------------------------------------------


@kept("missed-alarm", "silent-siren", "siren-without-alarm", "siren-too-long", "siren-cut-short", "dark-strobe")
def a_window_is_broken(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(2 * SECOND)
    s.wire("window", N)
    s.of("window", "restore.intruder")
    s.sirens_end("hall")
    s.wait(HOUR)
    s.disarm("hall")


@broken("missed-alarm")
def a_window_that_nobody_hears(s: Story) -> None:
    s.arm("hall")
    s.trip("window")


@broken("silent-siren")
def a_window_that_is_only_recorded(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.mode(hall="alarm")
    s.indicate("window", "alarm.intruder")
    s.of("window", "alarm.intruder", incident=1)


@kept("missed-alarm", "false-alarm")
def people_at_work(s: Story) -> None:
    for zone in ("door", "pir", "corridor", "window"):
        s.trip(zone)
    s.wait(HOUR)


@kept("missed-line")
def a_line_is_cut_and_shorted(s: Story) -> None:
    s.wire("up", OPEN)
    s.pins(True, "horn")
    s.pins(True, "strobe")
    s.indicate("up", "alarm.sensor-tamper")
    s.of("up", "alarm.sensor-tamper", "open", incident=1)
    s.wait(MINUTE)
    s.wire("up", SHORT)
    s.of("up", "restore.sensor-tamper", "open")
    s.of("up", "alarm.sensor-tamper", "short", incident=2)
    s.wait(2 * MINUTE)
    s.wire("up", N)
    s.of("up", "restore.sensor-tamper", "short")
    s.wait(2 * MINUTE)
    s.pins(False, "horn")


@broken("missed-line")
def a_cut_line_is_overheard(s: Story) -> None:
    s.wire("window", OPEN)
    s.pins(True, "horn")


@kept("missed-hold-up", "silent-shows")
def a_hold_up(s: Story) -> None:
    s.arm("hall", "vault")
    s.wire("up", A)
    s.see()
    s.wait(10)
    s.of("up", "alarm.hold-up", incident=1)
    s.wait(MINUTE)
    s.wire("up", N)
    s.of("up", "restore.hold-up")


@broken("missed-hold-up")
def a_hold_up_that_is_lost(s: Story) -> None:
    s.wire("up", A)


@broken("missed-hold-up")
def a_duress_code_that_is_taken_for_a_code(s: Story) -> None:
    s.arm("hall")
    s.types("boss", Wish.DISARM, HALL, duress=True)
    s.mode(hall="disarmed")
    s.record("area.disarmed", HALL, by="keypad:kp", user="boss")


@kept("missed-fault", "missed-restore")
def a_detector_is_masked(s: Story) -> None:
    s.wire("window", MASKED)
    s.of("window", "zone.fault", "masked")
    s.wait(MINUTE)
    s.wire("window", N)
    s.of("window", "zone.fault-ended", "masked")


@broken("missed-fault")
def a_fault_that_nobody_notes(s: Story) -> None:
    s.wire("window", FAULT)


@broken("missed-restore")
def an_alarm_that_never_ends(s: Story) -> None:
    s.wire("smoke", A)
    s.pins(True, "horn", "strobe")
    s.indicate("smoke", "alarm.fire")
    s.of("smoke", "alarm.fire", incident=1)
    s.wait(MINUTE)
    s.wire("smoke", N)


@kept("missed-entry", "entry-too-long", "entry-too-short")
def somebody_comes_home(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.record("area.entry-started", HALL, zone="door")
    s.wait(10 * SECOND)
    s.disarm("hall")
    s.wait(HOUR)
    s.wire("door", N)


@kept("missed-entry", "entry-too-long")
def a_burglar_by_the_door(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.wait(3 * SECOND)
    s.wire("corridor", A)
    s.record("area.entry-route", HALL, zone="corridor")
    s.wait(ENTRY_MS - 3 * SECOND)
    s.alarm("door", "alarm.entry")
    s.indicate("corridor", "alarm.intruder")
    s.of("corridor", "alarm.intruder", incident=99)


@broken("missed-entry")
def a_door_that_begins_nothing(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)


@broken("entry-too-long")
def an_entry_delay_without_end(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")


@broken("entry-too-short")
def an_entry_delay_of_ten_seconds(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.wait(10 * SECOND)
    s.alarm("door", "alarm.entry")


@kept("entry-too-long", "arming-lost")
def an_entry_delay_goes_on_after_a_power_cut(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.record("area.entry-started", HALL, zone="door")
    s.wait(20 * SECOND)
    s.dark("power", 10 * MINUTE)
    s.wait(18 * SECOND)  # ten that remained, and what was not noted yet
    s.alarm("door", "alarm.entry")


@broken("entry-too-long")
def an_entry_delay_begins_anew_after_a_power_cut(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.record("area.entry-started", HALL, zone="door")
    s.wait(20 * SECOND)
    s.dark("power", 10 * MINUTE)
    s.wait(ENTRY_MS)
    s.alarm("door", "alarm.entry")


@kept("exit-too-long", "exit-too-short", "armed-without-cause", "disarmed-without-authority", "authority-ignored")
def a_night_without_event(s: Story) -> None:
    s.arm("hall", "vault")
    s.wait(10 * HOUR)
    s.disarm("hall", "vault")


@broken("exit-too-long")
def an_exit_delay_without_end(s: Story) -> None:
    s.types("boss", Wish.ARM, HALL)
    s.mode(hall="exit-delay")


@broken("exit-too-short")
def an_exit_delay_of_ten_seconds(s: Story) -> None:
    s.types("boss", Wish.ARM, HALL)
    s.mode(hall="exit-delay")
    s.wait(10 * SECOND)
    s.mode(hall="armed")


@kept("alarm-mode", "alarm-endless")
def a_safe_is_opened_by_night(s: Story) -> None:
    s.arm("vault")
    s.wire("safe", A)
    s.alarm("safe", "alarm.24-hour")
    s.sirens_end("vault")


@broken("alarm-mode")
def a_safe_is_opened_and_the_vault_stays_armed(s: Story) -> None:
    s.arm("vault")
    s.wire("safe", A)
    s.pins(True, "bell", "horn", "strobe")
    s.indicate("safe", "alarm.24-hour")
    s.of("safe", "alarm.24-hour", incident=1)


@broken("alarm-mode")
def a_fire_puts_the_hall_in_alarm(s: Story) -> None:
    s.arm("hall")
    s.wire("smoke", A)
    s.pins(True, "horn", "strobe")
    s.mode(hall="alarm")
    s.indicate("smoke", "alarm.fire")
    s.of("smoke", "alarm.fire", incident=1)


@broken("alarm-endless")
def an_area_that_stays_in_alarm(s: Story) -> None:
    s.arm("vault")
    s.wire("safe", A)
    s.alarm("safe", "alarm.24-hour")
    s.wait(300 * SECOND)
    s.pins(False, "bell", "horn")
    s.wait(HOUR)


@broken("authority-ignored")
def a_key_that_is_not_obeyed(s: Story) -> None:
    s.arm("vault")
    s.wire("key", A)


def _turned_back_after(s: Story, harm: Condition) -> None:
    s.wire("turn", A)
    s.arm("vault")
    s.wire("turn", harm)
    if harm is FAULT:
        s.of("turn", "zone.fault", "fault")
    s.wait(MINUTE)
    s.wire("turn", A)
    s.wait(MINUTE)
    s.wire("turn", N)


@kept("authority-ignored", "disarmed-without-authority")
def a_key_is_turned_back_after_a_fault(s: Story) -> None:
    _turned_back_after(s, FAULT)
    s.mode(vault="disarmed")
    s.record("area.disarmed-by-key", VAULT, by="key:turn")


@broken("authority-ignored")
def a_key_that_is_turned_back_after_a_fault_is_not_obeyed(s: Story) -> None:
    _turned_back_after(s, FAULT)


@broken("disarmed-without-authority")
def a_mended_cable_disarms(s: Story) -> None:
    _turned_back_after(s, OPEN)
    s.mode(vault="disarmed")


# --- sirens, lamps ----------------------------------------------------------------------------------------------


@broken("siren-without-alarm")
def a_siren_from_nowhere(s: Story) -> None:
    s.pins(True, "horn")


@broken("siren-too-long")
def a_siren_that_goes_on_all_night(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(HOUR)


@broken("siren-cut-short")
def a_siren_that_gives_up(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.pins(False, "horn")


@broken("siren-cut-short")
def a_siren_that_a_restart_ends(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.tell(Dark(s.now, "killed"))
    s.pins(False, "bell", "horn")
    s.now += 5 * SECOND
    s.view = {**s.view}
    s.see()
    s.tell(Awake(s.now, "restart"))


@broken("dark-strobe")
def a_strobe_that_gives_up(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.pins(False, "strobe")


@kept("strobe-without-alarm")
def a_strobe_goes_out_with_the_alarm(s: Story) -> None:
    a_window_is_broken(s)


@broken("strobe-without-alarm")
def a_strobe_that_disarming_leaves_on(s: Story) -> None:
    s.arm("hall", "vault")
    s.wire("window", A)
    s.alarm("window")
    s.wait(2 * MINUTE)
    s.types("boss", Wish.DISARM, BOTH)
    s.pins(False, "bell", "horn")
    s.mode(hall="disarmed", vault="disarmed")
    s.record("area.disarmed", BOTH, by="keypad:kp", user="boss")


@kept("external-while-disarmed")
def a_fire_sounds_inside(s: Story) -> None:
    s.wire("smoke", A)
    s.pins(True, "horn", "strobe")
    s.indicate("smoke", "alarm.fire")
    s.of("smoke", "alarm.fire", incident=1)
    s.wait(2 * MINUTE)
    s.types("boss", Wish.DISARM, HALL)
    s.silent()
    s.record("area.alarm-reset", HALL, by="keypad:kp", user="boss")
    s.wire("smoke", N)
    s.of("smoke", "restore.fire")


@broken("external-while-disarmed")
def a_fire_sounds_outside(s: Story) -> None:
    s.wire("smoke", A)
    s.pins(True, "horn", "bell", "strobe")
    s.indicate("smoke", "alarm.fire")
    s.of("smoke", "alarm.fire", incident=1)


@kept("siren-too-early", outputs={**SOUNDERS, **LATE})
def a_siren_waits(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(120 * SECOND)
    s.pins(True, "late")
    s.wait(180 * SECOND)
    s.pins(False, "late", "bell", "horn")
    s.mode(hall="armed")
    s.record("siren.stopped", HALL)


@kept("siren-too-early", outputs={**SOUNDERS, **SLOW})
def a_siren_waits_from_the_beginning_of_the_alarm(s: Story) -> None:
    s.wire("window", OPEN)
    s.pins(True, "horn", "strobe")
    s.indicate("window", "alarm.sensor-tamper")
    s.of("window", "alarm.sensor-tamper", "open", incident=1)
    s.wait(60 * SECOND)
    s.wire("window", SHORT)
    s.of("window", "restore.sensor-tamper", "open")
    s.of("window", "alarm.sensor-tamper", "short", incident=2)
    s.wait(60 * SECOND)
    s.pins(True, "slow")
    s.wait(180 * SECOND)
    s.pins(False, "slow", "horn")
    s.record("siren.stopped", HALL)


@broken("siren-too-early", outputs={**SOUNDERS, **SLOW})
def a_siren_takes_an_alarm_that_was_disarmed_for_its_delay(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(60 * SECOND)
    s.disarm("hall")
    s.wire("window", N)
    s.wait(60 * SECOND)
    s.wire("window", OPEN)
    s.pins(True, "horn", "slow", "strobe")
    s.indicate("window", "alarm.sensor-tamper")
    s.of("window", "alarm.sensor-tamper", "open", incident=77)


@broken("siren-too-early", outputs={**SOUNDERS, **LATE})
def a_siren_does_not_wait(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.pins(True, "late")
    s.alarm("window")


@kept("armed-lamp", "buzzer", "chime", "relay", outputs=LAMPS)
def lamps_as_they_should_be(s: Story) -> None:
    s.wire("door", A)
    s.pins(True, "gong")
    s.wait(1_500)
    s.pins(False, "gong")
    s.wire("door", N)
    s.wire("lift", A)
    s.pins(True, "light")
    s.types("boss", Wish.ARM, BOTH)
    s.pins(True, "buzzer", "gate")
    s.mode(hall="exit-delay", vault="armed")
    s.wait(EXIT_MS)
    s.pins(False, "buzzer")
    s.pins(True, "lamp")
    s.mode(hall="armed")


@broken("armed-lamp", "buzzer", "relay", outputs=LAMPS)
def lamps_that_stay_dark(s: Story) -> None:
    s.wire("lift", A)
    s.types("boss", Wish.ARM, BOTH)
    s.mode(hall="exit-delay", vault="armed")
    s.wait(EXIT_MS)
    s.mode(hall="armed")


@broken("chime", outputs=LAMPS)
def a_gong_that_nobody_hears(s: Story) -> None:
    s.trip("door")


@broken("chime", outputs=LAMPS)
def a_gong_without_end(s: Story) -> None:
    s.wire("door", A)
    s.pins(True, "gong")


# --- what must not be -------------------------------------------------------------------------------------------


@broken("false-alarm")
def an_alarm_from_nowhere(s: Story) -> None:
    s.arm("hall")
    s.alarm("window")


@broken("false-alarm")
def an_alarm_of_a_detector_that_settles(s: Story) -> None:
    s.arm("hall")
    s.dark("power", MINUTE)
    s.wait(10 * SECOND)
    s.trip("pir")
    s.alarm("pir")


@kept("false-alarm")
def an_entry_delay_outlasts_two_power_cuts(s: Story) -> None:
    s.arm("hall")
    s.wire("door", A)
    s.mode(hall="entry-delay")
    s.record("area.entry-started", HALL, zone="door")
    s.wait(15 * SECOND)
    s.wire("door", N)
    s.dark("power", 20 * MINUTE)
    s.wait(2 * SECOND)
    s.dark("power", 30 * SECOND)
    s.wait(13 * SECOND)
    s.alarm("door", "alarm.entry")


@kept("false-alarm")
def a_detector_settles_and_then_counts(s: Story) -> None:
    s.arm("hall")
    s.dark("power", MINUTE)
    s.wait(10 * SECOND)
    s.wire("pir", A)
    s.wait(50 * SECOND)
    s.alarm("pir")


@kept("repeated-alarm")
def a_driver_repeats_itself(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.wire("window", A, asked=True)
    s.dark()
    s.wait(30 * SECOND)


@kept("repeated-alarm")
def a_zone_without_restores_trips_again_in_the_dark(s: Story) -> None:
    s.wire("drain", A)
    s.indicate("drain", "alarm.water")
    s.of("drain", "alarm.water", incident=1)
    s.wait(MINUTE)
    s.wire("drain", N)
    s.wait(HOUR)
    s.tell(Dark(s.now, "power"))
    s.wire("drain", A)
    s.now += 10 * MINUTE
    s.see()
    s.tell(Awake(s.now, "power-up"))
    s.wait(10)
    s.of("drain", "alarm.water", incident=2)


@broken("repeated-alarm")
def a_zone_without_restores_stands_over_a_restart_and_alarms_again(s: Story) -> None:
    s.wire("drain", A)
    s.indicate("drain", "alarm.water")
    s.of("drain", "alarm.water", incident=1)
    s.wait(MINUTE)
    s.dark()
    s.wait(10)
    s.of("drain", "alarm.water", incident=2)


@broken("repeated-alarm")
def a_driver_repeats_itself_and_alarms_again(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.wire("window", A, asked=True)
    s.of("window", "alarm.intruder", incident=77)


@broken("repeated-alarm")
def a_restart_alarms_again(s: Story) -> None:
    s.wire("window", OPEN)
    s.pins(True, "horn", "strobe")
    s.indicate("window", "alarm.sensor-tamper")
    s.of("window", "alarm.sensor-tamper", "open", incident=1)
    s.wait(30 * SECOND)
    s.dark()
    s.wait(10)
    s.of("window", "alarm.sensor-tamper", "open", incident=2)


@kept("resting-alarm")
def a_common_zone_of_which_one_area_is_armed(s: Story) -> None:
    s.arm("vault")
    s.trip("shared")


@broken("resting-alarm")
def a_common_zone_that_alarms_all_the_same(s: Story) -> None:
    s.arm("vault")
    s.wire("shared", A)
    s.pins(True, "bell", "horn", "strobe")
    s.indicate("shared", "alarm.intruder")
    s.of("shared", "alarm.intruder", incident=1)


@kept("resting-alarm", "missed-alarm")
def a_zone_rests_by_its_part(s: Story) -> None:
    s.arm("hall", part="night")
    s.trip("window")


@broken("repeated-alarm")
def a_zone_that_rests_alarms(s: Story) -> None:
    s.arm("hall", part="night")
    s.wire("window", A)
    s.alarm("window")


@broken("resting-alarm")
def a_zone_on_trial_alarms(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.wire("trial", A)
    s.alarm("trial")


# --- silent -----------------------------------------------------------------------------------------------------


@broken("silent-shows")
def a_hold_up_that_sounds(s: Story) -> None:
    s.wire("up", A)
    s.pins(True, "horn")
    s.of("up", "alarm.hold-up", incident=1)


@broken("silent-shows")
def a_hold_up_in_the_view(s: Story) -> None:
    s.wire("up", A)
    s.zone("up", alarm=True)
    s.of("up", "alarm.hold-up", incident=1)


@broken("silent-shows")
def a_hold_up_on_a_keypad(s: Story) -> None:
    s.wire("up", A)
    s.wait(10)
    s.of("up", "alarm.hold-up", incident=1)
    s.tell(Shown(s.now, "", "alarm", {"areas": ["hall"]}))


@broken("silent-shows")
def a_refused_arming_that_tells(s: Story) -> None:
    s.wire("up", A)
    s.of("up", "alarm.hold-up", incident=1)
    s.wait(MINUTE)
    s.types("boss", Wish.ARM, HALL)
    s.tell(Shown(s.now, "kp", "arming-refused", {"reasons": ["hold-up:up"]}))


# --- authority --------------------------------------------------------------------------------------------------


@broken("disarmed-without-authority")
def nobody_disarms(s: Story) -> None:
    s.arm("hall")
    s.mode(hall="disarmed")


@broken("disarmed-without-authority")
def one_who_may_only_arm_disarms(s: Story) -> None:
    s.arm("hall")
    s.disarm("hall", user="armer")


@broken("disarmed-without-authority")
def a_dated_code_disarms_on_the_day_after(s: Story) -> None:
    s.arm("hall")
    s.clock(600, MONDAY + 1)
    s.disarm("hall", user="dated")


@kept("disarmed-without-authority")
def a_dated_code_disarms_on_its_day(s: Story) -> None:
    s.arm("hall")
    s.clock(600, MONDAY)
    s.disarm("hall", user="dated")


@broken("disarmed-without-authority")
def a_key_that_is_found_turned_disarms(s: Story) -> None:
    s.arm("vault")
    s.tell(Dark(s.now, "killed"))
    s.wire("key", A)
    s.now += 5_000
    s.view = {**s.view}
    s.see()
    s.tell(Awake(s.now, "restart"))
    s.mode(vault="disarmed")


@kept("disarmed-without-authority", "armed-without-cause")
def a_key_arms_and_disarms(s: Story) -> None:
    for mode, kind in (("armed", "area.armed-by-key"), ("disarmed", "area.disarmed-by-key")):
        s.wire("key", A)
        s.mode(vault=mode)
        s.record(kind, VAULT, by="key:key")
        s.wait(SECOND)
        s.wire("key", N)
        s.wait(MINUTE)


@broken("armed-without-cause")
def nobody_arms(s: Story) -> None:
    s.mode(vault="armed")


@broken("authority-ignored")
def who_may_disarm_is_not_obeyed(s: Story) -> None:
    s.arm("hall")
    s.types("boss", Wish.DISARM, HALL)


def _guesses(s: Story, count: int, source: str = "kp") -> None:
    for _ in range(count):
        s.types("", Wish.TOGGLE, source=source)
        s.wait(SECOND)


@kept("missed-lock-out", "wrong-lock-out")
def somebody_guesses(s: Story) -> None:
    s.arm("hall")
    _guesses(s, 4)
    s.types("", Wish.TOGGLE)
    s.record("code.locked-out", by="keypad:kp")
    s.wait(10 * SECOND)
    s.types("boss", Wish.DISARM, HALL)
    s.wait(90 * SECOND)
    s.record("code.lock-out-ended", by="keypad:kp")
    s.disarm("hall")


@broken("missed-lock-out")
def somebody_guesses_for_ever(s: Story) -> None:
    _guesses(s, 5)


@broken("disarmed-without-authority")
def a_locked_keypad_disarms(s: Story) -> None:
    s.arm("hall")
    _guesses(s, 4)
    s.types("", Wish.TOGGLE)
    s.record("code.locked-out", by="keypad:kp")
    s.wait(10 * SECOND)
    s.disarm("hall")


@broken("wrong-lock-out")
def another_keypad_is_locked(s: Story) -> None:
    _guesses(s, 4)
    s.types("", Wish.TOGGLE, source="other")
    s.record("code.locked-out", by="keypad:other")


@kept("installer", "test-endless")
def the_fitter_is_let_in(s: Story) -> None:
    s.types("boss", Wish.GRANT)
    s.record("installer.granted", by="keypad:kp", user="boss")
    s.wait(MINUTE)
    s.types("fitter", Wish.TOGGLE)
    s.record("installer.entered", user="fitter", by="keypad:kp")
    s.wait(HOUR)
    s.record("installer.left", user="fitter", reason="timer")


@broken("installer")
def the_fitter_lets_himself_in(s: Story) -> None:
    s.types("fitter", Wish.TOGGLE)
    s.record("installer.entered", user="fitter", by="keypad:kp")


@broken("test-endless")
def the_fitter_stays(s: Story) -> None:
    s.types("boss", Wish.GRANT)
    s.wait(MINUTE)
    s.types("fitter", Wish.TOGGLE)
    s.record("installer.entered", user="fitter", by="keypad:kp")
    s.wait(2 * HOUR)


@kept("one-time-code")
def a_code_for_once(s: Story) -> None:
    s.arm("hall")
    s.disarm("hall", user="once")
    s.record("user.spent", user="once")


@broken("one-time-code")
def a_code_for_ever(s: Story) -> None:
    for _ in range(2):
        s.arm("hall")
        s.disarm("hall", user="once")


@kept("bypass-without-cause", "bypass-kept", "bypass-lost", "missed-alarm")
def a_bypass_lasts_as_long_as_its_arming(s: Story) -> None:
    s.types("boss", Wish.BYPASS, zone="window")
    s.zone("window", bypassed=True)
    s.of("window", "zone.bypassed", by="keypad:kp", user="boss")
    s.arm("hall")
    s.trip("window")
    s.dark()
    s.wait(HOUR)
    s.zone("window", bypassed=False)
    s.disarm("hall")
    s.of("window", "zone.unbypassed", by="keypad:kp", user="boss")


@broken("bypass-kept")
def a_bypass_outlasts_its_arming(s: Story) -> None:
    s.types("boss", Wish.BYPASS, zone="window")
    s.zone("window", bypassed=True)
    s.of("window", "zone.bypassed", by="keypad:kp", user="boss")
    s.arm("hall")
    s.disarm("hall")


@broken("bypass-lost")
def a_restart_forgets_a_bypass(s: Story) -> None:
    s.types("boss", Wish.BYPASS, zone="window")
    s.zone("window", bypassed=True)
    s.of("window", "zone.bypassed", by="keypad:kp", user="boss")
    s.arm("hall")
    s.view["zones"]["window"] = {**s.view["zones"]["window"], "bypassed": False}
    s.dark()


@broken("bypass-without-cause")
def a_zone_is_bypassed_by_nobody(s: Story) -> None:
    s.zone("window", bypassed=True)
    s.of("window", "zone.bypassed", by="keypad:kp", user="boss")


@broken("bypass-without-cause")
def a_hold_up_is_bypassed(s: Story) -> None:
    s.types("boss", Wish.BYPASS, zone="up")
    s.of("up", "zone.bypassed", by="keypad:kp", user="boss")


@kept("reset-without-cause", "indication-lost", "indication-order")
def indications_wait_for_their_reset(s: Story) -> None:
    a_window_is_broken(s)
    s.wait(HOUR)
    s.types("boss", Wish.RESET, HALL)
    s.shows(indications=[])
    s.record("panel.reset", by="keypad:kp", user="boss")


@broken("reset-without-cause")
def nobody_resets(s: Story) -> None:
    s.record("panel.reset", by="keypad:kp", user="boss")


@broken("indication-lost")
def an_indication_goes_by_itself(s: Story) -> None:
    a_window_is_broken(s)
    s.wait(HOUR)
    s.shows(indications=[])


@broken("indication-lost")
def an_alarm_that_is_not_indicated(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.pins(True, "bell", "horn", "strobe")
    s.mode(hall="alarm")
    s.of("window", "alarm.intruder", incident=1)


@broken("indication-order")
def indications_change_their_order(s: Story) -> None:
    s.indicate("window", "alarm.intruder")
    s.indicate("pir", "alarm.intruder")
    s.shows(indications=list(reversed(s.view["indications"])))


@kept("silenced-without-cause")
def somebody_silences(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.types("boss", Wish.SILENCE, HALL)
    s.pins(False, "bell", "horn")
    s.record("siren.silenced", HALL, by="keypad:kp", user="boss")


@broken("silenced-without-cause")
def nobody_silences(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.pins(False, "bell", "horn")
    s.record("siren.silenced", HALL, by="keypad:kp", user="boss")


@kept("command")
def a_command_arms(s: Story) -> None:
    s.tell(Commanded(s.now, 7, "Li", Wish.ARM, VAULT))
    s.mode(vault="armed")
    s.record("area.armed-remotely", VAULT, by="remote:Li")
    s.record("command.done", VAULT, counter=7, by="remote:Li")


@broken("command", "armed-without-cause")
def a_command_that_counts_twice(s: Story) -> None:
    a_command_arms(s)
    s.wait(MINUTE)
    s.disarm("vault")
    s.wait(MINUTE)
    s.tell(Commanded(s.now, 7, "Li", Wish.ARM, VAULT, genuine=False))
    s.mode(vault="armed")
    s.record("area.armed-remotely", VAULT, by="remote:Li")
    s.record("command.done", VAULT, counter=7, by="remote:Li")


@broken("command")
def a_command_that_is_swallowed(s: Story) -> None:
    s.tell(Commanded(s.now, 7, "Li", Wish.STATUS))


# --- what survives ----------------------------------------------------------------------------------------------


@kept("arming-lost")
def armed_over_a_power_cut(s: Story) -> None:
    s.arm("hall", "vault")
    s.dark("power", 10 * HOUR)


@kept("arming-lost")
def a_disarming_that_was_not_recorded_may_be_forgotten(s: Story) -> None:
    s.arm("vault")
    s.types("boss", Wish.DISARM, VAULT)
    s.mode(vault="disarmed")
    s.view["areas"] = {**s.view["areas"], "vault": {**s.view["areas"]["vault"], "mode": "armed"}}
    s.dark()


@broken("arming-lost")
def a_power_cut_disarms(s: Story) -> None:
    s.arm("vault")
    s.view["areas"] = {**s.view["areas"], "vault": {**s.view["areas"]["vault"], "mode": "disarmed"}}
    s.dark("power", MINUTE)


# --- held reports -----------------------------------------------------------------------------------------------


def _held(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.pins(True, "bell", "horn", "strobe")
    s.mode(hall="alarm")
    s.indicate("window", "alarm.intruder")
    s.of("window", "zone.alarm-held", incident=5, kind="alarm.intruder")
    s.wait(SECOND)
    s.wire("window", N)
    s.of("window", "restore.intruder")


@kept("report-unresolved", "report-both", "report-early", abort_ms=30_000)
def a_held_report_goes_out(s: Story) -> None:
    _held(s)
    s.wait(29 * SECOND)
    s.of("window", "alarm.intruder", incident=5)


@kept("abort-without-disarm", "report-both", abort_ms=30_000)
def a_held_report_is_aborted(s: Story) -> None:
    _held(s)
    s.wait(10 * SECOND)
    s.types("boss", Wish.DISARM, HALL)
    s.silent()
    s.mode(hall="disarmed")
    s.record("area.alarm-aborted", HALL, by="keypad:kp", user="boss", incidents=[5])
    s.record("area.disarmed", HALL, by="keypad:kp", user="boss")


@kept("report-unresolved", abort_ms=30_000)
def a_held_report_goes_out_after_a_power_cut(s: Story) -> None:
    _held(s)
    s.wait(10 * SECOND)
    s.pins(False, "bell", "horn", "strobe")
    s.dark("power", HOUR)
    s.pins(True, "bell", "horn", "strobe")
    s.wait(25 * SECOND)
    s.of("window", "alarm.intruder", incident=5)


@broken("report-unresolved", abort_ms=30_000)
def a_held_report_is_forgotten(s: Story) -> None:
    _held(s)


@broken("report-both", abort_ms=30_000)
def a_held_report_is_aborted_and_sent(s: Story) -> None:
    a_held_report_is_aborted(s)
    s.wait(20 * SECOND)
    s.of("window", "alarm.intruder", incident=5)


@broken("report-early", abort_ms=30_000)
def a_held_report_does_not_wait(s: Story) -> None:
    _held(s)
    s.wait(5 * SECOND)
    s.of("window", "alarm.intruder", incident=5)


@broken("abort-without-disarm", abort_ms=30_000)
def a_held_report_is_aborted_by_nobody(s: Story) -> None:
    _held(s)
    s.record("area.alarm-aborted", HALL, by="timer", incidents=[5])


@kept("cancel")
def an_alarm_is_cancelled(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(MINUTE)
    s.types("boss", Wish.DISARM, HALL)
    s.silent()
    s.mode(hall="disarmed")
    s.record("area.alarm-cancelled", HALL, by="keypad:kp", user="boss", incidents=[5])
    s.record("area.disarmed", HALL, by="keypad:kp", user="boss")


@broken("cancel")
def an_alarm_is_not_cancelled(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(MINUTE)
    s.disarm("hall")


@broken("cancel")
def a_cancel_without_an_alarm(s: Story) -> None:
    s.arm("hall")
    s.types("boss", Wish.DISARM, HALL)
    s.mode(hall="disarmed")
    s.record("area.alarm-cancelled", HALL, by="keypad:kp", user="boss", incidents=[5])


def _leaves(s: Story) -> None:
    s.types("boss", Wish.ARM, HALL)
    s.mode(hall="exit-delay")
    s.record("area.exit-started", HALL, by="keypad:kp", user="boss")
    s.wait(EXIT_MS)
    s.mode(hall="armed")
    s.record("area.armed", HALL, by="keypad:kp", user="boss")
    s.wait(20 * SECOND)


@kept("recent-close")
def an_alarm_soon_after_arming(s: Story) -> None:
    _leaves(s)
    s.wire("window", A)
    s.alarm("window")
    s.record("area.recent-close", HALL, incident=1)


@broken("recent-close")
def an_alarm_soon_after_arming_that_does_not_say_so(s: Story) -> None:
    _leaves(s)
    s.wire("window", A)
    s.alarm("window")


@broken("recent-close")
def an_alarm_long_after_arming_that_calls_itself_recent(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.record("area.recent-close", HALL, incident=1)


def _alarms(s: Story, zone: str, times: int) -> None:
    for _ in range(times):
        s.wire(zone, A)
        s.alarm(zone)
        s.wait(SECOND)
        s.wire(zone, N)
        s.of(zone, "restore.intruder")
        s.wait(10 * SECOND)


@kept("swinger")
def a_zone_is_shut_down(s: Story) -> None:
    s.arm("hall")
    _alarms(s, "window", 2)
    s.of("window", "zone.swinger-shutdown", trips=2)
    s.trip("window")


@broken("swinger")
def a_zone_that_alarms_all_night(s: Story) -> None:
    s.arm("hall")
    _alarms(s, "window", 3)


@broken("swinger")
def a_zone_that_is_shut_down_at_once(s: Story) -> None:
    s.arm("hall")
    _alarms(s, "window", 1)
    s.of("window", "zone.swinger-shutdown", trips=1)


@kept("cross-zone")
def two_of_a_cross_group(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.trip("glass-1")
    s.of("glass-1", "zone.unconfirmed")
    s.wait(10 * SECOND)
    s.wire("glass-2", A)
    s.alarm("glass-2")
    s.indicate("glass-1", "alarm.intruder")
    s.of("glass-1", "alarm.intruder", incident=98)


@kept("cross-zone")
def one_of_a_group_trips_in_the_moment_of_another_alarm(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.wire("eye-1", A)
    s.pins(True, "bell", "horn", "strobe")
    s.mode(vault="alarm")
    s.indicate("eye-1", "alarm.intruder")
    s.wire("glass-1", A)
    s.indicate("glass-1", "alarm.intruder")
    s.of("eye-1", "alarm.intruder", incident=1)
    s.of("glass-1", "alarm.intruder", incident=2)


@broken("cross-zone")
def one_of_a_cross_group_alarms(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.wire("glass-1", A)
    s.alarm("glass-1")


@broken("cross-zone")
def the_second_of_a_cross_group_is_not_heard(s: Story) -> None:
    s.arm("vault")
    s.trip("glass-1")
    s.of("glass-1", "zone.unconfirmed")
    s.wait(10 * SECOND)
    s.trip("glass-2")
    s.of("glass-2", "zone.unconfirmed")


@kept("missed-alarm", "false-alarm")
def two_pulses(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.trip("twice")
    s.wait(SECOND)
    s.wire("twice", A)
    s.alarm("twice")


@broken("missed-alarm")
def two_pulses_that_nobody_hears(s: Story) -> None:
    s.arm("vault")
    s.trip("twice")
    s.wait(SECOND)
    s.trip("twice")


@broken("false-alarm")
def one_pulse_that_alarms(s: Story) -> None:
    s.wait(HOUR)
    s.arm("vault")
    s.wire("twice", A)
    s.alarm("twice")


def _two_detectors(s: Story) -> None:
    s.arm("vault")
    for zone in ("eye-1", "eye-2"):
        s.wire(zone, A)
        s.alarm(zone)
        s.wait(10 * SECOND)


@kept("confirmed")
def two_detectors_confirm(s: Story) -> None:
    _two_detectors(s)
    s.of("eye-2", "alarm.confirmed", incident=9)


@broken("confirmed")
def two_detectors_do_not_confirm(s: Story) -> None:
    _two_detectors(s)


@broken("confirmed")
def one_detector_confirms_itself(s: Story) -> None:
    s.arm("vault")
    _alarms(s, "eye-1", 2)
    s.of("eye-1", "alarm.confirmed", incident=9)


def _presses(s: Story, after_ms: int) -> None:
    s.wait(after_ms)
    s.wire("up", A)
    s.of("up", "alarm.hold-up", incident=s.seq)
    s.wait(SECOND)
    s.wire("up", N)
    s.of("up", "restore.hold-up")


@kept("hold-up-confirmed")
def a_second_press_confirms(s: Story) -> None:
    _presses(s, SECOND)
    _presses(s, HOUR)
    s.of("up", "alarm.hold-up-confirmed", incident=9)


@broken("hold-up-confirmed")
def a_second_press_does_not_confirm(s: Story) -> None:
    _presses(s, SECOND)
    _presses(s, HOUR)


@broken("hold-up-confirmed")
def a_single_press_confirms(s: Story) -> None:
    _presses(s, SECOND)
    s.of("up", "alarm.hold-up-confirmed", incident=9)


@kept("reinstated")
def nobody_confirms(s: Story) -> None:
    s.arm("vault")
    _alarms(s, "eye-1", 1)
    s.sirens_end("vault")
    s.wait(30 * MINUTE)
    s.record("area.reinstated", VAULT)


@kept("reinstated")
def nobody_confirms_what_was_told_after_a_crash(s: Story) -> None:
    s.arm("vault")
    s.wire("eye-1", A)
    s.mode(vault="alarm")
    s.pins(True, "bell", "horn", "strobe")
    s.indicate("eye-1", "alarm.intruder")
    s.tell(Dark(s.now, "killed"))
    s.now += 3 * MINUTE
    s.view = {**s.view}
    s.see()
    s.tell(Awake(s.now, "restart"))
    s.of("eye-1", "alarm.intruder", incident=1)
    s.wait(2 * MINUTE)
    s.pins(False, "bell", "horn")
    s.mode(vault="armed")
    s.record("siren.stopped", VAULT)
    s.wait(25 * MINUTE)
    s.record("area.reinstated", VAULT)


@broken("reinstated")
def reinstated_after_nothing(s: Story) -> None:
    s.arm("vault")
    s.record("area.reinstated", VAULT)


# --- what is told, forgotten and found after a dark time ----------------------------------------------------------


def _up_again(s: Story, why: str, for_ms: int) -> None:
    """Dark, and up again: what the story tells next was durable in the crash."""
    s.tell(Dark(s.now, why))
    s.now += for_ms
    s.view = {**s.view}
    s.see()
    s.tell(Awake(s.now, "restart" if why == "killed" else "power-up"))


@kept("silenced-without-cause", "cancel")
def what_was_decided_before_a_crash_is_told_after_it(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(30 * SECOND)
    s.wire("window", N)
    s.of("window", "restore.intruder")
    s.types("boss", Wish.SILENCE)
    s.silent()
    _up_again(s, "killed", 5 * MINUTE)
    s.record("siren.silenced", HALL, by="keypad:kp", user="boss")


@kept("report-both", "abort-without-disarm", abort_ms=30_000)
def an_abort_before_the_held_alarm_is_durable(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.mode(hall="alarm")
    s.pins(True, "bell", "horn", "strobe")
    s.indicate("window", "alarm.intruder")
    s.wire("window", N)
    s.wait(SECOND)
    s.types("boss", Wish.DISARM, HALL)
    s.silent()
    s.mode(hall="disarmed")
    s.wait(400)
    s.of("window", "zone.alarm-held", incident=7, kind="alarm.intruder")
    s.record("area.alarm-aborted", HALL, by="keypad:kp", user="boss", incidents=[7])
    s.record("area.disarmed", HALL, by="keypad:kp", user="boss")


@kept("entry-too-long", "false-alarm")
def a_door_that_is_found_open_has_a_longer_time_of_its_own(s: Story) -> None:
    s.arm("hall")
    s.tell(Dark(s.now, "power"))
    s.wire("side-door", A)
    s.now += MINUTE
    s.view = {**s.view}
    s.see()
    s.mode(hall="entry-delay")
    s.tell(Awake(s.now, "power-up"))
    s.wait(10)
    s.record("area.entry-started", HALL, zone="side-door")
    s.wait(45 * SECOND - 10)
    s.alarm("side-door", "alarm.entry")


@kept("siren-cut-short")
def an_alarm_ends_in_time_just_after_a_restart(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(10 * SECOND)
    s.wire("window", N)
    s.of("window", "restore.intruder")
    _up_again(s, "killed", 289 * SECOND)
    s.wait(SECOND)
    s.pins(False, "bell", "horn")
    s.mode(hall="armed")
    s.record("siren.stopped", HALL)


@broken("siren-cut-short")
def an_alarm_does_not_go_on_after_a_power_cut(s: Story) -> None:
    s.arm("hall")
    s.wire("window", A)
    s.alarm("window")
    s.wait(10 * SECOND)
    _up_again(s, "power", 289 * SECOND)
    s.wait(SECOND)
    s.pins(False, "bell", "horn")


@kept("repeated-alarm")
def a_restore_is_told_at_the_start_that_finds_the_line_cut_again(s: Story) -> None:
    s.wire("up", OPEN)
    s.pins(True, "horn", "strobe")
    s.indicate("up", "alarm.sensor-tamper")
    s.of("up", "alarm.sensor-tamper", "open", incident=1)
    s.wait(MINUTE)
    s.wire("up", N)
    s.tell(Dark(s.now, "killed"))
    s.wire("up", OPEN)
    s.now += MINUTE
    s.view = {**s.view}
    s.see()
    s.tell(Awake(s.now, "restart"))
    s.of("up", "restore.sensor-tamper", "open")
    s.wait(10)
    s.of("up", "alarm.sensor-tamper", "open", incident=2)


@kept("false-alarm", "repeated-alarm")
def a_door_that_was_shut_before_its_alarm_stands_no_more(s: Story) -> None:
    for cut in (0, MINUTE):
        if cut:
            s.tell(Dark(s.now, "power"))
            s.wire("door", A)
            s.now += cut
            s.view = {**s.view}
            s.see()
            s.mode(hall="entry-delay")
            s.tell(Awake(s.now, "power-up"))
        else:
            s.arm("hall")
            s.wire("door", A)
            s.mode(hall="entry-delay")
        s.wait(10)
        s.record("area.entry-started", HALL, zone="door")
        s.wire("door", N)
        s.wait(ENTRY_MS - 10)
        s.alarm("door", "alarm.entry")
        s.sirens_end("hall")


def _journal_in_memory(s: Story) -> None:
    s.shows(troubles=["storage"])
    s.tell(Recorded(s.now, "m", 1, "status", "journal.begun", {"reason": "storage"}))


@kept("arming-lost", "indication-lost")
def a_power_cut_takes_what_a_full_card_did_not_take(s: Story) -> None:
    s.arm("hall")
    _journal_in_memory(s)
    s.types("boss", Wish.DISARM, HALL)
    s.mode(hall="disarmed")
    s.tell(Recorded(s.now, "m", 2, "status", "area.disarmed", {"areas": ["hall"], "by": "keypad:kp", "user": "boss"}))
    s.wire("drain", A)
    s.indicate("drain", "alarm.water")
    wet: dict[str, JsonValue] = {"zone": "drain", "areas": ["hall"], "condition": "active", "incident": 1}
    s.tell(Recorded(s.now, "m", 3, "alarm", "alarm.water", wet))
    s.wait(MINUTE)
    s.wire("drain", N)
    s.wait(10 * MINUTE)
    s.tell(Dark(s.now, "power"))
    s.now += MINUTE
    areas = {**s.view["areas"], "hall": {**s.view["areas"]["hall"], "mode": "armed"}}
    s.view = {**s.view, "areas": areas, "troubles": [], "indications": []}
    s.see()
    s.tell(Awake(s.now, "power-up"))


@broken("indication-lost")
def a_power_cut_takes_an_indication_that_was_on_disk(s: Story) -> None:
    s.wire("drain", A)
    s.indicate("drain", "alarm.water")
    s.of("drain", "alarm.water", incident=1)
    s.wait(MINUTE)
    s.tell(Dark(s.now, "power"))
    s.now += MINUTE
    s.view = {**s.view, "indications": []}
    s.see()
    s.tell(Awake(s.now, "power-up"))


@broken("arming-lost")
def a_kill_takes_what_a_journal_in_memory_has(s: Story) -> None:
    s.arm("hall")
    _journal_in_memory(s)
    s.types("boss", Wish.DISARM, HALL)
    s.mode(hall="disarmed")
    s.tell(Recorded(s.now, "m", 2, "status", "area.disarmed", {"areas": ["hall"], "by": "keypad:kp", "user": "boss"}))
    s.wait(HOUR)
    s.tell(Dark(s.now, "killed"))
    s.now += MINUTE
    s.view = {**s.view, "areas": {**s.view["areas"], "hall": {**s.view["areas"]["hall"], "mode": "armed"}}}
    s.see()
    s.tell(Awake(s.now, "restart"))


@kept("arming-lost")
def an_area_arms_itself_as_the_power_goes(s: Story) -> None:
    _evening(s, 1139)
    s.clock(1140)
    s.tell(Dark(s.now, "power"))
    s.now += MINUTE
    s.view = {**s.view, "areas": {**s.view["areas"], "hall": {**s.view["areas"]["hall"], "mode": "exit-delay"}}}
    s.see()
    s.tell(Awake(s.now, "power-up"))
    s.record("area.exit-started", HALL, by="schedule:bank")


@kept("auto-arm")
def the_clock_is_set_while_an_area_arms_itself(s: Story) -> None:
    _evening(s, 1139)
    s.clock(1140)
    s.mode(hall="exit-delay")
    s.record("area.exit-started", HALL, by="schedule:bank")
    s.wait(20 * SECOND)
    s.clock(700, MONDAY - 280)
    s.wait(EXIT_MS - 20 * SECOND)
    s.mode(hall="armed")
    s.record("area.armed-automatically", HALL, by="schedule:bank")


# --- clocks -----------------------------------------------------------------------------------------------------


def _evening(s: Story, last: int) -> None:
    """The day's end, the area not armed, and reported late where the clock comes to it."""
    s.ticks(1070, 1109)
    s.clock(1110)
    s.record("area.late-to-close", HALL, by="schedule:bank")
    s.wait(MINUTE)
    s.ticks(1111, last)


@kept("late-to-close", "auto-arm", "armed-without-cause")
def an_area_arms_itself(s: Story) -> None:
    _evening(s, 1139)
    s.clock(1140)
    s.mode(hall="exit-delay")
    s.record("area.exit-started", HALL, by="schedule:bank")
    s.wait(EXIT_MS)
    s.mode(hall="armed")
    s.record("area.armed-automatically", HALL, by="schedule:bank")


@broken("late-to-close")
def an_area_is_late_and_nobody_says_so(s: Story) -> None:
    s.ticks(1070, 1112)


@broken("late-to-close")
def an_area_is_late_at_noon(s: Story) -> None:
    s.ticks(710, 720)
    s.record("area.late-to-close", HALL, by="schedule:bank")


@broken("auto-arm")
def an_area_does_not_arm_itself(s: Story) -> None:
    _evening(s, 1142)


@broken("auto-arm", "armed-without-cause")
def an_area_arms_itself_at_noon(s: Story) -> None:
    s.ticks(710, 720)
    s.mode(hall="exit-delay")
    s.record("area.exit-started", HALL, by="schedule:bank")
    s.wait(EXIT_MS)
    s.mode(hall="armed")
    s.record("area.armed-automatically", HALL, by="schedule:bank")


@kept("outside-hours")
def somebody_comes_at_night(s: Story) -> None:
    s.arm("hall")
    s.ticks(100, 102)
    s.clock(103)
    s.disarm("hall")
    s.record("area.opened-outside-hours", HALL, by="keypad:kp", user="boss")


@broken("outside-hours")
def somebody_comes_at_night_unnoticed(s: Story) -> None:
    s.arm("hall")
    s.ticks(100, 102)
    s.clock(103)
    s.disarm("hall")


@broken("outside-hours")
def somebody_comes_at_noon_and_is_noted(s: Story) -> None:
    s.arm("hall")
    s.ticks(710, 712)
    s.disarm("hall")
    s.record("area.opened-outside-hours", HALL, by="keypad:kp", user="boss")


@kept("daily-report")
def the_daily_report(s: Story) -> None:
    s.ticks(590, 599)
    s.clock(600)
    s.record("test.report")
    s.wait(MINUTE)


@broken("daily-report")
def no_daily_report(s: Story) -> None:
    s.ticks(590, 602)


@broken("daily-report")
def two_daily_reports(s: Story) -> None:
    the_daily_report(s)
    s.ticks(601, 610)
    s.record("test.report")


@broken("daily-report")
def a_daily_report_that_hides_a_trouble(s: Story) -> None:
    s.shows(troubles=["battery"])
    s.ticks(590, 599)
    s.clock(600)
    s.record("test.report")


# --- tours and tests --------------------------------------------------------------------------------------------


def _tour(s: Story, reach: bool, told: str) -> None:
    s.ticks(50, 59)
    s.clock(60)
    s.record("tour.started", tour="round")
    s.wait(MINUTE)
    s.ticks(61, 69)
    if reach:
        s.trip("stop")
    if told == "tour.reached":
        s.record(told, HALL, zone="stop", tour="round")
    s.ticks(70, 74)
    s.clock(75)
    if told == "tour.missed":
        s.record(told, HALL, zone="stop", tour="round")
    s.wait(MINUTE)
    s.ticks(76, 80)


@kept("tour")
def a_guard_comes(s: Story) -> None:
    _tour(s, True, "tour.reached")


@kept("tour")
def a_guard_does_not_come(s: Story) -> None:
    _tour(s, False, "tour.missed")


@kept("tour")
def a_tour_begins_anew_when_the_clock_is_set_to_another_day(s: Story) -> None:
    s.ticks(50, 59)
    s.clock(60)
    s.record("tour.started", tour="round", stops=["stop"])
    s.wait(7 * MINUTE)
    s.trip("stop", 1_000)
    s.of("stop", "tour.reached", tour="round")
    s.clock(67, MONDAY + 7)
    s.record("tour.ended", tour="round", reached=1, missed=0, late=0, out_of_order=0)
    s.record("tour.started", tour="round", stops=["stop"])
    s.wait(8 * MINUTE)
    s.of("stop", "tour.missed", tour="round")
    s.wait(20 * MINUTE)


@broken("tour")
def a_guard_is_overlooked(s: Story) -> None:
    _tour(s, True, "tour.missed")


@broken("tour")
def a_guard_is_not_missed(s: Story) -> None:
    _tour(s, False, "")


@broken("tour")
def a_tour_does_not_start(s: Story) -> None:
    s.ticks(50, 62)


@kept("test-endless", "test-without-cause")
def a_walk_test(s: Story) -> None:
    s.types("boss", Wish.WALK_TEST)
    s.record("test.walk-started", BOTH, by="keypad:kp", user="boss")
    s.wait(HOUR)
    s.record("test.walk-ended", BOTH, by="timer")


@broken("test-endless")
def a_walk_test_without_end(s: Story) -> None:
    s.types("boss", Wish.WALK_TEST)
    s.record("test.walk-started", BOTH, by="keypad:kp", user="boss")
    s.wait(2 * HOUR)


@broken("test-without-cause")
def a_walk_test_that_nobody_began(s: Story) -> None:
    s.types("armer", Wish.WALK_TEST)
    s.record("test.walk-started", BOTH, by="keypad:kp", user="armer")
    s.record("test.walk-ended", BOTH, by="timer")


# --- troubles ---------------------------------------------------------------------------------------------------


@kept("missed-trouble", "trouble-without-cause", "trouble-repeated")
def mains_and_battery(s: Story) -> None:
    s.trouble("mains", True)
    s.trouble("battery", True)
    s.record("trouble.battery", trouble="battery", subject="")
    s.wait(10 * MINUTE)
    s.record("trouble.mains", trouble="mains", subject="")
    s.wait(HOUR)
    for name in ("mains", "battery"):
        s.trouble(name, False)
        s.record(f"trouble.{name}-ended", trouble=name, subject="")


@broken("missed-trouble")
def a_battery_that_nobody_notes(s: Story) -> None:
    s.trouble("battery", True)


@broken("missed-trouble")
def mains_that_nobody_notes(s: Story) -> None:
    s.trouble("mains", True)
    s.wait(HOUR)


@broken("trouble-without-cause")
def a_trouble_that_is_none(s: Story) -> None:
    s.record("trouble.battery", trouble="battery", subject="")


@broken("trouble-repeated")
def a_trouble_that_is_told_twice(s: Story) -> None:
    s.trouble("battery", True)
    s.record("trouble.battery", trouble="battery", subject="")
    s.wait(MINUTE)
    s.record("trouble.battery", trouble="battery", subject="")


# --- journal and center -----------------------------------------------------------------------------------------


def _held_at_center(s: Story, record: Recorded) -> Held:
    held = Held(s.now, record.journal, record.seq, record.lane, record.kind, record.payload)
    s.tell(held)
    return held


def _reported(s: Story, wait_ms: int = SECOND) -> list[Held]:
    s.delivers = False
    _presses(s, SECOND)
    s.wait(wait_ms)
    return [_held_at_center(s, record) for record in s.journal]


@kept("unknown-kind", "journal-gap", "not-delivered", "center-differs")
def all_arrives(s: Story) -> None:
    center = _reported(s)
    s.wait(HOUR)
    s.oracle.finish(s.now, s.journal, center)


@kept("not-delivered")
def all_arrives_when_the_link_is_there_again(s: Story) -> None:
    s.delivers = False
    s.tell(Linked(s.now, False))
    _presses(s, SECOND)
    s.wait(20 * HOUR)
    s.tell(Linked(s.now, True))
    s.wait(MINUTE)
    center = [_held_at_center(s, record) for record in s.journal]
    s.wait(HOUR)
    s.oracle.finish(s.now, s.journal, center)


@broken("unknown-kind")
def a_record_in_the_wrong_lane(s: Story) -> None:
    s.tell(Recorded(s.now, "j", 1, "status", "alarm.duress", {"user": "boss"}))


@broken("journal-gap")
def a_record_is_missing(s: Story) -> None:
    s.record("journal.checkpoint")
    s.seq += 1
    s.record("journal.checkpoint")


@broken("not-delivered")
def an_alarm_does_not_arrive(s: Story) -> None:
    s.delivers = False
    _presses(s, SECOND)
    s.wait(2 * HOUR)


@broken("center-differs")
def the_center_stores_twice(s: Story) -> None:
    center = _reported(s)
    s.tell(center[0])


@broken("center-differs")
def the_center_holds_something_else(s: Story) -> None:
    center = _reported(s)
    other = Held(s.now, "j", 1, "alarm", "alarm.hold-up", {"zone": "other"})
    s.oracle.finish(s.now, s.journal, [other, *center[1:]])


@kept("limit")
def sixty_four_troubles(s: Story) -> None:
    s.shows(troubles=[f"siren:{n}" for n in range(64)])


@broken("limit")
def a_hundred_troubles(s: Story) -> None:
    s.shows(troubles=[f"siren:{n}" for n in range(100)])


@pytest.mark.parametrize("rule", RULES)
def test_each_promise_has_a_story_of_either_kind(rule: str) -> None:
    assert KEPT.get(rule), "no story in which it is kept"
    assert BROKEN.get(rule), "no story in which it is broken"


@pytest.mark.parametrize(
    "tale", dict.fromkeys(tale for tales in KEPT.values() for tale in tales), ids=lambda tale: tale.__name__
)
def test_a_story_without_fault(tale: Tale) -> None:
    assert [str(v) for v in _story(tale).oracle.violations] == []


CASES = [(rule, tale) for rule, tales in BROKEN.items() for tale in tales]


@pytest.mark.parametrize(("rule", "tale"), CASES, ids=lambda x: x if isinstance(x, str) else x.__name__)
def test_a_story_with_a_fault(rule: str, tale: Tale) -> None:
    story = _story(tale)
    assert rule in story.broken, f"only {sorted(story.broken)}"


# --- the oracle as such -----------------------------------------------------------------------------------------

ALLOWED = {
    "rules.site": None,
    "rules.stimuli": {"Right", "Wish"},
    "rules.vocabulary": {"KINDS", "Lane"},
}


def test_the_oracle_shares_no_code_with_the_rules() -> None:
    folder = Path(__file__).parents[3] / "hil" / "life"
    files = [*folder.glob("oracle*.py"), folder / "violation.py"]
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            room = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            if room.partition(".")[0] == "rules":
                assert room in ALLOWED, f"{file.name} imports {room}"
                assert ALLOWED[room] is None or set(names) <= (ALLOWED[room] or set()), f"{file.name}: {names}"
            elif isinstance(node, ast.Import):
                assert not any(name.partition(".")[0] == "rules" for name in names), file.name
            elif room.startswith("hil.life."):
                assert room.removeprefix("hil.life.").partition("_")[0] in ("oracle", "happenings", "violation"), room


def test_objections_are_bounded_and_a_stranger_is_no_rule() -> None:
    story = Story()
    for _ in range(300):
        story.tell(Pin(story.now, "bell", True))
        story.tell(Pin(story.now, "bell", False))
        story.wait(2 * MINUTE)
    assert len(story.oracle.violations) == 100
    with pytest.raises(KeyError):
        story.oracle.books.blame("no-such-rule", "")


def test_an_ordinary_reading_costs_little() -> None:
    """A year has half a million of them: counted in calls, as time would depend on the machine."""
    import sys

    story = Story()
    calls = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    readings = [Wired(story.now + n, "window", (Condition.ACTIVE, Condition.NORMAL)[n % 2]) for n in range(1_000)]
    watch = story.oracle.watch
    sys.setprofile(count)
    try:
        for reading in readings:
            watch(reading)
    finally:
        sys.setprofile(None)
    assert calls / len(readings) < 40, "an ordinary reading falls through"


def test_the_oracle_is_one_for_all_sites() -> None:
    """Any site that the rules can have makes an oracle, also one without zones that need it."""
    from hil.life.sites import NAMES, ground

    for name in NAMES:
        assert Oracle(ground(name).site).violations == []
