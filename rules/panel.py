"""The panel itself: its start and stop, and what other parts hand in for the journal."""

from rules.draft import Draft, clean
from rules.state import Live
from rules.stimuli import Noted, PanelStarted, PanelStopping
from rules.table import AreaMode
from rules.vocabulary import KINDS


def started(d: Draft, start: PanelStarted) -> None:
    """Record the start, and what the panel file and the software say now. Detectors settle after power-up, not after a
    mere restart."""
    d.live = Live(day=d.live.day, minute=d.live.minute, started=d.now)
    if start.cause != "restart":
        d.keep(powered_ms=d.now)
    for area in [a for a in d.areas.values() if a.mode is AreaMode.EXIT_DELAY]:
        # Nobody saw who went out in the dark; a door that is told again is none that opens again.
        d.set_area(area, left=True, restarted=True)
    config, version = clean(start.config_hash), clean(start.version)
    d.record(
        "panel.started",
        {"cause": clean(start.cause), "dark_ms": start.dark_ms, "version": version, "config_hash": config},
    )
    if config != d.durable.config_hash:
        d.record("config.installed", {"old": d.durable.config_hash, "new": config})
        d.keep(config_hash=config)
    if version != d.durable.version:
        if d.durable.version:
            d.record("panel.software-changed", {"old": d.durable.version, "new": version})
        d.keep(version=version)


def stopping(d: Draft, stop: PanelStopping) -> None:
    """Record an orderly end."""
    d.record("panel.stopped", {"reason": clean(stop.reason)})


def noted(d: Draft, note: Noted) -> None:
    """Record what another part of the panel knows; a kind that is not marked as noted is ignored."""
    kind = KINDS.get(note.kind)
    if kind is not None and kind.noted:
        d.record(note.kind, note.payload)
