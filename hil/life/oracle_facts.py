"""What happens, written into the oracle's books and handed on to those of its rules that ask for it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from hil.life import happenings as h
from hil.life.oracle_books import AreaBook, Books, phase
from hil.life.oracle_group import Group
from rules.site import Condition
from rules.vocabulary import KINDS


def _asking(groups: Iterable[Group], name: str) -> tuple[Callable[..., None], ...]:
    """The methods of those groups that have one of their own."""
    return tuple(getattr(group, name) for group in groups if getattr(type(group), name) is not getattr(Group, name))


class Facts:
    """Hands each happening on, once the books have it."""

    def __init__(self, books: Books, groups: Sequence[Group]) -> None:
        self.books = books
        self._wired = _asking(groups, "wired")
        self._found = _asking(groups, "found")
        self._moded = _asking(groups, "moded")
        self._restored = _asking(groups, "restored")
        self._typed = _asking(groups, "typed")
        self._commanded = _asking(groups, "commanded")
        self._person = _asking(groups, "person")
        self._gone = _asking(groups, "gone")
        self._clock = _asking(groups, "clock")
        self._troubled = _asking(groups, "troubled")
        self._dark = _asking(groups, "dark")
        self._forgotten = _asking(groups, "forgotten")
        self._awake = _asking(groups, "awake")
        self._pin = _asking(groups, "pin")
        self._shown = _asking(groups, "shown")
        self._viewed = _asking(groups, "viewed")
        self._held = _asking(groups, "held")
        self._linked = _asking(groups, "linked")
        self._recorded = {
            kind: tuple(g.recorded for g in groups if {kind, kind.partition(".")[0], "*"} & set(g.kinds))
            for kind in KINDS
        }
        self._every = tuple(g.recorded for g in groups if "*" in g.kinds)
        self._fresh = True
        self._area_views: Any = None

    # --- the world

    def wired(self, e: h.Wired) -> None:
        """A wire reads something; a dark panel does not hear of it."""
        books = self.books
        zone = books.zones[e.zone]
        condition = zone.wire = e.condition
        if not books.awake:
            return
        before = zone.told
        if before is condition:
            if e.asked:
                for tell in self._wired:
                    tell(zone, before, True)
            return
        zone.told, zone.told_at = condition, e.at
        for tell in self._wired:
            tell(zone, before, False)

    def typed(self, e: h.Typed) -> None:
        """A keypad of a dark panel is dead."""
        if self.books.awake:
            for tell in self._typed:
                tell(e)

    def commanded(self, e: h.Commanded) -> None:
        """A command to a dark panel is lost."""
        if self.books.awake:
            for tell in self._commanded:
                tell(e)

    def person(self, e: h.Person) -> None:
        """A user was set."""
        for tell in self._person:
            tell(e)

    def gone(self, e: h.Gone) -> None:
        """A user was removed."""
        for tell in self._gone:
            tell(e)

    def clock(self, e: h.WallClock) -> None:
        """The panel was told the time."""
        books = self.books
        before = (books.day, books.minute, books.sure)
        books.day, books.minute, books.sure, books.told_clock_at = e.day, e.minute, e.sure, e.at
        for tell in self._clock:
            tell(e, *before)

    def troubled(self, e: h.Troubled) -> None:
        """A trouble began or ended."""
        books = self.books
        name = f"{e.trouble}:{e.subject}" if e.subject else e.trouble
        if e.present:
            books.troubles.add(name)
        else:
            books.troubles.discard(name)
        books.trouble_at[name] = e.at
        for tell in self._troubled:
            tell(e)

    # --- dark and awake

    def dark(self, e: h.Dark) -> None:
        """The panel stops: what is not recorded may be forgotten."""
        books = self.books
        books.awake, books.dark_at, books.why = False, e.at, e.why
        books.sure = False
        books.forget()
        self._fresh = True
        if books.memory and e.why == "power":
            self._forget()
        for tell in self._dark:
            tell(e)

    def _forget(self) -> None:
        """The card was full and the journal in memory: the panel comes back as if its power had been cut before."""
        books = self.books
        books.dark_at = books.memory_at
        for area in books.areas.values():
            area.maybe |= area.on_disk
        for forget in self._forgotten:
            forget(books.memory_at)

    def awake(self, e: h.Awake) -> None:
        """The panel is up again, and was told what every wire reads."""
        books = self.books
        books.awake, books.awake_at, books.cause = True, e.at, e.cause
        books.nights.append((books.dark_at, e.at))
        if e.cause != "restart":
            books.powered_at = e.at
        for tell in self._awake:
            tell(e)
        for zone in books.zones.values():
            before = zone.told
            zone.told, zone.told_at = zone.wire, e.at
            if zone.wire is not Condition.NORMAL or before not in (None, zone.wire):
                for find in self._found:
                    find(zone, before)

    # --- what is seen of the panel

    def pin(self, e: h.Pin) -> None:
        """A pin moved."""
        was = self.books.pins.get(e.output, False)
        self.books.pins[e.output] = e.on
        if was is not e.on:
            self.books.pin_at[e.output] = e.at
        for tell in self._pin:
            tell(e, was)

    def shown(self, e: h.Shown) -> None:
        """Something was shown."""
        for tell in self._shown:
            tell(e)

    def viewed(self, e: h.Viewed) -> None:
        """The view after a step."""
        books = self.books
        if e.view is books.view:
            return
        books.view = e.view
        areas = e.view["areas"]
        if self._fresh or areas is not self._area_views:
            if self._fresh or areas != self._area_views:
                self._modes(areas, e.at)
            self._area_views = areas
        for tell in self._viewed:
            tell(e)

    def _modes(self, areas: Any, at: int) -> None:
        fresh, self._fresh = self._fresh, False
        tell = self._restored if fresh else self._moded
        moved: list[tuple[AreaBook, str]] = []
        for id_, shown in areas.items():
            area, mode = self.books.areas[id_], shown["mode"]
            if fresh or mode != area.mode:
                moved.append((area, area.mode))
                area.before, area.mode, area.mode_at = area.mode, mode, at
                if not fresh:
                    area.maybe.add(phase(mode))
                    area.disarmed_at = at if mode == "disarmed" else area.disarmed_at
        for area, old in moved:
            for each in tell:
                each(area, old)

    def recorded(self, e: h.Recorded) -> None:
        """A record is durable. What is told at a start was decided before the dark."""
        books = self.books
        if e.at == books.awake_at:
            e = replace(e, at=books.dark_at)
        if e.journal != books.memory:
            books.memory = ""
            if e.kind == "journal.begun" and e.payload.get("reason") == "storage":
                books.memory, books.memory_at = e.journal, e.at
                for area in books.areas.values():
                    area.on_disk = frozenset({area.durable, *area.maybe})
        self._note(e)
        for tell in self._recorded.get(e.kind, self._every):
            tell(e)

    def _note(self, e: h.Recorded) -> None:
        payload, last = e.payload, self.books.last
        if e.kind.startswith("trouble.storage"):
            self.books.storage_at = e.at
        last[(e.kind, "")] = e.at
        for member in ("zone", "user", "by", "trouble", "subject", "tour"):
            name = payload.get(member)
            if name:
                last[(e.kind, str(name))] = e.at
        areas = payload.get("areas")
        if isinstance(areas, list | tuple):
            for area in areas:
                last[(e.kind, str(area))] = e.at

    def held(self, e: h.Held) -> None:
        """The center stored a record."""
        for tell in self._held:
            tell(e)

    def linked(self, e: h.Linked) -> None:
        """The link came or went."""
        for tell in self._linked:
            tell(e)
