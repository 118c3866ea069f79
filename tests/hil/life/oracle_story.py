"""A small site and a story-teller: hand-made happenings for the oracle, with no rules and no panel behind them."""

from collections.abc import Mapping
from typing import Any

from hil.life import happenings as h
from hil.life.oracle import Oracle
from rules.site import (
    Area,
    Condition,
    Hours,
    Output,
    OutputKind,
    Part,
    Place,
    Schedule,
    Site,
    Stop,
    Timings,
    Tour,
    Zone,
    ZoneType,
)
from rules.stimuli import Right, Wish
from rules.vocabulary import KINDS

N, A, OPEN, SHORT, MASKED, FAULT = Condition
HALL, VAULT, BOTH = ("hall",), ("vault",), ("hall", "vault")
MONDAY = 739_719
"""2026-04-20."""
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
EXIT_MS, ENTRY_MS = 60 * SECOND, 30 * SECOND


def _zones(*zones: Zone) -> dict[str, Zone]:
    return {zone.id: zone for zone in zones}


def _zone(id_: str, type_: ZoneType, areas: tuple[str, ...] = HALL, **more: Any) -> Zone:
    return Zone(id_, 1, id_, type_, areas, **more)


ZONES = _zones(
    _zone("door", ZoneType.ENTRY_EXIT, chime=True),
    _zone("side-door", ZoneType.ENTRY_EXIT, entry_delay_ms=45_000),
    _zone("window", ZoneType.INSTANT),
    _zone("pir", ZoneType.INSTANT, settle_ms=60_000),
    _zone("corridor", ZoneType.FOLLOWER),
    _zone("shutter", ZoneType.DAY),
    _zone("up", ZoneType.HOLD_UP),
    _zone("smoke", ZoneType.FIRE),
    _zone("safe", ZoneType.TWENTY_FOUR_HOUR, VAULT),
    _zone("lid", ZoneType.TAMPER, BOTH),
    _zone("shared", ZoneType.INSTANT, BOTH),
    _zone("glass-1", ZoneType.INSTANT, VAULT, cross_group="glass"),
    _zone("glass-2", ZoneType.INSTANT, VAULT, cross_group="glass"),
    _zone("twice", ZoneType.INSTANT, VAULT, pulses=2, pulse_window_ms=10_000),
    _zone("trial", ZoneType.INSTANT, VAULT, soak=True),
    _zone("eye-1", ZoneType.INSTANT, VAULT, detector="one", swinger_trips=0),
    _zone("eye-2", ZoneType.INSTANT, VAULT, detector="two"),
    _zone("key", ZoneType.KEYSWITCH, VAULT),
    _zone("turn", ZoneType.MAINTAINED_KEYSWITCH, VAULT),
    _zone("stop", ZoneType.CHECKPOINT),
    _zone("lift", ZoneType.MONITOR),
    _zone("drain", ZoneType.WATER, report_restore=False),
)
SOUNDERS = {
    "bell": Output("bell", OutputKind.SIREN, BOTH, Place.EXTERNAL),
    "horn": Output("horn", OutputKind.SIREN, BOTH, Place.INTERNAL),
    "strobe": Output("strobe", OutputKind.STROBE, BOTH),
}
LAMPS = {
    "lamp": Output("lamp", OutputKind.ARMED, HALL),
    "buzzer": Output("buzzer", OutputKind.BUZZER, HALL),
    "gong": Output("gong", OutputKind.CHIME, HALL),
    "light": Output("light", OutputKind.RELAY, HALL, follows="zone:lift"),
    "gate": Output("gate", OutputKind.RELAY, VAULT, follows="area:vault"),
}
LATE = {"late": Output("late", OutputKind.SIREN, BOTH, Place.EXTERNAL, delay_ms=120_000)}
SLOW = {"slow": Output("slow", OutputKind.SIREN, BOTH, Place.INTERNAL, delay_ms=120_000)}
BANK = Schedule("bank", (Hours(480, 1080),) * 5 + (None, None), late_after_min=30, auto_after_min=60)
ROUND = Tour("round", "Round", (Stop("stop", 5, 15),), ((0, 60),))


