"""The panel itself: its start and stop, and what other parts hand in for the journal."""

from rules.draft import Draft, clean
from rules.effects import JsonValue
from rules.state import Live
from rules.stimuli import KeysTold, Noted, PanelStarted, PanelStopping
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
    root = {"root_hash": clean(start.root_hash)} if start.root_hash else {}
    d.record(
        "panel.started",
        {"cause": clean(start.cause), "dark_ms": start.dark_ms, "version": version, "config_hash": config, **root},
    )
    if config != d.durable.config_hash:
        by = {"user": clean(start.user)} if start.user else {}
        d.record("config.installed", {"old": d.durable.config_hash, "new": config, **by})
        d.keep(config_hash=config)
    if version != d.durable.version:
        if d.durable.version:
            d.record("panel.software-changed", {"old": d.durable.version, "new": version})
        d.keep(version=version)


def keys_told(d: Draft, told: KeysTold) -> None:
    """Which keys of the center count. An exchange must be newer than what counts; what has changed is recorded."""
    if told.kept is not None:
        if told.serial <= d.durable.keys_serial:
            return
        d.keep(center_keys=told.kept)
    counters = {key: last for key, last in d.durable.counters.items() if key in told.command}
    if counters != d.durable.counters:
        d.keep(counters=counters)
    if (told.by, told.serial) == (d.durable.keys_by, d.durable.keys_serial):
        return
    d.keep(keys_by=told.by, keys_serial=told.serial)
    said: dict[str, JsonValue] = {
        "by": told.by,
        "serial": told.serial,
        "receipt": list(told.receipt),
        "command": list(told.command),
        "root": told.root,
        "authorities": list(told.authorities),
    }
    d.record("config.keys", said)


def stopping(d: Draft, stop: PanelStopping) -> None:
    """Record an orderly end."""
    d.record("panel.stopped", {"reason": clean(stop.reason)})


def noted(d: Draft, note: Noted) -> None:
    """Record what another part of the panel knows; a kind that is not marked as noted is ignored."""
    kind = KINDS.get(note.kind)
    if kind is not None and kind.noted:
        d.record(note.kind, note.payload)
