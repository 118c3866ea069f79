"""Which receipts are due: what was committed in a short while goes into one, in ranges that the chain vouches for."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hil.center.chain import receipt_ranges
from hil.center.intake import Place, Touched
from hil.center.store import Store

COALESCE_S = 0.05
"""Receipts of one lane are at least so far apart, seconds; the first goes out at once."""
MAX_RANGES = 64


class Receipts:
    """What is committed and not receipted yet."""

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._pending: dict[Place, Touched] = {}
        self._last = 0.0

    def add(self, touched: Mapping[Place, Touched]) -> None:
        """These records are committed."""
        for place, records in touched.items():
            self._pending.setdefault(place, {}).update(records)

    def due(self) -> float | None:
        """The moment of `monotonic` at which `take` has something, None when nothing waits."""
        return self._last + COALESCE_S if self._pending else None

    def take(self) -> list[dict[str, Any]]:
        """The payloads of the receipts that are due now."""
        due = self.due()
        if due is None or self._monotonic() < due:
            return []
        pending, self._pending = self._pending, {}
        self._last = self._monotonic()
        return [body for place, touched in pending.items() for body in self._bodies(place, touched)]

    def _bodies(self, place: Place, touched: Touched) -> Iterator[dict[str, Any]]:
        panel, journal, lane = place
        arrived = [(lane_seq, seq, own) for (lane_seq, own), seq in touched.items()]
        # One wrong range makes a receipt void: what is in dispute has one of its own.
        linked = receipt_ranges(self._store.chain(panel, journal), [record for record in arrived if record[1]])
        disputed = [[(lane_seq, lane_seq, own)] for lane_seq, seq, own in arrived if not seq]
        for ranges in (*(linked[at : at + MAX_RANGES] for at in range(0, len(linked), MAX_RANGES)), *disputed):
            yield {
                "panel": panel,
                "journal": journal,
                "lane": lane,
                "ranges": [{"first": a, "last": b, "hash": h} for a, b, h in ranges],
            }
