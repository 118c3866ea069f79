"""The newest records of the journal, for whoever was told something that core may have recorded just before its end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from json import loads

from firmware.protocol.stored import StoredRecord
from rules.effects import JsonValue

LOOK_BACK = 512
"""So many records back is looked."""

Told = tuple[str, dict[str, JsonValue]]
"""The kind and the payload of a record."""


@dataclass(frozen=True)
class Past:
    """The journal as it is: the newest number, and the durable records behind a number."""

    head: Callable[[], int]
    after: Callable[[int], list[StoredRecord]]


def newest(past: Past, kind: str) -> Iterator[Told]:
    """The newest records whose kind begins so, oldest first."""
    seq = max(0, past.head() - LOOK_BACK)
    while found := past.after(seq):
        for stored in found:
            seq = stored.seq
            its = str(loads(stored.header)["kind"])
            if its.startswith(kind):
                yield its, loads(stored.payload or b"{}")
