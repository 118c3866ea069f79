"""Silent means silent: a hold-up press or its release moves no pin, shows nothing and changes no view."""

from collections.abc import Iterator
from typing import Any, ClassVar

from hil.life.happenings import (
    Awake,
    Commanded,
    Dark,
    Gone,
    Person,
    Pin,
    Recorded,
    Shown,
    Troubled,
    Typed,
    Viewed,
    WallClock,
)
from hil.life.oracle_books import DURABLE_MS, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import FAULT_KINDS, SILENT_KINDS, SILENT_TYPES, TAMPER_KINDS
from rules.site import Condition

PRESSED = (Condition.NORMAL, Condition.ACTIVE, None)
WEEKS_MS = 30 * 86_400_000
BY_TIME = ("exit-ending", "auto-arm-soon")
"""Notices that come by themselves, with no record of their own."""


class Silence(Group):
    """What is seen of the panel after a silent press, before anything else happens to it."""

    kinds: ClassVar[tuple[str, ...]] = ("*",)

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._hidden = tuple(z for z in books.zones.values() if z.facts.type in SILENT_TYPES)
        self._alone: str = ""
        self._alone_at = -1
        self._view: Any = None
        self._pressed_at = -1
        self._loud_at = -1
        self._batch_at = -1
        self._batch_silent = False
        self._walking = False

    # --- what happens

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        if zone.facts.type in SILENT_TYPES and zone.wire in PRESSED and before in PRESSED and not self._walking:
            self._alone, self._alone_at, self._view = zone.facts.id, self.books.now, self.books.view
            self._pressed_at = self.books.now
        elif not asked:
            self._something()
        else:
            self._alone = ""

    def _something(self) -> None:
        self._alone, self._loud_at = "", self.books.now

    def typed(self, happening: Typed) -> None:  # noqa: ARG002
        self._something()

    def commanded(self, happening: Commanded) -> None:  # noqa: ARG002
        self._something()

    def person(self, happening: Person) -> None:  # noqa: ARG002
        self._something()

    def gone(self, happening: Gone) -> None:  # noqa: ARG002
        self._something()

    def clock(self, happening: WallClock, day: int, minute: int, sure: bool) -> None:  # noqa: ARG002
        self._something()

    def troubled(self, happening: Troubled) -> None:  # noqa: ARG002
        self._something()

    def dark(self, happening: Dark) -> None:  # noqa: ARG002
        self._something()

    def awake(self, happening: Awake) -> None:  # noqa: ARG002
        self._something()

    # --- what is seen

    def pin(self, happening: Pin, was: bool) -> None:
        if self._alone and happening.at == self._alone_at and was is not happening.on:
            self.books.blame("silent-shows", f"{self._alone} moved silently, and {happening.output} switched")

    def viewed(self, happening: Viewed) -> None:
        if self._alone and happening.at == self._alone_at and self._view:
            for name in self._changed(happening.view):
                self.books.blame("silent-shows", f"{self._alone} moved silently, and {name} changed in the view")
        zones: Any = happening.view["zones"]
        for zone in self._hidden:
            if zones.get(zone.facts.id, {}).get("condition") == "active":
                self.books.blame("silent-shows", f"{zone.facts.id} is active in the public view")

    def _changed(self, view: Any) -> Iterator[str]:
        """What the view tells otherwise now; that a wire was read since the last view is no news."""
        for name in view:
            if name != "zones" and view[name] != self._view[name]:
                yield name
        for id_, shown in view["zones"].items():
            before, told = self._view["zones"][id_], self.books.zones[id_].told
            moved = {**shown, "condition": ""} != {**before, "condition": ""}
            if moved or shown["condition"] not in (before["condition"], told and told.value):
                yield id_

    def recorded(self, happening: Recorded) -> None:
        silent = happening.kind in SILENT_KINDS
        self._batch_silent = silent and (self._batch_silent or happening.at != self._batch_at)
        self._batch_at = happening.at
        if happening.kind == "test.walk-started":
            self._walking = True
        elif happening.kind == "test.walk-ended":
            self._walking = False

    def shown(self, happening: Shown) -> None:
        """Neither by what it says, nor by coming when it comes."""
        words = set(_strings(happening.args)) | {happening.notice}
        if found := words & SILENT_KINDS:
            self.books.blame("silent-shows", f"{happening.notice} shows {sorted(found)}")
        for zone in self._hidden:
            id_ = zone.facts.id
            named = {f"hold-up:{id_}", f"active:{id_}"} & words
            if named or (id_ in words and self._only_pressed(zone)):
                self.books.blame("silent-shows", f"{happening.notice} names the silent {id_}")
        quiet = self._batch_silent and self._batch_at == happening.at and self._loud_at < self._pressed_at
        if quiet and happening.notice not in BY_TIME:
            self.books.blame("silent-shows", f"{happening.notice} is shown after nothing but a silent press")

    def _only_pressed(self, zone: ZoneBook) -> bool:
        """Its line and its driver were well for weeks, nobody tests it: only a press can be meant."""
        if self.books.recorded_since(self.books.now - WEEKS_MS, (*TAMPER_KINDS, *FAULT_KINDS), zone.facts.id):
            return False
        calm = zone.told in PRESSED and self.books.now - zone.told_at < DURABLE_MS
        return calm and zone.told is Condition.ACTIVE and not self._walking


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield str(name)
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
