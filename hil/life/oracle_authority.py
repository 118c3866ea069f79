"""Nothing is disarmed, armed, bypassed, reset or silenced without authority; who has it is obeyed; duress is heard."""

from collections.abc import Iterable
from typing import ClassVar

from hil.life.happenings import Awake, Commanded, Dark, Gone, Person, Recorded, Typed
from hil.life.oracle_books import AT_ONCE_MS, DURABLE_MS, AreaBook, Books, Permit, ZoneBook
from hil.life.oracle_group import Group
from hil.life.oracle_meaning import NEVER_OUT
from hil.life.oracle_people import People, Someone
from hil.life.oracle_schedule import may_arm_itself
from rules.site import Condition, ZoneType
from rules.stimuli import Wish

OPERATOR_WISHES = (Wish.ARM, Wish.DISARM, Wish.SILENCE, Wish.BYPASS, Wish.UNBYPASS, Wish.RESET, Wish.POSTPONE)


class Authority(Group):
    """Codes, keys, commands."""

    kinds: ClassVar[tuple[str, ...]] = (
        "code.locked-out",
        "user.set",
        "user.spent",
        "installer.entered",
        "zone.bypassed",
        "zone.unbypassed",
        "zone.isolated",
        "zone.unisolated",
        "siren.silenced",
        "panel.reset",
        "command.done",
        "test.walk-started",
        "test.siren",
        "test.battery",
    )

    def __init__(self, books: Books) -> None:
        super().__init__(books)
        self.people = People(books)
        self._asked: dict[str, int] = {}
        self._bypass_at: dict[str, int] = {}
        self._key_rested: dict[str, bool | None] = {}
        self._harmed: set[str] = set()
        """Maintained keys whose line was cut, shorted or masked, and that were not at rest since."""
        self._counter = 0

    # --- people

    def person(self, happening: Person) -> None:
        self.people.users[happening.user] = Someone(happening, sure=True)

    def gone(self, happening: Gone) -> None:
        self.people.users.pop(happening.user, None)

    def typed(self, happening: Typed) -> None:
        someone = self.people.users.get(happening.user)
        if someone is None:
            pad = self.people.counted(happening.source, None, wrong=not happening.user)
            sure = pad.lock is not None and pad.recorded and not self.people.crowded
            if sure and pad.lock is not None and pad.lock.high == happening.at + self._lockout:
                self._must_lock(happening.source, happening.at)
            return
        if happening.duress and someone.facts.duress and someone.spent is False:
            self._duress_heard(happening)
        tried = self.people.keypads.get(happening.source)
        locked = tried.locked(happening.at) if tried else False
        locked = None if self.people.crowded else locked
        verdict = self.people.accepted(happening, someone)
        self.people.counted(happening.source, verdict, wrong=False)
        if locked is True or verdict is False:
            return
        if someone.facts.once:
            someone.spent = None  # what was refused for another reason does not use it up
        self._wish(happening, someone, verdict is True and locked is False)

    @property
    def _lockout(self) -> int:
        return self.books.site.timings.lockout_ms

    def _must_lock(self, source: str, at: int) -> None:
        """At so many wrong codes the keypad is locked, and that is recorded (Codes; digest §1.2)."""

        def check(_due: int) -> None:
            if not self.books.recorded_since(at, ("code.locked-out",), f"keypad:{source}"):
                self.books.blame("missed-lock-out", f"{source}: so many wrong codes, and no lock-out is recorded")

        self.books.expect(at + DURABLE_MS, check)

    def _duress_heard(self, typed: Typed) -> None:
        """A duress code calls for help always: in a lock-out, out of its days, without a grant (Silent)."""

        def check(_due: int) -> None:
            if not self.books.recorded_since(typed.at, ("alarm.duress",), typed.user):
                self.books.blame(
                    "missed-hold-up", f"{typed.user} gave the duress code at {typed.source}: no alarm.duress"
                )

        self.books.expect(typed.at + DURABLE_MS, check)
        self._asked["duress"] = typed.at

    # --- what was asked by somebody who may

    def _wish(self, typed: Typed, someone: Someone, sure: bool) -> None:
        person, books = someone.facts, self.books
        mine = [a for a in person.areas if a in books.areas]
        asked = [a for a in typed.areas or mine if a in mine]
        for id_ in mine:
            books.areas[id_].touched_at = typed.at
        wish = typed.wish
        if person.level >= 3:
            self._session(typed, mine)
        if not self.people.right(person, wish):
            return
        self._asked[wish] = typed.at
        if wish is Wish.GRANT and person.level == 2:
            self.people.granted_until = typed.at + books.site.timings.grant_ms
        if wish in (Wish.ARM, Wish.TOGGLE, Wish.REARM) and self.people.right(person, Wish.ARM):
            part, instant = (typed.part, typed.instant) if wish is not Wish.REARM else (None, None)
            self._permit(asked, Permit(typed.at, "arm", part, instant, typed.user))
            if typed.override or wish is Wish.REARM:
                self._may_bypass(asked)
        if wish in (Wish.DISARM, Wish.TOGGLE) and self.people.right(person, Wish.DISARM):
            self._permit(asked, Permit(typed.at, "disarm", user=typed.user))
            whole = sure and asked and set(typed.areas) <= set(mine)
            if whole and (wish is Wish.DISARM or all(books.areas[a].is_set for a in asked)):
                self._must_disarm(asked, typed.at, f"{typed.user} asked for {wish} at {typed.source}")
        if wish in (Wish.BYPASS, Wish.UNBYPASS, Wish.ISOLATE, Wish.UNISOLATE):
            self._may_bypass_zone(typed.zone, typed.at, person.level, wish)

    def _session(self, typed: Typed, mine: list[str]) -> None:
        """An installer's code with a grant begins his session, if all his areas are disarmed (Codes)."""
        people = self.people
        if typed.at <= people.granted_until and all(self.books.areas[a].mode == "disarmed" for a in mine):
            people.entered_at = typed.at
            people.session_until = typed.at + self.books.site.timings.installer_ms

    def commanded(self, happening: Commanded) -> None:
        if not happening.genuine:
            return
        books = self.books
        asked = [a for a in happening.areas or tuple(books.areas) if a in books.areas]
        self._asked[happening.wish] = happening.at
        if happening.wish in OPERATOR_WISHES:
            for id_ in asked:
                books.areas[id_].touched_at = happening.at
        self._answered(happening)
        if happening.wish is Wish.ARM:
            self._permit(asked, Permit(happening.at, "arm", happening.part, happening.instant))
            if happening.override:
                self._may_bypass(asked)
        elif happening.wish is Wish.DISARM:
            self._permit(asked, Permit(happening.at, "disarm"))
            if set(happening.areas) <= set(books.areas):
                self._must_disarm(asked, happening.at, f"command {happening.counter}")
        elif happening.wish in (Wish.BYPASS, Wish.UNBYPASS):
            self._may_bypass_zone(happening.zone, happening.at, 2, happening.wish)

    def _answered(self, command: Commanded) -> None:
        """A command is carried out or refused, and recorded (Remote commands)."""

        def check(_due: int) -> None:
            if not self.books.recorded_since(
                command.at, ("command.done", "command.refused"), f"remote:{command.operator}"
            ):
                self.books.blame("command", f"command {command.counter} is neither done nor refused")

        self.books.expect(command.at + DURABLE_MS, check)

    def wired(self, zone: ZoneBook, before: Condition | None, asked: bool) -> None:
        if zone.facts.type is ZoneType.KEYSWITCH:
            self._momentary(zone)
        elif zone.facts.type is ZoneType.MAINTAINED_KEYSWITCH and not asked:
            self._maintained(zone, before)

    def found(self, zone: ZoneBook, before: Condition | None) -> None:  # noqa: ARG002
        self._key_rested[zone.facts.id] = zone.wire is Condition.NORMAL
        if zone.wire in (Condition.OPEN, Condition.SHORT, Condition.MASKED):
            self._harmed.add(zone.facts.id)

    def _momentary(self, zone: ZoneBook) -> None:
        """A turn from rest to active toggles its areas; only a turn that was seen counts (Keyswitches)."""
        id_ = zone.facts.id
        if zone.wire is Condition.ACTIVE and self._key_rested.get(id_, True):
            self._key(zone, "arm")
            self._key(zone, "disarm")
            if all(a.is_set for a in zone.areas):
                self._key_obeyed(zone)
        self._key_rested[id_] = zone.wire is Condition.NORMAL

    def _maintained(self, zone: ZoneBook, before: Condition | None) -> None:
        """Turned on arms, turned back disarms; after a cut line only once it was at rest (Keyswitches)."""
        id_ = zone.facts.id
        if zone.wire in (Condition.OPEN, Condition.SHORT, Condition.MASKED):
            self._harmed.add(id_)
        elif zone.wire is Condition.ACTIVE and before in (None, Condition.NORMAL):
            self._key(zone, "arm")
        elif zone.wire is Condition.NORMAL:
            if before is Condition.ACTIVE and id_ not in self._harmed:
                self._key(zone, "disarm")
                if all(a.is_set for a in zone.areas):
                    self._key_obeyed(zone)
            self._harmed.discard(id_)

    def _key_obeyed(self, zone: ZoneBook) -> None:
        if zone.out is False and zone.sure(self.books.now):
            self._must_disarm([a.facts.id for a in zone.areas], self.books.now, f"{zone.facts.id} was turned")

    def _key(self, zone: ZoneBook, act: str) -> None:
        ids = [area.facts.id for area in zone.areas]
        self._permit(ids, Permit(self.books.now, act))
        for area in zone.areas:
            area.touched_at = self.books.now

    # --- permits

    def _permit(self, areas: Iterable[str], permit: Permit) -> None:
        for id_ in areas:
            self.books.areas[id_].permits.append(permit)

    def _must_disarm(self, areas: list[str], at: int, who: str) -> None:
        """Who may disarm, is obeyed at once (Disarming)."""
        books = self.books

        def check(_due: int) -> None:
            for id_ in areas:
                area = books.areas[id_]
                later = any(p.act == "arm" and p.at > at for p in area.permits)
                if area.mode != "disarmed" and area.mode_at <= at and not later:
                    books.blame("authority-ignored", f"{who}: {id_} is still {area.mode}")

        books.expect(at + AT_ONCE_MS, check)

    def moded(self, area: AreaBook, old: str) -> None:
        id_ = area.facts.id
        if area.mode == "disarmed":
            permit = self.books.permit(area, "disarm")
            if permit is not None:
                self._used_once(permit)
            else:
                self.books.blame(
                    "disarmed-without-authority", f"{id_} went from {old} to disarmed, nobody asked for it"
                )
        elif old == "disarmed":
            permit = self.books.permit(area, "arm")
            if permit is not None:
                self._used_once(permit)
            area.part, area.instant = (permit.part, permit.instant) if permit else (None, None)
            if permit is None and may_arm_itself(self.books, area):
                area.part, area.instant = "", False
                self.allow_bypass([area])
            elif permit is None:
                self.books.blame("armed-without-cause", f"{id_} went from disarmed to {area.mode}, nobody asked for it")
            shown = self.books.view["areas"][id_]
            area.part = str(shown.get("part", "")) if area.part is None else area.part
            area.instant = bool(shown.get("instant")) if area.instant is None else area.instant
            area.omits = self._omits(area)

    def _used_once(self, permit: Permit) -> None:
        """A one-time code is used up by its first use (Codes)."""
        someone = self.people.users.get(permit.user)
        if someone is None or not someone.facts.once:
            return
        if 0 <= someone.used_at < permit.at and someone.used_at > self.books.awake_at:
            self.books.blame(
                "one-time-code", f"{permit.user} used a one-time code at {someone.used_at} and {permit.at}"
            )
        someone.used_at = permit.at

    def _omits(self, area: AreaBook) -> frozenset[str]:
        part = self.books.site.parts.get(area.part or "")
        return frozenset(part.omits) if part else frozenset()

    # --- bypass

    def _may_bypass(self, areas: Iterable[str]) -> None:
        for id_ in areas:
            for zone in self.books.zones.values():
                if any(a.facts.id == id_ for a in zone.areas):
                    self._bypass_at[zone.facts.id] = self.books.now
                    zone.unsure_until = self.books.now + DURABLE_MS

    def _may_bypass_zone(self, id_: str, at: int, level: int, wish: Wish) -> None:
        zone = self.books.zones.get(id_)
        if zone is None or (wish in (Wish.ISOLATE, Wish.UNISOLATE) and level < 3):
            return
        self._bypass_at[id_] = at
        zone.unsure_until = at + DURABLE_MS

    def allow_bypass(self, areas: Iterable[AreaBook]) -> None:
        """Something else than a person bypasses zones of these areas now (schedule, reinstatement)."""
        self._may_bypass([a.facts.id for a in areas])

    def _bypassed(self, record: Recorded) -> None:
        """Only by those who may, and only such that may be (GB 50394: hold-up is non-disarmable)."""
        zone = self.books.zones.get(str(record.payload.get("zone", "")))
        if zone is None:
            return
        if zone.facts.type in NEVER_OUT or (record.kind == "zone.bypassed" and not zone.facts.bypassable):
            forced = record.payload.get("forced") and zone.facts.forceable
            if zone.facts.type in NEVER_OUT or not forced:
                self.books.blame("bypass-without-cause", f"{zone.facts.id} ({zone.facts.type}) was {record.kind}")
        asked = self._bypass_at.get(zone.facts.id, -DURABLE_MS)
        by_itself = str(record.payload.get("by", "")).partition(":")[0] in ("schedule", "reinstatement")
        if record.at - asked > DURABLE_MS and not by_itself and not self.books.storage_bad():
            self.books.blame("bypass-without-cause", f"{zone.facts.id} was {record.kind}, nobody asked for it")

    # --- records

    def recorded(self, happening: Recorded) -> None:
        kind, payload = happening.kind, happening.payload
        if kind in ("zone.bypassed", "zone.isolated"):
            self._bypassed(happening)
        elif kind == "code.locked-out":
            self._locked(str(payload.get("by", "")))
        elif kind == "user.set" and (someone := self.people.users.get(str(payload.get("user", "")))):
            someone.sure = True
        elif kind == "user.spent" and (someone := self.people.users.get(str(payload.get("user", "")))):
            someone.spent = True
        elif kind == "installer.entered":
            if happening.at - self.people.entered_at > DURABLE_MS and self._grants_needed():
                self.books.blame("installer", f"{payload.get('user')} began a session without a grant or while armed")
        elif kind == "command.done":
            self._done(payload.get("counter"))
        elif kind in _BY_WISH:
            rule, wishes = _BY_WISH[kind]
            if not any(happening.at - self._asked.get(w, -1 << 40) <= DURABLE_MS for w in wishes):
                self.books.blame(rule, f"{kind} by {payload.get('by')}: nobody who may asked for it")

    def _grants_needed(self) -> bool:
        return any(s.facts.level == 2 for s in self.people.users.values())

    def _locked(self, by: str) -> None:
        """Wrong codes on one keypad never lock another, nor do fewer (Codes; digest §1.2)."""
        pad = self.people.keypads.get(by.removeprefix("keypad:"))
        if self.people.crowded:
            return
        if pad is None or (pad.lock is None and pad.most < self.books.site.timings.code_attempts):
            self.books.blame("wrong-lock-out", f"{by} is locked out after at most {pad.most if pad else 0} wrong codes")

    def _done(self, counter: object) -> None:
        """A counter is used once (Remote commands)."""
        if isinstance(counter, int):
            if counter <= self._counter:
                self.books.blame("command", f"command {counter} was carried out after {self._counter}")
            self._counter = counter

    # --- dark

    def forgotten(self, since: int) -> None:  # noqa: ARG002
        self.people.forgot()

    def dark(self, happening: Dark) -> None:  # noqa: ARG002
        self.people.went_dark()
        self._key_rested.clear()
        self._harmed.clear()

    def awake(self, happening: Awake) -> None:
        self.people.woke(self.books.dark_at, happening.at, happening.cause)
        for zone in self.books.zones.values():
            self._key_rested[zone.facts.id] = zone.wire is Condition.NORMAL


_BY_WISH: dict[str, tuple[str, tuple[str, ...]]] = {
    "siren.silenced": ("silenced-without-cause", (Wish.SILENCE,)),
    "panel.reset": ("reset-without-cause", (Wish.RESET,)),
    "test.walk-started": ("test-without-cause", (Wish.WALK_TEST,)),
    "test.siren": ("test-without-cause", (Wish.SIREN_TEST,)),
    "test.battery": ("test-without-cause", (Wish.BATTERY_TEST,)),
}
