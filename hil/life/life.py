"""One life: the world, the panel, its disk and the far end under one virtual clock, watched by the oracle.

The same seed, site and length give the same life, bit for bit; its digest says so.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random
from typing import Any, Protocol

import rules
from hil.life.clock import DAY_MS, MINUTE_MS, Calendar, PanelClock
from hil.life.coverage import Coverage
from hil.life.digest import Digest
from hil.life.ground import Ground
from hil.life.happenings import (
    Awake,
    Commanded,
    Dark,
    Gone,
    Happening,
    Held,
    Linked,
    Person,
    Recorded,
    Shown,
    Troubled,
    Typed,
    WallClock,
    Wired,
)
from hil.life.orders import Orders
from hil.life.panel import NEVER, Died, Outlets, PanelLife
from hil.life.people import Human
from hil.life.ports import Disk, FarEnd
from hil.life.rates import RATES, Rate
from hil.life.scripts import battery_answer, begin
from hil.life.sites import YEARS
from hil.life.violation import Violation
from hil.life.world import World
from rules.effects import Answer, Capture, Effect, Record, Tell
from rules.site import Condition
from rules.stimuli import ClockTold, Stimulus, Wish, ZoneChanged

LAST_STIMULI = 50
SETTLE_MS = 2 * 3_600_000
MAX_FINDINGS = 20
"""Violations that are kept of one life; the first is what matters."""


class Judge(Protocol):
    """The oracle, as far as a life needs it."""

    @property
    def violations(self) -> Sequence[Violation]:
        """What was objected to so far: the same list all the time, which grows."""
        ...

    def watch(self, happening: Happening) -> None:
        """Something happened."""
        ...

    def finish(self, at: int, journal: Sequence[Recorded], center: Sequence[Held]) -> None:
        """The life ends."""
        ...


Step = Callable[[int, Stimulus, "rules.PanelState", "rules.PanelState", tuple[Effect, ...]], None]


@dataclass(frozen=True)
class Terms:
    """What makes a life. `days`: its length. `until_violation`: end with the first one."""

    ground: Ground
    seed: int
    days: int = 365
    rates: "dict[str, Rate]" = field(default_factory=lambda: dict(RATES))
    until_violation: bool = False


@dataclass(frozen=True)
class Makers:
    """How a life gets its parts; each takes what it needs from the life."""

    disk: Callable[[Ground, PanelClock, Random], Disk]
    far_end: Callable[[Ground, PanelClock, Disk, Random], FarEnd]
    judge: Callable[[Ground], Judge]


@dataclass(frozen=True)
class Finding:
    """A violation, with the last stimuli before it was seen: moments and stimuli."""

    violation: Violation
    stimuli: tuple[tuple[int, Stimulus], ...]


@dataclass
class Outcome:
    """What became of a life. `lived_ms`: how far it came."""

    seed: int
    site: str
    first_day: int
    lived_ms: int = 0
    steps: int = 0
    wired: int = 0
    records: int = 0
    held: int = 0
    crashes: int = 0
    digest: str = ""
    ended_early: bool = False
    findings: list[Finding] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


def first_day(seed: int) -> int:
    """The local day on which the life of this seed begins: any day of the years, so that leap days come about."""
    from datetime import date

    first, last = date(YEARS.start, 1, 1).toordinal(), date(YEARS.stop - 1, 1, 1).toordinal()
    return Random(f"{seed}:day").randrange(first, last)  # noqa: S311 - a life, no secret


class Life:
    """Runs one life; also the world's hands (`hil.life.ports.Hands`)."""

    def __init__(self, terms: Terms, makers: Makers, on_step: Step | None = None) -> None:
        """`on_step` sees every step, for a replay."""
        day = first_day(terms.seed)
        self.calendar = Calendar(day)
        self.clock = PanelClock(self.calendar)
        self.outcome = Outcome(terms.seed, terms.ground.name, day)
        self._terms = terms
        self._end = terms.days * DAY_MS
        self._random = self._dice("life")
        self.world = World(terms.ground, self.calendar, self._dice("world"))
        self.world.hands = self
        self._disk = makers.disk(terms.ground, self.clock, self._dice("disk"))
        self._far = makers.far_end(terms.ground, self.clock, self._disk, self._dice("far"))
        self.judge = makers.judge(terms.ground)
        self._watch = self.judge.watch
        self._objections = self.judge.violations
        outlets = Outlets(self.emit, self._told, self._asked, self._broken, self._stepped, self._captured)
        self.panel = PanelLife(terms.ground, self.clock, self._disk, outlets)
        self._orders = Orders(self.clock, self._dice("orders"), self.feed)
        self._on_step = on_step
        self._digest = Digest()
        self._last: deque[tuple[int, Stimulus]] = deque(maxlen=LAST_STIMULI)
        self._notes: dict[type, Callable[[Any], None]] = {
            Wired: self._note_wire,
            Recorded: self._note_record,
            Held: self._center_holds,
            Shown: self._note_shown,
            Typed: self._note_wish,
            Commanded: self._note_wish,
        }
        self._wires: dict[tuple[str, Condition], int] = {}
        self._journal: list[Recorded] = []
        self._center: list[Held] = []
        self._minute = NEVER
        self._wall = (0, 0)
        self._far_due = NEVER
        self._seen = 0
        self._rules_broken: list[Violation] = []
        self._down = self._full = 0
        self._dying = False

    def _dice(self, what: str) -> Random:
        return Random(f"{self._terms.seed}:{what}")  # noqa: S311 - a life, no secret

    # --- time ----------------------------------------------------------------------------------------

    def run(self, tell: Callable[[int], None] | None = None) -> Outcome:
        """Live. `tell` is called once a day of the life, with its number. A `KeyboardInterrupt` ends it where it is."""
        self.begin()
        if tell is not None:
            self.world.at(0, self._tell_days, (tell, 0))
        try:
            self._live()
            self._settle()
        finally:
            self._close()
        return self.outcome

    @property
    def journal(self) -> Sequence[Recorded]:
        """The records so far, in the order in which they became durable."""
        return self._journal

    def begin(self) -> None:
        """The panel is commissioned, and the first day lies ahead."""
        begin(self.world, self._terms.rates)
        self.start()

    def live_until(self, at: int) -> None:
        """Let all happen that happens until then, and be there then: for a test that acts itself."""
        end, self._end = self._end, at
        self._live()
        self._end = end

    def _settle(self) -> None:
        """The world stands still, the network and the disk are well: what waits for the center arrives."""
        if self.outcome.findings:
            return
        self.world.stop()
        self._end += SETTLE_MS
        while self._full:
            self.card("room")
        self.start()
        while self._down:
            self.network("link", True)
        self._live()

    def _tell_days(self, what: tuple[Callable[[int], None], int]) -> None:
        tell, day = what
        self.world.at((day + 1) * DAY_MS, self._tell_days, (tell, day + 1))
        tell(day)

    def _live(self) -> None:
        """Let one thing happen after the other, until the end or the last violation that is kept."""
        world, panel, clock, queue, objections = self.world, self.panel, self.clock, self.world.queue, self._objections
        broken, end = self._rules_broken, self._end
        while True:
            now = queue[0][0] if queue else NEVER
            if self._minute < now:
                now = self._minute
            if self._far_due < now:
                now = self._far_due
            if panel.due < now:
                now = panel.due
            if panel.disk_due < now:
                now = panel.disk_due
            if now > end:
                clock.now = world.now = end
                return
            if now < clock.now:
                now = clock.now
            clock.now = world.now = now
            if panel.due <= now or panel.disk_due <= now or self._minute <= now:
                self._panel_turns(now)
            elif self._far_due <= now:
                self._far_works()
            else:
                world.turn()
            if len(objections) + len(broken) > self._seen:
                self._note_findings()
                if self._terms.until_violation or len(self.outcome.findings) >= MAX_FINDINGS:
                    return

    def _panel_turns(self, now: int) -> None:
        try:
            if self.panel.due <= now:
                self.panel.pass_deadlines()
            elif self.panel.disk_due <= now:
                self._disk_works()
            else:
                self._minute_passed()
        except Died:
            self._gone(self._dying)

    def _close(self) -> None:
        outcome, now = self.outcome, self.clock.now
        outcome.lived_ms = now
        outcome.steps = self.panel.steps
        outcome.records, outcome.held = len(self._journal), len(self._center)
        outcome.coverage.happenings.update(self.world.counts)
        for (zone, condition), count in self._wires.items():
            outcome.coverage.zones[f"{self._terms.ground.site.zones[zone].type}:{condition}"] += count
        if not outcome.findings and now >= self._end:
            self.judge.finish(now, self._journal, self._center)
            self._note_findings()
        outcome.digest = self._digest.hex()

    def _note_findings(self) -> None:
        every = [*self.judge.violations, *self._rules_broken]
        known = {id(finding.violation) for finding in self.outcome.findings}
        for violation in every:
            if id(violation) not in known and len(self.outcome.findings) < MAX_FINDINGS:
                self.outcome.findings.append(Finding(violation, tuple(self._last)))
        self._seen = len(every)

    # --- the panel's parts -----------------------------------------------------------------------------

    def _disk_works(self) -> None:
        if self.panel.look_at_disk():
            self._far.head_moved(self.clock.now)
            self._look_far()

    def _tell_clock(self) -> None:
        """The wall clock is told: at a start, and when it was set."""
        self._wall = self.clock.local()
        self._minute = self.clock.next_minute()
        self._say_time()

    def _minute_passed(self) -> None:
        """The next full minute of a clock that goes on evenly."""
        day, minute = self._wall
        self._wall = (day, minute + 1) if minute < 1_439 else (day + 1, 0)
        self._minute += MINUTE_MS
        self._say_time()

    def _say_time(self) -> None:
        day, minute = self._wall
        sure = self.clock.doubt == "synchronised"
        self._watch(WallClock(self.clock.now, day, minute, sure))  # it follows from the rest: no digest needs it
        self.panel.feed(ClockTold(day, minute, sure))

    def _look_far(self) -> None:
        due = self._far.next_work()
        self._far_due = NEVER if due is None else due

    def _far_works(self) -> None:
        arrived = self._far.work(self.clock.now)
        for held in arrived.held:
            self.emit(held)
        for trouble in arrived.troubles:
            if self.panel.awake:
                self.emit(Troubled(self.clock.now, trouble.trouble, trouble.present, trouble.subject))
                self.feed(trouble)
        self._look_far()
        self.panel.ask_disk()

    # --- what is seen ----------------------------------------------------------------------------------

    def emit(self, happening: Happening) -> None:
        """Something truly happened: tell the oracle, the digest, the books."""
        self._watch(happening)
        self._digest.take(happening)
        if (note := self._notes.get(type(happening))) is not None:
            note(happening)

    def _note_wire(self, wired: Wired) -> None:
        self.outcome.wired += 1
        name = (wired.zone, wired.condition)
        self._wires[name] = self._wires.get(name, 0) + 1

    def _note_record(self, record: Recorded) -> None:
        self._journal.append(record)
        self.outcome.coverage.kinds[record.kind] += 1
        if record.kind == "user.spent":
            self.world.book.spent.add(str(record.payload.get("user")))

    def _center_holds(self, held: Held) -> None:
        self._center.append(held)

    def _note_shown(self, shown: Shown) -> None:
        self.outcome.coverage.notices[shown.notice] += 1

    def _note_wish(self, asked: Typed | Commanded) -> None:
        self.outcome.coverage.wishes[asked.wish.value] += 1

    def _told(self, word: Tell | Answer | Record) -> None:
        now = self.clock.now
        if isinstance(word, Tell):
            shown = Shown(now, word.source, word.notice, word.args)
            self.emit(shown)
            self.world.shown(shown)
        elif isinstance(word, Answer):
            self._orders.answered(word)
        else:
            self._learn(str(word.payload["user"]))

    def _asked(self, _test: str) -> None:
        self.world.play(battery_answer(self.world), 1)

    def _captured(self, capture: Capture) -> None:
        self.outcome.coverage.steps[f"capture:{len(capture.cameras)}"] += 1

    def _broken(self, stimulus: Stimulus, error: Exception) -> None:
        """The rules raised: no panel should live through that unseen."""
        text = f"{type(stimulus).__name__}: {type(error).__name__}: {error}"
        self._last.append((self.clock.now, stimulus))
        self._rules_broken.append(Violation(self.clock.now, "rules-raised", text))

    def _stepped(
        self, stimulus: Stimulus, before: "rules.PanelState", state: "rules.PanelState", effects: tuple[Effect, ...]
    ) -> None:
        if not isinstance(stimulus, ClockTold):
            self._last.append((self.clock.now, stimulus))
        if state.durable.areas is not before.durable.areas:
            steps = self.outcome.coverage.steps
            for id_, area in state.durable.areas.items():
                was = before.durable.areas.get(id_)
                if was is not None and was.mode is not area.mode:
                    steps[f"{was.mode}>{area.mode}"] += 1
        if self._on_step is not None:
            self._on_step(self.clock.now, stimulus, before, state, effects)

    # --- people ------------------------------------------------------------------------------------------

    def _learn(self, id_: str) -> None:
        """The panel has this user's change on disk, and says so."""
        book = self.world.book
        book.changing.pop(id_, None)
        user = self.panel.state.users.get(id_)
        if user is None:
            if book.known.pop(id_, None) is not None:
                self.emit(Gone(self.clock.now, id_))
        elif (who := book.asked.get(user)) is not None and book.known.get(id_) is not who:
            self._know(who)

    def _know(self, who: Human) -> None:
        user = who.user
        self.world.book.known[user.id] = who
        self.world.book.spent.discard(user.id)
        self.emit(
            Person(
                self.clock.now,
                user.id,
                user.level,
                user.areas,
                bool(user.duress_key),
                user.rights,
                user.first_day,
                user.last_day,
                user.once,
            )
        )

    def _take_stock(self) -> None:
        """After a start: whom the panel knows now. A change that was not told may be on disk, or gone."""
        book, users = self.world.book, self.panel.state.users
        for id_ in [id_ for id_ in book.known if id_ not in users]:
            del book.known[id_]
            self.emit(Gone(self.clock.now, id_))
        for id_, user in users.items():
            known = book.known.get(id_)
            if not user.key and not user.duress_key:
                book.spent.add(id_)
                continue
            book.spent.discard(id_)  # a journal in memory may have gone with the power
            if (known is None or known.user != user) and user in book.asked:
                self._know(book.asked[user])
        book.changing.clear()

    # --- hands ---------------------------------------------------------------------------------------------

    @property
    def awake(self) -> bool:
        """Whether somebody reads the inputs."""
        return self.panel.awake

    @property
    def powered(self) -> bool:
        """Whether the board has power."""
        return self.panel.powered

    def feed(self, stimulus: Stimulus) -> None:
        """A driver, a keypad or another part says this now."""
        if self.panel.awake:
            try:
                self.panel.feed(stimulus)
            except Died:
                self._gone(self._dying)

    def mode(self, area: str) -> str:
        """What the keypad shows of the area."""
        return self.panel.state.areas[area].mode.value if self.panel.awake else ""

    def alarmed(self, area: str) -> bool:
        """Whether siren or strobe of the area are on."""
        if not self.panel.awake:
            return False
        state = self.panel.state.areas[area]
        return state.alarm is not None or state.strobe

    def crash(self, power: bool, fuse: int | None) -> None:
        """Die now, or when the fuse has burnt down."""
        self._dying = power
        if fuse is None or not self.panel.awake:
            self._gone(power)
        else:
            self.panel.light_fuse(fuse)

    def _gone(self, power: bool) -> None:
        if not self.panel.powered:
            return
        self.outcome.crashes += 1
        self.emit(Dark(self.clock.now, "power" if power else "killed"))
        self.panel.die(power, fall=self._random.random() < 0.5)
        self._minute = NEVER
        self._far.core_down(self.clock.now, power)
        self._look_far()

    def stop(self, reason: str) -> None:
        """Decide the stop, let the disk write what waits, end."""
        try:
            self.panel.stop(reason)
            self._flush()
        except Died:
            pass
        self._gone(False)

    def _flush(self) -> None:
        """The recorder writes what waits before it ends; within five seconds, or never."""
        limit = self.clock.now + 5_000
        while (due := self._disk.next_work()) is not None and due <= limit:
            for record in self._disk.work(due).records:
                self.emit(replace(record, at=self.clock.now))

    def start(self, version: str = "", config: str = "") -> None:
        """Start, restore, tell the clock, the troubles and every zone."""
        if self.panel.awake:
            return
        started = self.panel.start(version, config)
        self._orders.restarted()
        self._take_stock()
        try:
            self._tell_clock()
            self._far.core_up(self.panel.session, self.clock.now)
            self._far.head_moved(self.clock.now)
            self._look_far()
            for trouble in self.world.told_at_a_start():
                self.panel.feed(trouble)
            for zone, condition in self.world.readings().items():
                self.panel.feed(ZoneChanged(zone, condition))
        except Died:  # no fuse burns at a start
            raise AssertionError("a fuse at the start") from None
        self.emit(Awake(self.clock.now, started.cause))
        # Now it shows what was durable in the crash, though nobody had been told; all of this start comes after it.
        self._disk_works()

    def set_clock(self, offset_ms: int, doubt: str) -> None:
        """The panel's wall clock is off by so much from now on."""
        self.clock.offset_ms, self.clock.doubt = offset_ms, doubt
        self.world.trouble("clock", doubt != "synchronised")
        if self.panel.awake:
            try:
                self._tell_clock()
            except Died:
                self._gone(self._dying)

    def order(self, wish: Wish, deed: str, areas: tuple[str, ...] = (), zone: str = "") -> None:
        """The center's operator sends a command."""
        if not self.panel.awake or self._down:
            return
        what = self._orders.prepare(wish, deed, areas, zone)
        if what is not None:
            self.emit(what)
            self._orders.send(what, deed)

    def network(self, what: str, up: bool = True) -> None:
        """The link goes or comes back, or a part on the way is restarted."""
        now, far = self.clock.now, self._far
        if what == "link":
            before = self._down
            self._down = max(0, self._down + (-1 if up else 1))
            if bool(before) != bool(self._down):
                far.link(not self._down, now)
                self.emit(Linked(now, not self._down))
        elif what == "uplink":
            far.restart_uplink(now)
        elif what == "broker":
            far.restart_broker(now)
        else:
            far.restart_center(now)
        self._look_far()

    def card(self, what: str, until: int = 0) -> None:
        """The disk is full, has room again, or hangs."""
        if what == "stall":
            self._disk.stall(until, self.clock.now)
        else:
            before = self._full
            self._full = max(0, self._full + (1 if what == "full" else -1))
            if bool(before) != bool(self._full):
                self._disk.fill(bool(self._full), self.clock.now)
        self.panel.ask_disk()
        if self.panel.awake:
            try:
                self._disk_works()
            except Died:
                self._gone(self._dying)


def derived_seed(seed: int, number: int) -> int:
    """The seed of the life with this number: the first has the seed itself, so each can be lived again alone."""
    return seed if number == 0 else int.from_bytes(sha256(f"{seed}:{number}".encode()).digest()[:6], "big")
