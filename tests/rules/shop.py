"""A small site with a zone of every type, a part set, a schedule and a tour, and what people do at it."""

from collections.abc import Callable
from datetime import date

from rules import (
    Area,
    ClockTold,
    CodeEntered,
    Condition,
    Effect,
    Hours,
    Output,
    OutputKind,
    PanelStarted,
    Part,
    Place,
    Schedule,
    Site,
    Stop,
    Tour,
    User,
    UserSet,
    Wish,
    Zone,
    ZoneType,
)
from tests.rules.branch import Panel

ENTRY_MS, EXIT_MS, SIREN_MS, MINUTE_MS = 30_000, 60_000, 300_000, 60_000
MANAGER, MANAGER_DURESS, INSTALLER, GUEST, WRONG = "a1" * 16, "a2" * 16, "b1" * 16, "c1" * 16, "ff" * 16
FRIDAY = date(2026, 11, 27).toordinal()
OPENS, CLOSES, LATE_MIN, AUTO_MIN, TOUR_AT = 8 * 60, 18 * 60, 15, 30, 22 * 60
NORMAL, ACTIVE, OPEN, FAULT = Condition.NORMAL, Condition.ACTIVE, Condition.OPEN, Condition.FAULT

Scenario = Callable[[Panel], tuple[Effect, ...]]
"""Plays on a fresh panel; gives the effects of its last act, which must record the kind."""


def _zones() -> list[Zone]:
    hall = (
        ("door", ZoneType.ENTRY_EXIT),
        ("corridor", ZoneType.FOLLOWER),
        ("window", ZoneType.INSTANT),
        ("pir", ZoneType.INSTANT),
        ("office", ZoneType.DAY),
        ("button", ZoneType.HOLD_UP),
        ("button-2", ZoneType.HOLD_UP),
        ("bell-push", ZoneType.AUDIBLE_HOLD_UP),
        ("foot-rail", ZoneType.DURESS),
        ("lid", ZoneType.TAMPER),
        ("smoke", ZoneType.FIRE),
        ("gas", ZoneType.GAS),
        ("cellar", ZoneType.WATER),
        ("boiler", ZoneType.TECHNICAL),
        ("pendant", ZoneType.MEDICAL),
        ("post-1", ZoneType.CHECKPOINT),
        ("post-2", ZoneType.CHECKPOINT),
    )
    zones = [Zone(id_, n, id_, type_, ("hall",)) for n, (id_, type_) in enumerate(hall, 1)]
    return [
        *(Zone(z.id, z.number, z.name, z.type, z.areas, forceable=True) if z.id == "window" else z for z in zones),
        Zone("cross-1", 31, "cross-1", ZoneType.INSTANT, ("hall",), cross_group="x"),
        Zone("cross-2", 32, "cross-2", ZoneType.INSTANT, ("hall",), cross_group="x"),
        Zone("trial", 33, "trial", ZoneType.INSTANT, ("hall",), soak=True),
        Zone("lobby", 34, "lobby", ZoneType.ENTRY_EXIT, ("hall", "vault")),
        Zone("seismic", 35, "seismic", ZoneType.TWENTY_FOUR_HOUR, ("vault",)),
        Zone("key", 36, "key", ZoneType.KEYSWITCH, ("vault",)),
    ]


SITE = Site(
    areas={
        "hall": Area("hall", 1, "Hall", ENTRY_MS, EXIT_MS, schedule="office-hours"),
        "vault": Area("vault", 2, "Vault", ENTRY_MS, 0),
    },
    zones={zone.id: zone for zone in _zones()},
    outputs={"bell": Output("bell", OutputKind.SIREN, ("hall", "vault"), Place.INTERNAL)},
    parts={"night": Part("night", "Night", ("pir",))},
    schedules={
        "office-hours": Schedule(
            "office-hours", (Hours(OPENS, CLOSES),) * 7, late_after_min=LATE_MIN, auto_after_min=AUTO_MIN
        )
    },
    tours={
        "round": Tour("round", "Round", (Stop("post-1", 0, 10), Stop("post-2", 5, 20)), ((4, TOUR_AT),)),
    },
    paths=("first", "second"),
)


def started(version: str = "1.0", config: str = "c0") -> PanelStarted:
    return PanelStarted("restart", 5, version, config)


def fresh(site: Site = SITE) -> Panel:
    """A panel with its users, started, everything at rest."""
    panel = Panel(site, users=False)
    panel.play(UserSet("technician", User("manager", "经理", 2, ("hall", "vault"), MANAGER, MANAGER_DURESS)))
    panel.play(UserSet("technician", User("installer", "Installer", 3, ("hall", "vault"), INSTALLER)))
    panel.play(UserSet("technician", User("guest", "Guest", 2, ("hall",), GUEST, once=True)))
    panel.play(started())
    panel.read("key", NORMAL)
    return panel


def arm(panel: Panel, area: str = "hall", **more: object) -> tuple[Effect, ...]:
    return panel.play(CodeEntered("kp", MANAGER, Wish.ARM, (area,), **more))  # type: ignore[arg-type]


def armed(panel: Panel, *, quiet_ms: int = 600_000) -> Panel:
    """The hall is set, and so long that nothing of the arming plays a part."""
    arm(panel)
    panel.wait(EXIT_MS + quiet_ms)
    return panel


def disarm(panel: Panel, area: str = "hall") -> tuple[Effect, ...]:
    return panel.code(MANAGER, Wish.DISARM, area)


def clock(panel: Panel, minute: int, day: int = FRIDAY) -> tuple[Effect, ...]:
    return panel.play(ClockTold(day, minute, True))


def minutes(panel: Panel, first: int, last: int) -> tuple[Effect, ...]:
    """The clock is told at each full minute from `first` to `last`; what came out on the way and at the end."""
    seen = clock(panel, first)
    for minute in range(first + 1, last + 1):
        seen += panel.wait(MINUTE_MS) + clock(panel, minute)
    return seen


def session(panel: Panel) -> tuple[Effect, ...]:
    """The installer comes in."""
    panel.code(MANAGER, Wish.GRANT)
    return panel.code(INSTALLER)
