"""The world around a panel: its wires, its people, and a queue of what will happen, all from one seed.

What people, weather and machines do are *scripts*: generators that yield how many milliseconds they wait. They act on
the panel through `hil.life.ports.Hands` and see of it what a person would. Nothing in here asks a clock.
"""

import heapq
from collections.abc import Callable, Generator, Mapping
from random import Random
from typing import Any, TypeAlias

from hil.life.clock import DAY_MS, MINUTE_MS, Calendar
from hil.life.ground import Ground
from hil.life.happenings import Shown, Troubled, Typed, Wired
from hil.life.people import Book, Human, key_of
from hil.life.ports import Hands
from rules.site import Condition
from rules.stimuli import CodeEntered, TroubleChanged, Wish, ZoneChanged

Script: TypeAlias = Generator[int, None, None]
_FAR = 1 << 60


class World:
    """See the module. `turn` whenever `next_at` has come; the one who drives sets `hands` first."""

    def __init__(self, ground: Ground, calendar: Calendar, random: Random) -> None:
        self.ground = ground
        self.site = ground.site
        self.calendar = calendar
        self.random = random
        self.book = Book()
        self.hands: Hands
        self.now = 0
        self.staffed: set[str] = set()
        """Areas in which people work."""
        self.restless: set[str] = set()
        """What must not happen twice at a time (a repair, a power cut): names."""
        self.troubles: set[tuple[str, str]] = set()
        """Troubles of the panel's parts that truly stand: name, subject."""
        self.down: set[str] = set()
        """Drivers that do not work."""
        self.counts: dict[str, int] = {}
        self.tasks: dict[str, str] = {}
        """What an area's people should do next: the last word of its keypad that asks for something."""
        self.on_alarm: Callable[[], None] | None = None
        self.queue: list[tuple[int, int, Callable[[Any], None], Any]] = []
        """What will happen: a heap by moment and order."""
        self._order = 0
        self._active: set[str] = set()
        self._until: dict[str, int] = {}
        self._line: dict[str, Condition] = {}
        self._read = dict.fromkeys(ground.site.zones, Condition.NORMAL)
        self._driver = {zone.id: zone.driver for zone in ground.site.zones.values()}
        self._heard: dict[str, tuple[int, str, Mapping[str, Any]]] = {}

    # --- the queue -----------------------------------------------------------------------------------

    def next_at(self) -> int:
        """When something happens next."""
        return self.queue[0][0] if self.queue else _FAR

    def stop(self) -> None:
        """Nothing happens any more."""
        self.queue.clear()

    def turn(self) -> None:
        """Let the next thing happen."""
        self.now, _, act, what = heapq.heappop(self.queue)
        act(what)

    def at(self, moment: int, act: Callable[[Any], None], what: Any = None) -> None:
        """Do this then."""
        self._order += 1
        heapq.heappush(self.queue, (moment, self._order, act, what))

    def play(self, script: Script, after_ms: int = 0) -> None:
        """Begin a script."""
        self.at(self.now + after_ms, self._go_on, script)

    def _go_on(self, script: Script) -> None:
        pause = next(script, None)
        if pause is not None:
            self.at(self.now + pause, self._go_on, script)

    # --- chance ---------------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return self.random.random() < probability

    def between(self, least: int, most: int) -> int:
        """A whole number, ends included."""
        return least + int(self.random.random() * (most - least + 1))

    def seconds(self, least: float, most: float) -> int:
        """A span in milliseconds."""
        return int((least + self.random.random() * (most - least)) * 1000)

    def minutes(self, least: float, most: float) -> int:
        """A span in milliseconds."""
        return self.seconds(least * 60, most * 60)

    def until(self, minute: float) -> int:
        """How long it is until this minute of today; 0 when it is over."""
        return max(0, self.now // DAY_MS * DAY_MS + int(minute * MINUTE_MS) - self.now)

    def count(self, kind: str) -> None:
        """A kind of `hil.life.rates.RATES` happens."""
        self.counts[kind] = self.counts.get(kind, 0) + 1

    # --- wires ----------------------------------------------------------------------------------------

    def trip(self, zone: str, for_ms: int, intruder: bool = False) -> None:
        """Set a detector off, open a door, press a button, for so long."""
        until = self.now + for_ms
        if until > self._until.get(zone, 0):
            self._until[zone] = until
        if zone not in self._active:
            self._active.add(zone)
            self._look(zone, intruder)
        self.at(until, self._rest, zone)

    def hold(self, zone: str, intruder: bool = False) -> None:
        """Leave a door open, a button pressed, a key turned."""
        self._until[zone] = _FAR
        if zone not in self._active:
            self._active.add(zone)
            self._look(zone, intruder)

    def release(self, zone: str) -> None:
        """The end of `hold`, or of a trip before its time."""
        self._until[zone] = 0
        self._rest(zone)

    def is_active(self, zone: str) -> bool:
        """Whether somebody or something sets it off, whatever its wire says."""
        return zone in self._active

    def _rest(self, zone: str) -> None:
        if zone in self._active and self._until[zone] <= self.now:
            self._active.discard(zone)
            self._look(zone)

    def line(self, zone: str, condition: Condition, intruder: bool = False) -> None:
        """What becomes of a zone's line or detector; NORMAL when it is whole again."""
        if condition is Condition.NORMAL:
            self._line.pop(zone, None)
        else:
            self._line[zone] = condition
        self._look(zone, intruder)

    def broken(self, zone: str) -> bool:
        """Whether its line or detector is not as it should be."""
        return zone in self._line

    def reading(self, zone: str) -> Condition:
        """What a driver reads."""
        return self._read[zone]

    def readings(self) -> Mapping[str, Condition]:
        """What the drivers read of all zones."""
        return self._read

    def _truth(self, zone: str) -> Condition:
        if self.down and self._driver[zone] in self.down:
            return Condition.FAULT
        found = self._line.get(zone)
        if found is not None:
            return found
        return Condition.ACTIVE if zone in self._active else Condition.NORMAL

    def _look(self, zone: str, intruder: bool = False) -> None:
        truth = self._truth(zone)
        if truth is not self._read[zone]:
            self._read[zone] = truth
            self.hands.emit(Wired(self.now, zone, truth, intruder))
            if self.hands.awake:
                self.hands.feed(ZoneChanged(zone, truth))

    def repeat(self, zone: str) -> None:
        """A driver says again what stands."""
        if self.hands.awake:
            self.hands.emit(Wired(self.now, zone, self._read[zone], asked=True))
            self.hands.feed(ZoneChanged(zone, self._read[zone]))

    def driver(self, name: str, works: bool) -> None:
        """A driver or bus dies, or comes back and reports all its zones."""
        kind = "driver" if name == "gpio" else "bus"
        zones = self.ground.of_driver.get(name, ())
        if works:
            self.down.discard(name)
            before = {zone: self._read[zone] for zone in zones}
            for zone in zones:
                self._look(zone)
            for zone in zones:
                if before[zone] is self._read[zone]:
                    self.repeat(zone)
            self.trouble(kind, False, name)
            return
        # First the trouble: a fault of its zones is its own.
        self.trouble(kind, True, name)
        self.down.add(name)
        for zone in zones:
            self._look(zone)

    def trouble(self, name: str, present: bool, subject: str = "") -> None:
        """A trouble of the panel's own parts begins or ends."""
        if present == ((name, subject) in self.troubles):
            return
        (self.troubles.add if present else self.troubles.discard)((name, subject))
        self.hands.emit(Troubled(self.now, name, present, subject))
        if self.hands.awake:
            self.hands.feed(TroubleChanged(name, present, subject))

    def told_at_a_start(self) -> list[TroubleChanged]:
        """What the panel's parts say when it starts: troubles that stand, and that watched parts are well.

        Without the second a trouble that ended in the dark would stand for ever; what no part watches, core ends itself
        (`firmware.core.leftovers`).
        """
        watched = [(name, "") for name in sorted(self.ground.supplies)] + [("clock", "")]
        watched += [("camera", name) for name in ("process", *sorted(self.ground.cameras))]
        watched += [("camera-tamper", name) for name in sorted(self.ground.cameras)]
        watched += [("path", name) for name in self.ground.other_paths]
        every = dict.fromkeys([*sorted(self.troubles), *watched])
        return [TroubleChanged(name, (name, subject) in self.troubles, subject) for name, subject in every]

    # --- keypads --------------------------------------------------------------------------------------

    def type(self, source: str, code: str, wish: Wish, **terms: Any) -> None:
        """Somebody types a code at a keypad. `terms`: further members of `rules.stimuli.CodeEntered`."""
        user, duress = self.book.whose(code)
        if not self.hands.awake or user in self.book.changing:
            return
        self.hands.emit(Typed(self.now, source, user, duress, wish, **terms))
        self.hands.feed(CodeEntered(source, key_of(code), wish, **terms))

    def ask(self, source: str, who: Human, wish: Wish, **terms: Any) -> Generator[int, None, str]:
        """Type somebody's code and look what the keypad says: a name of `rules.notices`, or nothing."""
        began = self.now
        self.type(source, who.code, wish, **terms)
        yield self.between(900, 2_500)
        return self.told(source, began)

    def told(self, source: str, since: int) -> str:
        """What this keypad said last, since then."""
        at, notice, _ = self._heard.get(source, (-1, "", {}))
        return notice if at >= since else ""

    def reasons(self, source: str) -> list[str]:
        """The reasons that this keypad gave with its last word."""
        found = self._heard.get(source, (-1, "", {}))[2].get("reasons", ())
        return [str(reason) for reason in found]

    def shown(self, shown: Shown) -> None:
        """A keypad shows or says this."""
        self._heard[shown.source] = (shown.at, shown.notice, shown.args)
        if shown.notice == "alarm" and self.on_alarm is not None:
            self.on_alarm()
        elif shown.notice == "auto-arm-soon":
            area = shown.args.get("area") or shown.args.get("areas")
            for name in [area] if isinstance(area, str) else list(area or ()):  # type: ignore[arg-type]
                self.tasks[str(name)] = "auto-arm-soon"

    # --- what people know --------------------------------------------------------------------------------

    def is_set(self, area: str) -> bool:
        """Whether the keypad shows the area as armed, or on its way there."""
        return self.hands.mode(area) not in ("disarmed", "")

    def keypad(self, area: str) -> str:
        """The keypad of an area."""
        return f"keypad-{area}"
