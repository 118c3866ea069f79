"""Day and night of a Pi camera: by hand, by the hours, by measured light that must stand."""

import pytest

from drivers.cameras import Plan
from drivers.cameras.exposure import DARK_LUX, DAY, LIGHT_LUX, NIGHT, STAND_MS, Exposure, controls

NOON_SHANGHAI, EVENING_SHANGHAI = 4 * 3600.0, 11 * 3600.0  # 12:00 and 19:00 there, of 1970-01-01


@pytest.mark.parametrize("mode", [DAY, NIGHT])
def test_a_mode_by_hand_stays(mode: str) -> None:
    exposure = Exposure(Plan("gate", "picamera2", exposure=mode))
    assert {exposure.mode(0, lux, now) for lux, now in ((0.0, 0), (0.0, 99_999), (9e9, 200_000))} == {mode}


def test_the_schedule_goes_by_the_local_day() -> None:
    plan = Plan("gate", "picamera2", exposure="schedule", day=(7 * 60, 18 * 60 + 30), timezone="Asia/Shanghai")
    exposure = Exposure(plan)
    assert [exposure.mode(utc, None, 0) for utc in (NOON_SHANGHAI, EVENING_SHANGHAI)] == [DAY, NIGHT]
    assert [exposure.mode(utc, None, 0) for utc in (-3601.0, -3600.0)] == [NIGHT, DAY], "07:00 is day"


def test_light_must_stand_before_it_counts() -> None:
    exposure = Exposure(Plan("gate", "picamera2"))
    assert exposure.mode(0, DARK_LUX - 1, 0) == DAY
    assert exposure.mode(0, DARK_LUX - 1, STAND_MS - 1) == DAY
    assert exposure.mode(0, DARK_LUX + 1, STAND_MS) == DAY, "a lamp: from the beginning"
    assert exposure.mode(0, DARK_LUX - 1, STAND_MS + 1) == DAY
    assert exposure.mode(0, DARK_LUX - 1, 2 * STAND_MS + 1) == NIGHT
    between = (DARK_LUX + LIGHT_LUX) / 2
    assert {exposure.mode(0, between, now) for now in range(10**5, 10**6, 10**4)} == {NIGHT}, "hysteresis"
    assert exposure.mode(0, LIGHT_LUX + 1, 10**6) == NIGHT
    assert exposure.mode(0, None, 10**6 + STAND_MS) == NIGHT, "nothing measured, nothing changed"
    assert exposure.mode(0, LIGHT_LUX + 1, 10**6 + STAND_MS) == DAY


def test_night_sees_longer_than_day_and_not_for_ever() -> None:
    day, night = controls(DAY), controls(NIGHT)
    assert day["FrameDurationLimits"] == (33_333, 33_333)
    assert night["FrameDurationLimits"] == (33_333, 125_000)
    assert (night["Saturation"], day["Saturation"]) == (0.0, 1.0)
