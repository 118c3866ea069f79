"""How long records wait for their counted receipt, from what core tells its uplink: heads and deliveries.

Fed by an ear in its own thread; asked by another. Moments are milliseconds of the boot clock, which the records of a
panel with `clock_rate = 1` bear too.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

Number = tuple[str, str, int]
"""Journal, lane, lane_seq."""


class Latencies:
    """When each record was counted as delivered, and how many wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._delivered: dict[Number, int] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._first: dict[tuple[str, str], int] = {}

    def heard(self, message: Mapping[str, Any]) -> None:
        """Take a message of core in."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        with self._lock:
            match message["type"]:
                case "head":
                    for head in message["journals"]:
                        for lane, last in head["last"].items():
                            self._last[head["journal"], lane] = last
                            self._first[head["journal"], lane] = head["first_undelivered"][lane]
                case "delivered":
                    place = (message["journal"], message["lane"])
                    for first, last in message["ranges"]:
                        for number in range(first, last + 1):
                            self._delivered.setdefault((*place, number), now)

    def waiting(self) -> int:
        """How many records lie between the first undelivered and the last of their lanes; 1 before the first head."""
        with self._lock:
            if not self._last:
                return 1
            return sum(max(0, last + 1 - self._first[place]) for place, last in self._last.items())

    def recorded(self, journal: Path, lane: str) -> dict[Number, int]:
        """When each record of a lane was recorded, from the file."""
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            headers = [json.loads(row[0]) for row in db.execute("SELECT header FROM record WHERE lane = ?", (lane,))]
        return {(h["journal"], lane, h["lane_seq"]): h["monotonic_ms"] for h in headers}

    def percentiles(self, recorded: Mapping[Number, int]) -> dict[str, float]:
        """Count, median, 95th and 99th percentile and the longest, of those that were heard to be delivered."""
        with self._lock:
            spans = sorted(self._delivered[n] - at for n, at in recorded.items() if n in self._delivered)
        return _percentiles(spans)


def _percentiles(spans: Iterable[int]) -> dict[str, float]:
    spans = list(spans)
    if not spans:
        return {"count": 0}
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: float(spans[min(len(spans) - 1, int(share * len(spans)))]) for name, share in at.items()}
    return {"count": len(spans), **found, "longest": float(spans[-1])}
