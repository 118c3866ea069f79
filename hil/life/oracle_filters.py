"""Filters against false alarms: pulses, double knock, cross zones, swinger shutdown, trial; and confirmation."""

from collections import deque
from typing import ClassVar

from hil.life.happenings import Dark, Recorded
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import INTRUDER_KINDS, INTRUSION, NO_SOAK
from rules.site import Condition, ZoneType

HOLD_UP_KINDS = ("alarm.hold-up", "alarm.duress", "alarm.duress-button", "alarm.audible-hold-up")
TAMPERS = ("alarm.tamper", "alarm.sensor-tamper")
LOOSE_MS = 5_000


class Filters(Group):
    """Which alarms the filters let through, and what they make of two."""

    kinds: ClassVar[tuple[str, ...]] = (
        "alarm",
        "zone.alarm-held",
        "zone.unconfirmed",
        "zone.swinger-shutdown",
        "zone.swinger-ended",
        "area.reinstated",
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self._active: dict[str, deque[int]] = {z: deque(maxlen=32) for z in books.zones}
        self._groups: dict[str, list[ZoneBook]] = {}
        for zone in books.zones.values():
            if zone.facts.cross_group:
                self._groups.setdefault(zone.facts.cross_group, []).append(zone)
        self._trips: dict[str, int] = {}
        self._uncounted: set[str] = set()
        """Zones whose alarms in this armed period the panel may have forgotten."""
        self._held: set[tuple[str, object]] = set()
        self._alarms: dict[str, deque[tuple[int, ZoneBook]]] = {a: deque(maxlen=2048) for a in books.areas}
        self._confirmed: dict[str, int] = {}
        self._entered: set[str] = set()
        self._hold_ups: deque[tuple[int, str]] = deque(maxlen=64)
        self._tampers: deque[tuple[int, str]] = deque(maxlen=64)
        self._dark_at = -1

    def forgotten(self, since: int) -> None:
        """Of this armed period less is known than was counted."""
        self._uncounted = {*self.books.zones}
        self._confirmed = {area: at for area, at in self._confirmed.items() if at < since}

    def dark(self, happening: Dark) -> None:
        self._dark_at = happening.at
        for times in self._active.values():
            times.clear()

    # --- activations

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        if asked or zone.wire is not Condition.ACTIVE:
            return
        facts, now = zone.facts, self.books.now
        if facts.pulses <= 1 and not facts.double_knock and not facts.cross_group and not facts.soak:
            return
        times = self._active[facts.id]
        times.append(now)
        if before is not Condition.NORMAL or not zone.sure(now) or zone.out or zone.shut or zone.resting:
            return
        if facts.settle_ms and now < self.books.powered_at + facts.settle_ms + DURABLE_MS:
            return
        if facts.soak and facts.type not in NO_SOAK:
            if zone.all_set and facts.type is ZoneType.INSTANT:
                self._must(zone, ("zone.soak-tripped",), "missed-fault", "is on trial and tripped")
        elif facts.type is ZoneType.INSTANT and zone.all_set and not facts.soak:
            self._count(zone, times, now)

    def _count(self, zone: ZoneBook, times: deque[int], now: int) -> None:
        """Pulses and knocks whose number leaves no doubt, since the area was armed; the second of a cross group."""
        facts = zone.facts
        needed = max(facts.pulses, 2 if facts.double_knock else 1)
        since = max([a.mode_at for a in zone.areas] + [self.books.last.get(("alarm.intruder", facts.id), -1) + 1])
        enough = needed == 1 or (
            len(times) >= needed
            and now - times[-needed] <= facts.pulse_window_ms - 1
            and times[-needed] > since
            and sum(t > since for t in times) == needed
        )
        if not enough:
            return
        if not facts.cross_group:
            self._must(
                zone, ("alarm.intruder", "zone.alarm-held"), "missed-alarm", f"tripped {needed} times in its window"
            )
        elif needed == 1:
            self._cross(zone, now)

    def _cross(self, zone: ZoneBook, now: int) -> None:
        """When another one of the group trips within the time, both alarm (CP-01 row 14)."""
        timings = self.books.site.timings
        for other in self._groups[zone.facts.cross_group]:
            times = self._active[other.facts.id]
            plain = other.facts.pulses <= 1 and not other.facts.double_knock and other.facts.type is ZoneType.INSTANT
            counts = other.sure(now) and not (other.out or other.shut or other.resting or other.facts.soak)
            if other is zone or not times or not plain or not counts or not other.all_set or times[-1] == now:
                continue
            if not self.books.recorded_since(times[-1], ("zone.unconfirmed",), other.facts.id):
                continue  # it has alarmed with another one already
            mode_at = max(a.mode_at for a in (*other.areas, *zone.areas))
            if (
                now - times[-1] < timings.cross_ms - AT_ONCE_MS
                and times[-1] > mode_at
                and times[-1] > self.books.awake_at
            ):
                self._must(zone, ("alarm.intruder", "zone.alarm-held"), "cross-zone", f"tripped after {other.facts.id}")
                return

    def _must(self, zone: ZoneBook, kinds: tuple[str, ...], rule: str, what: str) -> None:
        at, books = self.books.now, self.books

        def check(_due: int) -> None:
            if not books.recorded_since(at, kinds, zone.facts.id) and not books.storage_bad():
                books.blame(rule, f"{zone.facts.id} {what} at {at}; no {kinds[0]} is recorded")

        books.expect(at + DURABLE_MS, check)

    # --- alarms

    def recorded(self, happening: Recorded) -> None:
        kind = happening.kind
        zone = self.books.zones.get(str(happening.payload.get("zone", "")))
        if kind == "alarm.confirmed":
            self._is_confirmed(happening)
        elif kind == "alarm.hold-up-confirmed":
            self._hold_up_confirmed(happening)
        elif kind == "area.reinstated":
            self._reinstated(happening)
        elif kind in HOLD_UP_KINDS:
            self._hold_up(happening)
        elif zone is None:
            return
        elif kind == "zone.unconfirmed":
            if not zone.facts.cross_group:
                self.books.blame("cross-zone", f"{zone.facts.id} is in no cross group, and was recorded as unconfirmed")
        elif kind == "zone.swinger-shutdown":
            self._shut(zone)
        elif kind == "zone.swinger-ended":
            self._trips[zone.facts.id] = 0
        elif kind in (*INTRUDER_KINDS, "zone.alarm-held"):
            self._intruder(zone, happening)
        elif kind in TAMPERS and zone.facts.type in (ZoneType.HOLD_UP, ZoneType.AUDIBLE_HOLD_UP, ZoneType.DURESS):
            self._tampers.append((happening.at, zone.facts.id))

    def _intruder(self, zone: ZoneBook, record: Recorded) -> None:
        key = (zone.facts.id, record.payload.get("incident"))
        if record.kind == "zone.alarm-held":
            self._held.add(key)
        elif key in self._held:
            self._held.discard(key)
            return
        for area in zone.areas:
            self._alarms[area.facts.id].append((record.at, zone))
        self._filtered(zone, record)
        limit = self._limit(zone)
        trips = self._trips[zone.facts.id] = self._trips.get(zone.facts.id, 0) + 1
        if limit and trips > limit and zone.facts.id not in self._uncounted:
            self.books.blame(
                "swinger", f"{zone.facts.id} alarmed {trips} times in one armed period, its limit is {limit}"
            )
        self._second(zone, record)

    def _filtered(self, zone: ZoneBook, record: Recorded) -> None:
        facts, times = zone.facts, self._active[zone.facts.id]
        if record.payload.get("condition") != "active" or record.at - self._dark_at < 2 * DURABLE_MS + 900_000:
            return
        if facts.soak and facts.type not in NO_SOAK:
            self.books.blame("resting-alarm", f"{facts.id} is on trial, and {record.kind} was recorded")
        if facts.pulses > 1 and facts.type in INTRUSION and self._most(times, facts.pulse_window_ms) < facts.pulses:
            self.books.blame("false-alarm", f"{facts.id} needs {facts.pulses} pulses, and {record.kind} was recorded")
        if facts.cross_group and facts.type in INTRUSION:
            window = self.books.site.timings.cross_ms + DURABLE_MS
            others = [z for z in self._groups[facts.cross_group] if z is not zone]
            near = [t for z in others for t in self._active[z.facts.id] if record.at - t < window + 900_000]
            mine = [t for t in times if any(abs(t - n) <= window for n in near)]
            fresh = all(a.mode_at >= zone.told_at and a.before == "armed" for a in zone.areas)
            # In an area that is in alarm they alarm one by one, also where another zone made it so in the same moment.
            joined = any(t >= zone.told_at and z is not zone for a in zone.areas for t, z in self._alarms[a.facts.id])
            if not mine and facts.type is ZoneType.INSTANT and fresh and not joined:
                self.books.blame("cross-zone", f"{facts.id} alarmed alone, its group is {facts.cross_group}")

    def _most(self, times: deque[int], window: int) -> int:
        return max((sum(0 <= t - first <= window + AT_ONCE_MS for t in times) for first in times), default=0)

    # --- swinger shutdown

    def _limit(self, zone: ZoneBook) -> int:
        own = zone.facts.swinger_trips
        return self.books.site.timings.swinger_trips if own is None else own

    def _shut(self, zone: ZoneBook) -> None:
        limit, trips = self._limit(zone), self._trips.get(zone.facts.id, 0)
        if zone.facts.type not in INTRUSION:
            self.books.blame("swinger", f"{zone.facts.id} ({zone.facts.type}) was shut down")
        elif (not limit or trips < limit) and zone.facts.id not in self._uncounted:
            self.books.blame("swinger", f"{zone.facts.id} was shut down after {trips} alarms, its limit is {limit}")

    def moded(self, area: AreaBook, old: str) -> None:
        if area.mode == "entry-delay":
            self._entered.add(area.facts.id)
        if old in ("disarmed", "exit-delay") and area.is_set:
            self._entered.discard(area.facts.id)
            self._confirmed.pop(area.facts.id, None)
            for zone in self.books.zones.values():
                if area in zone.areas:
                    self._trips[zone.facts.id] = 0
                    self._uncounted.discard(zone.facts.id)

    # --- confirmation

    def _second(self, zone: ZoneBook, record: Recorded) -> None:
        """An alarm of another zone that names another detector confirms the first (digest §6)."""
        books, window = self.books, self.books.site.timings.confirm_ms
        if len(zone.areas) != 1 or record.kind != "alarm.intruder" or not window or not zone.facts.detector:
            return
        area = zone.areas[0]
        id_ = area.facts.id
        earlier = [
            (t, z) for t, z in self._alarms[id_] if t >= area.armed_at and z.facts.detector and z.areas == zone.areas
        ]
        if len(earlier) != 2 or id_ in self._entered or id_ in self._confirmed or books.awake_at > area.armed_at:
            return
        (first, other), (_, _) = earlier
        if other is zone or other.facts.detector == zone.facts.detector or not area.is_set:
            return
        if len([t for t, _ in self._alarms[id_] if t >= area.armed_at]) != 2 or record.at - first > window - DURABLE_MS:
            return

        def check(_due: int) -> None:
            if not books.recorded_since(first, ("alarm.confirmed",), id_) and not books.storage_bad():
                books.blame("confirmed", f"{zone.facts.id} after {other.facts.id} in {id_}: no alarm.confirmed")

        books.expect(record.at + DURABLE_MS, check)

    def _is_confirmed(self, record: Recorded) -> None:
        window = self.books.site.timings.confirm_ms + 3 * DURABLE_MS
        for area in self.books.by_id(record.payload.get("areas")):
            id_ = area.facts.id
            alarms = [(t, z) for t, z in self._alarms[id_] if record.at - t <= window + self.books.dark_since(t)]
            pairs = any(self._independent(a, b) for _, a in alarms for _, b in alarms)
            if not pairs:
                self.books.blame("confirmed", f"{id_}: confirmed, and no two detectors alarmed in time")
            if self._confirmed.get(id_, -1) >= 0:
                self.books.blame("confirmed", f"{id_}: confirmed twice in one armed period")
            self._confirmed[id_] = record.at

    def _independent(self, a: ZoneBook, b: ZoneBook) -> bool:
        same = bool(a.facts.detector) and a.facts.detector == b.facts.detector
        return a is not b and not same

    def _reinstated(self, record: Recorded) -> None:
        window = self.books.site.timings.confirm_ms
        for area in self.books.by_id(record.payload.get("areas")):
            alarms = [t for t, _ in self._alarms[area.facts.id]]
            if not alarms or record.at - alarms[0] < window - DURABLE_MS:
                self.books.blame("reinstated", f"{area.facts.id}: reinstated, and no alarm waited for its confirmation")
            if area.facts.id in self._confirmed:
                self.books.blame("reinstated", f"{area.facts.id}: reinstated after it was confirmed")

    # --- hold-ups

    def _hold_up(self, record: Recorded) -> None:
        """A second signal more than 2 minutes and at most 8 hours after the first confirms it."""
        timings, at, books = self.books.site.timings, record.at, self.books
        recent = [(t, w) for t, w in self._hold_ups if at - t <= timings.hold_up_window_ms + DURABLE_MS]
        self._hold_ups.append((at, str(record.payload.get("zone", "")) or "code"))
        if len(recent) != 1 or books.awake_at > recent[0][0] or not timings.hold_up_window_ms:
            return
        first = recent[0][0]
        if books.last.get(("alarm.hold-up-confirmed", ""), -1) >= first - DURABLE_MS:
            return
        gap = at - first
        if not timings.hold_up_gap_ms + DURABLE_MS < gap < timings.hold_up_window_ms - DURABLE_MS:
            return

        def check(_due: int) -> None:
            if not books.recorded_since(at, ("alarm.hold-up-confirmed",), "") and not books.storage_bad():
                books.blame("hold-up-confirmed", f"signals at {first} and {at}: no alarm.hold-up-confirmed")

        books.expect(at + DURABLE_MS, check)

    def _hold_up_confirmed(self, record: Recorded) -> None:
        timings = self.books.site.timings
        longest = timings.hold_up_window_ms + 2 * DURABLE_MS
        times = [t for t, _ in self._hold_ups if record.at - t <= longest + self.books.dark_since(t)]
        gap = timings.hold_up_gap_ms - DURABLE_MS
        tampered = {w for _, w in self._tampers} & {w for _, w in self._hold_ups}
        if not (times and max(times) - min(times) >= gap) and not tampered:
            self.books.blame("hold-up-confirmed", f"confirmed by signals at {times}")
