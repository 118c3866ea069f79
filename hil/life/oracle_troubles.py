"""Troubles: begin and end are recorded once each, mains after its delay, and none that is not there."""

from typing import ClassVar

from hil.life.happenings import Awake, Recorded, Troubled
from hil.life.oracle_books import DURABLE_MS, Books
from hil.life.oracle_group import Group

DERIVED = ("paths", "path", "battery-test", "rules", "storage", "clock", "program", "board")
"""Begin by other reasons than a driver's word: another part of the panel says so, or the rules themselves."""
MAX_TROUBLES = 64


class Troubles(Group):
    """What stands, what was recorded of it."""

    kinds: ClassVar[tuple[str, ...]] = ("trouble", "power.mains-dip")

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._told: dict[str, bool] = {}
        self._stands: dict[str, bool | None] = {}

    def troubled(self, happening: Troubled) -> None:
        name = f"{happening.trouble}:{happening.subject}" if happening.subject else happening.trouble
        before = self._told.get(name, False)
        self._told[name] = happening.present
        books = self.books
        crowded = len(books.troubles) > MAX_TROUBLES - 4 and happening.trouble != "box"  # that always finds room
        if before is happening.present or not books.awake or crowded:
            return
        at = happening.at
        if happening.trouble == "mains":
            self._mains(happening)
            return
        stood = self._stands.get(name, False)
        if happening.present is (stood is True) or happening.trouble in DERIVED or stood is None:
            return
        kind = f"trouble.{happening.trouble}" + ("" if happening.present else "-ended")
        about = happening.subject or happening.trouble

        def check(_due: int) -> None:
            if not books.recorded_since(at, (kind,), about) and not books.storage_bad():
                books.blame("missed-trouble", f"{name} {'began' if happening.present else 'ended'} at {at}: no {kind}")

        books.expect(at + DURABLE_MS, check)

    def _mains(self, happening: Troubled) -> None:
        """Its report waits; a shorter loss is a dip (Troubles; CP-01 row 26)."""
        books, delay, began = self.books, self.books.site.timings.mains_delay_ms, happening.at
        if not happening.present:
            return

        def check(_due: int) -> None:
            lasts = books.trouble_at.get("mains") == began and "mains" in books.troubles
            if lasts and not books.recorded_since(began, ("trouble.mains",), "mains") and not books.storage_bad():
                books.blame("missed-trouble", f"mains is lost since {began}, and not reported after {delay} ms")

        books.expect(began + delay + DURABLE_MS, check)

    def recorded(self, happening: Recorded) -> None:
        if happening.kind == "power.mains-dip":
            return
        name = str(happening.payload.get("trouble", ""))
        subject = str(happening.payload.get("subject", "") or "")
        key = f"{name}:{subject}" if subject else name
        begins = not happening.kind.endswith("-ended")
        if self._stands.get(key, False) is begins and not self.books.storage_bad():
            self.books.blame("trouble-repeated", f"{happening.kind} {subject} was recorded twice")
        self._stands[key] = begins
        if begins and name not in DERIVED:
            self._caused(happening, key, name)

    def _caused(self, record: Recorded, key: str, name: str) -> None:
        slack = 2 * DURABLE_MS + (self.books.site.timings.mains_delay_ms if name == "mains" else 0)
        recent = record.at - self.books.trouble_at.get(key, -(1 << 40)) <= slack
        if key not in self.books.troubles and not recent and not self.books.storage_bad():
            self.books.blame("trouble-without-cause", f"{record.kind} {key}, and there is none")

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._stands = dict.fromkeys(self._stands)

    def awake(self, happening: Awake) -> None:  # noqa: ARG002
        """What was told and not recorded may be told again."""
        for name in list(self._told):
            if self._told[name] is not (self._stands.get(name) is True):
                self._told[name] = self._stands.get(name) is True
