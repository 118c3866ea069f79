"""Pictures that the alarm center asks for by a signed command: which ones there are, and what became of each request.

A picture is named by its record and its place in it, never by a file: the name of the file, its length and its hash are
taken from our own journal. Each request is a record (`command.done`), and each end of one (`evidence.sent`).
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import Refused
from firmware.protocol.messages import Picture, PictureOrder, PictureSent
from firmware.protocol.put_url import allowed, split
from firmware.protocol.signed import CommandArgs
from firmware.protocol.stored import StoredRecord
from rules.stimuli import Noted

MAX_OPEN = 64
"""Requests whose end is awaited; the oldest is forgotten, and its end is no longer recorded."""
KIND = "evidence.pictures"


@dataclass(frozen=True)
class Asked:
    """A picture that was asked for, and by whom."""

    order: PictureOrder
    about: str
    operator: str


class Pictures:
    """On the socket thread only."""

    def __init__(
        self,
        record: Callable[[str, int], StoredRecord | None],
        submit: Callable[[Noted], object],
        send: Callable[[PictureOrder], None],
        paths: frozenset[str],
        hosts: tuple[str, ...] = (),
    ) -> None:
        """`record` gives a durable record by journal and seq. `send`: to the uplink. `paths`, `hosts`:
        of the panel file; to the hosts a picture may be put.
        """
        self.send = send
        self._record = record
        self._submit = submit
        self._paths = paths
        self._hosts = hosts
        self._wanted: OrderedDict[str, Asked] = OrderedDict()
        self._sending: OrderedDict[str, Asked] = OrderedDict()

    def wanted(self, args: CommandArgs, transfer: str, operator: str, path: str) -> str:
        """A command asks for it: what the record will say that it is about. Raises `Refused` where there is none.

        Nothing is sent before the command is recorded.
        """
        if path not in self._paths:
            raise Refused("unknown-path", f"{path!r}")
        if args.put and not allowed(args.put, self._hosts):
            raise Refused("unknown-host", f"not to {args.put[:100]!r}")
        picture = self._find(args.event, args.picture)
        if args.offset >= picture.bytes:
            raise Refused("unknown-picture", f"offset {args.offset} of {picture.bytes} bytes")
        order = PictureOrder(
            path=path,
            transfer=transfer,
            file=picture.file,
            sha256=picture.sha256,
            bytes=picture.bytes,
            offset=args.offset,
            put=args.put,
        )
        asked = Asked(order, f"{args.event}/{args.picture}", operator)
        _keep(self._wanted, transfer, asked)
        return asked.about

    def recorded(self, transfer: str, done: bool) -> PictureOrder | None:
        """The command is durable: what the uplink is to send; None where the rules refused it, or it was no picture."""
        asked = self._wanted.pop(transfer, None)
        if asked is None or not done:
            return None
        _keep(self._sending, transfer, asked)
        return asked.order

    def sent(self, message: PictureSent) -> None:
        """The uplink says what became of it. It counts once, and only for what was ordered."""
        asked = self._sending.pop(message.transfer, None)
        if asked is None:
            return
        order = asked.order
        self._submit(
            Noted(
                "evidence.sent",
                {
                    "about": asked.about,
                    "file": order.file,
                    "sha256": order.sha256,
                    "by": f"remote:{asked.operator}",
                    "path": order.path,
                    **({"to": split(order.put)[0]} if order.put else {}),
                    # What the uplink claims can't be more than it may send.
                    "bytes": min(message.bytes, 16 * order.bytes),
                    "result": message.fault or ("put" if order.put else "confirmed"),
                    **({"detail": message.detail} if message.detail else {}),
                },
            )
        )

    def _find(self, event: str, number: int) -> Picture:
        journal, _, seq = event.rpartition("-")
        record = self._record(journal, int(seq)) if event else None
        if record is None or record.payload is None:
            raise Refused("unknown-picture", f"no record {event!r}")
        try:
            header, payload = json.loads(record.header), json.loads(record.payload)
            if header["kind"] != KIND or sha256_hex(record.payload) != header["payload_hash"]:
                raise Refused("unknown-picture", f"record {event} is no sound {KIND}")
            pictures = payload["pictures"]
            if not 1 <= number <= len(pictures):
                raise Refused("unknown-picture", f"picture {number} of {len(pictures)}")
            return Picture.model_validate(pictures[number - 1])
        except (ValueError, KeyError, TypeError, ValidationError):
            raise Refused("unknown-picture", f"record {event} can't be read") from None


def _keep(table: OrderedDict[str, Asked], transfer: str, asked: Asked) -> None:
    table[transfer] = asked
    if len(table) > MAX_OPEN:
        table.popitem(last=False)
