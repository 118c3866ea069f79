"""Pictures on their way to the center, over one path: in chunks, as the center asks for them, range by range.

Core orders a picture once it has recorded the center's signed request; the first range goes at once. The center's
`fetch` asks for the next one, or for the same one again after a cut, and tells at the end that all is there. So the
center's word is all the memory that a resume needs. Or it is put to an HTTPS address (`put.py`).
Nothing but what core ordered is ever read.
"""

import base64
import hashlib
import logging
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from firmware.protocol.envelope import MAX_CHUNK_BYTES, MAX_RANGE_BYTES, Chunk, Fetch, NoPicture
from firmware.protocol.messages import Fault, PictureOrder, PictureSent
from firmware.uplink.evidence_file import opened
from firmware.uplink.gate import Bucket
from firmware.uplink.outbox import JSON_TYPE, Letter
from firmware.uplink.packing import encode
from firmware.uplink.put import Put, Terms

log = logging.getLogger("fenghuo.uplink.pictures")

MAX_OPEN = 8
"""Pictures of one path at a time; further ones are refused."""
MAX_PICTURE_BYTES = 16 * 1024 * 1024
"""A larger one is not sent: it is read whole once, to be held against its hash."""
LIFE_MS = 600_000
"""A picture of which the center asks nothing for so long is over."""
ROUNDS = 4
"""So many times its length a picture may cost, with all that is asked for again."""
FETCHES_PER_S, FETCH_BURST = 5, 20
MAX_FETCH_BYTES = 512
BLOCK = 64 * 1024


@dataclass
class _Transfer:
    """One picture. `next` to `end` is what goes now; equal where nothing was asked."""

    order: PictureOrder
    number: int
    """Its open file."""
    next: int
    end: int
    over_at: int
    sent: int = 0


