"""Day and night of a Pi camera: its settings as data, and which of them holds now, by the clock or by measured light.

By day the sensor's own automatic does well. By night it may expose long enough to see, but not so long that a walking
person is a smear, and colour, which is noise by then, is left out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from drivers.cameras.protocol import Plan

DAY, NIGHT = "day", "night"
LONGEST_US: Mapping[str, int] = MappingProxyType({DAY: 33_333, NIGHT: 125_000})
"""Longest exposure. By day a frame of 30 a second. By night 1/8 s: a person who walks 1 m/s past at 5 m, seen with 60°
across 640 pixels, smears over 14 pixels, about a third of his width there; at 1/4 s he is two smears."""
CONTROLS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {
        # AeExposureMode: 0 normal, 2 long. NoiseReductionMode: 1 fast, 2 high quality. Saturation 0: grey.
        DAY: MappingProxyType({"AeEnable": True, "AeExposureMode": 0, "Saturation": 1.0, "NoiseReductionMode": 1}),
        NIGHT: MappingProxyType({"AeEnable": True, "AeExposureMode": 2, "Saturation": 0.0, "NoiseReductionMode": 2}),
    }
)
"""libcamera's controls, but for `FrameDurationLimits`, which `controls` makes of `LONGEST_US`."""
DARK_LUX, LIGHT_LUX = 5.0, 15.0
"""Night below the one (a street lamp gives 5 to 10 lux, a lit corridor 50), day above the other."""
STAND_MS = 30_000
"""So long it must be dark or light before the settings change: headlights and a lamp switched on are neither."""


def controls(mode: str) -> dict[str, object]:
    """What picamera2's `set_controls` takes for `day` or `night`."""
    longest = LONGEST_US[mode]
    return {**CONTROLS[mode], "FrameDurationLimits": (min(longest, LONGEST_US[DAY]), longest)}


class Exposure:
    """Which settings hold. `plan.exposure`: `day` or `night` always, `schedule` by `plan.day`, `auto` by light."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._mode = NIGHT if plan.exposure == NIGHT else DAY
        self._other_since: int | None = None

    def mode(self, utc: float, lux: float | None, now_ms: int) -> str:
        """`day` or `night`. `utc`: seconds since 1970; `lux`: as libcamera measures it, None where it does not."""
        if self._plan.exposure == "schedule":
            return self._scheduled(utc)
        if self._plan.exposure == "auto" and lux is not None:
            self._measure(lux, now_ms)
        return self._mode

    def _scheduled(self, utc: float) -> str:
        if self._plan.day is None:
            return DAY
        moment = datetime.fromtimestamp(utc, UTC).astimezone(ZoneInfo(self._plan.timezone))
        opens, closes = self._plan.day
        return DAY if opens <= moment.hour * 60 + moment.minute < closes else NIGHT

    def _measure(self, lux: float, now_ms: int) -> None:
        other = lux > LIGHT_LUX if self._mode == NIGHT else lux < DARK_LUX
        if not other:
            self._other_since = None
        elif self._other_since is None:
            self._other_since = now_ms
        elif now_ms - self._other_since >= STAND_MS:
            self._mode = DAY if self._mode == NIGHT else NIGHT
            self._other_since = None
