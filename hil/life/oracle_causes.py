"""No false alarm: every alarm record has its cause in the world, and a condition that stands is told once.

Each change of a wire, as the panel was told of it, is one credit for one alarm. Moments in which the rules look at a
zone anew (armed, settled, up again) give one more; a restart gives none where the alarm was durable.
"""

from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from hil.life.happenings import Awake, Recorded, Troubled
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import (
    INTRUDER_KINDS,
    INTRUSION,
    MAY_KEEP_RESTORES,
    TAMPER_KINDS,
    ZONE_ALARMS,
    alarm_kinds,
    settles_ms,
)
from rules.site import Condition

MEMORY_MS = 900_000
"""So long after its cause an alarm may be reported: entry delay, abort window, hold and power cuts together."""


class Causes(Group):
    """Alarm records and their causes."""

    kinds: ClassVar[tuple[str, ...]] = ("alarm", "restore", "zone.alarm-held", "zone.unbypassed", "zone.unisolated")

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._held: dict[tuple[str, object], int] = {}

    # --- what may alarm

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:  # noqa: ARG002
        if zone.wire is Condition.NORMAL:
            self._at_rest(zone)
            return
        if asked:
            return
        if zone.wire is Condition.ACTIVE and (self._rests(zone) or self._settles(zone)):
            return
        zone.credits.append((self.books.now, zone.wire.value))

    def _at_rest(self, zone: ZoneBook) -> None:
        """Where restores are not reported the end of an alarm is not seen: it may trip again (Restores)."""
        if not zone.facts.report_restore and zone.facts.type in MAY_KEEP_RESTORES:
            for kind in [kind for kind in zone.standing if kind not in TAMPER_KINDS]:
                del zone.standing[kind]

    def _settles(self, zone: ZoneBook) -> bool:
        """After power-up it is not believed active for a while; what is active then is counted by `_settled`."""
        return self.books.now < self.books.powered_at + settles_ms(zone.facts) - AT_ONCE_MS

    def _rests(self, zone: ZoneBook) -> bool:
        """It does not count for certain: bypassed, isolated, at rest by its part, or its areas are disarmed."""
        if not zone.sure(self.books.now):
            return False
        if zone.facts.type in INTRUSION and any(a.mode == "disarmed" for a in zone.areas):
            return True
        return bool(zone.out or (zone.resting and zone.facts.type in INTRUSION))

    def found(self, zone: ZoneBook, before: Condition | None) -> None:
        """The panel reads a zone anew. What is recorded as standing it may not tell again."""
        condition = zone.wire.value
        if zone.wire is Condition.NORMAL:
            self._at_rest(zone)
            return
        if self._stands(zone, condition):
            return
        if before is zone.wire and zone.facts.type not in INTRUSION and any(c == condition for _, c in zone.credits):
            return
        if not (zone.wire is Condition.ACTIVE and self._settles(zone)):
            zone.credits.append((self.books.now, condition))

    def _stands(self, zone: ZoneBook, condition: str) -> bool:
        """Its alarm is durable, was not restored since, and the zone has not changed in the dark."""
        kinds = alarm_kinds(zone.facts, condition)
        return any(kind in kinds and zone.stood.get(kind) == condition for kind in zone.standing)

    def moded(self, area: AreaBook, old: str) -> None:
        """What is active when an area is armed, goes back to armed, or has its alarm ended, counts anew."""
        if old == "exit-delay" or area.mode == "armed" or (old == "entry-delay" and area.mode == "alarm"):
            self._anew(z for z in self.books.zones.values() if area in z.areas)

    def _anew(self, zones: Iterable[ZoneBook]) -> None:
        for zone in zones:
            counts = zone.told not in (None, Condition.NORMAL) and zone.facts.type in INTRUSION
            if counts and zone.told is not None and not self._rests(zone) and not self._settles(zone):
                zone.credits.append((self.books.now, zone.told.value))

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        """What was told may be told again."""
        for zone in self.books.zones.values():
            zone.standing.clear()

    def awake(self, happening: Awake) -> None:
        if happening.cause == "restart":
            return
        for zone in self.books.zones.values():
            if settles := settles_ms(zone.facts):
                self.books.expect(happening.at + settles - 1, partial(self._settled, zone))

    def _settled(self, zone: ZoneBook, _due: int) -> None:
        if zone.told is Condition.ACTIVE:
            zone.credits.append((self.books.now, "active"))

    def troubled(self, happening: Troubled) -> None:
        """Where its driver is well again, a fault may mean a cut supply after all."""
        self._anew_faults()
        del happening

    def _anew_faults(self) -> None:
        for zone in self.books.zones.values():
            if zone.told is Condition.FAULT and zone.facts.supply_cut and not zone.standing:
                zone.credits.append((self.books.now, "fault"))

    # --- what alarmed

    def recorded(self, happening: Recorded) -> None:
        zone = self.books.zones.get(str(happening.payload.get("zone", "")))
        if happening.kind.startswith("alarm.") and happening.kind not in ZONE_ALARMS:
            return
        if zone is None:
            if happening.kind in ZONE_ALARMS and happening.kind != "alarm.exit-error":
                self.books.blame("false-alarm", f"{happening.kind} of no zone that exists")
            return
        if happening.kind in ("zone.unbypassed", "zone.unisolated"):
            # It counts again, at once, with what it reads.
            zone.credits.append((happening.at, zone.told.value if zone.told else ""))
        elif happening.kind.startswith("restore."):
            self._restored(zone, happening.kind)
            if happening.at == self.books.dark_at and zone.told not in (None, Condition.NORMAL):
                # Told at a start: what it was found in then is another alarm.
                zone.credits.append((self.books.now, zone.told.value))
        elif happening.kind == "zone.alarm-held":
            self._held[(zone.facts.id, happening.payload.get("incident"))] = happening.at
            self._use(zone, happening)
        else:
            self._alarm(zone, happening)

    def _restored(self, zone: ZoneBook, kind: str) -> None:
        what = kind.partition(".")[2]
        for stood in list(zone.standing):
            name = stood.partition(".")[2]
            if (
                name == what
                or (what == "intruder" and stood in INTRUDER_KINDS)
                or (what == "hold-up" and "duress" in name)
            ):
                del zone.standing[stood]

    def _alarm(self, zone: ZoneBook, record: Recorded) -> None:
        kind, condition = record.kind, _condition(record)
        if kind not in alarm_kinds(zone.facts, condition):
            self.books.blame("false-alarm", f"{zone.facts.id} ({zone.facts.type}, {condition}) was recorded as {kind}")
        if zone.told is not Condition.NORMAL:  # else it is over already, and no restore will come
            zone.standing[kind], zone.stood[kind] = record.at, condition
        if kind in INTRUDER_KINDS:
            self._was_set(zone, record)
        if self._held.pop((zone.facts.id, record.payload.get("incident")), None) is None:
            self._use(zone, record)

    def _was_set(self, zone: ZoneBook, record: Recorded) -> None:
        """A zone of the intruder kind alarms only while all its areas are set (Common zones)."""
        window = record.at - DURABLE_MS - self.books.site.timings.abort_ms - MEMORY_MS
        for area in zone.areas:
            if not area.is_set and area.mode_at < window:
                self.books.blame(
                    "resting-alarm", f"{record.kind} of {zone.facts.id}, and {area.facts.id} is {area.mode}"
                )

    def _use(self, zone: ZoneBook, record: Recorded) -> None:
        condition = _condition(record)
        books = self.books
        while zone.credits and record.at - (at := zone.credits[0][0]) > MEMORY_MS + books.dark_since(at):
            zone.credits.popleft()
        for credit in zone.credits:
            if credit[1] == condition or record.kind == "zone.alarm-held":
                zone.credits.remove(credit)
                return
        if books.storage_bad():
            return
        again = "repeated-alarm" if zone.told is not None and zone.told.value == condition else "false-alarm"
        books.blame(again, f"{record.kind} of {zone.facts.id} ({condition}) without a cause of its own")


def _condition(record: Recorded) -> str:
    """What made it alarm: a zone that is at rest again when its alarm comes was active."""
    condition = str(record.payload.get("condition") or "active")
    return "active" if condition == "normal" else condition
