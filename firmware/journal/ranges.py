"""Which numbers of a lane are delivered: merged ranges, ends included, kept few."""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_RANGES = 1000
"""Ranges kept of one lane. Beyond it the highest are forgotten: their records are sent again, and receipted again."""


@dataclass(frozen=True)
class Ranges:
    """An immutable set of whole numbers from 1, as sorted ranges with gaps between them."""

    items: tuple[tuple[int, int], ...] = ()

    def add(self, ranges: Iterable[tuple[int, int]]) -> "Ranges":
        """This and those, merged; at most `MAX_RANGES` ranges, the lowest.

        Raises `ValueError` for a range below 1 or backwards.
        """
        merged: list[tuple[int, int]] = []
        for first, last in sorted([*self.items, *ranges]):
            if first < 1 or last < first:
                raise ValueError(f"range {first} to {last}, expected 1 ≤ first ≤ last")
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(merged[-1][1], last))
            else:
                merged.append((first, last))
        return Ranges(tuple(merged[:MAX_RANGES]))

    def first_missing(self) -> int:
        """The lowest number from 1 that is not in it."""
        return self.items[0][1] + 1 if self.items and self.items[0][0] == 1 else 1

    def gaps(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges within `first` to `last` that are not in it, lowest first."""
        found = []
        at = first
        for low, high in self.items:
            if high < at:
                continue
            if low > last:
                break
            if low > at:
                found.append((at, low - 1))
            at = high + 1
        if at <= last:
            found.append((at, last))
        return found

    def highest(self) -> int:
        """The highest number in it, 0 when empty."""
        return self.items[-1][1] if self.items else 0
