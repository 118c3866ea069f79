"""An observer who shares no code with the rules: it sees stimuli, effects and the public view, and knows what must be.

It keeps its own books from the plain words of docs/rules.md, and objects with an AssertionError.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from rules import (
    CodeEntered,
    Condition,
    Effect,
    KeysTold,
    PanelStarted,
    Record,
    RemoteCommand,
    Stimulus,
    Switch,
    UserRemoved,
    UserSet,
    Wish,
    ZoneChanged,
)
from tests.rules.branch import ENTRY_MS, LOCKOUT_MS, SIREN_MAX_MS, SIREN_MS

SIRENS = {"bell": {"hall", "vault"}, "buzzer": {"hall"}}
ZONE_AREAS = {
    "door": {"hall"},
    "lobby": {"hall", "vault"},
    "corridor": {"hall"},
    "window": {"hall"},
    "pir": {"hall"},
    "seismic": {"vault"},
    "lid": {"hall"},
    "shared-pir": {"hall", "vault"},
}
SETTLES_MS = 60_000
SET = {"armed", "entry-delay", "alarm"}
NOT_SILENT = ("alarm.intruder", "alarm.entry", "alarm.24-hour", "alarm.tamper", "alarm.sensor-tamper")


class Oracle:
    """Books about one panel's life."""

    def __init__(self, view: dict[str, Any]) -> None:
        self.view = view
        self.on: set[str] = set()
        self.users: dict[str, tuple[set[str], set[str]]] = {}
        self.wrong: dict[str, int] = {}
        self.locked: dict[str, int] = {}
        self.counters: dict[str, int] = {}
        self.serial = 0
        self.reads: dict[str, Condition] = {}
        self.alarms: list[tuple[int, str, set[str]]] = []
        self.sounding_since: dict[str, int] = {}
        self.entered: int | None = None
        self.powered: int | None = None
        self.key_rested = False
        self.silenced = False
        self.siren_test = -1

    def watch(self, stimulus: Stimulus, now: int, effects: Iterable[Effect], view: dict[str, Any]) -> None:
        """One step: what went in, what came out, what shows afterwards."""
        effects = tuple(effects)
        records = [e for e in effects if isinstance(e, Record)]
        before, self.view = self.view, view
        allowed = self._allowed(stimulus, now)
        self._no_disarm_without_authority(before, view, allowed)
        self._book(records, now)
        self._sirens(effects, records, view, now)
        self._intrusion(stimulus, before, records, now)
        self._entry(before, view, stimulus, now)
        if isinstance(stimulus, PanelStarted):
            self.reads, self.wrong, self.key_rested = {}, {}, False
            if stimulus.cause != "restart":
                self.powered = now

    # --- authority

    def _allowed(self, stimulus: Stimulus, now: int) -> set[str]:
        """The areas that this stimulus may disarm."""
        if isinstance(stimulus, UserSet):
            # Whether it counts is seen from its record, in `_book`.
            self.pending_user = stimulus.user
        elif isinstance(stimulus, CodeEntered):
            return self._code(stimulus, now)
        elif isinstance(stimulus, RemoteCommand):
            fresh = self.counters.get(stimulus.key, 0) < stimulus.counter < 2**53
            if fresh:
                self.counters[stimulus.key] = stimulus.counter
            return {"hall", "vault"} if fresh and stimulus.wish is Wish.DISARM else set()
        elif isinstance(stimulus, KeysTold):
            self._keys_told(stimulus)
        elif isinstance(stimulus, ZoneChanged) and stimulus.zone == "key":
            turned = self.key_rested and stimulus.condition is Condition.ACTIVE
            self.key_rested = stimulus.condition is Condition.NORMAL
            return {"vault"} if turned else set()
        elif isinstance(stimulus, UserRemoved):
            self.users.pop(stimulus.user, None)
        return set()

    def _keys_told(self, told: KeysTold) -> None:
        if told.kept is None or told.serial > self.serial:
            self.serial = told.serial
            self.counters = {key: last for key, last in self.counters.items() if key in told.command}

    def _code(self, entered: CodeEntered, now: int) -> set[str]:
        if self.locked.get(entered.source, -1) > now:
            return set()
        mine = [areas for keys, areas in self.users.values() if entered.key in keys]
        if not mine:
            count = self.wrong[entered.source] = self.wrong.get(entered.source, 0) + 1
            if count >= 5:
                self.locked[entered.source] = now + LOCKOUT_MS
            return set()
        self.wrong.pop(entered.source, None)
        if entered.wish is Wish.SILENCE:
            self.silenced = True
        return mine[0] if entered.wish in (Wish.TOGGLE, Wish.DISARM) else set()

    def _no_disarm_without_authority(self, before: dict[str, Any], view: dict[str, Any], allowed: set[str]) -> None:
        for area, shown in view["areas"].items():
            if shown["mode"] == "disarmed" and before["areas"][area]["mode"] != "disarmed":
                assert area in allowed, f"{area} was disarmed without authority"

    # --- books

    def _book(self, records: list[Record], now: int) -> None:
        for record in records:
            if record.kind == "user.set":
                user = self.pending_user
                self.users[user.id] = ({user.key, user.duress_key} - {""}, set(user.areas))
            if record.kind in NOT_SILENT and not record.payload.get("bypassed"):
                zone = str(record.payload.get("zone", ""))
                self.alarms.append((now, zone, set(cast("Sequence[str]", record.payload["areas"]))))
            if record.kind == "area.exit-error":
                self.alarms.append((now, "", {"hall"}))  # a warning inside, while the entry delay runs
            if record.kind == "siren.silenced":
                self.silenced = True

    # --- sirens

    def _sirens(self, effects: tuple[Effect, ...], records: list[Record], view: dict[str, Any], now: int) -> None:
        if any(r.kind == "test.siren" for r in records):
            self.siren_test = now + 5_000
        stopped = any(r.kind in ("siren.stopped", "area.alarm-ended", "siren.silenced") for r in records)
        for effect in effects:
            if isinstance(effect, Switch):
                assert (effect.output in self.on) is not effect.on, f"{effect} changes nothing"
                (self.on.add if effect.on else self.on.discard)(effect.output)
                if effect.on:
                    self.sounding_since[effect.output] = now
        for siren, served in SIRENS.items():
            if siren not in self.on or now <= self.siren_test:
                continue
            if stopped:
                self.sounding_since[siren] = now
            causes = [t for t, _, areas in self.alarms if areas & served and now < t + SIREN_MS]
            assert causes, f"{siren} sounds {SIREN_MS} ms after its last alarm"
        if "buzzer" in self.on:
            assert now < self.sounding_since["buzzer"] + SIREN_MAX_MS, "buzzer is on past its limit"
        if "bell" in self.on and now > self.siren_test:
            assert any(a["mode"] in SET for a in view["areas"].values()), "the external siren sounds while disarmed"

    # --- nobody gets in unheard

    def _intrusion(self, stimulus: Stimulus, before: dict[str, Any], records: list[Record], now: int) -> None:
        if not isinstance(stimulus, ZoneChanged) or stimulus.zone not in ZONE_AREAS:
            return
        zone, condition = stimulus.zone, stimulus.condition
        known, self.reads[zone] = self.reads.get(zone), condition
        if known is condition or condition is not Condition.ACTIVE:
            return
        modes = {before["areas"][area]["mode"] for area in ZONE_AREAS[zone]}
        due_now = any(r.kind in ("siren.stopped", "area.alarm-ended", "area.armed", "alarm.entry") for r in records)
        if before["zones"][zone]["bypassed"] or before["zones"][zone]["alarm"] or due_now or before["walk_test"]:
            return
        settling = zone == "pir" and self.powered is not None and now < self.powered + SETTLES_MS
        always = zone in ("seismic", "lid")
        detects = modes <= SET and zone in ("window", "pir", "shared-pir") and not settling
        follows = zone == "corridor" and modes <= {"armed", "alarm"}
        in_alarm = zone in ("door", "lobby") and modes == {"alarm"}
        if not (always or detects or follows or in_alarm):
            return
        heard = [r for r in records if r.kind in NOT_SILENT and r.payload["zone"] == zone]
        assert heard, f"{zone} was active and nothing was recorded"
        assert "strobe" in self.on
        if modes <= SET and not self._quieted(zone, now):
            assert "bell" in self.on, f"{zone} was active in an armed area and the siren is silent"

    def _quieted(self, zone: str, now: int) -> bool:
        """Somebody with a right silenced this alarm, in which the zone had its part already."""
        earlier = [t for t, z, _ in self.alarms[:-1] if z == zone and now - t < SIREN_MAX_MS]
        return self.silenced and bool(earlier)

    def _entry(self, before: dict[str, Any], view: dict[str, Any], stimulus: Stimulus, now: int) -> None:
        """Who opens the hall's own door has 30 s to disarm; then it is an alarm."""
        mode = view["areas"]["hall"]["mode"]
        if self.entered is not None and now >= self.entered + ENTRY_MS:
            since = [t for t, _, areas in self.alarms if t >= self.entered and "hall" in areas]
            assert since, "the entry delay ended without an alarm"
            self.entered = None
        if mode in ("disarmed", "exit-delay"):
            self.entered = None
        opened = isinstance(stimulus, ZoneChanged) and (stimulus.zone, stimulus.condition) == ("door", Condition.ACTIVE)
        was_armed = before["areas"]["hall"]["mode"] == "armed" and mode == "entry-delay"
        if opened and was_armed:
            self.entered = now
