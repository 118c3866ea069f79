"""Indications (GB 50394): every alarm that is not silent is kept, in order, until somebody who may resets it."""

from typing import Any, ClassVar

from hil.life.happenings import Commanded, Recorded, Typed, Viewed
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, Books
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import SILENT_KINDS
from rules.stimuli import Wish

MAX_INDICATIONS = 256
MAX_MEMORY = 128
MAX_TROUBLES = 64 + 32
"""With the room of box and paths; and the trouble `rules`, which says that there are more."""


class Indications(Group):
    """What the public view keeps of alarms, against the records."""

    kinds: ClassVar[tuple[str, ...]] = ("alarm", "zone.alarm-held")

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._seen: Any = None
        self._reset_at = -DURABLE_MS

    def typed(self, happening: Typed) -> None:
        if happening.wish is Wish.RESET and happening.user:
            self._reset_at = happening.at

    def commanded(self, happening: Commanded) -> None:
        if happening.wish is Wish.RESET and happening.genuine:
            self._reset_at = happening.at

    def recorded(self, happening: Recorded) -> None:
        """Every alarm that is not silent is indicated, at once and until a reset (GB 50394 5.2.2)."""
        books, payload = self.books, happening.payload
        kind = str(payload.get("kind")) if happening.kind == "zone.alarm-held" else happening.kind
        zone = payload.get("zone")
        if kind in SILENT_KINDS or kind == "alarm.confirmed" or not zone or "indications" not in books.view:
            return
        if books.now - books.awake_at < DURABLE_MS or len(self._seen or ()) >= MAX_INDICATIONS:
            return
        if books.now - self._reset_at <= DURABLE_MS or books.storage_bad():
            return
        if not any(i.get("kind") == kind and i.get("zone") == zone for i in self._seen or ()):
            books.blame("indication-lost", f"{kind} of {zone} is not indicated")

    def viewed(self, happening: Viewed) -> None:
        shown = happening.view.get("indications")
        if shown is self._seen or shown == self._seen:
            return
        before, self._seen = self._seen or (), shown or ()
        now = list(self._seen)
        if len(now) > MAX_INDICATIONS:
            self.books.blame("limit", f"{len(now)} indications")
        for name, most in (("troubles", MAX_TROUBLES + 1), ("trouble_memory", MAX_MEMORY)):
            if len(happening.view.get(name) or ()) > most:  # type: ignore[arg-type]
                self.books.blame("limit", f"more than {most} {name}")
        for each in now:
            if each.get("kind") in SILENT_KINDS:
                self.books.blame("silent-shows", f"{each} is among the indications")
        if [i for i in before if i in now] != [i for i in now if i in before]:
            self.books.blame("indication-order", f"{list(before)} became {now}")
        self._gone([i for i in before if i not in now])

    def _gone(self, gone: list[Any]) -> None:
        """Only a reset ends an indication; after a power cut the last that were not durable may be missing."""
        books = self.books
        if not books.awake:
            gone = [i for i in gone if self._durable(i)]
            if gone and self._reset_at < books.dark_at - DURABLE_MS:
                books.blame("indication-lost", f"{gone} is gone after the start")
            return
        if not gone or books.now - books.awake_at < DURABLE_MS:
            return
        if books.now - self._reset_at > AT_ONCE_MS:
            books.blame("indication-lost", f"{gone} is gone, and nobody reset it")

    def _durable(self, indication: Any) -> bool:
        """Its record was on disk before the dark, so it must be known after it."""
        last, zone = self.books.last, indication.get("zone")
        times = [last[kind, zone] for kind in (indication.get("kind"), "zone.alarm-held") if (kind, zone) in last]
        return bool(zone and times) and max(times) < self.books.dark_at
