"""Nobody gets in unheard: what is active, cut, shorted, masked or faulty is recorded, and what must sound sounds.

Expected is only what the words of docs/rules.md leave no doubt of; where a zone's bypass, part or filter is not
certain, nothing.
"""

from typing import ClassVar

from hil.life.happenings import Awake, Dark, Recorded
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import (
    ALWAYS,
    FAULT_KINDS,
    HOLD_UPS,
    IN_WALK_TEST,
    INTRUSION,
    SILENT_TYPES,
    TAMPER_KINDS,
    UNDECIDED,
    line_kind,
    plain,
    quiet,
    settles_ms,
)
from rules.site import Condition, OutputKind, Place, ZoneType

DRIVER_MS = 30_000
"""A driver's trouble and the faults of its zones may come in either order, so far apart."""
HELD = "zone.alarm-held"


class Intrusion(Group):
    """What the panel must record and sound, zone by zone."""

    kinds: ClassVar[tuple[str, ...]] = (
        "test.walk-started",
        "test.walk-ended",
        "zone.bypassed",
        "zone.unbypassed",
        "zone.isolated",
        "zone.unisolated",
        "zone.swinger-shutdown",
        "zone.swinger-ended",
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._walk_until = -1
        self._walk_hold_up = False
        self._walking = False
        self._forgot = self._forgetting = False

    # --- what the panel is told

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        if asked:
            return
        condition = zone.wire
        if condition is Condition.ACTIVE:
            self._active(zone, before)
        elif condition is Condition.NORMAL:
            self._normal(zone)
        elif condition in (Condition.OPEN, Condition.SHORT):
            self._line(zone)
        else:
            self._ill(zone, before)

    def found(self, zone: ZoneBook, before: Condition | None) -> None:
        """What changed in the dark is noticed when drivers report (Start). Certain only where the books are."""
        if self.books.cause == "first" or self._forgot or any(a.maybe for a in zone.areas) or zone.standing:
            return
        if zone.wire is Condition.ACTIVE and before is Condition.NORMAL and not settles_ms(zone.facts):
            if zone.facts.type in ALWAYS:
                self._active(zone, before)
        elif zone.wire in (Condition.OPEN, Condition.SHORT) and before is not zone.wire:
            self._line(zone)

    def dark(self, happening: Dark) -> None:  # noqa: ARG002
        self._forgot, self._forgetting = self._forgetting, False

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self._forgetting = True

    def awake(self, happening: Awake) -> None:
        self._walk_until = max(self._walk_until, happening.at + DURABLE_MS) if self._walking else self._walk_until

    def _active(self, zone: ZoneBook, before: Condition | None) -> None:
        facts = zone.facts
        if facts.type in INTRUSION and not zone.all_set:
            if facts.type is ZoneType.DAY and all(a.mode == "disarmed" for a in zone.areas) and quiet(before):
                self._day(zone)
            return
        if not quiet(before) or before is None or not zone.sure(self.books.now) or not plain(facts):
            return
        if zone.out or zone.shut or zone.resting or self._settling(zone):
            return
        if facts.type in ALWAYS:
            self._always(zone)
        elif facts.type in INTRUSION:
            self._set_zone(zone)

    def _settling(self, zone: ZoneBook) -> bool:
        settles = settles_ms(zone.facts)
        return bool(settles) and self.books.now <= self.books.powered_at + settles + DURABLE_MS

    def _day(self, zone: ZoneBook) -> None:
        counts = plain(zone.facts) and zone.sure(self.books.now) and not zone.out
        if counts and not self._testing(zone) and not self._settling(zone):
            self._must_record(zone, ("zone.day-trouble", "alarm.day"), "missed-fault", "was active while disarmed")

    def _testing(self, zone: ZoneBook) -> bool:
        """A walk test may run for it."""
        if self.books.now > self._walk_until:
            return False
        if zone.facts.type in HOLD_UPS:
            return self._walk_hold_up
        return zone.facts.type not in IN_WALK_TEST

    def _always(self, zone: ZoneBook) -> None:
        """24-hour, hold-up, fire ... alarm whatever the mode."""
        if self._testing(zone):
            return
        kind = ALWAYS[zone.facts.type]
        rule = "missed-hold-up" if zone.facts.type in HOLD_UPS else "missed-alarm"
        self._must_record(zone, (kind,), rule, "was active")
        if zone.facts.type not in SILENT_TYPES and zone.facts.type not in (ZoneType.WATER, ZoneType.TECHNICAL):
            external = zone.facts.type in (ZoneType.AUDIBLE_HOLD_UP, ZoneType.TAMPER, ZoneType.TWENTY_FOUR_HOUR)
            self._must_sound(zone, external)

    def _set_zone(self, zone: ZoneBook) -> None:
        """A zone of the intruder kind, and all its areas are set."""
        modes = {area.mode for area in zone.areas}
        if zone.facts.type is ZoneType.ENTRY_EXIT:
            self._door(zone, modes)
        elif zone.facts.type is ZoneType.FOLLOWER:
            self._follower(zone, modes)
        else:
            kinds = ("alarm.day", "alarm.intruder") if zone.facts.type is ZoneType.DAY else ("alarm.intruder",)
            self._must_record(zone, (*kinds, HELD), "missed-alarm", f"was active, its areas {sorted(modes)}")
            self._must_sound(zone, external=True)

    def _door(self, zone: ZoneBook, modes: set[str]) -> None:
        """It starts the entry delay of its armed areas; with instant arming, or in alarm, it alarms at once (Entry)."""
        at, books = self.books.now, self.books
        instant = [area.instant for area in zone.areas]
        if modes == {"armed"} and not any(instant) and None not in instant:

            def check(_due: int) -> None:
                if any(area.mode == "armed" and area.mode_at < at for area in zone.areas):
                    books.blame("missed-entry", f"{zone.facts.id} was opened at {at}, and no entry delay runs")

            books.expect(at + AT_ONCE_MS, check)
        elif modes == {"alarm"} or (modes == {"armed"} and all(instant)):
            self._must_record(
                zone, ("alarm.entry", "alarm.intruder", HELD), "missed-alarm", f"was opened, {sorted(modes)}"
            )

    def _follower(self, zone: ZoneBook, modes: set[str]) -> None:
        """Without a running delay it alarms at once, unless no entry-exit zone of its area counts (Entry)."""
        if modes == {"armed"} and all(self._has_door(area) for area in zone.areas):
            self._must_record(zone, ("alarm.intruder", HELD), "missed-alarm", "was active, and no entry delay runs")
            self._must_sound(zone, external=True)
        elif modes == {"alarm"}:
            self._must_record(zone, ("alarm.intruder", HELD), "missed-alarm", "was active in an area in alarm")

    def _has_door(self, area: AreaBook) -> bool:
        """An entry-exit zone of this area counts for certain, or it has none at all."""
        doors = [z for z in self.books.zones.values() if z.facts.type is ZoneType.ENTRY_EXIT and area in z.areas]
        return not doors or any(z.out is False and z.resting is False for z in doors)

    def _normal(self, zone: ZoneBook) -> None:
        """The end of an alarm is recorded when the zone is normal again (Restores)."""
        kinds = [
            k for k in zone.standing if k not in ("alarm.entry", "alarm.exit-error", "alarm.intruder", "alarm.day")
        ]
        if not kinds or not zone.facts.report_restore or zone.facts.type in UNDECIDED or zone.facts.soak:
            return
        if self._testing(zone) or not zone.sure(self.books.now):
            return
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            left = [k for k in kinds if zone.standing.get(k, at + 1) < at]
            if left and zone.told is Condition.NORMAL and zone.told_at == at and not books.storage_bad():
                books.blame("missed-restore", f"{zone.facts.id} is at rest since {at}, and {left} was not restored")

        books.expect(at + DURABLE_MS, check)

    def _line(self, zone: ZoneBook) -> None:
        """GB 55029 3.5.1(3): open and short alarm, armed or not; a change from one to the other is another alarm."""
        if zone.facts.soak or self._testing(zone):
            return
        self._must_record(zone, TAMPER_KINDS, "missed-line", f"is {zone.wire}", line_kind(zone.facts))
        if zone.out is False and zone.sure(self.books.now):
            self._must_sound(zone, external=True)

    def _ill(self, zone: ZoneBook, before: Condition | None) -> None:
        """Masked: a fault while unset, a tamper alarm while set. Fault: recorded, or a cut supply."""
        facts = zone.facts
        if facts.type in (*UNDECIDED, ZoneType.TAMPER) or facts.soak or zone.out is not False or self._testing(zone):
            return
        if not zone.sure(self.books.now) or before not in (Condition.NORMAL, Condition.ACTIVE):
            return
        if zone.wire is Condition.FAULT and facts.supply_cut and not self._driver_ill(zone):
            self._must_record(zone, (*TAMPER_KINDS, *FAULT_KINDS), "missed-line", "has no supply")
        else:
            self._must_record(zone, (*FAULT_KINDS, *TAMPER_KINDS), "missed-fault", f"reads {zone.wire}")

    def _driver_ill(self, zone: ZoneBook) -> bool:
        driver = zone.facts.driver
        names = (f"driver:{driver}", f"bus:{driver}")
        at = [self.books.trouble_at.get(n, -DRIVER_MS) for n in names]
        return any(n in self.books.troubles for n in names) or self.books.now - max(at) < DRIVER_MS

    # --- what must follow

    def _must_record(self, zone: ZoneBook, kinds: tuple[str, ...], rule: str, what: str, expected: str = "") -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            if not books.recorded_since(at, kinds, zone.facts.id) and not books.storage_bad():
                books.blame(rule, f"{zone.facts.id} {what} at {at}; no {expected or kinds[0]} is recorded")

        books.expect(at + DURABLE_MS, check)

    def _must_sound(self, zone: ZoneBook, external: bool) -> None:
        """Sirens without a delay of their own sound at once for a fresh alarm (GB 55029 3.5.1(8))."""
        at, books = self.books.now, self.books
        fresh = [a for a in zone.areas if a.mode != "alarm"]
        sirens = [
            o.id
            for o in books.site.outputs.values()
            if o.kind is OutputKind.SIREN
            and not o.delay_ms
            and any(a.facts.id in o.areas and (o.place is Place.INTERNAL or (external and a.is_set)) for a in fresh)
        ]
        if not sirens:
            return

        def check(_due: int) -> None:
            touched = any(a.touched_at >= at or (a.disarmed_at >= at) for a in zone.areas)
            if touched or all(a.mode == "disarmed" and a not in fresh for a in zone.areas):
                return
            still = [s for s in sirens if not books.pins.get(s) and books.pin_at.get(s, -1) < at]
            if still and not self._resting_siren(still, at):
                books.blame("silent-siren", f"{zone.facts.id} {zone.wire} at {at}; {', '.join(still)} does not sound")

        books.expect(at + AT_ONCE_MS, check)

    def _resting_siren(self, sirens: list[str], at: int) -> bool:
        """It reached its limit, or was silenced, within an alarm that may still go on."""
        longest = self.books.site.timings.siren_max_ms + DURABLE_MS
        return all(at - self.books.pin_at.get(s, -1 << 40) < longest for s in sirens)

    # --- what the books must know

    def recorded(self, happening: Recorded) -> None:
        kind, payload = happening.kind, happening.payload
        if kind == "test.walk-started":
            self._walking = True
            self._walk_until = 1 << 62
            self._walk_hold_up = bool(payload.get("hold_up"))
            return
        if kind == "test.walk-ended":
            self._walking, self._walk_until = False, happening.at + AT_ONCE_MS
            return
        zone = self.books.zones.get(str(payload.get("zone", "")))
        if zone is None:
            return
        if kind.endswith("bypassed"):
            zone.bypassed = kind == "zone.bypassed"
        elif kind.endswith("isolated"):
            zone.isolated = kind == "zone.isolated"
        else:
            zone.shut = kind == "zone.swinger-shutdown"
        zone.unsure_until = max(min(zone.unsure_until, happening.at), happening.at)

    def moded(self, area: AreaBook, old: str) -> None:
        """Disarming ends the bypasses of zones none of whose areas stays armed."""
        if area.mode == "disarmed":
            for zone in self.books.zones.values():
                if area in zone.areas and all(a.mode == "disarmed" for a in zone.areas):
                    if zone.bypassed:
                        self._must_end_bypass(zone)
                    zone.bypassed = zone.shut = False
        elif old == "disarmed":
            for zone in self.books.zones.values():
                if area in zone.areas:
                    zone.unsure_until = max(zone.unsure_until, self.books.now + AT_ONCE_MS)

    def _must_end_bypass(self, zone: ZoneBook) -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            shown = books.view.get("zones", {}).get(zone.facts.id, {})
            if shown.get("bypassed") and not zone.isolated and not zone.bypassed and zone.unsure_until < at:
                books.blame("bypass-kept", f"{zone.facts.id} is still bypassed after its areas were disarmed")

        books.expect(at + AT_ONCE_MS, check)

    def restored(self, area: AreaBook, old: str) -> None:  # noqa: ARG002
        """A bypass goes on over restarts; one whose record or end was not durable may have gone either way."""
        books = self.books
        shown = books.view.get("zones", {})
        for zone in books.zones.values():
            if area is not zone.areas[0]:
                continue
            uncertain = self._forgot or zone.unsure_until >= books.dark_at or any(a.maybe for a in zone.areas)
            uncertain = uncertain or any(books.dark_at - a.disarmed_at < DURABLE_MS for a in zone.areas)
            seen = bool(shown.get(zone.facts.id, {}).get("bypassed"))
            if uncertain:
                zone.bypassed = seen
            elif zone.bypassed and not seen:
                books.blame("bypass-lost", f"{zone.facts.id} was bypassed and counts again after the restart")
