"""The format of what a panel keeps on its data partition (journal, state, keys, stores), as one number.

A new number means that the software of before can't read what is written now; additions that it passes over, or that
stand only where a new function is used, need none. Bundles say which format they write and which they read, so that an
update without a way back is not made unasked.
"""

WRITES = 1
READS: tuple[int, ...] = (1,)
"""Formats that this software reads; its own last."""
