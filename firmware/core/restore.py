"""How the panel comes back: the state that the journal kept, moved to the clock of this boot.

The same boot goes on exactly; a new boot goes on with what remained of each timer at the last commit
(DESIGN "The journal").
"""

import logging
from dataclasses import dataclass

import rules
from firmware.clock import Clock
from firmware.journal import Restored
from rules.site import Site
from rules.stimuli import PanelStarted

log = logging.getLogger("fenghuo.core.restore")


@dataclass(frozen=True)
class Restart:
    """The state to go on with, and what the rules are told of the start."""

    state: rules.PanelState
    started: PanelStarted


def restart(site: Site, restored: Restored, clock: Clock, version: str, config_hash: str) -> Restart:
    """The panel as it was; a state that can't be read is reported and begins anew."""
    state = _decode(restored)
    if state is None:
        return Restart(rules.initial(site), PanelStarted("first", -1, version, config_hash))
    now = clock.monotonic_ms()
    if restored.boot == clock.boot():
        return Restart(
            rules.adapt(site, state), PanelStarted("restart", max(0, now - restored.monotonic_ms), version, config_hash)
        )
    state = rules.rebase(state, now - restored.monotonic_ms)
    dark_ms = _dark_ms(restored, clock)
    return Restart(rules.adapt(site, state), PanelStarted("power-up", dark_ms, version, config_hash))


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
