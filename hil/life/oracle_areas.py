"""The life of an area: it comes back as it was, and its exit and entry delays end when they should."""

from typing import ClassVar

from hil.life.happenings import Awake, Dark, Recorded
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, Span, ZoneBook, phase
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import EXTERNAL_KINDS, entry_times
from hil.life.oracle_schedule import is_ripe
from rules.site import Condition, ZoneType

ARMED_KINDS = (
    "area.armed",
    "area.part-armed",
    "area.armed-remotely",
    "area.armed-by-key",
    "area.armed-automatically",
)
DISARMED_KINDS = ("area.disarmed", "area.disarmed-remotely", "area.disarmed-by-key")
LOOSE_MS = 5_000
"""How far from its end a timer may run out: a step takes no time, but a boot does."""


class Areas(Group):
    """Modes, and the timers behind them."""

    kinds: ClassVar[tuple[str, ...]] = (
        *ARMED_KINDS,
        *DISARMED_KINDS,
        "area.exit-started",
        "alarm.24-hour",
        "alarm.tamper",
        "alarm.sensor-tamper",
        "alarm.audible-hold-up",
        "alarm.intruder",
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._exits: dict[str, Span] = {}
        self._entries: dict[str, Span] = {}
        self._opened: dict[str, int] = {}
        self._walked_in: dict[str, int] = {}

    # --- what survives

    def recorded(self, happening: Recorded) -> None:
        if (
            happening.kind not in ARMED_KINDS
            and happening.kind not in DISARMED_KINDS
            and happening.kind != "area.exit-started"
        ):
            self._leads_to_alarm(happening)
            return
        now_phase = {"area.exit-started": "exit-delay"}.get(
            happening.kind, "disarmed" if happening.kind in DISARMED_KINDS else "set"
        )
        part = happening.payload.get("part")
        for area in self.books.by_id(happening.payload.get("areas")):
            area.durable = now_phase
            area.maybe = {phase(area.mode)} - {now_phase}
            if happening.kind in ARMED_KINDS:
                area.part = str(part or "")
                named = self.books.site.parts.get(area.part)
                area.omits = frozenset(named.omits) if named else frozenset()
                if area.mode_at <= happening.at:
                    area.armed_at = max(area.armed_at, 0)

    def _leads_to_alarm(self, record: Recorded) -> None:
        """A set area is in alarm after such an alarm, unless its entry delay runs or somebody disarmed it."""
        zone = self.books.zones.get(str(record.payload.get("zone", "")))
        if zone is None or record.payload.get("bypassed") or record.at - zone.told_at > DURABLE_MS:
            return
        for area in zone.areas:
            if area.mode == "armed" and area.mode_at < zone.told_at and self.books.awake_at < zone.told_at:
                self.books.blame("alarm-mode", f"{record.kind} of {zone.facts.id}, and {area.facts.id} is still armed")

    def restored(self, area: AreaBook, old: str) -> None:
        """GB 50394: comes back set if it was set; no restart and no power cut disarms or arms."""
        seen, id_ = phase(area.mode), area.facts.id
        allowed = {area.durable, *area.maybe}
        long = self.books.now - self.books.dark_at + DURABLE_MS
        if self.books.permit(area, "disarm", long):
            allowed.add("disarmed")
        armed_itself = is_ripe(self.books, area) and self.books.dark_at - self.books.told_clock_at < AT_ONCE_MS
        if armed_itself or self.books.permit(area, "arm", long):
            allowed.add("exit-delay" if area.facts.exit_delay_ms else "set")
            allowed.add("set")
        if "exit-delay" in allowed:
            allowed.add("set")
        if seen not in allowed:
            self.books.blame("arming-lost", f"{id_} was {old} when the panel went dark, and came back {area.mode}")
        area.durable, area.maybe = seen, set()
        if area.mode != "exit-delay":
            self._exits.pop(id_, None)
        if area.mode != "entry-delay":
            self._entries.pop(id_, None)
        shown = self.books.view["areas"][id_]
        area.part, area.instant = str(shown.get("part", "")), bool(shown.get("instant"))
        part = self.books.site.parts.get(area.part)
        area.omits = frozenset(part.omits) if part else frozenset()

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._exits.clear()
        self._entries.clear()

    def dark(self, happening: Dark) -> None:
        """Timers stand in the books until the panel is up again."""

    def awake(self, happening: Awake) -> None:
        for spans, expect in ((self._exits, self._expect_exit), (self._entries, self._expect_entry)):
            for id_, span in list(spans.items()):
                span.after_dark(self.books.dark_at, happening.at, happening.cause)
                expect(self.books.areas[id_])

    # --- modes and their timers

    def moded(self, area: AreaBook, old: str) -> None:
        id_, mode = area.facts.id, area.mode
        if old == "exit-delay":
            self._exit_over(area)
        if old == "entry-delay":
            self._entry_over(area)
        if mode == "exit-delay":
            ends = self.books.now + area.facts.exit_delay_ms
            # The restored state shows before the rules have started, and they begin the delay anew.
            self._exits[id_] = Span(ends, ends if self.books.awake else ends + LOOSE_MS, self.books.now)
            self._opened[id_] = 0
            self._expect_exit(area)
        elif mode == "entry-delay":
            low, high = self._entry_time(area)
            self._entries[id_] = Span(self.books.now + low, self.books.now + high, self.books.now)
            self._walked_in[id_] = self.books.now
            self._expect_entry(area)
        if mode == "alarm":
            self._in_alarm(area, old)
        if mode not in ("disarmed", "exit-delay") and old in ("disarmed", "exit-delay"):
            area.armed_at = self.books.now

    def _in_alarm(self, area: AreaBook, old: str) -> None:
        """Some alarm that puts an area in alarm is recorded; and it ends with its sirens (Sirens, at the limit)."""
        at, books = self.books.now, self.books

        def caused(_due: int) -> None:
            if not books.recorded_since(at, EXTERNAL_KINDS, area.facts.id) and not books.storage_bad():
                boxed = books.recorded_since(at, ("trouble.box",), "")
                if not boxed:
                    books.blame(
                        "alarm-mode",
                        f"{area.facts.id} is in alarm since {at}, and nothing recorded since leads to that",
                    )

        def ended(_due: int) -> None:
            if area.mode == "alarm" and area.mode_at == at and area.touched_at < at:
                books.blame("alarm-endless", f"{area.facts.id} is in alarm since {at}")

        if old != "exit-delay":  # what sounded in the exit delay goes on
            books.expect(at + DURABLE_MS, caused)
        books.expect(at + books.site.timings.siren_max_ms + DURABLE_MS, ended)

    def _entry_time(self, area: AreaBook) -> tuple[int, int]:
        """The zone's own time, else the area's second or first (Entry), of the zones that may have begun it."""
        books, shortest, longest = self.books, 1 << 40, 0
        for zone in books.zones.values():
            if area not in zone.areas or zone.facts.type not in (ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER):
                continue
            # While it starts it is told what the wires read.
            if (zone.told if books.awake else zone.wire) is Condition.ACTIVE:
                times = entry_times(
                    zone.facts, tuple((a.facts.entry_delay_ms, a.facts.entry_delay_2_ms) for a in zone.areas)
                )
                shortest, longest = min(shortest, times[0]), max(longest, times[1])
        if shortest > longest:
            both = (area.facts.entry_delay_ms, area.facts.entry_delay_2_ms or area.facts.entry_delay_ms)
            return min(both), max(both)
        return shortest, longest

    def _expect_entry(self, area: AreaBook) -> None:
        span = self._entries[area.facts.id]

        def check(due: int) -> None:
            if area.mode == "entry-delay" and self._entries.get(area.facts.id) is span:
                if due < span.high + AT_ONCE_MS:
                    self.books.expect(span.high + AT_ONCE_MS, check)
                    return
                self.books.blame("entry-too-long", f"{area.facts.id} is in its entry delay past {span.high}")

        self.books.expect(max(span.high, self.books.now) + AT_ONCE_MS, check)

    def _expect_exit(self, area: AreaBook) -> None:
        span = self._exits[area.facts.id]

        def check(due: int) -> None:
            if area.mode == "exit-delay" and self._exits.get(area.facts.id) is span:
                if due < span.high + AT_ONCE_MS:
                    self.books.expect(span.high + AT_ONCE_MS, check)
                    return
                self.books.blame("exit-too-long", f"{area.facts.id} is in its exit delay past {span.high}")

        self.books.expect(max(span.high, self.books.now) + AT_ONCE_MS, check)

    def _exit_over(self, area: AreaBook) -> None:
        """Only its time, a final door, or somebody ends an exit delay (Arming, Exit delay)."""
        span = self._exits.pop(area.facts.id, None)
        if span and area.mode != "disarmed" and self.books.now < span.low - LOOSE_MS:
            self.books.blame("exit-too-short", f"{area.facts.id} was armed {span.low - self.books.now} ms too early")

    def _entry_over(self, area: AreaBook) -> None:
        """An entry delay ends by its time, by another alarm, or because a common area was disarmed (Entry)."""
        span, books = self._entries.pop(area.facts.id, None), self.books
        if span is None or area.mode == "disarmed" or books.now >= span.low - LOOSE_MS:
            return
        if area.mode == "armed":
            began = self._walked_in.get(area.facts.id, 0)
            if not any(a.disarmed_at >= began for a in books.areas.values() if a is not area):
                books.blame(
                    "entry-too-short", f"{area.facts.id} went back to armed {span.low - books.now} ms too early"
                )
        elif area.mode == "alarm" and not self._alarmed_now(area):
            books.blame(
                "entry-too-short", f"{area.facts.id} alarmed {span.low - books.now} ms before its entry delay ended"
            )

    def _alarmed_now(self, area: AreaBook) -> bool:
        """Something else has just happened in this area, or in one that shares an entry with it."""
        books = self.books
        recent = books.now - AT_ONCE_MS
        if any(
            z.told_at >= recent and z.told is not Condition.NORMAL and area in z.areas for z in books.zones.values()
        ):
            return True
        return any(t.startswith("box") and at >= recent for t, at in books.trouble_at.items()) or any(
            a is not area and a.mode_at >= recent for a in books.areas.values()
        )

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:  # noqa: ARG002
        """A door in the exit delay: opened again it restarts it, once; a final door that closes ends it soon."""
        if self._exits and not asked and zone.facts.type is ZoneType.ENTRY_EXIT:
            self._by_the_door(zone)

    def _by_the_door(self, zone: ZoneBook) -> None:
        for area in zone.areas:
            span = self._exits.get(area.facts.id)
            if span is None or area.mode != "exit-delay":
                continue
            timings = self.books.site.timings
            if zone.wire is Condition.ACTIVE and timings.exit_restart:
                span.high = max(span.high, self.books.now + area.facts.exit_delay_ms)
            elif zone.wire is Condition.NORMAL and zone.facts.final_door:
                span.low = min(span.low, self.books.now + timings.final_set_ms)
