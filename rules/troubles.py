"""Troubles of the panel itself: begin and end once each, the mains' patience, all paths down, a cabinet that is opened.

Sources: the mandatory log (digest §1.10), report delay of the mains (CP-01 row 26, EN cap 60 min), memory until reset
(digest §1.6).
"""

from rules import indications
from rules.alarms import areas_alarm
from rules.draft import Draft, clean
from rules.index import site_index
from rules.stimuli import TroubleChanged
from rules.vocabulary import TROUBLES

MAX_TROUBLES = 64
"""So many troubles stand at once; further ones only begin the trouble `rules`, with the name of the first."""
ALWAYS = frozenset({"box", "path", "paths"})
ROOM = 32
"""So many more may stand for an opened cabinet and for ways to the center: no crowd of troubles may hide these."""
DERIVED = "paths"
"""Not told by anyone: it stands while no path works."""


def trouble_changed(d: Draft, change: TroubleChanged) -> None:
    """A part of the panel tells of a trouble; an unknown name has no effect."""
    if change.trouble in TROUBLES and change.trouble != DERIVED:
        changed(d, change.trouble, change.present, clean(change.subject), clean(change.detail, 200))
        if change.trouble == "path":
            _paths(d)


def changed(d: Draft, trouble: str, present: bool, subject: str = "", detail: str = "") -> None:
    """Begin or end a trouble, once each."""
    name = f"{trouble}:{subject}" if subject else trouble
    standing = d.durable.troubles
    if present is (name in standing):
        return
    if not present:
        _ended(d, trouble, subject, name, detail)
        return
    if len(standing) >= MAX_TROUBLES + ROOM * (trouble in ALWAYS) and name != "rules":
        changed(d, "rules", True, detail=f"too many troubles, {name}")
        return
    d.keep(troubles={**standing, name: detail})
    wait = d.site.timings.mains_delay_ms if trouble == "mains" else 0
    if wait:
        d.keep(delayed={**d.durable.delayed, name: d.now + wait})
    else:
        _begun(d, trouble, subject, detail)


def _begun(d: Draft, trouble: str, subject: str, detail: str) -> None:
    d.record(f"trouble.{trouble}", {"trouble": trouble, "subject": subject, "detail": detail})
    indications.remember(d, f"{trouble}:{subject}" if subject else trouble)
    if trouble == "box":
        areas_alarm(d, list(site_index(d.site).area_ids), "trouble.box")


def _ended(d: Draft, trouble: str, subject: str, name: str, detail: str) -> None:
    d.keep(troubles={other: text for other, text in d.durable.troubles.items() if other != name})
    due = d.durable.delayed.get(name)
    if due is None:
        d.record(f"trouble.{trouble}-ended", {"trouble": trouble, "subject": subject, "detail": detail})
        return
    d.keep(delayed={other: until for other, until in d.durable.delayed.items() if other != name})
    d.record("power.mains-dip", {"lasted_ms": max(0, d.now - (due - d.site.timings.mains_delay_ms))})


def reports_due(d: Draft) -> None:
    """Troubles that have lasted long enough to be reported."""
    for name in sorted(n for n, until in d.durable.delayed.items() if until <= d.now):
        d.keep(delayed={other: until for other, until in d.durable.delayed.items() if other != name})
        trouble, _, subject = name.partition(":")
        _begun(d, trouble, subject, d.durable.troubles.get(name, ""))


def _paths(d: Draft) -> None:
    """Whether any way to the center is left."""
    standing, paths = d.durable.troubles, d.site.paths
    none = bool(paths) and ("path:uplink" in standing or all(f"path:{id_}" in standing for id_ in paths))
    changed(d, DERIVED, none)
