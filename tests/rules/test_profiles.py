"""The profiles: the same numbers in each, `cn` the rules' own defaults, limits and tables as the digest has them."""

import pytest

from rules.profiles import DEFAULT, PROFILES, Number
from rules.site import CAUSES, CN_PREVENTION, Prevention, Timings
from rules.vocabulary import TROUBLES

_MS = {"s": 1000, "min": 60_000, "h": 3_600_000}
# Where the rules' name is not the number's name without its unit.
_NAMES = {
    "abort_window_s": "abort_ms",
    "cancel_window_min": "cancel_ms",
    "mains_report_delay_s": "mains_delay_ms",
    "walk_test_min": "walk_ms",
}
_COUNTS = ("code_attempts", "swinger_trips", "reset_level", "chime_ms")


def as_timing(name: str, value: int) -> tuple[str, int]:
    """A number of a profile as the rules have it: their name, their unit."""
    if name in _COUNTS:
        return name, value
    stem, _, unit = name.rpartition("_")
    return _NAMES.get(name, f"{stem}_ms"), value * _MS[unit]


def test_the_defaults_of_cn_are_those_of_the_rules() -> None:
    ours = vars(Timings())
    cn = PROFILES["cn"]
    found = {}
    for name, number in cn.numbers.items():
        if name in _COUNTS or name.rpartition("_")[2] in _MS:
            timing, value = as_timing(name, number.default)
            if timing in ours:
                found[timing] = value
    # A panel's own: the minute of its report and the part it arms when nobody left.
    assert found | {"exit_restart": cn.choices["exit_restart"].on, "report_minute": 600, "auto_part": ""} == ours
    assert not cn.choices["auto_part"].on


def test_the_profiles_are_those_of_the_design_and_alike() -> None:
    assert list(PROFILES) == ["cn", "cn-key", "eu-g2", "eu-g3", "us-cp01"]
    assert DEFAULT == next(iter(PROFILES)) == "cn"
    for name, profile in PROFILES.items():
        assert profile.name == name
        assert profile.numbers.keys() == PROFILES["cn"].numbers.keys()
        assert profile.choices.keys() == {"auto_part", "exit_restart", "abort", "cross", "swinger"}
        assert profile.prevention.keys() == set(CAUSES)
        assert profile.pin_digits == profile.numbers["pin_digits"].default
        assert profile.reset_level == profile.numbers["reset_level"].default


@pytest.mark.parametrize("profile", PROFILES)
def test_every_default_is_allowed_and_every_number_has_its_source(profile: str) -> None:
    for name, number in PROFILES[profile].numbers.items():
        assert number.allows(number.default), name
        assert 0 <= number.least <= number.most, name
        assert number.source, name


def test_limits() -> None:
    number = Number(0, 15, 45, "x", off=True)
    assert [value for value in range(-1, 60) if number.allows(value)] == [0, *range(15, 46)]
    assert not Number(15, 15, 45, "x").allows(0)


# From the digest, by hand: §8 (cn), §5 (us-cp01), §1.1 to 1.6 (the grades).
DIGEST = [
    ("cn", "entry_delay_s", 30, 0, 45),
    ("cn", "exit_delay_s", 60, 0, 255),
    ("cn", "abort_window_s", 0, 15, 45),
    ("cn", "recent_close_s", 120, 120, 120),
    ("cn", "swinger_trips", 2, 1, 6),
    ("cn", "confirm_min", 30, 30, 60),
    ("cn", "hold_up_window_h", 8, 8, 20),
    ("cn", "siren_s", 300, 90, 900),
    ("cn", "siren_delay_s", 0, 0, 600),
    ("cn", "mains_report_delay_s", 600, 0, 3600),
    ("cn", "code_attempts", 5, 3, 10),
    ("cn", "pin_digits", 6, 4, 8),
    ("cn", "reset_level", 2, 2, 3),
    ("eu-g2", "entry_delay_s", 30, 0, 45),
    ("eu-g2", "pin_digits", 5, 5, 8),
    ("eu-g2", "reset_level", 2, 2, 3),
    ("eu-g2", "standby_h", 12, 12, 72),
    ("eu-g3", "pin_digits", 6, 6, 8),
    ("eu-g3", "reset_level", 3, 3, 3),
    ("us-cp01", "entry_delay_s", 30, 30, 240),
    ("us-cp01", "exit_delay_s", 60, 45, 255),
    ("us-cp01", "abort_window_s", 30, 15, 45),
    ("us-cp01", "swinger_trips", 2, 1, 6),
]


@pytest.mark.parametrize(("profile", "name", "default", "least", "most"), DIGEST)
def test_numbers_of_the_digest(profile: str, name: str, default: int, least: int, most: int) -> None:
    number = PROFILES[profile].numbers[name]
    assert (number.default, number.least, number.most) == (default, least, most)


def test_what_cp01_has_on() -> None:
    on = {name for name, choice in PROFILES["us-cp01"].choices.items() if choice.on}
    assert on == {"auto_part", "exit_restart", "abort", "swinger"}
    assert {name for name, choice in PROFILES["eu-g3"].choices.items() if choice.on} == {"exit_restart", "swinger"}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_feature_is_on_where_its_number_is(profile: str) -> None:
    chosen = PROFILES[profile]
    for choice, number in (("abort", "abort_window_s"), ("swinger", "swinger_trips")):
        assert chosen.choices[choice].on == bool(chosen.numbers[number].default)
    # Entry delay and abort window together are at most 60 s, by default too (CP-01 row 9).
    assert chosen.numbers["entry_delay_s"].default + chosen.numbers["abort_window_s"].default <= 60


@pytest.mark.clause("EN 50131-1 prevention hold-up active", "EN 50131-1 prevention tamper")
@pytest.mark.clause("EN 50131-1 prevention masked")
def test_what_prevents_arming_by_grade() -> None:
    g2, g3 = PROFILES["eu-g2"].prevention, PROFILES["eu-g3"].prevention
    assert PROFILES["cn"].prevention == CN_PREVENTION
    assert {cause for cause in CAUSES if g2[cause] != g3[cause]} == {"hold-up", "tamper", "masked"}
    assert not g2["masked"].blocks
    assert (g3["hold-up"], g3["tamper"], g3["masked"]) == (
        Prevention(True, 3),
        Prevention(True, 3),
        Prevention(True, 2),
    )
    assert {cause for cause in CAUSES if g3[cause].level == 0} == {"storage"}


def test_every_trouble_has_its_cause_in_each_profile() -> None:
    for profile in PROFILES.values():
        assert {trouble.cause for trouble in TROUBLES.values()} <= profile.prevention.keys()
