"""What goes into the journal and what comes out of it at a start: plain frozen classes, no database."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from firmware.protocol.canonical import sha256_hex
from firmware.protocol.stored import GENESIS
from rules.effects import JsonValue
from rules.vocabulary import CHAINED_LANES

NO_STATE = sha256_hex(b"")
"""`state_hash` of records written before the rules handed in their first state: SHA-256 of no bytes."""
LANES: tuple[str, ...] = tuple(str(lane) for lane in CHAINED_LANES)


@dataclass(frozen=True)
class Draft:
    """A record to be: everything about it that the journal does not know by itself.

    `time` is UTC (RFC 3339, milliseconds), `clock` how far it can be trusted, `boot` the boot id, `monotonic_ms` its
    clock.
    """

    kind: str
    payload: Mapping[str, JsonValue]
    time: str
    clock: str
    boot: str
    monotonic_ms: int


@dataclass(frozen=True)
class Commit:
    """The records of one step of the rules and the state after it (any immutable object; None: unchanged)."""

    drafts: tuple[Draft, ...]
    state: object | None = None


@dataclass(frozen=True)
class LaneHead:
    """How far one lane reaches: last durable `lane_seq` (0 when empty) and the lowest without a receipt."""

    lane: str
    last: int
    first_undelivered: int


@dataclass(frozen=True)
class Mark:
    """The durable mark: the last record that is safe. `seq` 0 and 64 zeros when there is none."""

    journal: str
    seq: int
    hash: str
    lanes: Mapping[str, int]


class Moment(NamedTuple):
    """A moment as the panel's clock told it."""

    time: str
    clock: str
    boot: str
    monotonic_ms: int


@dataclass(frozen=True)
class Restored:
    """What an opened journal gives back.

    `state`: bytes of the last durable state, None when there is none (first start, or lost: see `trouble`).
    `boot`, `monotonic_ms`, `utc`: when that state was last written or ticked. `session`: grows with each opening.
    `cause`: `first`, `restart` (same boot) or `power-up`. `proof`: `proven` (by chain or signature), `unproven` (whole
    by its own checksum, but the records that vouch for it are unreadable) or `none`. `trouble`: why the journal is not
    simply the one of before, else empty.
    """

    state: bytes | None
    boot: str
    monotonic_ms: int
    utc: str
    session: int
    cause: str
    proof: str = "proven"
    trouble: str = ""


class Tip(NamedTuple):
    """The end of a chain: all that the next record needs to know. A named tuple, as one is made for every commit."""

    seq: int = 0
    hash: str = GENESIS
    state_hash: str = NO_STATE
    lanes: Mapping[str, int] = MappingProxyType(dict.fromkeys(LANES, 0))
