"""What the rules can do, said in a panel file: each key reaches the site, in its unit; defaults are the profile's."""

from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest

from firmware.config import Loaded, Output, Panel, Schedule, Zone, load, to_site
from firmware.config.dated import Weekday
from firmware.config.defaults import report_minute
from firmware.config.hours import WEEKDAYS, hours_of, minute_of
from firmware.config.limits import LIMITED
from firmware.config.models import Area, Storage, Timings, Wire
from rules import site as rules_site
from rules.profiles import PROFILES
from rules.site import Hours, OutputKind, Part, Place, Site, Stop, ZoneType

MINIMAL = """
[panel]
id = "shop"
name = "Shop"
{panel}

[[area]]
id = "hall"
number = 1
name = "Hall"
{area}

[[zone]]
id = "door"
number = 1
name = "Door"
type = "entry-exit"
areas = ["hall"]
input = {{ line = 17 }}
{zone}

{rest}
"""


def loaded(folder: Path, panel: str = "", area: str = "", zone: str = "", rest: str = "") -> Loaded:
    (folder / "panel.toml").write_text(MINIMAL.format(panel=panel, area=area, zone=zone, rest=rest))
    return load(folder / "panel.toml")


def site(folder: Path, panel: str = "", area: str = "", zone: str = "", rest: str = "") -> Site:
    return to_site(loaded(folder, panel, area, zone, rest).file)


@pytest.mark.parametrize(
    ("model", "key", "values"),
    [
        (Zone, "type", [kind.value for kind in ZoneType]),
        (Output, "kind", [kind.value for kind in OutputKind]),
        (Output, "place", [place.value for place in Place]),
        (Panel, "profile", list(PROFILES)),
    ],
)
def test_the_choices_are_exactly_the_rules_own(model: Any, key: str, values: list[str]) -> None:
    assert list(get_args(model.model_fields[key].annotation)) == values


def test_weekdays_are_those_of_the_calendar() -> None:
    assert get_args(Weekday) == WEEKDAYS
    assert set(WEEKDAYS) | {"weekdays", "weekend"} <= Schedule.model_fields.keys()
    assert [date(2026, 11, 23 + n).strftime("%A").lower() for n in range(7)] == list(WEEKDAYS)


def test_every_limited_key_is_one_of_the_file_and_every_number_that_has_a_key_is_used() -> None:
    models: dict[str, Any] = {
        "panel": Panel,
        "area": Area,
        "zone": Zone,
        "output": Output,
        "storage": Storage,
        "timings": Timings,
    }
    for limited in LIMITED:
        assert limited.key in models[limited.table].model_fields
        # One default only: where it is the profile's, the model has none.
        assert models[limited.table].model_fields[limited.key].is_required() == limited.default
    debounce = Wire.model_fields["debounce_ms"]
    for profile in PROFILES.values():
        number = profile.numbers["input_debounce_ms"]
        limits = {type(m).__name__: m for m in debounce.metadata}
        assert (debounce.default, limits["Ge"].ge, limits["Le"].le) == (number.default, number.least, number.most)
    unused = PROFILES["cn"].numbers.keys() - {limited.number for limited in LIMITED} - {"input_debounce_ms"}
    assert unused == {
        "panel_response_ms",
        "gb28181_keepalive_s",
        "gb28181_expires_s",
        "event_log_min",
    }


@pytest.mark.clause("Retention panel 400 d")
@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_left_out_has_the_profiles_default(profile: str, tmp_path: Path) -> None:
    file = loaded(tmp_path, panel=f'profile = "{profile}"').file
    numbers = PROFILES[profile].numbers
    assert file.panel.pin_digits == numbers["pin_digits"].default
    assert file.area[0].entry_delay_s == numbers["entry_delay_s"].default
    assert file.timings.abort_window_s == numbers["abort_window_s"].default
    assert file.storage.retention_days == 400
    made = to_site(file)
    assert made.prevention == PROFILES[profile].prevention
    assert made.timings.reset_level == numbers["reset_level"].default
    assert made.timings.swinger_trips == numbers["swinger_trips"].default


def test_a_minimal_cn_file_has_the_rules_own_timings(tmp_path: Path) -> None:
    made = site(tmp_path)
    assert made.timings == rules_site.Timings(report_minute=report_minute("shop"))
    assert loaded(tmp_path).file.panel.timezone == "Asia/Shanghai"
    assert made.zones["door"] == rules_site.Zone("door", 1, "Door", ZoneType.ENTRY_EXIT, ("hall",))
    assert made.areas["hall"] == rules_site.Area("hall", 1, "Hall", 30_000, 60_000)