@dataclass
class Pictures:
    """For the process's one loop. `next` gives one chunk after the other; `told` is for core."""

    panel: str
    path: str
    folder: Path
    terms: Terms | None = None
    """For what is put; None where the panel file allows no host."""
    told: list[PictureSent] = field(default_factory=list)
    _open: OrderedDict[str, _Transfer] = field(default_factory=OrderedDict)
    _faults: list[NoPicture] = field(default_factory=list)
    _puts: OrderedDict[str, Put] = field(default_factory=OrderedDict)
    """The first one is under way."""
    _free: threading.Event = field(default_factory=threading.Event)
    _fetches: Bucket = field(default_factory=lambda: Bucket(FETCHES_PER_S, FETCH_BURST))

    def ordered(self, order: PictureOrder, now_ms: int) -> None:
        """Core orders a picture; one for another path is none of ours."""
        if order.path != self.path or order.transfer in self._open or order.transfer in self._puts:
            return
        if len(self._open) + len(self._puts) >= MAX_OPEN:
            self._refuse(order, "busy")
            return
        try:
            number = opened(self.folder, order.file)
        except OSError as error:
            log.warning("picture %s: %s", order.file, error.strerror or error)
            self._refuse(order, "gone")
            return
        if fault := _fault(number, order):
            os.close(number)
            self._refuse(order, fault)
            return
        if order.put:
            self._put(order, number)
            return
        end = min(order.bytes, order.offset + MAX_RANGE_BYTES)
        self._open[order.transfer] = _Transfer(order, number, order.offset, end, now_ms + LIFE_MS)

    def fetched(self, payload: bytes, now_ms: int) -> bool:
        """The center asks for a range, or confirms. False for what is none, or comes too fast."""
        if len(payload) > MAX_FETCH_BYTES or not self._fetches.take(now_ms):
            return False
        try:
            fetch = Fetch.model_validate_json(payload)
        except ValidationError:
            return False
        transfer = self._open.get(fetch.transfer)
        if transfer is None:
            self._say(fetch.transfer, "unknown-transfer")
            return True
        total = transfer.order.bytes
        if fetch.offset >= total:
            self._end(transfer, "")
        elif transfer.sent > ROUNDS * total:
            self._say(fetch.transfer, "spent")
            self._end(transfer, "spent")
        else:
            transfer.next, transfer.end = fetch.offset, min(total, fetch.offset + fetch.bytes)
            transfer.over_at = now_ms + LIFE_MS
        return True

    def line(self, free: bool) -> None:
        """Whether no record wants the line: what is put goes on, or waits."""
        if free != self._free.is_set():
            self._free.set() if free else self._free.clear()

    def cut(self) -> None:
        """The connection ended: the center will ask again, from where it stands."""
        self._faults.clear()
        for transfer in self._open.values():
            transfer.end = transfer.next

    def next(self) -> Letter | None:
        """The next thing to publish, when the line is free."""
        if self._faults:
            return self._letter(self._faults.pop(0))
        for transfer in list(self._open.values()):
            if transfer.next < transfer.end:
                return self._chunk(transfer)
        return None

    def passed(self, now_ms: int) -> None:
        """Time has passed: what the center has left alone too long is over."""
        for transfer in list(self._open.values()):
            if now_ms >= transfer.over_at:
                self._end(transfer, "unconfirmed")
        put = next(iter(self._puts.values()), None)
        if put is not None and put.finished.is_set():
            self._ended(put)

    def next_deadline(self) -> int | None:
        """When to call `passed` (monotonic ms)."""
        return min((transfer.over_at for transfer in self._open.values()), default=None)

    @property
    def putting(self) -> bool:
        """Whether something is being put: look at it now and then, its thread does not wake the loop."""
        return bool(self._puts)

    def close(self) -> None:
        """Close the files."""
        for transfer in self._open.values():
            os.close(transfer.number)
        self._open.clear()
        for put in self._puts.values():
            put.stop()

    def _put(self, order: PictureOrder, number: int) -> None:
        if self.terms is None:
            os.close(number)
            self._refuse(order, "not-put")
            return
        self._puts[order.transfer] = put = Put(order, number, self.terms, self._free)
        if len(self._puts) == 1:
            put.start()

    def _ended(self, put: Put) -> None:
        transfer = put.order.transfer
        del self._puts[transfer]
        os.close(put.number)
        if put.fault:
            self._say(transfer, "not-put")
        fault: Fault = "not-put" if put.fault else ""
        self.told.append(PictureSent(transfer=transfer, bytes=put.sent, fault=fault, detail=put.fault))
        if following := next(iter(self._puts.values()), None):
            following.start()

    def _chunk(self, transfer: _Transfer) -> Letter | None:
        order = transfer.order
        try:
            data = os.pread(transfer.number, min(MAX_CHUNK_BYTES, transfer.end - transfer.next), transfer.next)
        except OSError as error:
            log.warning("picture %s: %s", order.file, error.strerror)
            data = b""
        if not data:
            self._say(order.transfer, "gone")
            self._end(transfer, "gone")
            return self._letter(self._faults.pop(0))
        chunk = Chunk(
            panel=self.panel,
            transfer=order.transfer,
            offset=transfer.next,
            total=order.bytes,
            sha256=order.sha256,
            data=base64.b64encode(data).decode(),
        )
        transfer.next += len(data)
        transfer.sent += len(data)
        return self._letter(chunk)

    def _letter(self, said: Chunk | NoPicture) -> Letter:
        return Letter("picture", ("picture",), encode(said.model_dump()), JSON_TYPE)

    def _refuse(self, order: PictureOrder, fault: Fault) -> None:
        self._say(order.transfer, fault)
        self.told.append(PictureSent(transfer=order.transfer, bytes=0, fault=fault))

    def _say(self, transfer: str, fault: Fault) -> None:
        if len(self._faults) < MAX_OPEN:
            self._faults.append(NoPicture(panel=self.panel, transfer=transfer, fault=fault))

    def _end(self, transfer: _Transfer, fault: Fault) -> None:
        del self._open[transfer.order.transfer]
        os.close(transfer.number)
        self.told.append(PictureSent(transfer=transfer.order.transfer, bytes=transfer.sent, fault=fault))


def _fault(number: int, order: PictureOrder) -> Fault:
    """What is wrong with a file that was opened for an order."""
    if order.bytes > MAX_PICTURE_BYTES:
        return "too-large"
    digest = hashlib.sha256()
    try:
        if os.fstat(number).st_size != order.bytes:
            return "altered"
        while block := os.read(number, BLOCK):
            digest.update(block)
    except OSError:
        return "gone"
    return "" if digest.hexdigest() == order.sha256 else "altered"
