"""What a group of the oracle's rules may want to hear of; it overrides what it needs, and the rest costs nothing."""

from typing import Any, ClassVar

from hil.life.happenings import (
    Awake,
    Commanded,
    Dark,
    Gone,
    Held,
    Linked,
    Person,
    Pin,
    Recorded,
    Shown,
    Troubled,
    Typed,
    Viewed,
    WallClock,
)
from hil.life.oracle_books import AreaBook, Books, ZoneBook
from rules.site import Condition


class Group:
    """Some promises that belong together. `kinds`: the records it hears of, by name or by the part before the dot."""

    kinds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, books: Books) -> None:
        self.books = books

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        """The panel was told of a zone; `before` is what it knew. Only changes, unless `asked`."""

    def found(self, zone: ZoneBook, before: Condition | None) -> None:
        """The panel is awake again and told of a zone that is not at rest, or was not; `before` is what it knew."""

    def moded(self, area: AreaBook, old: str) -> None:
        """An area was seen in another mode."""

    def restored(self, area: AreaBook, old: str) -> None:
        """An area as it was first seen after the panel was dark."""

    def typed(self, happening: Typed) -> None:
        """Somebody typed at a keypad of a panel that is awake."""

    def commanded(self, happening: Commanded) -> None:
        """A command came to a panel that is awake."""

    def person(self, happening: Person) -> None:
        """A user was set."""

    def gone(self, happening: Gone) -> None:
        """A user was removed."""

    def clock(self, happening: WallClock, day: int, minute: int, sure: bool) -> None:
        """The panel was told the time; before, it knew `day`, `minute`, `sure`."""

    def troubled(self, happening: Troubled) -> None:
        """A trouble of the panel's own parts began or ended."""

    def dark(self, happening: Dark) -> None:
        """The panel stopped."""

    def forgotten(self, since: int) -> None:
        """What was recorded since then is gone: the journal was in memory, and the power is cut. Before `dark`."""

    def awake(self, happening: Awake) -> None:
        """The panel is up again."""

    def pin(self, happening: Pin, was: bool) -> None:
        """An output's pin took another level."""

    def shown(self, happening: Shown) -> None:
        """A keypad shows something."""

    def viewed(self, happening: Viewed) -> None:
        """The public view is another one; the books have it already."""

    def recorded(self, happening: Recorded) -> None:
        """A record of `kinds` is durable; the books have it already."""

    def held(self, happening: Held) -> None:
        """The center stored a record."""

    def linked(self, happening: Linked) -> None:
        """The link came or went."""


def subject(payload: Any) -> str:
    """What a record is about, for looking it up again: its zone, trouble, user or actor."""
    return str(payload.get("zone") or payload.get("user") or payload.get("by") or "")