def test_reports_of_a_city_spread_over_the_night() -> None:
    minutes = [report_minute(f"bank-{n:05d}") for n in range(9600)]
    assert minutes[:3] == [report_minute(f"bank-{n:05d}") for n in range(3)]
    assert all(minute >= 22 * 60 or minute < 6 * 60 for minute in minutes)
    # 20 a minute on average; a minute with 50 would be a crowd.
    assert max(minutes.count(minute) for minute in set(minutes)) < 50
    assert len(set(minutes)) > 470


def test_a_report_time_of_ones_own(tmp_path: Path) -> None:
    made = site(tmp_path, rest='[timings]\nreport_time = "23:05"')
    assert made.timings.report_minute == 23 * 60 + 5


ZONE = """
chime = true
forceable = true
entry_delay_s = 20
final_door = true
pulses = 3
pulse_window_s = 10
swinger_trips = 0
abort = false
report_restore = false
detector = "pair-1"
supply_cut = true
"""


def test_every_attribute_of_a_zone_reaches_the_rules(tmp_path: Path) -> None:
    assert site(tmp_path, zone=ZONE).zones["door"] == rules_site.Zone(
        id="door",
        number=1,
        name="Door",
        type=ZoneType.ENTRY_EXIT,
        areas=("hall",),
        chime=True,
        forceable=True,
        entry_delay_ms=20_000,
        final_door=True,
        pulses=3,
        pulse_window_ms=10_000,
        swinger_trips=0,
        abort=False,
        report_restore=False,
        detector="pair-1",
        supply_cut=True,
    )


def test_second_way_cross_group_double_knock_and_trial(tmp_path: Path) -> None:
    other = (
        '[[zone]]\nid = "pir"\nnumber = 2\nname = "PIR"\ntype = "instant"\nareas = ["hall"]\ninput = { line = 18 }\n'
    )
    made = site(
        tmp_path,
        area="entry_delay_2_s = 45",
        zone='second_entry = true\ncross_group = "a"\nsoak = true',
        rest=other + 'cross_group = "a"\ndouble_knock = true\npulse_window_s = 5',
    )
    door, pir = made.zones["door"], made.zones["pir"]
    assert made.areas["hall"].entry_delay_2_ms == 45_000
    assert (door.second_entry, door.cross_group, door.soak) == (True, "a", True)
    assert (pir.cross_group, pir.double_knock, pir.pulse_window_ms, pir.pulses) == ("a", True, 5000, 1)


def test_outputs(tmp_path: Path) -> None:
    rest = """
[[output]]
id = "bell"
kind = "siren"
place = "internal"
line = 20
areas = ["hall"]
delay_s = 60
limit_s = 120

[[output]]
id = "valve"
kind = "relay"
line = 21
follows = "event:alarm.gas"
pulse_s = 10

[[output]]
id = "ding"
kind = "chime"
line = 22
areas = ["hall"]
"""
    made = site(tmp_path, rest=rest).outputs
    bell = rules_site.Output("bell", OutputKind.SIREN, ("hall",), Place.INTERNAL, delay_ms=60_000, limit_ms=120_000)
    assert made["bell"] == bell
    valve = rules_site.Output("valve", OutputKind.RELAY, (), follows="event:alarm.gas", pulse_ms=10_000)
    assert made["valve"] == valve
    assert made["ding"].kind is OutputKind.CHIME


TIMINGS = {
    "siren_s": (100, "siren_ms", 100_000),
    "siren_max_s": (200, "siren_max_ms", 200_000),
    "code_attempts": (4, "code_attempts", 4),
    "lockout_s": (91, "lockout_ms", 91_000),
    "exit_restart": ("false", "exit_restart", False),
    "final_set_s": (6, "final_set_ms", 6_000),
    "exit_warning_s": (11, "exit_warning_ms", 11_000),
    "abort_window_s": (15, "abort_ms", 15_000),
    "entry_hold_s": (31, "entry_hold_ms", 31_000),
    "cancel_window_min": (6, "cancel_ms", 360_000),
    "recent_close_s": (120, "recent_close_ms", 120_000),
    "swinger_trips": (3, "swinger_trips", 3),
    "swinger_reset_h": (2, "swinger_reset_ms", 7_200_000),
    "cross_s": (30, "cross_ms", 30_000),
    "confirm_min": (45, "confirm_ms", 2_700_000),
    "hold_up_gap_s": (130, "hold_up_gap_ms", 130_000),
    "hold_up_window_h": (9, "hold_up_window_ms", 32_400_000),
    "mains_report_delay_s": (7, "mains_delay_ms", 7_000),
    "grant_min": (7, "grant_ms", 420_000),
    "installer_min": (8, "installer_ms", 480_000),
    "walk_test_min": (9, "walk_ms", 540_000),
    "siren_test_s": (3, "siren_test_ms", 3_000),
    "battery_test_s": (20, "battery_test_ms", 20_000),
    "chime_ms": (900, "chime_ms", 900),
    "rearm_min": (4, "rearm_ms", 240_000),
    "reset_level": (3, "reset_level", 3),
    "report_time": ('"10:01"', "report_minute", 601),
    "auto_part": ('"night"', "auto_part", "night"),
}


