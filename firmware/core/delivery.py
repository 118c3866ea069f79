"""Core's side of delivery: what waits, records for the uplink, and receipts checked before they count.

The uplink may be captured: it only carries. A receipt counts when a key of the center signed it, when it is for this
panel and a journal of ours, covers durable records only, and bears the hash that stands in our journal for the last
record of each range. No sockets and no clock in here; refusals go to `refused`, which decides how many are recorded.
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Protocol

from firmware.journal.check import UNSIGNED
from firmware.protocol.jws import KeyRing, Refused
from firmware.protocol.messages import (
    MAX_BATCH_BYTES,
    Acknowledged,
    Delivered,
    Head,
    JournalHead,
    Pull,
    ReceiptIn,
    Records,
)
from firmware.protocol.signed import Receipt, ReceiptRange, read_receipt
from firmware.protocol.stored import StoredRecord

log = logging.getLogger("fenghuo.core.delivery")


class JournalReader(Protocol):
    """What delivery asks of the journal (`firmware.journal.Reader`)."""

    def heads(self) -> Sequence[JournalHead]:
        """All journals that hold records, oldest first, the one in use last."""
        ...

    def pull(
        self, journal: str, lane: str, first: int, last: int, limit: int, max_bytes: int, again: bool = False
    ) -> tuple[list[StoredRecord], int]:
        """Undelivered durable records (`again`: all) with first ≤ lane_seq ≤ last, and the lane_seq to go on with."""
        ...

    def hash_of(self, journal: str, lane: str, lane_seq: int) -> str | None:
        """The hash of one record, None when there is none."""
        ...


Mark = Callable[[str, str, list[tuple[int, int]], str], object]
"""Keep as delivered: journal, lane, ranges of `lane_seq` (ends included), and the receipt that says so."""


class Deliveries:
    """Answers the uplink. Used by one thread."""

    def __init__(
        self,
        reader: JournalReader,
        panel: str,
        receipt_keys: KeyRing,
        mark: Mark,
        refused: Callable[[str, str], object] = lambda _reason, _detail: None,
        acknowledging: frozenset[str] = frozenset(),
        heard: Callable[[Delivered], object] = lambda _delivered: None,
    ) -> None:
        """`refused` gets a short reason and what was found, once for each receipt that did not count.

        `acknowledging`: paths whose unsigned acknowledgement delivers a record, because the panel file says so.
        `heard`: what counted.
        """
        self.counted = 0
        self.unsound = 0
        """Records left out, or sent without their payload, because the disk altered them."""
        self.refusals: Counter[str] = Counter()
        self._reader = reader
        self._panel = panel
        self._keys = receipt_keys
        self._mark = mark
        self._refused = refused
        self._acknowledging = acknowledging
        self._heard = heard

    def head(self) -> Head:
        """How far each journal reaches and what of it waits; send it when the durable mark or a cursor moved."""
        return Head(journals=list(self._reader.heads())[-16:])

    def pull(self, pull: Pull) -> Records:
        """The answer to a pull: at most `pull.limit` records and about 64 KiB, but one at least where one waits."""
        return Records.model_validate_json(self.pull_line(pull))

    def pull_line(self, pull: Pull) -> bytes:
        """The same answer as a line for the socket, newline included, spliced from the journal's own bytes."""
        if not any(head.journal == pull.journal for head in self._reader.heads()):
            return _records_line(pull, [], pull.last + 1)
        records, go_on = self._reader.pull(
            pull.journal, pull.lane, pull.first, pull.last, pull.limit, MAX_BATCH_BYTES, pull.again
        )
        return _records_line(pull, [sound for record in records if (sound := self._sound(record))], go_on)

    def _sound(self, record: StoredRecord) -> StoredRecord | None:
        """The record as it may be sent.

        One that the disk altered must not make the whole answer unreadable: the alarms beside it would never arrive.
        The center sees the gap, and `fenghuo journal verify` what was altered.
        """
        if sha256(record.header).hexdigest() != record.hash:
            self._found(record, "header")
            return None
        payload = record.payload or b"null"
        if record.payload is None or sha256(payload).hexdigest().encode() in record.header or _is_json(payload):
            return record
        self._found(record, "payload")
        return replace(record, payload=None)

    def _found(self, record: StoredRecord, part: str) -> None:
        self.unsound += 1
        if self.unsound == 1:
            log.error("record %s %d: its %s was altered on the disk", record.lane, record.lane_seq, part)

    def receipt(self, message: ReceiptIn) -> Delivered | None:
        """What a receipt delivers, marked and kept; None when it did not count. A refused one changes nothing."""
        try:
            receipt = read_receipt(self._keys, message.jws)
            self._check(receipt)
        except Refused as refusal:
            self._refuse(refusal)
            return None
        ranges = [(r.first, r.last) for r in receipt.ranges]
        self._mark(receipt.journal, receipt.lane, ranges, message.jws)
        return self._counted(Delivered(journal=receipt.journal, lane=receipt.lane, ranges=ranges, path=message.path))

    def acknowledged(self, message: Acknowledged) -> Delivered | None:
        """What an unsigned acknowledgement delivers, marked and kept as what it is; None when it did not count."""
        try:
            self._check_acknowledged(message)
        except Refused as refusal:
            self._refuse(refusal)
            return None
        self._mark(message.journal, message.lane, message.ranges, f"{UNSIGNED}{message.path}")
        return self._counted(
            Delivered(journal=message.journal, lane=message.lane, ranges=message.ranges, path=message.path)
        )

    def _counted(self, delivered: Delivered) -> Delivered:
        self.counted += 1
        self._heard(delivered)
        return delivered

    def _check_acknowledged(self, message: Acknowledged) -> None:
        if message.path not in self._acknowledging:
            raise Refused("unsigned", f"the panel file lets no acknowledgement of path {message.path!r} count")
        last = self._durable(message.journal).get(message.lane, 0)
        for low, high in message.ranges:
            if not low <= high <= last:
                place = f"{message.lane} {low} to {high}"
                raise Refused("beyond-journal", f"{place}, but the last durable one is {last}")

    def _refuse(self, refusal: Refused) -> None:
        self.refusals[refusal.reason] += 1
        self._refused(refusal.reason, refusal.detail)

    def _durable(self, journal: str) -> Mapping[str, int]:
        """The last durable number of each lane. Raises `Refused` for a journal that is not ours."""
        durable = next((head.last for head in self._reader.heads() if head.journal == journal), None)
        if durable is None:
            raise Refused("unknown-journal", f"journal {journal} is not one of ours")
        return durable

    def _check(self, receipt: Receipt) -> None:
        if receipt.panel != self._panel:
            raise Refused("wrong-panel", f"panel is {receipt.panel!r}, expected {self._panel!r}")
        durable = self._durable(receipt.journal)
        for span in receipt.ranges:
            self._check_range(receipt, span, durable.get(receipt.lane, 0))

    def _check_range(self, receipt: Receipt, span: ReceiptRange, last_durable: int) -> None:
        place = f"{receipt.lane} {span.first} to {span.last}"
        if span.last > last_durable:
            raise Refused("beyond-journal", f"{place}, but the last durable one is {last_durable}")
        ours = self._reader.hash_of(receipt.journal, receipt.lane, span.last)
        if ours != span.hash:
            raise Refused("wrong-hash", f"{place}: hash {span.hash}, the journal holds {ours}")


def _is_json(data: bytes) -> bool:
    """Altered, but readable: the center is to see that."""
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _records_line(pull: Pull, records: Sequence[StoredRecord], go_on: int) -> bytes:
    body = b",".join(
        b'{"header":%b,"payload":%b,"hash":"%b"}' % (r.header, r.payload or b"null", r.hash.encode()) for r in records
    )
    journal, lane = pull.journal.encode(), pull.lane.encode()
    return b'{"type":"records","journal":"%b","lane":"%b","records":[%b],"next":%d}\n' % (journal, lane, body, go_on)
