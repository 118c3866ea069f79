"""How the panel comes back: the state that the journal kept, moved to the clock of this boot.

The same boot goes on exactly; a new boot goes on with what remained of each timer at the last commit
(DESIGN "The journal").
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import rules
from firmware.clock import Clock, rtc_utc
from firmware.journal import Restored
from rules.site import Site
from rules.stimuli import PanelStarted

RTC_WITHIN_S = 10.0
"""The kernel reads the RTC at boot to the second; what lies further apart was set by another."""

log = logging.getLogger("fenghuo.core.restore")


@dataclass(frozen=True)
class Restart:
    """The state to go on with, and what the rules are told of the start."""

    state: rules.PanelState
    started: PanelStarted
    sure: bool = False
    """The wall clock was sure before, and nothing speaks against it."""


def restart(
    site: Site,
    restored: Restored,
    clock: Clock,
    version: str,
    config_hash: str,
    rtc: Callable[[], int | None] = rtc_utc,
) -> Restart:
    """The panel as it was; a state that can't be read is reported and begins anew. `rtc`: the battery-backed clock."""
    state = _decode(restored)
    if state is None:
        return Restart(rules.initial(site), PanelStarted("first", -1, version, config_hash))
    now = clock.monotonic_ms()
    if restored.boot == clock.boot():
        started = PanelStarted("restart", max(0, now - restored.monotonic_ms), version, config_hash)
        return Restart(rules.adapt(site, state), started, state.durable.clock_sure)
    if state.durable.clock_sure and behind(restored.utc, clock):
        clock.suspect(True)
    state = rules.rebase(state, now - restored.monotonic_ms)
    dark_ms = _dark_ms(restored, clock)
    sure = state.durable.clock_sure and dark_ms >= 0 and _from_rtc(clock, rtc())
    return Restart(rules.adapt(site, state), PanelStarted("power-up", dark_ms, version, config_hash), sure)


def behind(sure: str, clock: Clock) -> bool:
    """Whether the clock says a time before this one (UTC text), at which it was sure; not where that is no time."""
    try:
        return clock.utc() < _seconds(sure)
    except ValueError:
        return False


def _from_rtc(clock: Clock, rtc: int | None) -> bool:
    """Whether the time of this boot is that of a clock with a battery.

    A board without one comes up with the time of its last shutdown, which is not before the journal's either.
    """
    return rtc is not None and abs(clock.utc() - rtc) <= RTC_WITHIN_S


def _decode(restored: Restored) -> rules.PanelState | None:
    if restored.state is None:
        return None
    try:
        return rules.decode(restored.state)
    except ValueError as error:
        log.error("the kept state can't be read, the panel begins disarmed: %s", error)
        return None


def _dark_ms(restored: Restored, clock: Clock) -> int:
    """Over another boot only UTC tells how long it was; -1 where the clock does not allow to say."""
    try:
        before = _seconds(restored.utc)
    except ValueError:
        return -1
    dark = clock.utc() - before
    return int(dark * 1000) if dark >= 0 and clock.state() != "unset" else -1


def _seconds(text: str) -> float:
    from datetime import UTC, datetime

    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
