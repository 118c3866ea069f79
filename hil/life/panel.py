"""The panel's life: the real rules under a virtual clock, as the engine of core would run them, with crashes anywhere.

Stimuli go through `rules.step`, deadlines first; switches reach the pins at once, records the disk, words wait until
they are durable. A fuse can be set: the panel dies after so many further things, in the middle of a step. At the next
start everything that was not durable is forgotten.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import rules
from firmware.clock import utc_text
from firmware.core.leftovers import Sources, leftovers
from firmware.core.recorder import TICK_MS
from firmware.core.restore import restart
from firmware.core.talk import Talk
from firmware.journal.entries import Moment
from firmware.version import VERSION
from hil.life.clock import PanelClock
from hil.life.ground import Ground
from hil.life.happenings import Pin, Recorded, Shown, Viewed
from hil.life.ports import Disk
from rules.effects import Answer, Capture, Effect, JsonValue, Record, Request, Switch, Tell
from rules.site import ZoneType
from rules.stimuli import (
    ClockTold,
    DeadlinePassed,
    PanelStarted,
    PanelStopping,
    Stimulus,
    TroubleChanged,
    ZoneChanged,
)

NEVER = 1 << 60
USER_KINDS = ("user.set", "user.removed")
_SILENT = (ZoneType.HOLD_UP, ZoneType.DURESS)
_DEADLINES = 1_000
"""Deadlines that may pass at one moment; more of them would never end."""


class Died(BaseException):
    """The fuse has burnt down: the panel is gone, in the middle of what it did. No error boundary may stop it."""


class Broken(Exception):
    """The rules did what no panel survives: raised, or a deadline that never passes."""


@dataclass(frozen=True)
class Outlets:
    """Where the panel's doings are seen. `told`: what others hear of a step, its records durable. `asked`: a test."""

    emit: Callable[[Pin | Shown | Viewed | Recorded], None]
    told: Callable[[Tell | Answer | Record], None]
    asked: Callable[[str], None]
    broken: Callable[[Stimulus, Exception], None]
    stepped: Callable[[Stimulus, "rules.PanelState", "rules.PanelState", tuple[Effect, ...]], None]
    captured: Callable[[Capture], None]


