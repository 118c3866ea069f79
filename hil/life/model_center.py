"""The alarm center of a simulated life: stores each record once, by its identity, and then receipts it, signed.

It computes every hash anew, and believes nothing but what it stored; `blind` is the center that receipts first and
stores later, for the test that shows that the difference is seen.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.typ import RECEIPT
from hil.life.quick_key import quick_signer

SIGNER = quick_signer(b"center")
MAX_RANGES = 64


@dataclass(frozen=True)
class Stored:
    """A record as the center holds it."""

    journal: str
    seq: int
    lane: str
    lane_seq: int
    kind: str
    payload: Any
    hash: str


@dataclass
class ModelCenter:
    """Keeps records; `pending` are stored and not receipted yet, by journal and lane."""

    panel: str
    blind: bool = False
    held: dict[tuple[str, int], Stored] = field(default_factory=dict)
    duplicates: int = 0
    rivals: int = 0
    altered: int = 0
    _pending: dict[tuple[str, str], dict[int, str]] = field(default_factory=dict)

    def take(self, words: tuple[str, ...], payload: bytes) -> list[Stored]:
        """A publish came in; what of it is new. Anything but records is ignored."""
        if words[0] not in ("event", "batch") or words[1] == "telemetry":
            return []
        value = json.loads(payload)
        return [new for event in (value if words[0] == "batch" else [value]) if (new := self._keep(event["data"]))]

    def _keep(self, data: dict[str, Any]) -> Stored | None:
        header = data["header"]
        if (
            sha256_hex(canonical(header)) != data["hash"]
            or sha256_hex(canonical(data["payload"])) != (header["payload_hash"])
        ):
            self.altered += 1
            return None
        journal, seq, lane = header["journal"], header["seq"], header["lane"]
        known = self.held.get((journal, seq))
        new = None
        if known is None:
            new = Stored(journal, seq, lane, header["lane_seq"], header["kind"], data["payload"], data["hash"])
            if not self.blind:
                self.held[journal, seq] = new
        elif known.hash != data["hash"]:
            self.rivals += 1
            return None
        else:
            self.duplicates += 1
        self._pending.setdefault((journal, lane), {})[header["lane_seq"]] = data["hash"]
        return new

    def waiting(self) -> bool:
        """Whether something is stored and not receipted."""
        return bool(self._pending)

    def restarted(self) -> None:
        """What was not receipted yet is forgotten; what was stored is kept."""
        self._pending.clear()

    def receipts(self) -> list[str]:
        """Signed receipts for all that waits for one, a few ranges each."""
        tokens = []
        for (journal, lane), hashes in self._pending.items():
            ranges = _ranges(hashes)
            for at in range(0, len(ranges), MAX_RANGES):
                part = ranges[at : at + MAX_RANGES]
                body = {"panel": self.panel, "journal": journal, "lane": lane, "ranges": part}
                tokens.append(SIGNER.sign(RECEIPT, body))
        self._pending = {}
        return tokens


def _ranges(hashes: dict[int, str]) -> list[dict[str, Any]]:
    """Runs of numbers, each with the hash of its last record."""
    found: list[dict[str, Any]] = []
    for number in sorted(hashes):
        if found and found[-1]["last"] == number - 1:
            found[-1].update(last=number, hash=hashes[number])
        else:
            found.append({"first": number, "last": number, "hash": hashes[number]})
    return found
