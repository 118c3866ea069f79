"""Keeps the evidence folder: counts it, marks what is under a legal hold, deletes what core has recorded as leaving.

It runs on a thread of its own, since a card with a hundred thousand pictures takes seconds to walk. Core decides what
goes and when; this end checks once more that it is old enough and not held, by its own clock and its own panel file.
"""

import json
import logging
import os
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from firmware.camera.store import FILE_MODE, Store
from firmware.clock import Clock, utc_text
from firmware.durable import sync_folder
from firmware.protocol.evidence import HOLD, NAME
from firmware.protocol.messages import MAX_FOLDERS, Delete, Due, Held, Hold, Stock, Welcome

log = logging.getLogger("fenghuo.camera.keeper")

EVERY_S = 3600.0
MAX_ORDERS = 64
"""Orders that wait; beyond, the oldest are dropped: core asks again, and a technician too."""
PACE_DAYS = 7
"""Whole days over whose mean the pace is told."""
HORIZON_DAYS = 400
"""So far ahead the forecast looks."""
_FOLDER = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})/[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Kept:
    """A capture's folder as it was found."""

    name: str
    day: date
    files: int
    bytes: int
    held: bool


class Keeper:
    """`take` from any thread, never blocks. `send` is called on the keeper's own thread."""

    def __init__(
        self, folder: Path, days: int, store: Store, clock: Clock, send: Callable[[Held | Stock], None]
    ) -> None:
        """`days`: the shortest retention."""
        self._folder = folder
        self._days = days
        self._store = store
        self._clock = clock
        self._send = send
        self._orders: deque[Hold | Delete | Welcome] = deque(maxlen=MAX_ORDERS)
        self._wake = threading.Condition()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Count once at once, then every hour and after each deletion."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End; what is half deleted is deleted the next time."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        self._thread.join(timeout_s)

    def take(self, order: Hold | Delete | Welcome) -> None:
        """Core wants this; a core that has just come wants to know how full the card is."""
        with self._wake:
            self._orders.append(order)
            self._wake.notify()

    def _run(self) -> None:
        look = True
        while not self._ending:
            try:
                if look:
                    self._send(self.count())
                look = self._turn()
            except Exception:
                # Whatever a card does to its folders: captures go on, and in an hour it is tried again.
                log.exception("the evidence folder can't be kept")
                look = False

    def _turn(self) -> bool:
        """Wait for an order and carry it out; whether to count anew."""
        with self._wake:
            if not self._orders and not self._ending:
                self._wake.wait(EVERY_S)
            order = self._orders.popleft() if self._orders else None
        if isinstance(order, Delete):
            return self.delete(order) > 0
        if isinstance(order, Hold):
            self._send(self.hold(order))
            return False
        return not self._ending

    # --- what there is ------------------------------------------------------------------------------

    def count(self) -> Stock:
        """Walk the folder. What can't be read does not count."""
        kept = self._walk()
        today = self._today()
        by_day: dict[date, int] = {}
        for capture in kept:
            by_day[capture.day] = by_day.get(capture.day, 0) + capture.bytes
        self._store.spent(today.isoformat(), by_day.get(today, 0))
        pace = sum(by_day.get(today - timedelta(days=n), 0) for n in range(1, PACE_DAYS + 1)) // PACE_DAYS
        free, reserve = self._store.room()
        due = [k for k in kept if not k.held and (today - k.day).days > self._days]
        return Stock(
            stored=sum(by_day.values()),
            free=free,
            reserve=reserve,
            today=by_day.get(today, 0),
            per_day=pace,
            days_left=days_left(kept, today, self._days, max(0, free - reserve), pace),
            held=sum(k.held for k in kept),
            due=[
                Due(folder=k.name, day=k.day.isoformat(), files=k.files, bytes=k.bytes)
                for k in sorted(due, key=lambda k: (k.day, k.name))[:MAX_FOLDERS]
            ],
        )

    def _walk(self) -> list[Kept]:
        found = []
        for day in _folders(self._folder):
            with suppress(ValueError):
                of = date.fromisoformat(day.name)
                found += [self._measure(folder, f"{day.name}/{folder.name}", of) for folder in _folders(Path(day.path))]
        return found

    @staticmethod
    def _measure(folder: "os.DirEntry[str]", name: str, day: date) -> Kept:
        files = size = 0
        held = False
        with suppress(OSError), os.scandir(folder.path) as entries:
            for entry in entries:
                with suppress(OSError):
                    files += 1
                    size += entry.stat(follow_symlinks=False).st_size
                    held = held or entry.name == HOLD
        return Kept(name, day, files, size, held)

    def _today(self) -> date:
        return date.fromisoformat(utc_text(self._clock.utc())[:10])

    # --- what core wants ----------------------------------------------------------------------------

    def hold(self, order: Hold) -> Held:
        """Mark captures as held, or take the mark off; says what is in the way."""
        fault = ""
        try:
            for name in order.folders:
                self._mark(name, order)
        except OSError as error:
            fault = f"{error.strerror or error}"[:200]
        return Held(held=order.held, journal=order.journal, incident=order.incident, fault=fault)

    def _mark(self, name: str, order: Hold) -> None:
        folder = self._place(name)
        mark = folder / HOLD
        if not order.held:
            mark.unlink(missing_ok=True)
        else:
            part = folder / f".{HOLD}.part"
            part.unlink(missing_ok=True)
            number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
            with os.fdopen(number, "w", encoding="utf-8") as file:
                os.fchmod(number, FILE_MODE)
                json.dump({"by": order.by, "reason": order.reason, "time": order.time}, file, ensure_ascii=False)
                file.flush()
                os.fsync(number)
            part.replace(mark)
        sync_folder(folder)

    def delete(self, order: Delete) -> int:
        """Delete captures that are old enough and not held; how many went."""
        gone = 0
        for name in order.folders:
            try:
                gone += self._delete(self._place(name), name)
            except OSError as error:
                log.error("%s can't be deleted: %s", name, error.strerror or error)
        return gone

    def _delete(self, folder: Path, name: str) -> bool:
        age = (self._today() - date.fromisoformat(name[:10])).days
        if age <= self._days or (folder / HOLD).exists():
            log.error("%s is not deleted: %d days old, or held", name, age)
            return False
        # The manifest last: a deletion that is cut off leaves a folder that says what it was.
        for file in sorted(folder.iterdir(), key=lambda file: file.name == NAME):
            file.unlink()
        folder.rmdir()
        with suppress(OSError):
            folder.parent.rmdir()  # only an empty day goes
        return True

    def _place(self, name: str) -> Path:
        """The folder of this name. Raises `OSError` for one that is none."""
        folder = self._folder / name
        if not _FOLDER.fullmatch(name) or folder.is_symlink() or not folder.is_dir():
            raise FileNotFoundError(2, f"no capture {name}")
        date.fromisoformat(name[:10])
        return folder


def days_left(kept: list[Kept], today: date, days: int, room: int, pace: int) -> int:
    """In how many days the card is full, at this pace and with all that may leave leaving; −1 when not in sight.

    A capture may leave when it is older than `days` and not held. The first day that does not fit counts.
    """
    if pace <= 0:
        return -1
    leaving: dict[int, int] = {}
    for capture in kept:
        if not capture.held:
            at = max(0, days + 1 - (today - capture.day).days)
            leaving[at] = leaving.get(at, 0) + capture.bytes
    for day in range(HORIZON_DAYS + 1):
        # What is written from now on leaves too, once it is old enough: then the card holds `days` of it.
        room += leaving.get(day, 0)
        room -= pace if day and day <= days + 1 else 0
        if room < 0:
            return day
    return -1


def _folders(folder: Path) -> "list[os.DirEntry[str]]":
    with suppress(OSError), os.scandir(folder) as entries:
        return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    return []