def test_every_timing_of_the_rules_can_be_set(tmp_path: Path) -> None:
    assert {timing for _, timing, _ in TIMINGS.values()} == vars(rules_site.Timings()).keys()
    part = '[[part]]\nid = "night"\nname = "Night"\nomits = ["door"]\n'
    lines = "".join(f"{key} = {value}\n" for key, (value, _, _) in TIMINGS.items())
    made = site(tmp_path, rest=f"{part}[timings]\n{lines}").timings
    assert made == rules_site.Timings(**{timing: value for _, timing, value in TIMINGS.values()})  # type: ignore[arg-type]


def test_where_nobody_left_cp01_arms_the_first_part(tmp_path: Path) -> None:
    parts = "".join(f'[[part]]\nid = "{name}"\nname = "N"\nomits = ["door"]\n' for name in ("stay", "night"))
    assert site(tmp_path, panel='profile = "us-cp01"', rest=parts).timings.auto_part == "stay"
    assert site(tmp_path, rest=parts).timings.auto_part == ""
    off = '[timings]\nauto_part = ""\n'
    assert site(tmp_path, panel='profile = "us-cp01"', rest=parts + off).timings.auto_part == ""
    assert site(tmp_path, panel='profile = "us-cp01"').timings.auto_part == ""


def test_part_sets(tmp_path: Path) -> None:
    rest = '[[part]]\nid = "night"\nname = "Night 夜间"\nomits = ["door"]\nareas = ["hall"]\n'
    assert site(tmp_path, rest=rest).parts == {"night": Part("night", "Night 夜间", ("door",), ("hall",))}


SCHEDULE = """
[[schedule]]
id = "week"
weekdays = "8:30-17:30"
wednesday = "00:00-24:00"
saturday = "09:00-12:00"
weekend = "closed"
late_after_min = 10
auto_arm_after_min = 20
warn_min = 5
postpone_min = 15
postpones = 2
"""


def test_a_schedule(tmp_path: Path) -> None:
    made = site(tmp_path, area='schedule = "week"', rest=SCHEDULE)
    day = Hours(510, 1050)
    week = (day, day, Hours(0, 1440), day, day, Hours(540, 720), None)
    assert made.schedules == {"week": rules_site.Schedule("week", week, 10, 20, 5, 15, 2)}
    assert made.areas["hall"].schedule == "week"


def test_special_days_with_and_without_quotes(tmp_path: Path) -> None:
    rest = """
[[day]]
date = "2026-10-01"
until = 2026-10-03
hours = "closed"

[[day]]
date = 2026-10-10
hours = "08:00-18:00"
"""
    first = date(2026, 10, 1).toordinal()
    made = site(tmp_path, rest=SCHEDULE + rest)
    assert made.days == {first: None, first + 1: None, first + 2: None, first + 9: Hours(480, 1080)}
    assert isinstance(loaded(tmp_path, rest=SCHEDULE + rest).file.day[1].date, str)


def test_a_guard_tour(tmp_path: Path) -> None:
    rest = """
[[zone]]
id = "gate"
number = 2
name = "Gate"
type = "checkpoint"
areas = ["hall"]
input = { line = 18 }

[[tour]]
id = "round"
name = "Round"
days = ["sunday", "monday"]
starts = ["22:00", "06:00"]
stops = [{ zone = "gate", after_min = 2, until_min = 12 }]
"""
    starts = ((0, 360), (0, 1320), (6, 360), (6, 1320))
    assert site(tmp_path, rest=rest).tours == {
        "round": rules_site.Tour("round", "Round", (Stop("gate", 2, 12),), starts)
    }


def test_paths_and_order(tmp_path: Path) -> None:
    path = """
[[path]]
id = "{name}"
host = "example.org"
tls = {{ ca = "a", certificate = "b", key = "c" }}
"""
    key = '[center]\nreceipt_keys = ["44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"]\n'
    rest = "".join(path.format(name=name) for name in ("second", "first")) + key
    assert site(tmp_path, rest=rest).paths == ("second", "first")


@pytest.mark.parametrize(
    ("text", "minute"),
    [("00:00", 0), ("8:05", 485), ("24:00", 1440), ("24:01", None), ("12:60", None), ("12", None), ("１2:00", None)],
)
def test_times_of_day(text: str, minute: int | None) -> None:
    assert minute_of(text) == minute


@pytest.mark.parametrize("text", ["closed", "17:30-08:30", "08:00-08:00", "8-9", "08:00-25:00", "08:00 - 17:00\n", ""])
def test_what_are_no_hours(text: str) -> None:
    assert hours_of(text) is None
