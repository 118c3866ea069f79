"""What was sent by SMS, to whom, and how often today: a small file, so that a restart sends nothing twice.

An entry is noted before its message is handed to the modem, and again when the network took it. One that was begun when
the uplink died may have left or not: it is sent once more, and no third time. A file that is lost or broken counts as
empty: alarms that still wait for a receipt may then be told a second time, and the day's count begins anew. A file that
can't be written stops nothing: an alarm that is told twice is better than one that is not told.
"""

import logging
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from firmware.uplink.sms import durable

log = logging.getLogger("fenghuo.uplink.sms")

MAX_ENTRIES = 1_000
FORGET_AFTER_S = 48 * 3600.0
"""Twice what an alarm may be old and still be sent."""
MAX_INTERRUPTED = 1

State: TypeAlias = Literal["open", "begun", "sent", "delivered", "failed", "unconfirmed", "held"]
_STATES = ("open", "begun", "sent", "delivered", "failed", "unconfirmed", "held")


@dataclass
class Entry:
    """One record for one number.

    `open`: to be sent (again). `begun`: given to the modem. `sent`: the network took it, reports with `references` are
    to come. `delivered`, `failed`, `unconfirmed`: what became of it. `held`: the day's limit was reached.
    """

    record: str
    number: str
    at: float
    state: State = "open"
    tries: int = 0
    interrupted: int = 0
    references: list[int] = field(default_factory=list)


class Ledger:
    """One path's file. Every method that changes something writes it, and none raises for a disk that refuses."""

    def __init__(self, path: Path, now_s: float) -> None:
        """`now_s`: UTC. Reads what was kept."""
        self.trouble = ""
        """Why it can't be read or written; empty while it can."""
        self.day = ""
        self.used = 0
        """Short messages sent on that day."""
        self.told = False
        """The receivers know that this day's limit is reached."""
        self._path = path
        self._entries: dict[tuple[str, str], Entry] = {}
        try:
            self._load(durable.read(path), now_s)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.trouble = f"what was sent before is not known: {path.name}: {error}"[:150]
            log.error("%s: %s; taken as empty", path, error)

    def entry(self, record: str, number: str) -> Entry | None:
        """What is known of this record for this number."""
        return self._entries.get((record, number))

    def may_send(self, record: str, number: str) -> bool:
        """Whether this record has still to go to this number."""
        known = self.entry(record, number)
        return known is None or known.state == "open"

    def begin(self, record: str, number: str, parts: int, now_s: float) -> None:
        """It goes to the modem now."""
        known = self._entries.pop((record, number), None) or Entry(record, number, now_s)
        known.state, known.at, known.tries, known.references = "begun", now_s, known.tries + 1, []
        self._entries[record, number] = known
        self.used += parts
        self._prune(now_s)
        self._write()

    def settle(self, record: str, number: str, state: State, references: tuple[int, ...] = (), unused: int = 0) -> None:
        """What became of it; `unused` parts were not taken by the network, and do not count."""
        known = self.entry(record, number)
        if known is not None:
            known.state, known.references = state, list(references)
            self.used = max(0, self.used - unused)
            self._write()

    def hold(self, record: str, number: str, now_s: float) -> None:
        """The day's limit keeps it from being sent."""
        self._entries[record, number] = Entry(record, number, now_s, "held")
        self._prune(now_s)
        self._write()

    def today(self, day: str) -> None:
        """The count begins anew with each new day of the panel's calendar."""
        if day != self.day:
            self.day, self.used, self.told = day, 0, False
            self._write()

    def tell(self) -> None:
        """The receivers are told of the limit now, once a day."""
        self.told = True
        self._write()

    def reported(self, reference: int, number: str) -> Entry | None:
        """The newest message that waits for this report; its reference is struck out where the number fits best."""
        waiting = [e for e in self._entries.values() if e.state == "sent" and reference in e.references]
        fitting = [e for e in waiting if _same(e.number, number)]
        if not fitting and len(waiting) != 1:
            return None
        return (fitting or waiting)[-1]

    def unconfirmed(self, before_s: float) -> list[Entry]:
        """Messages of before then whose reports have not come."""
        return [e for e in self._entries.values() if e.state == "sent" and e.references and e.at < before_s]

    def _prune(self, now_s: float) -> None:
        old = deque(key for key, e in self._entries.items() if e.at < now_s - FORGET_AFTER_S)
        excess = len(self._entries) - MAX_ENTRIES
        old.extend(key for key in list(self._entries)[: max(0, excess)] if key not in old)
        for key in old:
            del self._entries[key]

    def _load(self, kept: dict[str, Any] | None, now_s: float) -> None:
        if kept is None:
            return
        entries = [_entry(item) for item in kept["entries"][-MAX_ENTRIES:]]
        self.day, self.used, self.told = str(kept["day"]), int(kept["used"]), bool(kept["told"])
        for entry in entries:
            if entry.state == "begun":
                entry.interrupted += 1
                entry.state = "open" if entry.interrupted <= MAX_INTERRUPTED else "failed"
            self._entries[entry.record, entry.number] = entry
        self._prune(now_s)

    def _write(self) -> None:
        body = {
            "day": self.day,
            "used": self.used,
            "told": self.told,
            "entries": [asdict(entry) for entry in self._entries.values()],
        }
        try:
            durable.write(self._path, body)
        except OSError as error:
            if not self.trouble:
                log.error("%s: %s; what is sent is kept in memory only", self._path, error)
            self.trouble = f"what is sent can't be noted: {error.strerror or error}"[:150]
        else:
            self.trouble = ""


def _entry(item: Any) -> Entry:
    entry = Entry(**item)
    texts = (entry.record, entry.number, entry.state)
    counts = (entry.tries, entry.interrupted, *entry.references)
    if not all(type(t) is str for t in texts) or not all(type(n) is int for n in counts) or entry.state not in _STATES:
        raise ValueError("not an entry of a message")
    entry.at = float(entry.at)
    return entry


def _same(ours: str, theirs: str) -> bool:
    """The network may write a number with or without its country: the last eight digits decide."""
    return bool(theirs) and ours.lstrip("+")[-8:] == theirs.lstrip("+")[-8:]
