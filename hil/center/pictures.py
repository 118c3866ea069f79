"""Full pictures at the center: asked for by a signed command, put together from chunks, held against their record.

What is on disk is all the memory of a transfer: it goes on from there after a cut, a restart, or under a new command.
"""

import base64
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from hil.center.center import Center
from hil.center.intake import Arrival
from hil.center.reader import Garbage, read_json
from hil.center.store import Store

RANGE_BYTES = 256 * 1024
MAX_CHUNK_BYTES = 12 * 1024
MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_KEPT = 64
_EVENT = re.compile(r"([0-9a-f-]{36})-([1-9][0-9]{0,15})")
_HASH = re.compile(r"[0-9a-f]{64}")


class NoSuch(LookupError):
    """There is no such picture in the records that are held."""


@dataclass(frozen=True)
class Wanted:
    """A picture as its record names it."""

    panel: str
    event: str
    number: int
    sha256: str
    bytes: int


def wanted(store: Store, panel: str, event: str, number: int) -> Wanted:
    """A picture of a held record. `event`: `{journal}-{seq}`, or `seq` alone in the newest journal. Raises `NoSuch`."""
    if event.isascii() and event.isdecimal():
        rows = store.rows(
            "SELECT journal FROM records WHERE panel=? AND seq=? AND payload IS NOT NULL ORDER BY arrived DESC",
            panel,
            int(event),
        )
        event = f"{rows[0]['journal']}-{int(event)}" if rows else event
    found = _EVENT.fullmatch(event)
    rows = (
        store.rows("SELECT payload FROM records WHERE panel=? AND journal=? AND seq=?", panel, found[1], int(found[2]))
        if found
        else []
    )
    if not rows or rows[0]["payload"] is None:
        raise NoSuch(f"no record {event} of {panel}")
    pictures = json.loads(rows[0]["payload"]).get("pictures")
    if not isinstance(pictures, list) or not 1 <= number <= len(pictures):
        count = len(pictures) if isinstance(pictures, list) else 0
        raise NoSuch(f"record {event} names {count} pictures, asked for number {number}")
    picture = pictures[number - 1]
    if not (_HASH.fullmatch(str(picture.get("sha256"))) and 1 <= int(picture.get("bytes", 0)) <= MAX_PICTURE_BYTES):
        raise NoSuch(f"picture {number} of record {event} has no length or hash")
    return Wanted(panel, event, number, picture["sha256"], picture["bytes"])


class Assembly:
    """One picture on its way into a file."""

    def __init__(self, folder: Path, picture: Wanted) -> None:
        """`folder`: the center's; pictures lie under `pictures/PANEL`, named by their hash."""
        self.picture = picture
        self.file = folder / "pictures" / picture.panel / f"{picture.sha256}.jpg"
        self.fault = ""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._part = self.file.with_suffix(".part")
        self._asked_to = 0

    @property
    def held(self) -> int:
        """Bytes that are here."""
        if self.done:
            return self.picture.bytes
        return self._part.stat().st_size if self._part.exists() else 0

    @property
    def done(self) -> bool:
        """Whether all of it is here, and is what the record names."""
        return self.file.exists()

    def ask(self, transfer: str) -> dict[str, Any]:
        """The `fetch` that goes on from here."""
        held = self.held
        self._asked_to = min(self.picture.bytes, held + RANGE_BYTES)
        return {"transfer": transfer, "offset": held, "bytes": RANGE_BYTES}

    def begun(self, offset: int) -> None:
        """The command asks for the first range by itself."""
        self._asked_to = min(self.picture.bytes, offset + RANGE_BYTES)

    def take(self, chunk: Mapping[str, Any]) -> bool:
        """Take a chunk that goes on from here; True when it is time to ask for more, or to confirm."""
        if chunk["offset"] != self.held or self.done:
            return self.done
        with self._part.open("ab") as part:
            part.write(chunk["data"])
            if self.held >= self.picture.bytes:
                part.flush()
                os.fsync(part.fileno())
        if self.held < self.picture.bytes:
            return self.held >= self._asked_to
        if sha256(self._part.read_bytes()).hexdigest() != self.picture.sha256:
            self._part.unlink()
            self.fault = "altered-on-the-way"
            return False
        self._part.rename(self.file)
        return True


