"""Tests and sessions end by themselves."""

from typing import ClassVar

from hil.life.happenings import Awake, Recorded
from hil.life.oracle_books import DURABLE_MS, KEPT_MS, Books
from hil.life.oracle_group import Group

ENDS = {
    "test.walk-started": ("test.walk-ended", "walk_ms"),
    "test.siren": ("test.siren-ended", "siren_test_ms"),
    "test.battery": ("test.battery-ended", "battery_test_ms"),
    "installer.entered": ("installer.left", "installer_ms"),
}
"""What begins, how it ends, and after how long at most (a name of `Timings`)."""


class Tests(Group):
    """CP-01 row 24: a test that is forgotten ends by itself; so does an installer's session."""

    kinds: ClassVar[tuple[str, ...]] = (*ENDS, *(end for end, _ in ENDS.values()))

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._until: dict[str, int] = {}

    def recorded(self, happening: Recorded) -> None:
        if happening.kind in ENDS:
            _, name = ENDS[happening.kind]
            self._until[happening.kind] = happening.at + getattr(self.books.site.timings, name)
            if happening.at == self.books.dark_at:
                self._goes_on(happening.kind)
            self._expect(happening.kind)
            return
        for begin, (end, _) in ENDS.items():
            if end == happening.kind:
                self._until.pop(begin, None)

    def _expect(self, begin: str) -> None:
        until = self._until[begin]

        def check(_due: int) -> None:
            if self._until.get(begin) == until and not self.books.storage_bad():
                del self._until[begin]
                self.books.blame("test-endless", f"{begin} should have ended at {until}")

        self.books.expect(until + DURABLE_MS, check)

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._until.clear()

    def awake(self, happening: Awake) -> None:  # noqa: ARG002
        for begin in self._until:
            self._goes_on(begin)
            self._expect(begin)

    def _goes_on(self, begin: str) -> None:
        books, until = self.books, self._until[begin]
        if books.cause == "restart" or begin == "test.walk-started":
            self._until[begin] = max(until, books.awake_at)
        else:
            self._until[begin] = books.awake_at + max(0, until - books.dark_at) + KEPT_MS
