"""A site with all that a panel file may say: every zone type and attribute, every output, three areas with common
zones, and users of every level. Timings are those of profile `cn`, unless a test says otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from rules import (
    Area,
    ClockTold,
    CodeEntered,
    Condition,
    Effect,
    Hours,
    Output,
    OutputKind,
    Part,
    Place,
    Record,
    Right,
    Schedule,
    Site,
    Stop,
    Timings,
    Tour,
    User,
    UserSet,
    Wish,
    Zone,
    ZoneType,
    decode,
    encode,
    rebase,
)
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG, Panel, kinds

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
ENTRY_MS, ENTRY_2_MS, SIDE_MS, EXIT_MS, STORE_ENTRY_MS, STORE_EXIT_MS = 30_000, 45_000, 15_000, 60_000, 20_000, 30_000
SIREN_MS, SIREN_MAX_MS = Timings().siren_ms, Timings().siren_max_ms
INSTALLER, INSTALLER_DURESS, MAKER, DATED, DATED_DURESS = "c1" * 16, "c2" * 16, "d1" * 16, "e1" * 16, "e2" * 16
ONCE, ONCE_DURESS = "f1" * 16, "f2" * 16
FRIDAY = date(2026, 11, 27).toordinal()
ALL = ("hall", "vault", "store")
NORMAL, ACTIVE, OPEN, SHORT = Condition.NORMAL, Condition.ACTIVE, Condition.OPEN, Condition.SHORT
MASKED, FAULT = Condition.MASKED, Condition.FAULT
SIRENS = {"bell", "late-bell", "hall-siren", "vault-siren", "store-siren"}
EXTERNAL = {"bell", "late-bell"}

_ROWS: tuple[tuple[str, ZoneType, tuple[str, ...], dict[str, Any]], ...] = (
    ("door", ZoneType.ENTRY_EXIT, ("hall",), {"chime": True, "final_door": True, "forceable": True}),
    ("garage", ZoneType.ENTRY_EXIT, ("hall",), {"second_entry": True}),
    ("side-door", ZoneType.ENTRY_EXIT, ("hall",), {"entry_delay_ms": SIDE_MS}),
    ("corridor", ZoneType.FOLLOWER, ("hall",), {"cameras": ("cam-1",)}),
    ("window", ZoneType.INSTANT, ("hall",), {"chime": True, "forceable": True, "cameras": ("cam-1", "cam-2")}),
    ("pir", ZoneType.INSTANT, ("hall",), {"settle_ms": 60_000}),
    ("office", ZoneType.DAY, ("hall",), {}),
    ("pulse-pir", ZoneType.INSTANT, ("hall",), {"pulses": 3, "pulse_window_ms": 30_000}),
    ("shock", ZoneType.INSTANT, ("hall",), {"double_knock": True, "pulse_window_ms": 10_000}),
    ("cross-1", ZoneType.INSTANT, ("hall",), {"cross_group": "cage"}),
    ("cross-2", ZoneType.INSTANT, ("hall",), {"cross_group": "cage"}),
    ("trial", ZoneType.INSTANT, ("hall",), {"soak": True}),
    ("twin-1", ZoneType.INSTANT, ("hall",), {"detector": "dual"}),
    ("twin-2", ZoneType.INSTANT, ("hall",), {"detector": "dual"}),
    ("patient", ZoneType.INSTANT, ("hall",), {"swinger_trips": 0}),
    ("touchy", ZoneType.INSTANT, ("hall",), {"swinger_trips": 1}),
    ("hushed", ZoneType.INSTANT, ("hall",), {"report_restore": False}),
    ("straight", ZoneType.INSTANT, ("hall",), {"abort": False}),
    ("supplied", ZoneType.INSTANT, ("hall",), {"supply_cut": True, "driver": "bus-1"}),
    ("button", ZoneType.HOLD_UP, ("hall",), {"cameras": ("cam-1",), "settle_ms": 60_000}),
    ("button-2", ZoneType.HOLD_UP, ("hall",), {}),
    ("panic", ZoneType.AUDIBLE_HOLD_UP, ("hall",), {}),
    ("foot-rail", ZoneType.DURESS, ("hall",), {"settle_ms": 60_000}),
    ("lid", ZoneType.TAMPER, ("hall",), {"settle_ms": 60_000}),
    ("smoke", ZoneType.FIRE, ("hall",), {"settle_ms": 60_000}),
    ("gas", ZoneType.GAS, ("hall",), {}),
    ("leak", ZoneType.WATER, ("hall",), {}),
    ("boiler", ZoneType.TECHNICAL, ("hall",), {"report_restore": False}),
    ("pendant", ZoneType.MEDICAL, ("hall",), {}),
    ("post-1", ZoneType.CHECKPOINT, ("hall",), {}),
    ("post-2", ZoneType.CHECKPOINT, ("hall",), {}),
    ("counter", ZoneType.MONITOR, ("hall",), {}),
    ("lobby", ZoneType.ENTRY_EXIT, ("hall", "vault"), {}),
    ("shared-pir", ZoneType.INSTANT, ("hall", "vault"), {}),
    ("yard", ZoneType.INSTANT, ALL, {}),
    ("seismic", ZoneType.TWENTY_FOUR_HOUR, ("vault",), {"bypassable": False}),
    ("case", ZoneType.TWENTY_FOUR_HOUR, ("store",), {}),
    ("vault-pir", ZoneType.INSTANT, ("vault",), {}),
    ("vault-2", ZoneType.INSTANT, ("vault",), {}),
    ("key", ZoneType.KEYSWITCH, ("vault",), {}),
    ("store-door", ZoneType.ENTRY_EXIT, ("store",), {}),
    ("store-pir", ZoneType.FOLLOWER, ("store",), {}),
    ("shelf", ZoneType.INSTANT, ("store",), {}),
    ("lock", ZoneType.MAINTAINED_KEYSWITCH, ("store",), {}),
)

_OUTPUTS = (
    Output("bell", OutputKind.SIREN, ALL, Place.EXTERNAL),
    Output("late-bell", OutputKind.SIREN, ("hall", "vault"), Place.EXTERNAL, delay_ms=120_000, limit_ms=100_000),
    Output("hall-siren", OutputKind.SIREN, ("hall",), Place.INTERNAL),
    Output("vault-siren", OutputKind.SIREN, ("vault",), Place.INTERNAL),
    Output("store-siren", OutputKind.SIREN, ("store",), Place.INTERNAL, limit_ms=90_000),
    Output("strobe", OutputKind.STROBE, ALL),
    Output("hall-armed", OutputKind.ARMED, ("hall",)),
    Output("all-armed", OutputKind.ARMED, ALL),
    Output("hall-alarm", OutputKind.ALARM, ("hall",)),
    Output("any-alarm", OutputKind.ALARM, ALL),
    Output("beeper", OutputKind.BUZZER, ("hall", "store")),
    Output("chime", OutputKind.CHIME, ("hall",)),
    Output("by-door", OutputKind.RELAY, (), follows="zone:door"),
    Output("by-vault", OutputKind.RELAY, (), follows="area:vault"),
    Output("by-alarm", OutputKind.RELAY, (), follows="alarm:hall"),
    Output("by-event", OutputKind.RELAY, (), follows="event:area.disarmed", pulse_ms=2_000),
)

PEOPLE = (
    User("manager", "经理", 2, ALL, MANAGER, MANAGER_DURESS),
    User("clerk", "Clerk", 2, ("hall",), CLERK, rights=(Right.ARM, Right.DISARM)),
    User("installer", "Installer", 3, ALL, INSTALLER, INSTALLER_DURESS),
    User("maker", "Maker", 4, ALL, MAKER),
    User("dated", "Dated", 2, ("hall",), DATED, DATED_DURESS, first_day=FRIDAY, last_day=FRIDAY + 1),
    User("once", "Once", 2, ("hall",), ONCE, ONCE_DURESS, once=True),
)
_DAY = Hours(480, 1080)


def full(**timings: Any) -> Site:
    """`hall` has an exit delay and two entry times, `vault` no exit delay, `store` times of its own."""
    zones = [Zone(id_, n, id_, type_, areas, **more) for n, (id_, type_, areas, more) in enumerate(_ROWS, 1)]
    return Site(
        areas={
            "hall": Area("hall", 1, "Hall", ENTRY_MS, EXIT_MS, ENTRY_2_MS, "office-hours"),
            "vault": Area("vault", 2, "Vault", ENTRY_MS, 0),
            "store": Area("store", 3, "Store", STORE_ENTRY_MS, STORE_EXIT_MS),
        },
        zones={zone.id: zone for zone in zones},
        outputs={output.id: output for output in _OUTPUTS},
        timings=Timings(**timings),
        parts={
            "night": Part("night", "Night", ("corridor", "pir", "shared-pir")),
            "front": Part("front", "Front", ("window", "office", "door", "side-door", "garage", "lobby"), ("hall",)),
        },
        schedules={
            "office-hours": Schedule("office-hours", (*(_DAY,) * 5, None, None), late_after_min=15, auto_after_min=30)
        },
        days={FRIDAY + 3: None, FRIDAY + 1: Hours(600, 840)},
        tours={
            "round": Tour(
                "round", "Round", (Stop("post-1", 0, 10), Stop("post-2", 5, 20)), ((4, 1_320), (5, 1_320), (6, 60))
            )
        },
        paths=("eth", "lte"),
    )


def with_zone(site: Site, id_: str, **changes: Any) -> Site:
    """With another wiring or choice of one zone."""
    return replace(site, zones={**site.zones, id_: replace(site.zones[id_], **changes)})


def with_output(site: Site, id_: str, **changes: Any) -> Site:
    """With other choices of one output."""
    return replace(site, outputs={**site.outputs, id_: replace(site.outputs[id_], **changes)})


def bank(site: Site | None = None, **timings: Any) -> Panel:
    """A panel with everybody of `PEOPLE`, started, everything at rest."""
    panel = Panel(site or full(**timings), users=False)
    for user in PEOPLE:
        panel.play(UserSet("technician", user))
    panel.start()
    for zone in ("key", "lock"):
        panel.read(zone, NORMAL)
    return panel


def ask(panel: Panel, wish: Wish, *areas: str, key: str = MANAGER, at: str = "kp", **more: Any) -> tuple[Effect, ...]:
    """Somebody enters a code, with whatever goes with his wish."""
    return panel.play(CodeEntered(at, key, wish, areas, **more))


def arm(panel: Panel, *areas: str, key: str = MANAGER, **more: Any) -> tuple[Effect, ...]:
    return ask(panel, Wish.ARM, *areas, key=key, **more)


def disarm(panel: Panel, *areas: str, key: str = MANAGER) -> tuple[Effect, ...]:
    return ask(panel, Wish.DISARM, *areas, key=key)


def armed(panel: Panel, *areas: str, quiet_ms: int = 600_000, **more: Any) -> Panel:
    """These areas (all, if none) are set, somebody went out by the door, and nothing of the arming plays a part."""
    arm(panel, *areas, **more)
    if not areas or "hall" in areas:
        panel.trip("door")
    panel.wait(EXIT_MS + quiet_ms)
    assert all(panel.mode(area).value == "armed" for area in areas or ALL)
    return panel


def session(panel: Panel) -> tuple[Effect, ...]:
    """The manager lets the installer in, who comes."""
    ask(panel, Wish.GRANT)
    return ask(panel, Wish.TOGGLE, key=INSTALLER)


def clock(panel: Panel, minute: int = 720, day: int = FRIDAY, *, sure: bool = True) -> tuple[Effect, ...]:
    return panel.play(ClockTold(day, minute, sure))


def lock_out(panel: Panel, at: str = "kp") -> tuple[Effect, ...]:
    seen: tuple[Effect, ...] = ()
    for _ in range(panel.site.timings.code_attempts):
        seen += panel.code(WRONG, at=at)
    return seen


def power_cut(panel: Panel) -> tuple[Effect, ...]:
    """Killed at this moment, and up again on a new boot's clock with what the journal holds."""
    panel.state, panel.now = rebase(decode(encode(panel.state)), 5_000 - panel.now), 5_000
    return panel.start("power-up")


def sirens(panel: Panel) -> set[str]:
    """Those that sound."""
    return panel.on() & SIRENS


def shown(panel: Panel) -> list[str]:
    """What keypads show of alarms, in order."""
    return [f"{i['kind']}:{i['zone']}" for i in panel.view()["indications"]]


def recorded(panel: Panel) -> list[str]:
    """All kinds so far."""
    return kinds(effect for _, effect in panel.log)


def moment(panel: Panel, kind: str) -> int:
    """When the only record of this kind was made."""
    (at,) = [at for at, effect in panel.log if isinstance(effect, Record) and effect.kind == kind]
    return at


def payloads(panel: Panel, kind: str) -> list[Mapping[str, Any]]:
    """Of all records of a kind so far."""
    return [effect.payload for _, effect in panel.log if isinstance(effect, Record) and effect.kind == kind]
