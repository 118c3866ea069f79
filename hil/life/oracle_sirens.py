"""Sirens and strobes: none without an alarm, none past its limits, none outside while disarmed, none cut short."""

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from hil.life.happenings import Awake, Dark, Pin, Recorded
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import EXTERNAL_KINDS, INTRUSION, SOUNDING
from rules.site import Condition, Output, OutputKind, Place

NEVER = -(1 << 40)


def _goes_off(zone: ZoneBook) -> bool:
    """It reads what may alarm now."""
    if zone.told in (None, Condition.NORMAL):
        return False
    return zone.all_set or zone.facts.type not in INTRUSION or zone.told is not Condition.ACTIVE


class Sirens(Group):
    """What sounds, since when, and why."""

    kinds: ClassVar[tuple[str, ...]] = (*SOUNDING, "test.siren", "area.alarm-reset")

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        outputs = books.site.outputs.values()
        self._sirens = {o.id: o for o in outputs if o.kind is OutputKind.SIREN}
        self._strobes = {o.id: o for o in outputs if o.kind is OutputKind.STROBE}
        self._cause_at: dict[str, int] = {}
        self._outside_at: dict[str, int] = {}
        self._reset_at: dict[str, int] = {}
        self._test_at = NEVER
        self._sounded: set[str] = set()
        self._forgot = False
        self._on_at: dict[str, int] = {}
        self._first_on: dict[str, int] = {}
        """Since when it sounds, restarts included: its limit runs on."""
        slow = {a for o in self._sirens.values() if o.delay_ms for a in o.areas}
        self._tripped: dict[str, deque[int]] = {a: deque(maxlen=64) for a in sorted(slow)}
        """When a zone of the area went off that counts, for those that have a siren with a delay."""

    # --- causes

    def recorded(self, happening: Recorded) -> None:
        if happening.kind == "test.siren":
            self._test_at = happening.at
            return
        if happening.payload.get("bypassed"):
            return
        areas = happening.payload.get("areas")
        ids = [a.facts.id for a in self.books.by_id(areas)] if areas else list(self.books.areas)
        if happening.kind == "area.alarm-reset":
            self._reset_at.update(dict.fromkeys(ids, happening.at))
            return
        for id_ in ids:
            self._cause_at[id_] = happening.at
            if happening.kind in EXTERNAL_KINDS:
                self._outside_at[id_] = happening.at

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:  # noqa: ARG002
        if not asked and _goes_off(zone):
            for area in zone.areas:
                if (tripped := self._tripped.get(area.facts.id)) is not None:
                    tripped.append(self.books.now)

    def _last_cause(self, output: Output) -> int:
        causes = self._outside_at if output.place is Place.EXTERNAL else self._cause_at
        if output.kind is OutputKind.STROBE:
            causes = self._cause_at
        return max((causes.get(a, NEVER) for a in output.areas), default=NEVER)

    # --- pins

    def pin(self, happening: Pin, was: bool) -> None:
        output = self._sirens.get(happening.output)
        if output is None:
            if strobe := self._strobes.get(happening.output):
                self._strobe(strobe, happening)
            return
        if happening.on and not was:
            self._on_at[output.id] = happening.at
            if self.books.awake or output.id not in self._sounded:
                self._first_on[output.id] = happening.at
            self._started(output, happening.at)
        elif was and not happening.on:
            self._stopped(output, happening.at)

    def _started(self, output: Output, at: int) -> None:
        books, timings = self.books, self.books.site.timings
        self._watch_outside(output, at)

        def caused(_due: int) -> None:
            longest = timings.siren_max_ms + output.delay_ms + DURABLE_MS + self._dark_since(output)
            if self._last_cause(output) < at - longest and self._test_at < at - DURABLE_MS and not books.storage_bad():
                books.blame("siren-without-alarm", f"{output.id} sounds since {at}, and nothing alarmed in its areas")

        books.expect(at + DURABLE_MS, caused)
        limit = (output.limit_ms or timings.siren_max_ms) + AT_ONCE_MS
        books.expect(at + limit, lambda _due: self._too_long(output, at))
        books.expect(at + timings.siren_ms + DURABLE_MS, lambda _due: self._after_last(output))
        if output.delay_ms and not self._paths_down():
            self._waited(output, at)

    def _dark_since(self, output: Output) -> int:
        """How long the panel was dark since the last cause of this output."""
        dark = self.books.dark_since
        return max((dark(self._cause_at[a]) for a in output.areas if a in self._cause_at), default=0)

    def _paths_down(self) -> bool:
        """All paths are down, or were a moment ago (Sirens: no delay then)."""
        names = [t for t in self.books.view.get("troubles", ()) if str(t).partition(":")[0] == "paths"]
        return bool(names) or self.books.now - self.books.trouble_at.get("paths", NEVER) < DURABLE_MS

    def _waited(self, output: Output, at: int) -> None:
        """EN 50131-1: a delay of at most 10 minutes; some cause must be as old as that."""
        books = self.books
        # What sounds while it starts had its delay before the dark, or in it.
        if not books.awake or books.awake_at > at - output.delay_ms or self._test_at > at - output.delay_ms:
            return
        if min(self._delayed_causes(output, at), default=at) > at - output.delay_ms + AT_ONCE_MS:
            books.expect(at + DURABLE_MS, partial(self._no_test, output, at))

    def _delayed_causes(self, output: Output, at: int) -> Iterator[int]:
        """When the alarms of its areas began that may sound it now: others may have joined since, and disarming ended
        those before."""
        books = self.books
        oldest = at - books.site.timings.siren_max_ms - output.delay_ms
        for id_ in output.areas:
            area = books.areas[id_]
            low = max(oldest, area.disarmed_at)
            yield from (t for t in self._tripped[id_] if t >= low)
            yield from (c[0] for z in books.zones.values() for c in z.credits if area in z.areas and c[0] >= low)
            if self._cause_at.get(id_, NEVER) >= low:
                yield self._cause_at[id_] - AT_ONCE_MS
            if area.mode == "alarm":
                yield area.mode_at

    def _no_test(self, output: Output, at: int, _due: int) -> None:
        """A siren test waits for nothing; it is recorded after the siren sounds."""
        if self._test_at < at:
            self.books.blame(
                "siren-too-early", f"{output.id} waits {output.delay_ms} ms, and sounded before that at {at}"
            )

    def _too_long(self, output: Output, since: int) -> None:
        """Its own limit, else the longest alarm (Each siren)."""
        if self.books.pins.get(output.id) and self._on_at.get(output.id) == since:
            self.books.blame("siren-too-long", f"{output.id} sounds since {since}")

    def _after_last(self, output: Output) -> None:
        """It goes on at most `siren_ms` after the last alarm, whatever had begun before (Sirens)."""
        books = self.books
        if not books.pins.get(output.id):
            return
        causes = [self._cause_at.get(a, NEVER) for a in output.areas]
        ends = max(causes) + books.site.timings.siren_ms + DURABLE_MS + self._dark_since(output)
        if books.now >= ends:
            books.blame("siren-too-long", f"{output.id} sounds, and the last alarm of its areas was {max(causes)}")
        else:
            books.expect(max(ends, books.now + 1), lambda _due: self._after_last(output))

    def _stopped(self, output: Output, at: int) -> None:
        """Too early only where no limit, no person and no end of an alarm can have stopped it."""
        books, timings = self.books, self.books.site.timings
        since = self._first_on.get(output.id, at)
        if at - since >= (output.limit_ms or timings.siren_max_ms) - AT_ONCE_MS or not books.awake:
            return
        for id_ in output.areas:
            area = books.areas[id_]
            if area.mode != "alarm" or area.mode_at < since - output.delay_ms - AT_ONCE_MS:
                continue
            shortest = area.mode_at + timings.siren_ms - AT_ONCE_MS
            if at >= shortest or area.touched_at >= area.mode_at or books.awake_at >= area.mode_at:
                continue
            if output.place is Place.EXTERNAL and self._outside_at.get(id_, NEVER) < area.mode_at:
                continue
            if self._test_at >= since - DURABLE_MS:
                continue
            books.expect(at + AT_ONCE_MS, partial(self._still_off, output, area, at))

    def _still_off(self, output: Output, area: AreaBook, at: int, _due: int) -> None:
        if not self.books.pins.get(output.id) and area.mode == "alarm" and area.touched_at < area.mode_at:
            self.books.blame("siren-cut-short", f"{output.id} fell silent at {at}, {area.facts.id} is in alarm")

    # --- outside

    def _watch_outside(self, output: Output, at: int) -> None:
        if output.place is Place.EXTERNAL:
            self.books.expect(at + AT_ONCE_MS, lambda _due: self._outside(output))

    def _outside(self, output: Output) -> None:
        """EN 50131-1 Table 7 note 5: never while its areas are disarmed (a test sounds it for a moment)."""
        books = self.books
        testing = books.now - self._test_at < books.site.timings.siren_test_ms + DURABLE_MS
        if books.pins.get(output.id) and not any(books.areas[a].is_set for a in output.areas) and not testing:
            books.blame("external-while-disarmed", f"{output.id} sounds, and none of its areas is set")

    def moded(self, area: AreaBook, old: str) -> None:  # noqa: ARG002
        if area.is_set:
            return
        for output in self._sirens.values():
            if output.place is Place.EXTERNAL and area.facts.id in output.areas and self.books.pins.get(output.id):
                self._watch_outside(output, self.books.now)
        if area.mode == "disarmed":
            for output in self._strobes.values():
                quiet = all(self.books.areas[a].mode == "disarmed" for a in output.areas)
                if quiet and area.facts.id in output.areas and self.books.pins.get(output.id):
                    self._strobe_ends(output)

    # --- strobes

    def _strobe_ends(self, output: Output) -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            alarmed = [
                z for z in books.zones.values() if z.told_at >= at and any(a.facts.id in output.areas for a in z.areas)
            ]
            boxed = books.trouble_at.get("box", NEVER) >= at or any(self._lit(books.areas[a]) for a in output.areas)
            unchanged = all(books.areas[a].mode == "disarmed" and books.areas[a].mode_at <= at for a in output.areas)
            stuck = books.pins.get(output.id) and books.pin_at.get(output.id, 0) < at
            if stuck and unchanged and not alarmed and not boxed:
                books.blame("strobe-without-alarm", f"{output.id} is on, its areas are disarmed since {at}")

        books.expect(at + AT_ONCE_MS, check)

    def _lit(self, area: AreaBook) -> bool:
        """It has alarmed since somebody last disarmed or reset it: its strobe goes on (until it is armed, too)."""
        id_ = area.facts.id
        ended = max(area.disarmed_at, self._reset_at.get(id_, NEVER), area.mode_at if area.is_set else NEVER)
        return self._cause_at.get(id_, NEVER) > ended - DURABLE_MS

    def _strobe(self, output: Output, happening: Pin) -> None:
        at, books = happening.at, self.books
        if not happening.on:
            areas = [books.areas[a] for a in output.areas]

            def ended(_due: int) -> None:
                if books.awake and all(max(a.touched_at, a.mode_at) < at - AT_ONCE_MS for a in areas):
                    books.blame("dark-strobe", f"{output.id} went off, nobody disarmed or reset")

            books.expect(at + 1, ended)
            return

        def caused(_due: int) -> None:
            memory = any(books.view["areas"][a].get("memory") for a in output.areas) or self._dark_since(output)
            if self._last_cause(output) < at - DURABLE_MS and not memory and not books.storage_bad():
                books.blame("strobe-without-alarm", f"{output.id} is on since {at}, and nothing alarmed in its areas")

        books.expect(at + DURABLE_MS, caused)

    # --- dark

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._forgot = True

    def dark(self, happening: Dark) -> None:
        """The pins may fall; what they do when the panel is up again is watched from then on."""
        self._sounded = {id_ for id_ in self._sirens if self.books.pins.get(id_)}
        if happening.why == "power":
            for id_ in (*self._sirens, *self._strobes):
                self.books.pins[id_] = False

    def _go_on(self, at: int) -> None:
        """An alarm goes on over a restart: its sirens sound again at once (DESIGN, promise 3)."""
        books = self.books
        for area in books.areas.values():
            since = self._cause_at.get(area.facts.id, NEVER)
            # The same boot's timers run on in the dark.
            left = since + books.site.timings.siren_ms - (at if books.cause == "restart" else books.dark_at)
            known = since < books.dark_at and area.durable == "set" and not area.maybe and since >= area.armed_at
            if not known or left < DURABLE_MS or area.touched_at >= area.mode_at or books.cause == "first":
                continue
            inside = [o for o in self._sirens.values() if o.place is Place.INTERNAL and area.facts.id in o.areas]
            plain = [o for o in inside if not o.delay_ms and not o.limit_ms]
            if plain and self._was_on(plain[0]):
                books.expect(at + AT_ONCE_MS, partial(self._sounds_again, plain[0], area, at))

    def _was_on(self, output: Output) -> bool:
        return output.id in self._sounded

    def _sounds_again(self, output: Output, area: AreaBook, at: int, _due: int) -> None:
        if not self.books.pins.get(output.id) and area.touched_at < at and area.disarmed_at < at:
            self.books.blame(
                "siren-cut-short", f"{output.id} sounded for {area.facts.id}, and is silent since the start at {at}"
            )

    def awake(self, happening: Awake) -> None:
        self._forgot, forgot = False, self._forgot
        if not forgot:
            self._go_on(happening.at)
        for output in self._sirens.values():
            if self.books.pins.get(output.id):
                self._on_at[output.id] = happening.at
                self._started(output, happening.at)
