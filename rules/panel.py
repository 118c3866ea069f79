"""The panel itself: its start and stop, its troubles, and what other parts hand in for the journal."""

from rules.draft import Draft, clean
from rules.state import NOTHING_LIVE
from rules.stimuli import Noted, PanelStarted, PanelStopping, TroubleChanged
from rules.vocabulary import KINDS, TROUBLES

MAX_TROUBLES = 64
"""So many troubles stand at once; further ones only begin the trouble `rules`, with the name of the first."""


def started(d: Draft, start: PanelStarted) -> None:
    """Record the start, and what the panel file says now. Detectors settle after power-up, not after a mere restart."""
    d.live = NOTHING_LIVE
    if start.cause != "restart":
        d.powered_ms = d.now
    d.record(
        "panel.started",
        {
            "cause": clean(start.cause),
            "dark_ms": start.dark_ms,
            "version": clean(start.version),
            "config_hash": clean(start.config_hash),
        },
    )
    new = clean(start.config_hash)
    if new != d.config_hash:
        d.record("config.installed", {"old": d.config_hash, "new": new})
        d.config_hash = new


def stopping(d: Draft, stop: PanelStopping) -> None:
    """Record an orderly end."""
    d.record("panel.stopped", {"reason": clean(stop.reason)})


def trouble_changed(d: Draft, change: TroubleChanged) -> None:
    """Record the begin or the end of a trouble, once each; an unknown name has no effect."""
    if change.trouble not in TROUBLES:
        return
    subject, detail = clean(change.subject), clean(change.detail, 200)
    name = f"{change.trouble}:{subject}" if subject else change.trouble
    if change.present is (name in d.troubles):
        return
    if change.present and len(d.troubles) >= MAX_TROUBLES and name != "rules":
        trouble_changed(d, TroubleChanged("rules", True, "", f"too many troubles, {name}"))
        return
    d.set_trouble(name, detail if change.present else None)
    kind = f"trouble.{change.trouble}" + ("" if change.present else "-ended")
    d.record(kind, {"trouble": change.trouble, "subject": subject, "detail": detail})


def noted(d: Draft, note: Noted) -> None:
    """Record what another part of the panel knows; a kind that is not marked as noted is ignored."""
    kind = KINDS.get(note.kind)
    if kind is not None and kind.noted:
        d.record(note.kind, note.payload)
