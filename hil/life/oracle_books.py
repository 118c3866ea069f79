"""The oracle's books: what the world did, what the panel was told, and what it was seen to do since.

Written from docs/rules.md and the digest; nothing of `rules` is used but its data (site, wishes, vocabulary). All
moments are the world's milliseconds.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hil.life.oracle_rules import RULES
from hil.life.violation import Violation
from rules.site import Area, Condition, Site, Zone

AT_ONCE_MS = 2_000
"""GB 55029 3.5.1(8): the panel answers within 2 s."""
DURABLE_MS = 60_000
"""A record is durable by then, unless the card hangs or the panel goes dark."""
KEPT_MS = 10_000
"""What remained of a timer is at most so old when the power fails (DESIGN, The journal)."""
MAX_VIOLATIONS = 100
UNSET = ("disarmed", "exit-delay")
MODES = ("disarmed", "exit-delay", "armed", "entry-delay", "alarm")


def phase(mode: str) -> str:
    """`disarmed`, `exit-delay` or `set`: what must survive."""
    return mode if mode in UNSET else "set"


@dataclass
class Span:
    """When a timer should end: between `low` and `high`. A power cut makes it wider, see `DESIGN, Timers`."""

    low: int
    high: int
    made: int = -1

    def after_dark(self, dark_at: int, awake_at: int, cause: str) -> None:
        """The same boot goes on exactly, a new one with what remained at the last commit."""
        if self.made > dark_at:
            return  # it began at the start itself
        if cause == "restart":
            self.low = max(self.low, awake_at) if self.low > dark_at else self.low
            self.high = max(self.high, awake_at)
        else:
            self.low = awake_at + max(0, self.low - dark_at)
            self.high = awake_at + max(0, self.high - dark_at) + KEPT_MS


@dataclass(frozen=True)
class Permit:
    """Somebody may arm or disarm an area now (`act`). `part` None: not known which."""

    at: int
    act: str
    part: str | None = ""
    instant: bool | None = False
    user: str = ""


@dataclass
class AreaBook:
    """One area as it was seen. `mode` is what the panel's public view says; `durable` the phase that the records tell,
    `maybe` those that were seen and are not recorded yet."""

    facts: Area
    mode: str = "disarmed"
    before: str = "disarmed"
    mode_at: int = 0
    durable: str = "disarmed"
    maybe: set[str] = field(default_factory=set)
    on_disk: frozenset[str] = frozenset()
    """The phases that may be on the card, since the journal is in memory."""
    part: str | None = ""
    instant: bool | None = False
    omits: frozenset[str] = frozenset()
    armed_at: int = 0
    disarmed_at: int = 0
    touched_at: int = -1
    """When somebody with a right last did something to it: disarm, silence, reset."""
    permits: deque[Permit] = field(default_factory=lambda: deque(maxlen=16))

    @property
    def is_set(self) -> bool:
        """Armed, entry delay or alarm."""
        return self.mode not in UNSET


@dataclass
class ZoneBook:
    """One zone: what its wire reads, what the panel was told, whether it counts. None: not known for certain."""

    facts: Zone
    areas: tuple[AreaBook, ...]
    wire: Condition = Condition.NORMAL
    told: Condition | None = None
    told_at: int = 0
    bypassed: bool | None = False
    isolated: bool | None = False
    shut: bool | None = False
    unsure_until: int = -1
    standing: dict[str, int] = field(default_factory=dict)
    """Alarms recorded and not restored: kind → when."""
    stood: dict[str, str] = field(default_factory=dict)
    """Alarms recorded and not restored: kind → for which condition."""
    credits: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=64))
    """Causes that may still alarm: when, and the condition."""

    @property
    def out(self) -> bool | None:
        """Bypassed or isolated; None when that is not certain."""
        if self.bypassed or self.isolated:
            return True
        return None if self.bypassed is None or self.isolated is None else False

    @property
    def all_set(self) -> bool:
        """A zone in several areas is armed only when all of them are set (Common zones)."""
        return all(area.mode not in UNSET for area in self.areas)

    @property
    def resting(self) -> bool | None:
        """Its part set rests in one of its areas; None when the part is not certain."""
        if any(area.part is None for area in self.areas):
            return None
        return any(self.facts.id in area.omits for area in self.areas if area.mode != "disarmed")

    def sure(self, at: int) -> bool:
        """Whether the books know for certain if it counts."""
        return at > self.unsure_until and self.out is not None and self.shut is not None and self.resting is not None


Check = Callable[[int], None]


class Books:
    """Everything the rules of the oracle share. `now` follows the happenings."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.now = 0
        self.awake = False
        self.awake_at = 0
        self.dark_at = 0
        self.memory = ""
        """The journal in use, where it is one in memory: the card takes nothing."""
        self.memory_at = 0
        self.nights: deque[tuple[int, int]] = deque(maxlen=64)
        """When the panel was dark: from, to."""
        self.why = ""
        self.cause = ""
        self.powered_at = 0
        self.areas = {id_: AreaBook(area) for id_, area in site.areas.items()}
        self.zones = {z.id: ZoneBook(z, tuple(self.areas[a] for a in z.areas)) for z in site.zones.values()}
        self.pins: dict[str, bool] = {}
        self.pin_at: dict[str, int] = {}
        self.troubles: set[str] = set()
        self.trouble_at: dict[str, int] = {}
        self.storage_at = -DURABLE_MS
        self.view: Mapping[str, Any] = {}
        self.day = self.minute = self.told_clock_at = 0
        self.sure = False
        self.last: dict[tuple[str, str], int] = {}
        self.violations: list[Violation] = []
        self._due: list[tuple[int, int, Check, bool]] = []
        self._count = 0
        self.next_due = 1 << 62

    # --- objections

    def blame(self, rule: str, text: str, at: int | None = None) -> None:
        """A promise was not kept. `rule` is a name of `RULES`."""
        if rule not in RULES:
            raise KeyError(rule)
        if len(self.violations) < MAX_VIOLATIONS:
            self.violations.append(Violation(self.now if at is None else at, rule, text))

    # --- what must have happened by a moment

    def expect(self, due: int, check: Check, *, over_dark: bool = False) -> None:
        """Call `check` once all happenings up to `due` are known; forgotten in the dark, unless `over_dark`."""
        self._count += 1
        heapq.heappush(self._due, (due, self._count, check, over_dark))
        self.next_due = self._due[0][0]

    def run(self, at: int) -> None:
        """Do every check that was due before `at`."""
        while self._due and self._due[0][0] < at:
            due, _, check, _ = heapq.heappop(self._due)
            self.now = max(self.now, due)
            check(due)
        self.next_due = self._due[0][0] if self._due else 1 << 62

    def forget(self) -> None:
        """The panel is dark: what it has not done it need not do."""
        self._due = [entry for entry in self._due if entry[3]]
        heapq.heapify(self._due)
        self.next_due = self._due[0][0] if self._due else 1 << 62

    # --- records

    def recorded_since(self, at: int, kinds: tuple[str, ...], subject: str) -> bool:
        """Whether a record of one of these kinds about this zone, area or trouble became durable at `at` or later."""
        return any(self.last.get((kind, subject), -1) >= at for kind in kinds)

    def storage_bad(self) -> bool:
        """The card takes nothing, or did so a moment ago: records may come late."""
        return "storage" in self.view.get("troubles", ()) or self.now - self.storage_at < DURABLE_MS

    def dark_since(self, at: int) -> int:
        """How long the panel was dark since then, in all, with a margin for each time: its timers stood meanwhile."""
        return sum(up - max(down, at) + KEPT_MS for down, up in self.nights if up > at)

    def permit(self, area: AreaBook, act: str, within_ms: int = AT_ONCE_MS) -> Permit | None:
        """The last permit for this act that is young enough to be the cause of what is seen now."""
        for permit in reversed(area.permits):
            if permit.act == act and self.now - permit.at <= within_ms:
                return permit
        return None

    def by_id(self, areas: Any) -> tuple[AreaBook, ...]:
        """The areas that a record or view names."""
        if not isinstance(areas, list | tuple):
            return ()
        return tuple(self.areas[str(a)] for a in areas if str(a) in self.areas)
