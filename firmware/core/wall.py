"""The wall clock as the rules hear of it: the local day and minute, every time that somebody has set the clock, and how
far it had gone wrong by then.

Runs on the rules thread, so schedules move when no socket, disk or other process does. It reads the clock twice a
second at most. With a `rate` (simulated pins) a minute of the wall passes as fast as all other minutes of that panel.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from firmware.clock import Clock, utc_text
from firmware.core.damping import Allowance
from firmware.core.drift import Error, Oscillator, Verdict
from rules.effects import JsonValue
from rules.stimuli import ClockTold, Noted, TroubleChanged

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

EXPECTED_MS = 10_000
"""A setting that was asked for comes within this, or not at all."""
TROUBLE = ("maintenance", "clock")
"""A clock that goes wrong by more than the standards allow."""

Submit = Callable[[ClockTold | Noted | TroubleChanged], bool]


@dataclass(frozen=True)
class _Expected:
    """Somebody was asked to set the clock: to so much UTC at this monotonic moment, give or take `within_s`."""

    by: str
    at_ms: int
    utc: float
    within_s: float


class Wall:
    """Call `look` often, on one thread."""

    def __init__(
        self,
        clock: Clock,
        timezone: str,
        submit: Submit,
        rate: int = 1,
        trusted: bool = False,
        profile: str = "cn",
        oscillator: Oscillator | None = None,
    ) -> None:
        """`timezone`: IANA name. `trusted`: the clock counts as sure from the start (simulated pins, or it was sure
        before and nothing speaks against it). `profile`: whose limits judge its error."""
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
        self._expected: _Expected | None = None
        self._error = Error(profile)
        self._wrong = False
        self._touched = False
        self._heard: float | None = None
        self._oscillator = oscillator or Oscillator()
        self._sets = Allowance(SETS_AT_ONCE, 1 / SET_EVERY_S, lambda: self._clock.monotonic_ms() / 1000 / self._rate)

    @property
    def sure(self) -> bool:
        """Whether the clock was synchronised, and nobody else has set it since. May be read from any thread."""
        return self._sure and not self._touched

    @property
    def oscillator_ppb(self) -> int | None:
        """How fast the board's oscillator runs, billionths; None while that is not known."""
        return self._oscillator.ppb

    def expect(self, by: str, at_ms: int, utc: float, within_s: float) -> None:
        """`by` will set the clock, so that it says `utc` at this monotonic moment. From any thread."""
        self._expected = _Expected(by, at_ms, utc, within_s)

    def right(self, off_s: float) -> None:
        """Somebody who knows says that the true time is so much later; it need not be set. From any thread."""
        self._heard = off_s

    def look(self) -> None:
        """Tell the minute when it is another one, and record that the clock was set."""
        now = self._clock.monotonic_ms()
        if self._looked is not None and now - self._looked < LOOK_MS * self._rate:
            return
        utc = self._clock.utc()
        if self._clock.monotonic_ms() - now > TORN_MS * self._rate:
            return
        stepped = self._looked is not None and self._compare(now, utc)
        state = self._clock.state()
        self._looked, self._at_ms, self._at_utc = now, now, utc
        served = self._rate == 1 and self._clock.served()
        self._oscillator.look(utc, served and not stepped)
        heard, self._heard = self._heard, None
        if served:
            self._error.right(now)
        elif heard is not None:
            self._judge(self._error.found(heard, now))
        if state == "synchronised":
            self._sure, self._touched = True, False
        self._tell(utc, self._sure and state != "unset")

    def _compare(self, now: int, utc: float) -> bool:
        """Whether somebody has set the clock since the last look."""
        passed = (now - self._at_ms) / 1000
        expected = self._at_utc + passed / self._rate
        self._ahead_s += passed - passed / self._rate
        if abs(utc - expected) <= STEP_S:
            return False
        by = self._by(now, utc)
        self._clock.suspect(False)
        if by == "system":
            self._clock.vouch(-1)  # what the center said of it is no longer so
            self._touched = True
        # An administrator's word is none on the clock: he may be wrong himself.
        knows = by != "system" or self._clock.served()
        verdict = self._error.found(utc - expected, now) if knows else None
        self._note(expected, utc, by, verdict)
        self._judge(verdict)
        return True

    def _by(self, now: int, utc: float) -> str:
        """Who has set it: a time server or an administrator of the machine, which the panel can't tell apart, or who
        was asked to."""
        asked, self._expected = self._expected, None
        if asked is None or not 0 <= now - asked.at_ms <= EXPECTED_MS * self._rate:
            return "system"
        return asked.by if abs(utc - asked.utc - (now - asked.at_ms) / 1000) <= asked.within_s else "system"

    def _note(self, old: float, new: float, by: str, verdict: Verdict | None) -> None:
        if not self._sets.take():
            self._unrecorded += 1
            return
        log.warning("the clock was set from %s to %s by %s", utc_text(old), utc_text(new), by)
        payload: dict[str, JsonValue] = {
            "old": utc_text(old),
            "new": utc_text(new),
            "difference_ms": round((new - old) * 1000),
            "clock": self._clock.state(),
            "by": by,
        }
        if verdict is not None:
            payload["ppm"] = verdict.ppm
        if self._unrecorded:
            payload["unrecorded"] = self._unrecorded
        self._unrecorded = 0 if self._submit(Noted("clock.set", payload)) else self._unrecorded + 1

    def _judge(self, verdict: Verdict | None) -> None:
        """Beyond what the standards allow it is a trouble, until it is found right again."""
        if verdict is None or verdict.within is not self._wrong:
            return
        if self._submit(TroubleChanged(TROUBLE[0], not verdict.within, TROUBLE[1], verdict.text)):
            self._wrong = not verdict.within

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
