"""Lamps, buzzers, chimes and relays show what they are for, at once and no longer."""

from hil.life.happenings import Awake, Dark, Pin
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import SILENT_TYPES
from rules.site import Condition, Output, OutputKind

FOUND_MS = 12_000
"""So soon after a start an opening may be taken for one that stood before (Chime)."""
DELAYS = ("exit-delay", "entry-delay")


class Lamps(Group):
    """Outputs that follow a state, not an alarm."""

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._by_area: dict[str, list[Output]] = {a: [] for a in books.areas}
        self._relays: dict[str, list[Output]] = {}
        self._chimes: dict[str, list[Output]] = {a: [] for a in books.areas}
        for output in books.site.outputs.values():
            if output.kind in (OutputKind.ARMED, OutputKind.BUZZER):
                for area in output.areas:
                    self._by_area[area].append(output)
            elif output.kind is OutputKind.CHIME:
                for area in output.areas:
                    self._chimes[area].append(output)
            elif output.kind is OutputKind.RELAY:
                what, _, name = output.follows.partition(":")
                if what == "zone":
                    self._relays.setdefault(name, []).append(output)
                elif what == "area" and name in self._by_area:
                    self._by_area[name].append(output)

    def moded(self, area: AreaBook, old: str) -> None:  # noqa: ARG002
        for output in self._by_area[area.facts.id]:
            self._look(output)

    def restored(self, area: AreaBook, old: str) -> None:
        self.moded(area, old)

    def awake(self, happening: Awake) -> None:  # noqa: ARG002
        for outputs in self._by_area.values():
            for output in outputs:
                self._look(output)

    def _look(self, output: Output) -> None:
        at = self.books.now
        self.books.expect(at + AT_ONCE_MS, lambda _due: self._check(output, at))

    def _check(self, output: Output, at: int) -> None:
        """The armed lamp: all its areas are set; the buzzer: in delays; a relay: its area is set (Sirens)."""
        books = self.books
        if output.kind is OutputKind.RELAY:
            areas = [books.areas[output.follows.partition(":")[2]]]
        else:
            areas = [books.areas[a] for a in output.areas]
        if any(a.mode_at > at for a in areas):
            return
        if output.kind is OutputKind.BUZZER:
            wanted, rule = any(a.mode in DELAYS for a in areas), "buzzer"
        else:
            wanted, rule = all(a.is_set for a in areas), "relay" if output.kind is OutputKind.RELAY else "armed-lamp"
        if books.pins.get(output.id, False) is not wanted:
            modes = ", ".join(f"{a.facts.id} {a.mode}" for a in areas)
            books.blame(rule, f"{output.id} is {'off' if wanted else 'on'}: {modes}")

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        if asked:
            return
        if zone.facts.id in self._relays:
            for output in self._relays[zone.facts.id]:
                self._follows(output, zone)
        chimes = zone.facts.chime and zone.wire is Condition.ACTIVE and before is Condition.NORMAL
        if chimes and all(a.mode == "disarmed" for a in zone.areas):
            self._must_chime(zone)

    def _follows(self, output: Output, zone: ZoneBook) -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            on = books.pins.get(output.id, False)
            if zone.facts.type in SILENT_TYPES:
                if on:
                    books.blame("relay", f"{output.id} follows the silent {zone.facts.id}")
            elif zone.told_at == at and zone.out is False and on is not (zone.told is Condition.ACTIVE):
                settling = zone.facts.settle_ms and at < books.powered_at + zone.facts.settle_ms + DURABLE_MS
                if not settling:
                    books.blame("relay", f"{output.id} is {'on' if on else 'off'}, and {zone.facts.id} is {zone.told}")

        books.expect(at + AT_ONCE_MS, check)

    def _must_chime(self, zone: ZoneBook) -> None:
        """A chime zone that opens while its areas are disarmed sounds their chimes (What a zone means, Chime)."""
        books, at = self.books, self.books.now
        chimes = {o.id for a in zone.areas for o in self._chimes[a.facts.id]}
        settling = zone.facts.settle_ms and at < books.powered_at + zone.facts.settle_ms + DURABLE_MS
        if at - books.awake_at < FOUND_MS or not chimes or zone.out is not False or not zone.sure(at) or settling:
            return

        def check(_due: int) -> None:
            dull = [c for c in chimes if not books.pins.get(c) and books.pin_at.get(c, -1) < at]
            if dull and books.last.get(("test.walk-started", ""), -1) <= books.last.get(("test.walk-ended", ""), 0):
                books.blame("chime", f"{zone.facts.id} was opened at {at}, and {dull} do not sound")

        books.expect(at + AT_ONCE_MS, check)

    def pin(self, happening: Pin, was: bool) -> None:
        output = self.books.site.outputs[happening.output]
        if happening.on and not was and output.kind is OutputKind.CHIME:
            at = happening.at
            longest = self.books.site.timings.chime_ms * 4 + AT_ONCE_MS

            def check(_due: int) -> None:
                if self.books.pins.get(output.id) and self.books.pin_at.get(output.id) == at:
                    opened = any(z.told_at > at and z.facts.chime for z in self.books.zones.values())
                    if not opened:
                        self.books.blame("chime", f"{output.id} sounds since {at}")

            self.books.expect(at + longest, check)

    def dark(self, happening: Dark) -> None:
        """Without power every pin is off."""
        if happening.why == "power":
            for output in self.books.pins:
                self.books.pins[output] = False