class PanelLife:
    """One panel. `due` is when its next deadline passes, `disk_due` when its disk has something to do: in the world's
    time, `NEVER` for none."""

    def __init__(self, ground: Ground, clock: PanelClock, disk: Disk, outlets: Outlets) -> None:
        self.awake = False
        self.powered = False
        self.due = NEVER
        self.disk_due = NEVER
        self.steps = 0
        self.pins: dict[str, bool] = dict.fromkeys(ground.site.outputs, False)
        self.state: rules.PanelState = rules.initial(ground.site)
        self.session = 0
        self._ground = ground
        self._site = ground.site
        self._clock = clock
        self._disk = disk
        self._out = outlets
        self._talk = Talk()
        self._fuse: int | None = None
        self._storage = ""
        self._committed = 0
        self._ran = self._deciding = False
        self._lived = self._lived_ticket = self._durable = 0
        self._version = VERSION
        self._config = ground.config_hash
        self._view: Mapping[str, JsonValue] = {}
        self._silent = frozenset(z.id for z in ground.site.zones.values() if z.type in _SILENT)

    # --- life and death -----------------------------------------------------------------------------

    def start(self, version: str, config: str) -> PanelStarted:
        """Open the disk, restore, claim the outputs, decide the start and the leftovers. The inputs come after."""
        self._version, self._config = version or self._version, config or self._config
        clock = self._clock
        if not self.powered:
            clock.reboot(clock.now - 8_000)
        restored = self._disk.open(clock, clock.now)
        begin = restart(self._site, restored, clock, self._version, self._config)
        self.powered = self.awake = True
        self.session = restored.session
        self._fuse = None
        self._talk = Talk()
        self._committed = clock.now
        self._lived = self._lived_ticket = self._durable = 0
        self._storage = ""
        self._take(begin.state)
        for output, on in rules.outputs(self._site, begin.state).items():
            self._pin(output, on)
        self._view = {}
        self._show(begin.state)
        self.feed(begin.started)
        for ended in self._leftovers(begin.state):
            self.feed(ended)
        return begin.started

    def _leftovers(self, state: "rules.PanelState") -> list[TroubleChanged]:
        ground = self._ground
        troubles = state.durable.troubles
        return leftovers(troubles, self._disk.storage_trouble, Sources(ground.supplies, ground.paths, ground.cameras))

    def die(self, power: bool, fall: bool) -> None:
        """Gone, now. `fall`: the outputs fall too (with `power` they always do)."""
        clock = self._clock
        if self.awake:
            self._tick()
        self._disk.crash(clock.now, power)
        self.awake = False
        self.powered = self.powered and not power
        self.due = self.disk_due = NEVER
        self._fuse = None
        if fall or power:
            for output in self.pins:
                self._pin(output, False)

    def _tick(self) -> None:
        """While a deadline runs the recorder notes the moment every ten seconds.

        Only the last one before a crash counts, and one before a commit only while that is not durable: so none is
        written before the crash.
        """
        if self._lived and self._lived_ticket > self._durable:
            self._disk.tick(self._moment(self._lived), self._lived)
        elif (self.due != NEVER or (self._deciding and self._ran)) and (lived := self._last_tick()):
            self._disk.tick(self._moment(lived), lived)

    def _last_tick(self) -> int:
        """When the recorder ticked last after the last commit; 0 when it did not."""
        past = self._clock.now - self._committed
        return self._committed + (past - 1) // TICK_MS * TICK_MS if past > TICK_MS else 0

    def light_fuse(self, steps: int) -> None:
        """Die after so many further things."""
        self._fuse = steps

    def _burn(self) -> None:
        if self._fuse is not None:
            self._fuse -= 1
            if self._fuse < 0:
                raise Died

    def stop(self, reason: str) -> None:
        """Decide the stop; the caller lets the disk finish, then `die`."""
        self.feed(PanelStopping(reason))

    # --- the engine ---------------------------------------------------------------------------------

    def feed(self, stimulus: Stimulus) -> None:
        """One stimulus, after the deadlines that are over. May raise `Died`."""
        if self.due <= self._clock.now:
            self.pass_deadlines()
        self._handle(stimulus)

    def pass_deadlines(self) -> None:
        """Decide what is due by now."""
        for _ in range(_DEADLINES):
            if self.due > self._clock.now:
                return
            self._handle(DeadlinePassed())
        self._out.broken(DeadlinePassed(), Broken(f"a deadline at {self.due} never passes"))
        self.due = self._clock.now + 1_000

    def _handle(self, stimulus: Stimulus) -> None:
        before = self.state
        try:
            state, effects = rules.step(self._site, before, stimulus, self._clock.monotonic_ms())
        except Exception as error:
            self._out.broken(stimulus, error)
            if isinstance(stimulus, DeadlinePassed):
                self.due = self._clock.now + 1_000  # the engine reflects for a second
            return
        self.steps += 1
        if not effects and state.durable is before.durable and isinstance(stimulus, ClockTold):
            # An idle minute: half a million of them a year. It moves no deadline.
            self.state, self._ran = state, self.due != NEVER
            return
        if state is not before:
            self._take(state)
        if effects or state.durable is not before.durable or not isinstance(stimulus, ClockTold):
            self._out.stepped(stimulus, before, state, effects)
        if effects:
            self._carry_out(state, effects)
        self._deciding = False
        shows = state.durable is not before.durable
        if shows or (isinstance(stimulus, ZoneChanged) and stimulus.zone in self._silent):
            self._show(state)

    def _show(self, state: "rules.PanelState") -> None:
        view = rules.public_view(self._site, state)
        if view != self._view:
            self._view = view
            self._out.emit(Viewed(self._clock.now, view))

    def _take(self, state: "rules.PanelState") -> None:
        self.state = state
        self._ran, self._deciding = self.due != NEVER, True
        due = rules.next_deadline(state)
        self.due = NEVER if due is None else self._clock.at(due)

    def _carry_out(self, state: "rules.PanelState", effects: tuple[Effect, ...]) -> None:
        self._burn()
        for effect in effects:
            if isinstance(effect, Switch):
                self._pin(effect.output, effect.on)
                self._burn()
        for effect in effects:
            if isinstance(effect, Capture):
                self._out.captured(effect)
            elif isinstance(effect, Request):
                self._out.asked(effect.test)
        records = tuple(e for e in effects if isinstance(e, Record))
        talk = [e for e in effects if isinstance(e, Tell | Answer)]
        if records or talk:
            self._burn()
            self._commit(records, state, talk)
            self._burn()

    def _pin(self, output: str, on: bool) -> None:
        if self.pins[output] is not on:
            self.pins[output] = on
            self._out.emit(Pin(self._clock.now, output, on))

    def _moment(self, at: int) -> Moment:
        clock = self._clock
        past = clock.now - at
        return Moment(utc_text(clock.utc() - past / 1000), clock.state(), clock.boot(), clock.monotonic_ms() - past)

    def _commit(self, records: tuple[Record, ...], state: "rules.PanelState", talk: list[Tell | Answer]) -> None:
        now = self._clock.now
        lived = self._last_tick() if self._ran else 0
        ticket = self._disk.commit(records, state, self._moment(now), now)
        if lived:
            self._lived, self._lived_ticket = lived, ticket
        self._committed, self._deciding = now, False
        self.ask_disk()
        words: list[Tell | Answer | Record] = [*talk, *(r for r in records if r.kind in USER_KINDS)]
        if words:
            self._talk.hold(ticket, [partial(self._say, word) for word in words])

    # --- the disk's side ------------------------------------------------------------------------------

    def ask_disk(self) -> None:
        """When has the disk something to do? Asked again whenever that may have changed."""
        due = self._disk.next_work()
        self.disk_due = NEVER if due is None or not self.awake else due

    def look_at_disk(self) -> bool:
        """Let the disk do what is due, and say what became durable; whether anything did. May raise `Died`."""
        synced = self._disk.work(self._clock.now)
        self.ask_disk()
        for record in synced.records:
            self._out.emit(record)
        if synced.records:
            self._burn()
        self._durable = synced.ticket
        self._talk.durable(synced.ticket)
        trouble = self._disk.storage_trouble
        if trouble != self._storage:
            self._storage = trouble
            self.feed(TroubleChanged("storage", bool(trouble), "", trouble))
        return bool(synced.records)

    def _say(self, word: Tell | Answer | Record) -> None:
        self._burn()
        self._out.told(word)

    def users(self) -> "dict[str, rules.User]":
        """The users that the panel knows."""
        return dict(self.state.users)
