"""Panel files that ask the rules for what they can't or must not do: each mistake with place, found and expected."""

from pathlib import Path

import pytest

from tests.firmware.test_config_mistakes import BANK, mistakes_in

PIR = 'id = "office-pir"'
DOOR = "final_door = true "
HOLDUP = 'id = "holdup-1"'
RELAY = 'follows = "alarm:vault" '
LAMP = 'id = "armed-lamp"'
SIREN = 'place = "external"\nline'
PART = 'omits = ["hall-pir", "office-pir", "archive-pir"] '
WEEK = "late_after_min = 15 "
DAY = 'date = "2026-10-10"'
STOPS = '{ zone = "tour-vault", after_min = 5, until_min = 20 },'
PROFILE = 'profile = "cn" '

# old, new, key, found, expected, said
CASES: dict[str, tuple[str, str, str, str, str, str]] = {
    # numbers and the profile
    "an entry delay beyond EN": (
        "entry_delay_s = 30 ",
        "entry_delay_s = 46 ",
        '[[area]] #1 "hall": entry_delay_s',
        "46",
        "0 to 45",
        "outside the limits of profile cn (EN 50131-1)",
    ),
    "an entry delay below CP-01": (
        PROFILE,
        'profile = "us-cp01" ',
        '[[area]] #2 "vault": entry_delay_s',
        "15",
        "30 to 240",
        "outside the limits of profile us-cp01 (CP-01 row 6)",
    ),
    "codes too short for grade 2": (
        PROFILE
        + "                         # defaults, limits: cn (the default), cn-key, eu-g2, eu-g3, us-cp01\n"
        + "pin_digits = 6 ",
        'profile = "eu-g2"\npin_digits = 4 ',
        "[panel] pin_digits",
        "4",
        "5 to 8",
        "profile eu-g2 (EN 50131-1 grade 2)",
    ),
    "an abort window that is neither off nor long enough": (
        "abort_window_s = 0 ",
        "abort_window_s = 10 ",
        "[timings] abort_window_s",
        "10",
        "0 (off), or 15 to 45",
        "profile cn (CP-01 rows 7, 8)",
    ),
    "a fixed number": (
        "recent_close_s = 120 ",
        "recent_close_s = 60 ",
        "[timings] recent_close_s",
        "60",
        "120",
        "profile cn (CP-01 row 20)",
    ),
    "a negative number": (
        "rearm_min = 5 ",
        "rearm_min = -1 ",
        "[timings] rearm_min",
        "-1",
        "0 (off), or 1 to 60",
        "profile cn (Fenghuo)",
    ),
    "a retention too short": (
        "retention_days = 400",
        "retention_days = 30",
        "[storage] retention_days",
        "30",
        "184 to 36500",
        "profile cn",
    ),
    "a zone's own entry delay": (
        DOOR,
        DOOR + "\nentry_delay_s = 60\n#",
        '[[zone]] #1 "front-door": entry_delay_s',
        "60",
        "0 to 45",
        "outside the limits",
    ),
    "a siren that waits too long": (
        SIREN,
        'place = "external"\nlimit_s = 20\nline',
        '[[output]] #1 "siren-outside": limit_s',
        "20",
        "0 (off), or 90 to 900",
        "outside the limits",
    ),
    "entry and abort together": (
        "abort_window_s = 0 ",
        "abort_window_s = 45 ",
        '[[area]] #1 "hall": entry_delay_s',
        "30",
        "at most 60 together",
        "CP-01 row 9",
    ),
    "siren_max below siren": (
        "siren_s = 300 ",
        "siren_s = 901 ",
        "[timings] siren_s",
        "901",
        "90 to 900",
        "outside the limits",
    ),
    "no time of day": (
        'report_time = "02:23"',
        'report_time = "24:00"',
        "[timings] report_time",
        '"24:00"',
        "00:00 to 23:59",
        "no such time",
    ),
    "not written as a time": (
        'report_time = "02:23"',
        'report_time = "at night"',
        "[timings] report_time",
        '"at night"',
        'a time as "08:30"',
        "not written",
    ),
    "a part that is not there": (
        'auto_part = ""',
        'auto_part = "night"',
        "[timings] auto_part",
        '"night"',
        "the id of a [[part]]",
        "no such part",
    ),
    "no time zone": (
        'timezone = "Asia/Shanghai"',
        'timezone = "Asia/Kunming"',
        "[panel] timezone",
        '"Asia/Kunming"',
        "Asia/Shanghai",
        "no such time zone",
    ),
    "no profile": (
        PROFILE,
        'profile = "eu" ',
        "[panel] profile",
        '"eu"',
        "'cn', 'cn-key', 'eu-g2'",
        "not one of the choices",
    ),
    "pictures that must go before they may": (
        "evidence_days = 30                      # pictures stay so long at least (cn-key: 90)\nevidence_max_days = 60",
        "evidence_days = 32\nevidence_max_days = 31",
        "[storage] evidence_max_days",
        "31",
        "at least evidence_days, 32",
        "before they may",
    ),
    "pictures kept shorter than the law": (
        "evidence_days = 30",
        "evidence_days = 29",
        "[storage] evidence_days",
        "29",
        "30 to 3650",
        "Order 799",
    ),
    # zones
    "soak on a hold-up button": (
        HOLDUP,
        HOLDUP + "\nsoak = true",
        '[[zone]] #7 "holdup-1": soak',
        "true",
        "no such key, or a type of entry-exit",
        'soak means nothing for a zone of type "hold-up"',
    ),
    "forceable tamper": (
        'id = "box-tamper"',
        'id = "box-tamper"\nforceable = true',
        '[[zone]] #9 "box-tamper": forceable',
        "true",
        "no such key",
        'means nothing for a zone of type "tamper"',
    ),
    "a 24-hour zone in a cross group": (
        'id = "vault-door"',
        'id = "vault-door"\ncross_group = "offices"',
        '[[zone]] #5 "vault-door": cross_group',
        '"offices"',
        "a type of entry-exit, follower, instant, day",
        'means nothing for a zone of type "24-hour"',
    ),
    "a swinger limit of a hold-up button": (
        HOLDUP,
        HOLDUP + "\nswinger_trips = 3",
        '[[zone]] #7 "holdup-1": swinger_trips',
        "3",
        "no such key",
        "means nothing",
    ),
    "chime on a keyswitch": (
        'id = "key-switch"',
        'id = "key-switch"\nchime = true',
        '[[zone]] #11 "key-switch": chime',
        "true",
        "entry-exit, follower, instant, day, 24-hour",
        'means nothing for a zone of type "keyswitch"',
    ),
    "a final door that is no entry-exit zone": (
        PIR,
        PIR + "\nfinal_door = true",
        '[[zone]] #3 "office-pir": final_door',
        "true",
        "a type of entry-exit",
        'means nothing for a zone of type "instant"',
    ),
    "a second way that is no entry-exit zone": (
        PIR,
        PIR + "\nsecond_entry = true",
        '[[zone]] #3 "office-pir": second_entry',
        "true",
        "a type of entry-exit",
        "means nothing",
    ),
    "supply cut of a button": (
        HOLDUP,
        HOLDUP + "\nsupply_cut = true",
        '[[zone]] #7 "holdup-1": supply_cut',
        "true",
        "no such key",
        'means nothing for a zone of type "hold-up"',
    ),
    "a restore that must be reported": (
        HOLDUP,
        HOLDUP + "\nreport_restore = false",
        '[[zone]] #7 "holdup-1": report_restore',
        "false",
        "no such key",
        "means nothing",
    ),
    "fire bypassable": (
        'type = "day" ',
        'bypassable = true\ntype = "fire" ',
        '[[zone]] #12 "side-exit": bypassable',
        "true",
        "false",
        "can't be bypassed",
    ),
    "forced arming of what can't be bypassed": (
        "forceable = true ",
        "forceable = true\nbypassable = false\n#",
        '[[zone]] #4 "back-door": forceable',
        "true",
        "bypassable = true besides",
        "can't be bypassed",
    ),
    "pulses without a window": (
        "pulse_window_s = 30 ",
        "# ",
        '[[zone]] #6 "vault-vibration": pulse_window_s',
        "",
        "1 to 600",
        "pulses need a window",
    ),
    "a window without pulses": (
        "pulses = 3 ",
        "pulses = 1 ",
        '[[zone]] #6 "vault-vibration": pulse_window_s',
        "30",
        "pulses ≥ 2 or double_knock",
        "without pulses",
    ),
    "pulses and double knock": (
        "pulses = 3 ",
        "double_knock = true\npulses = 3 ",
        '[[zone]] #6 "vault-vibration": double_knock',
        "true",
        "not both",
        "in one way",
    ),
    "a second way without a second time": (
        DOOR,
        DOOR + "\nsecond_entry = true\n#",
        '[[zone]] #1 "front-door": second_entry',
        "true",
        'entry_delay_2_s > 0 in area "hall"',
        "no second entry time",
    ),
    "a cross group of one": (
        'cross_group = "offices"                 # it',
        'cross_group = "archive"                 # it',
        '[[zone]] #3 "office-pir": cross_group',
        '"offices"',
        "another zone",
        "never alarm",
    ),
    # outputs
    "a siren's delay on a lamp": (
        LAMP,
        LAMP + "\ndelay_s = 10",
        '[[output]] #4 "armed-lamp": delay_s',
        "10",
        'kind = "siren"',
        "for a siren only",
    ),
    "a lamp that follows": (
        LAMP,
        LAMP + '\nfollows = "area:hall"',
        '[[output]] #4 "armed-lamp": follows',
        '"area:hall"',
        'kind = "relay"',
        "for a relay only",
    ),
    "an output without areas": (
        'line = 18\nareas = ["hall"]',
        "line = 18",
        '[[output]] #4 "armed-lamp": areas',
        "",
        "the areas that it serves",
        "at least one area",
    ),
    "a relay that follows nothing": (
        RELAY,
        "# ",
        '[[output]] #6 "vault-light": follows',
        "",
        "zone:ID, area:ID",
        "something to follow",
    ),
    "a relay that follows an unknown zone": (
        RELAY,
        'follows = "zone:cellar" ',
        '[[output]] #6 "vault-light": follows',
        '"cellar"',
        "the id of a [[zone]]",
        "no such zone",
    ),
    "a relay that follows an unknown area": (
        RELAY,
        'follows = "area:cellar" ',
        '[[output]] #6 "vault-light": follows',
        '"cellar"',
        "hall, vault",
        "no such area",
    ),
    "a relay that follows a hold-up button": (
        RELAY,
        'follows = "zone:holdup-1" ',
        '[[output]] #6 "vault-light": follows',
        '"zone:holdup-1"',
        "a zone that is not silent",
        "nothing silent",
    ),
    "a relay that follows a silent event": (
        RELAY,
        'follows = "event:alarm.duress" ',
        '[[output]] #6 "vault-light": follows',
        '"alarm.duress"',
        "not silent",
        "nothing silent",
    ),
    "a relay that follows pictures, a silent one's too": (
        RELAY,
        'follows = "event:evidence.pictures" ',
        '[[output]] #6 "vault-light": follows',
        '"evidence.pictures"',
        "not silent",
        "nothing silent",
    ),
    "a relay that follows no event": (
        RELAY,
        'follows = "event:alarm.flood" ',
        '[[output]] #6 "vault-light": follows',
        '"alarm.flood"',
        "trouble.mains",
        "no such event",
    ),
    "a relay that follows something else": (
        RELAY,
        'follows = "output:strobe" ',
        '[[output]] #6 "vault-light": follows',
        '"output:strobe"',
        "zone:ID, area:ID",
        "not written",
    ),
    "a pulse without an event": (
        RELAY,
        'pulse_s = 5\nfollows = "alarm:vault" ',
        '[[output]] #6 "vault-light": pulse_s',
        "5",
        "event:KIND",
        "only an event",
    ),
    "a siren that begins after the alarm": (
        SIREN,
        'place = "external"\ndelay_s = 300\nline',
        '[[output]] #1 "siren-outside": delay_s',
        "300",
        "less than siren_s (300)",
        "is over before",
    ),
    # part sets and schedules
    "a part of unknown zones": (
        PART,
        'omits = ["hall-pir", "loft-pir"] ',
        '[[part]] #1 "cleaners": omits[2]',
        '"loft-pir"',
        "the id of a [[zone]]",
        "no such zone",
    ),
    "a part that rests a vault": (
        PART,
        'omits = ["vault-door"] ',
        '[[part]] #1 "cleaners": omits[1]',
        '"vault-door"',
        "entry-exit, follower, instant, day",
        'a zone of type "24-hour" never rests',
    ),
    "a part of another area": (
        PART,
        'omits = ["vault-vibration"] ',
        '[[part]] #1 "cleaners": omits[1]',
        '"vault-vibration"',
        "one of the part's areas",
        "not for this zone's area",
    ),
    "a part of an unknown area": (
        'areas = ["hall"]\nomits',
        'areas = ["hall", "cellar"]\nomits',
        '[[part]] #1 "cleaners": areas[2]',
        '"cellar"',
        "hall, vault",
        "no such area",
    ),
    "an unknown schedule": (
        'schedule = "branch"\n',
        'schedule = "office"\n',
        '[[area]] #2 "vault": schedule',
        '"office"',
        "the id of a [[schedule]]: branch",
        "no such schedule",
    ),
    "hours that end before they begin": (
        'saturday = "09:00-16:30"',
        'saturday = "22:00-06:00"',
        '[[schedule]] #1 "branch": saturday',
        '"22:00-06:00"',
        "opening before closing",
        "no hours of one day",
    ),
    "hours that are none": (
        'saturday = "09:00-16:30"',
        'saturday = "9 to 5"',
        '[[schedule]] #1 "branch": saturday',
        '"9 to 5"',
        'hours as "08:30-17:30"',
        "not written",
    ),
    "a day that is not said": (
        'sunday = "closed"',
        "#",
        '[[schedule]] #1 "branch": sunday',
        "",
        'hours or "closed"',
        "is not said",
    ),
    "arming itself before it is late": (
        WEEK,
        "late_after_min = 61 ",
        '[[schedule]] #1 "branch": auto_arm_after_min',
        "60",
        "at least late_after_min (61)",
        "before it is late",
    ),
    "a schedule twice": (
        '[[schedule]]\nid = "branch"',
        '[[schedule]]\nid = "branch"\nweekdays = "closed"\nweekend = "closed"\nlate_after_min = 0\n\n'
        '[[schedule]]\nid = "branch"',
        '[[schedule]] #2 "branch": id',
        '"branch"',
        "no other schedule",
        "used twice",
    ),
    # special days
    "no such day": (DAY, 'date = "2026-02-29"', "[[day]] #2: date", '"2026-02-29"', "2026-10-01", "no such day"),
    "not written as a day": (
        DAY,
        'date = "10/10/2026"',
        "[[day]] #2: date",
        '"10/10/2026"',
        'a day as "2026-10-01"',
        "not written",
    ),
    "a span that ends before it begins": (
        'until = "2026-10-07"',
        'until = "2026-09-30"',
        "[[day]] #1: until",
        '"2026-09-30"',
        "at most 100 days",
        "not a span",
    ),
    "a day twice": (
        DAY,
        'date = "2026-10-05"',
        "[[day]] #2: date",
        '"2026-10-05"',
        "only once",
        "set twice",
    ),
    # tours
    "a stop that is no checkpoint": (
        STOPS,
        '{ zone = "vault-door", after_min = 5, until_min = 20 },',
        '[[tour]] #1 "night-round": stops[2].zone',
        '"vault-door"',
        "tour-hall, tour-vault",
        "no checkpoint",
    ),
    "a window that ends before it begins": (
        STOPS,
        '{ zone = "tour-vault", after_min = 20, until_min = 20 },',
        '[[tour]] #1 "night-round": stops[2].until_min',
        "20",
        "more than after_min (20)",
        "ends before it begins",
    ),
    "windows that go back": (
        STOPS,
        '{ zone = "tour-vault", until_min = 9 },',
        '[[tour]] #1 "night-round": stops[2].until_min',
        "9",
        "0 to 10",
        "ascend",
    ),
    "a window beyond a day": (
        STOPS,
        '{ zone = "tour-vault", after_min = 5, until_min = 1441 },',
        '[[tour]] #1 "night-round": stops[2].until_min',
        "1441",
        "at most 1440",
        "too large",
    ),
    "a checkpoint twice": (
        STOPS,
        '{ zone = "tour-hall", after_min = 5, until_min = 20 },',
        '[[tour]] #1 "night-round": stops[2].zone',
        '"tour-hall"',
        "only once",
        "twice in one tour",
    ),
    "a tour that starts before it is over": (
        'starts = ["22:30", "02:30"]',
        'starts = ["22:30", "22:40"]',
        '[[tour]] #1 "night-round": starts[1]',
        '"22:30"',
        "20 minutes later",
        "after 10 minutes",
    ),
    "a tour over the end of the week": (
        'starts = ["22:30", "02:30"]',
        'days = ["sunday", "monday"]\nstarts = ["23:59", "00:15"]',
        '[[tour]] #1 "night-round": starts[1]',
        '"23:59"',
        "20 minutes later",
        "after 16 minutes",
    ),
    "a start that is no time": (
        'starts = ["22:30", "02:30"]',
        'starts = ["22:30", "26:30"]',
        '[[tour]] #1 "night-round": starts[2]',
        '"26:30"',
        "00:00 to 23:59",
        "no such time",
    ),
    "a weekday that is none": (
        'starts = ["22:30", "02:30"]',
        'days = ["mon"]\nstarts = ["22:30", "02:30"]',
        '[[tour]] #1 "night-round": days[1]',
        '"mon"',
        "'monday'",
        "not one of the choices",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_names_place_found_and_expected(name: str, tmp_path: Path) -> None:
    old, new, key, found, expected, said = CASES[name]
    assert old in BANK
    text = BANK.replace(old, new, 1)
    mistakes = mistakes_in(text, tmp_path)
    assert (key, found) in [(m.key, m.found) for m in mistakes]
    mistake = next(m for m in mistakes if (m.key, m.found) == (key, found))
    assert expected in mistake.expected[0]
    assert said in mistake.text[0]
    assert mistake.line is not None
    for pair in (mistake.text, mistake.expected):
        assert pair[0] and pair[1]  # noqa: PT018
    assert any("\u4e00" <= c <= "\u9fff" for c in mistake.text[1])


# The others break something else besides.
ALONE = set(CASES) - {
    "codes too short for grade 2",
    "a window beyond a day",
    "siren_max below siren",
    "entry and abort together",
    "an entry delay below CP-01",
    "a cross group of one",
    "a zone's own entry delay",
    "a window without pulses",
    "arming itself before it is late",
    "a window that ends before it begins",
}


@pytest.mark.parametrize("name", sorted(ALONE))
def test_one_thing_wrong_is_said_once(name: str, tmp_path: Path) -> None:
    old, new, *_ = CASES[name]
    assert len(mistakes_in(BANK.replace(old, new, 1), tmp_path)) == 1


def test_an_abort_window_is_told_where_it_stands_when_the_entry_delay_is_the_profiles(tmp_path: Path) -> None:
    text = BANK.replace("entry_delay_s = 30 ", "# ").replace("entry_delay_s = 15\n", "")
    text = text.replace("abort_window_s = 0 ", "abort_window_s = 31 ")
    found = {(m.key, m.found) for m in mistakes_in(text, tmp_path)}
    assert found == {("[timings] abort_window_s", "31")}


def test_a_schedule_that_arms_nothing_needs_no_warning_time(tmp_path: Path) -> None:
    mistakes = mistakes_in(BANK.replace("auto_arm_after_min = 60 ", "# "), tmp_path)
    assert [m.key for m in mistakes] == [
        f'[[schedule]] #1 "branch": {k}' for k in ("warn_min", "postpone_min", "postpones")
    ]


def test_a_day_is_told_once_however_often_it_is_set(tmp_path: Path) -> None:
    again = '\n[[day]]\ndate = 2026-10-03\nuntil = 2026-10-06\nhours = "closed"\n\n[[tour]]\n'
    (mistake,) = mistakes_in(BANK.replace("\n[[tour]]\n", again, 1), tmp_path)
    assert (mistake.key, mistake.found) == ("[[day]] #3: date", '"2026-10-03"')
