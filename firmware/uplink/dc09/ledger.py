"""What went out by one DC-09 path, durably: so a restart sends nothing twice and goes on with its own numbers.

Kept are ranges of `lane_seq`, so the file stays small whatever waits; the last sequence number; and the message that
was under way: after a kill it goes out again with the same number, and the receiver knows it for the same message. A
file that is lost or broken counts as empty; one that can't be written stops nothing: an alarm told twice is better than
one that is not told.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from firmware.journal.ranges import Ranges
from firmware.uplink.dc09.frame import LAST_SEQUENCE
from firmware.uplink.sms import durable

log = logging.getLogger("fenghuo.uplink.dc09")

MAX_STREAMS = 64
Key: TypeAlias = tuple[str, str]
"""Journal and lane."""


@dataclass(frozen=True)
class UnderWay:
    """The message that was given to the wire last. `part`: which of the record's messages, from 0."""

    journal: str
    lane: str
    lane_seq: int
    part: int
    sequence: int


class Ledger:
    """One path's file. `flush` writes what has changed; no method raises for a disk that refuses."""

    def __init__(self, path: Path) -> None:
        """Reads what was kept."""
        self.trouble = ""
        """Why it can't be read or written; empty while it can."""
        self._path = path
        self._sequence = 0
        self._under_way: UnderWay | None = None
        self._settled: dict[Key, Ranges] = {}
        self._acknowledged: dict[Key, Ranges] = {}
        self._changed = False
        try:
            self._load(durable.read(path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            self.trouble = f"what was sent before is not known: {path.name}: {error}"[:150]
            log.error("%s: %s; taken as empty", path, error)

    def settled(self, key: Key) -> Ranges:
        """What of this lane has not to be sent any more: acknowledged, refused, or nothing to say."""
        return self._settled.get(key, Ranges())

    def acknowledged(self, key: Key) -> Ranges:
        """What of it the receiver acknowledged, or what it need not hear."""
        return self._acknowledged.get(key, Ranges())

    def parts_done(self, key: Key, lane_seq: int) -> int:
        """How many messages of a record are through already, where it was the last one under way."""
        way = self._under_way
        return way.part if way and (way.journal, way.lane, way.lane_seq) == (*key, lane_seq) else 0

    def begin(self, key: Key, lane_seq: int, part: int) -> int:
        """This message goes out now: its sequence number, the same one as before where it is the same message."""
        way = self._under_way
        if way is None or (way.journal, way.lane, way.lane_seq, way.part) != (*key, lane_seq, part):
            self._sequence = self._sequence % LAST_SEQUENCE + 1
            self._under_way = UnderWay(*key, lane_seq, part, self._sequence)
            self._changed = True
        return self._sequence

    def settle(self, key: Key, lane_seq: int, acknowledged: bool) -> None:
        """This record is done with."""
        spans = [(lane_seq, lane_seq)]
        self._settled[key] = self.settled(key).add(spans)
        if acknowledged:
            self._acknowledged[key] = self.acknowledged(key).add(spans)
        self._changed = True

    def pass_over(self, key: Key, ranges: Iterable[tuple[int, int]]) -> None:
        """These need not go out. Written when something else is: at worst core is asked for them once more."""
        if spans := list(ranges):
            self._settled[key] = self.settled(key).add(spans)

    def keep_only(self, delivered_below: Mapping[Key, int]) -> None:
        """Journals that core still has, and for each lane the number below which all is delivered."""
        for key in [key for key in self._settled if key not in delivered_below]:
            del self._settled[key]
            self._acknowledged.pop(key, None)
        for key, below in list(delivered_below.items())[:MAX_STREAMS]:
            if below > 1 and self.settled(key).first_missing() < below:
                # Not written for its own sake: core tells it again.
                self._settled[key] = self.settled(key).add([(1, below - 1)])

    def flush(self) -> None:
        """Write what has changed, durably."""
        if not self._changed:
            return
        body = {
            "sequence": self._sequence,
            "under_way": None if self._under_way is None else asdict(self._under_way),
            "settled": _rows(self._settled),
            "acknowledged": _rows(self._acknowledged),
        }
        try:
            durable.write(self._path, body)
        except OSError as error:
            if not self.trouble:
                log.error("%s: %s; what is sent is kept in memory only", self._path, error)
            self.trouble = f"what is sent can't be noted: {error.strerror or error}"[:150]
        else:
            self.trouble = ""
            self._changed = False

    def _load(self, kept: dict[str, Any] | None) -> None:
        if kept is None:
            return
        sequence, way = kept["sequence"], kept["under_way"]
        under_way = None if way is None else UnderWay(**way)
        if type(sequence) is not int or not 0 <= sequence <= LAST_SEQUENCE:
            raise ValueError(f"sequence is {sequence!r}, expected 0 to {LAST_SEQUENCE}")
        if under_way is not None and under_way.sequence != sequence:
            raise ValueError("the message under way bears another number than the last one")
        settled, acknowledged = _ranges(kept["settled"]), _ranges(kept["acknowledged"])
        self._sequence, self._under_way = sequence, under_way
        self._settled, self._acknowledged = settled, acknowledged


def _rows(found: Mapping[Key, Ranges]) -> list[list[Any]]:
    return [[journal, lane, [list(span) for span in ranges.items]] for (journal, lane), ranges in found.items()]


def _ranges(rows: Any) -> dict[Key, Ranges]:
    return {(str(journal), str(lane)): Ranges().add(_span(span) for span in spans) for journal, lane, spans in rows}


def _span(span: Any) -> tuple[int, int]:
    first, last = span
    if type(first) is not int or type(last) is not int:
        raise ValueError(f"{span!r}, expected two whole numbers")
    return first, last