def read_picture(panel: str, data: bytes) -> dict[str, Any]:
    """What stands on `picture`: `transfer`, and `offset`, `total`, `sha256`, `data` (bytes) or `fault`.

    Raises `Garbage`.
    """
    body = read_json(data)
    if not isinstance(body, dict) or body.get("panel") != panel or not isinstance(body.get("transfer"), str):
        raise Garbage("malformed", "a picture without panel or transfer")
    if isinstance(body.get("fault"), str) and body["fault"]:
        return {"transfer": body["transfer"][:64], "fault": body["fault"][:64]}
    sizes = [body.get(name) for name in ("offset", "total")]
    if not all(type(size) is int and 0 <= size <= MAX_PICTURE_BYTES for size in sizes):
        raise Garbage("malformed", "a picture without offset or total")
    try:
        part = base64.b64decode(str(body.get("data")), validate=True)
    except ValueError:
        raise Garbage("malformed", "a picture whose data is no base64") from None
    if not 1 <= len(part) <= MAX_CHUNK_BYTES or not _HASH.fullmatch(str(body.get("sha256"))):
        raise Garbage("malformed", f"a chunk of {len(part)} bytes")
    return body | {"data": part}


@dataclass
class Gallery:
    """Asks panels for pictures and puts them together, on the center's thread; one more word of the contract."""

    folder: Path
    _open: dict[str, Assembly] = field(default_factory=dict)
    """By transfer."""

    def attach(self, center: Center) -> None:
        """Take what panels publish on `picture`; after a cut ask again."""
        center.answer("picture", self.answer, own=("fetch",))

        def heard(arrival: Arrival) -> None:
            back = arrival.what == "link" and arrival.body["online"]
            if not (back or arrival.what == "heartbeat"):
                return
            for transfer, assembly in list(self._open.items()):
                if assembly.picture.panel == arrival.panel and not assembly.done:
                    center.publish(arrival.panel, "fetch", json.dumps(assembly.ask(transfer)), 30)

        center.on_arrival(heard)

    def ask(self, center: Center, panel: str, event: str, number: int, operator: str) -> Assembly:
        """Ask for a picture. Raises `NoSuch`, or `LookupError` before the first heartbeat."""
        picture = wanted(center.store, panel, event, number)
        assembly = Assembly(self.folder, picture)
        if assembly.done:
            return assembly
        offset = assembly.held
        assembly.begun(offset)
        args = {"event": picture.event, "picture": number, "offset": offset}
        kid = center.command_key.kid

        def open_(counter: int) -> None:
            self._open[f"{kid}.{counter}"] = assembly
            while len(self._open) > MAX_KEPT:
                del self._open[next(iter(self._open))]

        center.command(panel, "picture", args, operator, open_)
        return assembly

    def put(self, center: Center, panel: str, event: str, number: int, operator: str, url: str) -> int:
        """Have a picture put to an address; the command's counter. Raises as `ask`."""
        picture = wanted(center.store, panel, event, number)
        return center.command(panel, "picture", {"event": picture.event, "picture": number, "put": url}, operator)

    def answer(self, panel: str, data: bytes) -> dict[str, str]:
        """A chunk came: what to say on `fetch`. One that nobody here asked for is somebody else's. Raises `Garbage`."""
        body = read_picture(panel, data)
        assembly = self._open.get(body["transfer"])
        if assembly is None or assembly.picture.panel != panel:
            return {}
        if "fault" in body:
            assembly.fault = body["fault"]
            return {}
        return {"fetch": json.dumps(assembly.ask(body["transfer"]))} if assembly.take(body) else {}