def site(outputs: Mapping[str, Output] | None = None, **timings: Any) -> Site:
    """The small site; with its sounders only, where no outputs are given."""
    return Site(
        areas={
            "hall": Area("hall", 1, "hall", ENTRY_MS, EXIT_MS, schedule="bank"),
            "vault": Area("vault", 2, "vault", ENTRY_MS, 0),
        },
        zones=ZONES,
        outputs=SOUNDERS if outputs is None else outputs,
        timings=Timings(**timings),
        parts={"night": Part("night", "Night", ("window",), HALL)},
        schedules={"bank": BANK},
        tours={"round": ROUND},
    )


class Story:
    """Tells the oracle what happens; the panel in it does what the story says, right or wrong."""

    def __init__(self, outputs: Mapping[str, Output] | None = None, **timings: Any) -> None:
        self.site = site(outputs, **timings)
        self.oracle = Oracle(self.site)
        self.now = 0
        self.seq = 0
        self.journal: list[h.Recorded] = []
        self.delivers = True
        """Whether the center stores what is recorded at once."""
        self.view: dict[str, Any] = {
            "areas": {a: {"mode": "disarmed", "part": "", "instant": False, "memory": []} for a in self.site.areas},
            "zones": {z: {"condition": "normal", "bypassed": False, "alarm": False} for z in self.site.zones},
            "troubles": [],
            "trouble_memory": [],
            "indications": [],
        }
        self.see()
        self.tell(h.Awake(0, "first"))
        everybody: dict[str, Any] = {"level": 2, "areas": BOTH, "duress": True}
        self.tell(h.Person(0, "boss", **everybody))
        self.tell(h.Person(0, "armer", **everybody, rights=(Right.ARM,)))
        self.tell(h.Person(0, "dated", **everybody, first_day=MONDAY, last_day=MONDAY))
        self.tell(h.Person(0, "once", **everybody, once=True))
        self.tell(h.Person(0, "fitter", level=3, areas=BOTH, duress=False))
        # Power-up is over, and what was told at the start is long ago.
        self.wait(10 * MINUTE)

    @property
    def broken(self) -> set[str]:
        """The promises that the oracle saw broken."""
        return {violation.rule for violation in self.oracle.violations}

    def tell(self, happening: h.Happening) -> None:
        """Something happens."""
        self.oracle.watch(happening)

    def wait(self, ms: int) -> None:
        """Time goes by; what was due is looked at."""
        self.now += ms
        self.tell(h.Wired(self.now, "lift", self.oracle.books.zones["lift"].wire, asked=True))

    # --- the world

    def wire(self, zone: str, condition: Condition, **more: Any) -> None:
        """A wire reads something."""
        self.tell(h.Wired(self.now, zone, condition, **more))

    def trip(self, zone: str, for_ms: int = 500) -> None:
        """A detector goes off for a moment."""
        self.wire(zone, A)
        self.wait(for_ms)
        self.wire(zone, N)

    def types(self, user: str, wish: Wish, areas: tuple[str, ...] = (), source: str = "kp", **more: Any) -> None:
        """Somebody types a code."""
        duress = bool(more.pop("duress", False))
        self.tell(h.Typed(self.now, source, user, duress, wish, areas, **more))

    def clock(self, minute: int, day: int = MONDAY, sure: bool = True) -> None:
        """The panel is told the time."""
        self.tell(h.WallClock(self.now, day, minute, sure))

    def ticks(self, first: int, last: int, day: int = MONDAY) -> None:
        """Minute by minute."""
        for minute in range(first, last + 1):
            self.clock(minute, day)
            self.wait(MINUTE)

    def trouble(self, name: str, present: bool, subject: str = "") -> None:
        """A trouble begins or ends."""
        self.tell(h.Troubled(self.now, name, present, subject))

    def dark(self, why: str = "killed", for_ms: int = 5_000) -> None:
        """The panel stops, and is up again; what it shows then is what it showed last."""
        self.tell(h.Dark(self.now, why))
        self.now += for_ms
        self.view = {**self.view}
        self.see()
        self.tell(h.Awake(self.now, "restart" if why == "killed" else "power-up"))

    # --- the panel

    def see(self) -> None:
        """The view as it is."""
        self.tell(h.Viewed(self.now, self.view))

    def mode(self, **modes: str) -> None:
        """These areas are seen in these modes."""
        areas = dict(self.view["areas"])
        for area, mode in modes.items():
            areas[area] = {**areas[area], "mode": mode}
        self.view = {**self.view, "areas": areas}
        self.see()

    def zone(self, id_: str, **shown: Any) -> None:
        """The view of a zone changes."""
        self.view = {**self.view, "zones": {**self.view["zones"], id_: {**self.view["zones"][id_], **shown}}}
        self.see()

    def shows(self, **members: Any) -> None:
        """Other members of the view change."""
        self.view = {**self.view, **members}
        self.see()

    def pins(self, on: bool, *outputs: str) -> None:
        """Outputs switch."""
        for output in outputs:
            self.tell(h.Pin(self.now, output, on))

    def record(self, kind: str, areas: tuple[str, ...] = (), /, **payload: Any) -> None:
        """A record is durable."""
        self.seq += 1
        more = {"areas": list(areas)} if areas else {}
        record = h.Recorded(self.now, "j", self.seq, KINDS[kind].lane.value, kind, {**more, **payload})
        self.journal.append(record)
        self.tell(record)
        if self.delivers:
            self.tell(h.Held(self.now, record.journal, record.seq, record.lane, record.kind, record.payload))

    def of(self, zone: str, kind: str, condition: str = "active", /, **payload: Any) -> None:
        """A record about a zone."""
        self.record(kind, self.site.zones[zone].areas, zone=zone, condition=condition, **payload)

    # --- whole scenes, as they should be

    def arm(self, *areas: str, user: str = "boss", **more: Any) -> None:
        """The boss arms, and leaves; the hall has an exit delay."""
        by = {"by": "keypad:kp", "user": user}
        self.types(user, Wish.ARM, areas, **more)
        part = {"part": more["part"]} if "part" in more else {}
        if "vault" in areas:
            self.mode(vault="armed")
            self.record("area.armed", VAULT, **by)
        if "hall" in areas:
            self.mode(hall="exit-delay")
            self.record("area.exit-started", HALL, **by)
            self.wait(EXIT_MS)
            self.mode(hall="armed")
            self.record("area.part-armed" if part else "area.armed", HALL, **by, **part)
        self.wait(HOUR)

    def disarm(self, *areas: str, user: str = "boss") -> None:
        """Somebody disarms, and all that sounds falls silent."""
        self.types(user, Wish.DISARM, areas)
        self.silent()
        self.mode(**dict.fromkeys(areas, "disarmed"))
        self.record("area.disarmed", areas, by="keypad:kp", user=user)

    def silent(self) -> None:
        """What sounds falls silent."""
        pins = self.oracle.books.pins
        self.pins(False, *(output for output in ("bell", "horn", "strobe") if pins.get(output)))

    def alarm(self, zone: str, kind: str = "alarm.intruder", condition: str = "active", **payload: Any) -> None:
        """All that follows from an alarm in areas that are set."""
        self.pins(True, "bell", "horn", "strobe")
        self.mode(**dict.fromkeys(self.site.zones[zone].areas, "alarm"))
        self.indicate(zone, kind)
        self.of(zone, kind, condition, **{"incident": self.seq, **payload})

    def indicate(self, zone: str, kind: str) -> None:
        """The alarm is shown until it is reset."""
        new = {"kind": kind, "zone": zone, "areas": list(self.site.zones[zone].areas)}
        if new not in self.view["indications"]:
            self.shows(indications=[*self.view["indications"], new])

    def sirens_end(self, *areas: str) -> None:
        """The sirens come to their limit."""
        self.wait(300 * SECOND)
        self.pins(False, "bell", "horn")
        self.mode(**dict.fromkeys(areas, "armed"))
        self.record("siren.stopped", areas)
