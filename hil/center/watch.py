"""How each panel stands: its link, whether its heart beats, how far the center holds its journals, what alarms wait.

Arrivals mark a panel as changed, and only those are looked at again; the rest is a matter of time alone.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from firmware.clock import Clock
from hil.center.audit import tops
from hil.center.intake import Arrival
from hil.center.store import Store

MISSED_MS = 90_000
"""Three heartbeats of 30 s: without one for so long a panel's path has failed (docs/alarm-center.md, "Heartbeats")."""
MAX_GAPS_TOLD = 16

Standing: TypeAlias = Literal["online", "offline", "missed", "waiting"]
"""`missed`: its heartbeats stay out, whatever its link says; `waiting`: not heard yet since the center began."""


@dataclass(frozen=True)
class View:
    """One panel, as a line of the table. `missing`: records that it has and the center does not hold."""

    panel: str
    standing: Standing
    beat_age_ms: int | None
    journal: str
    head: int
    verified: int
    vouched: int
    held: int
    missing: int
    gaps: tuple[tuple[str, int, int], ...]
    journals: int
    alarms: int
    findings: int
    troubles: tuple[str, ...]


@dataclass(frozen=True)
class Held:
    """What a store says of a panel, without its present."""

    journal: str = ""
    head: int = 0
    verified: int = 0
    vouched: int = 0
    held: int = 0
    missing: int = 0
    gaps: tuple[tuple[str, int, int], ...] = ()
    journals: int = 0
    alarms: int = 0
    findings: int = 0
    troubles: tuple[str, ...] = ()


def held(store: Store, panel: str) -> Held:
    """How far a panel's journals are held, all together; the journal named is that of its newest heartbeat."""
    with store.reading():
        newest = store.rows("SELECT * FROM heads WHERE panel=? ORDER BY session DESC, heard DESC LIMIT 1", panel)
        journals = tops(store, panel)
        journal = newest[0]["journal"] if newest else max(journals, default="")
        gaps = [
            (name, first, last) for name, top in journals.items() for first, last in store.chain(panel, name).gaps(top)
        ]
        chain = store.chain(panel, journal) if journal else None
        vouched = store.rows("SELECT seq FROM vouched WHERE panel=? AND journal=?", panel, journal)
        return Held(
            journal=journal,
            head=journals.get(journal, 0),
            verified=chain.verified() if chain else 0,
            vouched=vouched[0]["seq"] if vouched else 0,
            held=sum(store.chain(panel, name).held for name in journals),
            missing=sum(last - first + 1 for _, first, last in gaps),
            gaps=tuple(gaps[:MAX_GAPS_TOLD]),
            journals=len(journals),
            alarms=_count(store, "SELECT COUNT(*) FROM alarms WHERE panel=? AND acknowledged IS NULL", panel),
            findings=_count(store, "SELECT COUNT(*) FROM findings WHERE panel=?", panel),
            troubles=tuple(json.loads(newest[0]["body"])["troubles"]) if newest else (),
        )


class Watch:
    """The panels of a running center. `hear` belongs to the center's thread, the rest to one other."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._began = clock.monotonic_ms()
        self._beats: dict[str, int] = {}
        self._changed: set[str] = set(store.panels())
        self._held: dict[str, Held] = {}
        self._told: dict[str, Standing] = {}
        self._missing: set[str] = set()
        self._lock = threading.Lock()

    def hear(self, arrival: Arrival) -> None:
        """Something came from a panel."""
        if arrival.what in ("garbage", "telemetry", "state", "command") or not arrival.panel:
            return
        with self._lock:
            if arrival.what == "heartbeat":
                self._beats[arrival.panel] = arrival.monotonic_ms
            self._changed.add(arrival.panel)

    def views(self) -> list[View]:
        """All panels as they stand now, those that need somebody first."""
        self._look()
        views = [self._view(panel, held) for panel, held in self._held.items()]
        return sorted(views, key=_urgency)

    def news(self) -> Iterator[dict[str, Any]]:
        """What changed since the last call: `standing` with `was` and `is`, `gaps` as they begin and end."""
        for view in self.views():
            was = self._told.get(view.panel)
            if was != view.standing:
                self._told[view.panel] = view.standing
                yield {"event": "standing", "panel": view.panel, "was": was, "is": view.standing}
            if bool(view.missing) != (view.panel in self._missing):
                self._missing ^= {view.panel}
                gaps = [{"journal": journal, "first": first, "last": last} for journal, first, last in view.gaps]
                yield {"event": "gaps", "panel": view.panel, "missing": view.missing, "gaps": gaps}

    def _look(self) -> None:
        with self._lock:
            changed, self._changed = self._changed, set()
        for panel in changed:
            self._held[panel] = held(self._store, panel)

    def _view(self, panel: str, known: Held) -> View:
        now = self._clock.monotonic_ms()
        beat = self._beats.get(panel)
        age = None if beat is None else now - beat
        return View(panel=panel, standing=self._standing(panel, now, beat), beat_age_ms=age, **vars(known))

    def _standing(self, panel: str, now: int, beat: int | None) -> Standing:
        if now - (self._began if beat is None else beat) > MISSED_MS:
            return "missed"
        if self._store.online(panel) is False:
            return "offline"
        return "waiting" if beat is None else "online"


def _urgency(view: View) -> tuple[bool, bool, bool, str]:
    return (not view.alarms, view.standing in ("online", "waiting"), not view.missing, view.panel)


def _count(store: Store, sql: str, panel: str) -> int:
    return int(store.rows(sql, panel)[0][0])
