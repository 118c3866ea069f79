"""The journal: what happened, chained and durable, and the panel state that follows from it.

`Journal` writes (one thread, the recorder's), `firmware.journal.reader` reads for delivery, `Telemetry` is the loose
ring beside it, `verify` proves a file.
"""

from firmware.journal.check import Unsound
from firmware.journal.entries import NO_STATE, Commit, Draft, LaneHead, Mark, Restored
from firmware.journal.journal import Journal
from firmware.journal.telemetry import Telemetry

__all__ = [
    "NO_STATE",
    "Commit",
    "Draft",
    "Journal",
    "LaneHead",
    "Mark",
    "Restored",
    "Telemetry",
    "Unsound",
]
