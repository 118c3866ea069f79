"""The journal is whole, and the center holds what it holds: every record in its lane, in its place, once."""

from collections.abc import Sequence
from typing import Any, ClassVar

from hil.life.happenings import Awake, Dark, Held, Linked, Recorded
from hil.life.oracle_books import Books
from hil.life.oracle_group import Group
from rules.vocabulary import KINDS, Lane

DELIVER_MS = 1_800_000
"""So long after a record, with a link and a panel that are up all the while, an alarm has arrived: retries included."""
MAX_TEXT = 64
Place = tuple[str, int]


class Reports(Group):
    """Journal and center."""

    kinds: ClassVar[tuple[str, ...]] = ("*",)

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._next: dict[str, int] = {}
        self._waiting: dict[Place, str] = {}
        self._held: set[Place] = set()
        self._linked = True
        self._good_since = 0
        self._memory: set[str] = set()
        self._lost: set[str] = set()

    # --- recorded

    def recorded(self, happening: Recorded) -> None:
        kind = KINDS.get(happening.kind)
        if kind is None or happening.lane != kind.lane:
            self.books.blame("unknown-kind", f"{happening.kind} in lane {happening.lane}")
        expected = self._next.get(happening.journal, 1)
        if happening.seq != expected:
            self.books.blame("journal-gap", f"{happening.journal}: seq {happening.seq}, {expected} was next")
        self._next[happening.journal] = happening.seq + 1
        if happening.kind == "journal.begun" and happening.payload.get("reason") == "storage":
            self._memory.add(happening.journal)
        if happening.lane == Lane.ALARM:
            place = (happening.journal, happening.seq)
            if place not in self._held:
                self._waiting[place] = happening.kind
                self._expect(place, happening.at)

    def _expect(self, place: Place, since: int) -> None:
        def check(_due: int) -> None:
            if place not in self._waiting or place[0] in self._lost:
                return
            good = max(self._good_since, since)
            if not self._good or self.books.now < good + DELIVER_MS:
                self._expect(place, max(good, self.books.now - DELIVER_MS + 60_000))
                return
            self.books.blame("not-delivered", f"{self._waiting[place]} {place[1]} of {since} is not at the center")

        self.books.expect(since + DELIVER_MS, check, over_dark=True)

    @property
    def _good(self) -> bool:
        return self._linked and self.books.awake

    # --- the way

    def linked(self, happening: Linked) -> None:
        self._linked = happening.up
        self._good_since = max(self._good_since, happening.at)

    def dark(self, happening: Dark) -> None:  # noqa: ARG002
        self._lost |= self._memory

    def awake(self, happening: Awake) -> None:
        self._good_since = happening.at

    def held(self, happening: Held) -> None:
        place = (happening.journal, happening.seq)
        if place in self._held:
            self.books.blame("center-differs", f"{happening.kind} {place} was stored twice")
        self._held.add(place)
        self._waiting.pop(place, None)
        if happening.journal in self._next and happening.seq >= self._next[happening.journal]:
            self.books.blame("center-differs", f"{happening.kind} {place} is at the center and not in the journal")

    # --- the end

    def compare(self, journal: Sequence[Recorded], center: Sequence[Held]) -> None:
        """The center's store equals the journal by journal, seq, kind and payload; only the last may be on the way."""
        ours = {(r.journal, r.seq): r for r in journal if r.lane != Lane.TELEMETRY}
        theirs: dict[Place, Any] = {}
        for held in center:
            place = (held.journal, held.seq)
            if place in theirs:
                self.books.blame("center-differs", f"{held.kind} {place} is held twice")
            theirs[place] = held
        for place, held in theirs.items():
            mine = ours.get(place)
            if mine is None:
                if place[0] not in self._lost:
                    self.books.blame("center-differs", f"{held.kind} {place} is not in the journal")
            elif (mine.kind, mine.lane, mine.payload) != (held.kind, held.lane, held.payload):
                self.books.blame(
                    "center-differs", f"{place} is {mine.kind}, the center holds {held.kind}: {held.payload}"
                )
        settled = self.books.now - DELIVER_MS
        for place, mine in ours.items():
            if place[0] in self._lost:
                continue
            if place not in theirs and self._good and self._good_since <= settled and mine.at <= settled:
                self.books.blame("not-delivered", f"{mine.kind} {place} of {mine.at} is not at the center")
