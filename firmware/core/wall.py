"""The wall clock as the rules hear of it: the local day and minute, and every time that somebody has set the clock.

Runs on the rules thread, so schedules move when no socket, disk or other process does. It reads the clock twice a
second at most. With a `rate` (simulated pins) a minute of the wall passes as fast as all other minutes of that panel.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from firmware.clock import Clock, utc_text
from firmware.core.damping import Allowance
from rules.effects import JsonValue
from rules.stimuli import ClockTold, Noted

log = logging.getLogger("fenghuo.core.wall")

LOOK_MS = 500
"""So often, in real time, the clock is looked at."""
STEP_S = 2.0
"""A clock that moved by more than this against the monotonic one was set; less is drift, or a slow correction."""
TORN_MS = 100
"""Two readings that lie further apart, in real time, say nothing about each other."""
SETS_AT_ONCE = 10
SET_EVERY_S = 600.0
"""So many settings are recorded one by one, further ones one in this time, with how many went unrecorded."""

Submit = Callable[[ClockTold | Noted], bool]


class Wall:
    """Call `look` often, on one thread."""

    def __init__(self, clock: Clock, timezone: str, submit: Submit, rate: int = 1, trusted: bool = False) -> None:
        """`timezone`: IANA name. `trusted`: the clock counts as sure from the start (simulated pins)."""
        self._clock = clock
        self._timezone = timezone
        self._submit = submit
        self._rate = rate
        self._sure = trusted
        self._zone: tzinfo | None = None
        self._looked: int | None = None
        self._at_ms = 0
        self._at_utc = 0.0
        self._ahead_s = 0.0
        self._told: ClockTold | None = None
        self._unrecorded = 0
        self._sets = Allowance(SETS_AT_ONCE, 1 / SET_EVERY_S, lambda: self._clock.monotonic_ms() / 1000 / self._rate)

    def look(self) -> None:
        """Tell the minute when it is another one, and record that the clock was set."""
        now = self._clock.monotonic_ms()
        if self._looked is not None and now - self._looked < LOOK_MS * self._rate:
            return
        utc, state = self._clock.utc(), self._clock.state()
        if self._clock.monotonic_ms() - now > TORN_MS * self._rate:
            return
        if self._looked is not None:
            self._compare(now, utc, state)
        self._looked, self._at_ms, self._at_utc = now, now, utc
        self._sure = self._sure or state == "synchronised"
        self._tell(utc, self._sure and state != "unset")

    def _compare(self, now: int, utc: float, state: str) -> None:
        passed = (now - self._at_ms) / 1000
        expected = self._at_utc + passed / self._rate
        self._ahead_s += passed - passed / self._rate
        if abs(utc - expected) > STEP_S:
            self._note(expected, utc, state)

    def _note(self, old: float, new: float, state: str) -> None:
        if not self._sets.take():
            self._unrecorded += 1
            return
        log.warning("the clock was set from %s to %s", utc_text(old), utc_text(new))
        # A time server or an administrator of the machine: the panel can't tell them apart.
        payload: dict[str, JsonValue] = {"old": utc_text(old), "new": utc_text(new), "clock": state, "by": "system"}
        if self._unrecorded:
            payload["unrecorded"] = self._unrecorded
        self._unrecorded = 0 if self._submit(Noted("clock.set", payload)) else self._unrecorded + 1

    def _tell(self, utc: float, sure: bool) -> None:
        local = datetime.fromtimestamp(utc + self._ahead_s, self._local())
        told = ClockTold(local.toordinal(), local.hour * 60 + local.minute, sure and self._zone is not UTC)
        if told != self._told and self._submit(told):
            self._told = told

    def _local(self) -> tzinfo:
        """The zone of the panel file; without its data (no tzdata on the machine) UTC, and then nothing is sure."""
        if self._zone is None:
            # Here, not above: the first reading of the inputs comes before it.
            from zoneinfo import ZoneInfo

            try:
                self._zone = ZoneInfo(self._timezone)
            except (OSError, ValueError, LookupError):
                log.critical("no data of the time zone %s: no schedule moves (is tzdata there?)", self._timezone)
                self._zone = UTC
        return self._zone
