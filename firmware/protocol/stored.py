"""A record as the journal keeps it: bytes. Apart from the models, which a starting panel does not wait for."""

from dataclasses import dataclass

GENESIS = "0" * 64
"""`prev` of the first record of a journal."""


@dataclass(frozen=True)
class StoredRecord:
    """A record as the journal keeps it: bytes, so that nothing is encoded twice."""

    seq: int
    lane: str
    lane_seq: int
    header: bytes
    payload: bytes | None
    hash: str

    def size(self) -> int:
        """About how many bytes it takes on the wire."""
        return len(self.header) + len(self.payload or b"") + 128
