"""A small bank branch, and a panel that plays stimuli through the rules and keeps what came out."""

from collections.abc import Iterable
from typing import Any

from rules import (
    Answer,
    Area,
    AreaMode,
    Capture,
    CodeEntered,
    Condition,
    DeadlinePassed,
    Effect,
    Output,
    OutputKind,
    PanelStarted,
    PanelState,
    Place,
    Record,
    RemoteCommand,
    Site,
    Stimulus,
    Switch,
    Tell,
    Timings,
    User,
    UserSet,
    Wish,
    Zone,
    ZoneChanged,
    ZoneType,
    initial,
    next_deadline,
    outputs,
    public_view,
    step,
)

ENTRY_MS, EXIT_MS, SIREN_MS, SIREN_MAX_MS, LOCKOUT_MS = 30_000, 60_000, 300_000, 900_000, 90_000
MANAGER, MANAGER_DURESS, CLERK, WRONG = "a1" * 16, "a2" * 16, "b1" * 16, "ff" * 16


def _zone(number: int, id_: str, zone_type: ZoneType, *areas: str, **more: Any) -> Zone:
    return Zone(id_, number, id_, zone_type, areas, **more)


PLAIN: dict[str, Any] = {
    "siren_ms": SIREN_MS,
    "siren_max_ms": SIREN_MAX_MS,
    "lockout_ms": LOCKOUT_MS,
    "swinger_trips": 0,
    "entry_hold_ms": 0,
    "confirm_ms": 0,
    "cancel_ms": 0,
    "recent_close_ms": 0,
    "mains_delay_ms": 0,
}
"""Every trip alarms and is reported at once: what reduces false alarms has tests of its own."""


def branch(**timings: Any) -> Site:
    """Two areas: `hall` (exit and entry delay) and `vault` (none); `lobby` is common to both."""
    zones = [
        _zone(1, "door", ZoneType.ENTRY_EXIT, "hall"),
        _zone(2, "lobby", ZoneType.ENTRY_EXIT, "hall", "vault"),
        _zone(3, "corridor", ZoneType.FOLLOWER, "hall", cameras=("cam-1",)),
        _zone(4, "window", ZoneType.INSTANT, "hall", cameras=("cam-1", "cam-2")),
        _zone(5, "pir", ZoneType.INSTANT, "hall", settle_ms=60_000),
        _zone(6, "seismic", ZoneType.TWENTY_FOUR_HOUR, "vault", bypassable=False),
        _zone(7, "button", ZoneType.HOLD_UP, "hall", cameras=("cam-1",), settle_ms=60_000),
        _zone(8, "lid", ZoneType.TAMPER, "hall", bypassable=False, settle_ms=60_000),
        _zone(9, "key", ZoneType.KEYSWITCH, "vault", bypassable=False),
        _zone(10, "shared-pir", ZoneType.INSTANT, "hall", "vault"),
    ]
    return Site(
        areas={
            "hall": Area("hall", 1, "Hall", ENTRY_MS, EXIT_MS),
            "vault": Area("vault", 2, "Vault", ENTRY_MS, 0),
        },
        zones={zone.id: zone for zone in zones},
        outputs={
            "bell": Output("bell", OutputKind.SIREN, ("hall", "vault"), Place.EXTERNAL),
            "buzzer": Output("buzzer", OutputKind.SIREN, ("hall",), Place.INTERNAL),
            "strobe": Output("strobe", OutputKind.STROBE, ("hall", "vault")),
            "lamp": Output("lamp", OutputKind.ARMED, ("hall",)),
        },
        timings=Timings(**PLAIN | timings),
    )


class Panel:
    """Plays stimuli; `effects` are those of the last one, `log` all of them with their moments."""

    def __init__(self, site: Site | None = None, *, users: bool = True) -> None:
        self.site = site or branch()
        self.state: PanelState = initial(self.site)
        self.now = 1_000_000
        self.effects: tuple[Effect, ...] = ()
        self.log: list[tuple[int, Effect]] = []
        if users:
            self.play(UserSet("technician", User("manager", "经理", 2, ("hall", "vault"), MANAGER, MANAGER_DURESS)))
            self.play(UserSet("technician", User("clerk", "Clerk", 2, ("hall",), CLERK)))
        self.read("key", Condition.NORMAL)

    def play(self, stimulus: Stimulus) -> tuple[Effect, ...]:
        self.state, self.effects = step(self.site, self.state, stimulus, self.now)
        self.log += [(self.now, effect) for effect in self.effects]
        return self.effects

    def read(self, zone: str, condition: Condition = Condition.ACTIVE) -> tuple[Effect, ...]:
        return self.play(ZoneChanged(zone, condition))

    def trip(self, zone: str) -> tuple[Effect, ...]:
        """Active and back."""
        first = self.read(zone)
        return first + self.read(zone, Condition.NORMAL)

    def code(
        self, key: str, wish: Wish = Wish.TOGGLE, *areas: str, zone: str = "", at: str = "kp"
    ) -> tuple[Effect, ...]:
        return self.play(CodeEntered(at, key, wish, areas, zone))

    def remote(self, counter: int, wish: Wish, *areas: str, zone: str = "") -> tuple[Effect, ...]:
        return self.play(RemoteCommand(counter, "Li", wish, areas, zone))

    def start(self, cause: str = "restart", config: str = "c0") -> tuple[Effect, ...]:
        return self.play(PanelStarted(cause, 5, "1.0", config))

    def wait(self, ms: int) -> tuple[Effect, ...]:
        """Let time pass; deadlines are called when they are due, as core does. The effects of all of them."""
        end = self.now + ms
        seen: tuple[Effect, ...] = ()
        while (due := next_deadline(self.state)) is not None and due <= end:
            self.now = max(self.now, due)
            seen += self.play(DeadlinePassed())
        self.now = end
        return seen

    def armed(self, *areas: str) -> "Panel":
        """Arm and let the exit delay pass."""
        self.code(MANAGER, Wish.ARM, *areas)
        self.wait(EXIT_MS)
        assert all(self.mode(area) is AreaMode.ARMED for area in areas or self.site.areas)
        return self

    def mode(self, area: str = "hall") -> AreaMode:
        return self.state.areas[area].mode

    def on(self) -> set[str]:
        """The outputs that are wanted on."""
        return {id_ for id_, on in outputs(self.site, self.state).items() if on}

    def view(self) -> dict[str, Any]:
        return public_view(self.site, self.state)

    def area_view(self, area: str, *members: str) -> tuple[Any, ...]:
        return tuple(self.view()["areas"][area][name] for name in members)

    def zone_view(self, zone: str, *members: str) -> tuple[Any, ...]:
        return tuple(self.view()["zones"][zone][name] for name in members)


def kinds(effects: Iterable[Effect]) -> list[str]:
    return [effect.kind for effect in effects if isinstance(effect, Record)]


def payload(effects: Iterable[Effect], kind: str) -> dict[str, Any]:
    (found,) = [e.payload for e in effects if isinstance(e, Record) and e.kind == kind]
    return dict(found)


def switched(effects: Iterable[Effect]) -> list[tuple[str, bool]]:
    return [(e.output, e.on) for e in effects if isinstance(e, Switch)]


def tells(effects: Iterable[Effect]) -> list[Tell]:
    return [e for e in effects if isinstance(e, Tell)]


def told(effects: Iterable[Effect], source: str = "kp") -> list[str]:
    return [e.notice for e in tells(effects) if e.source == source]


def answer(effects: Iterable[Effect]) -> Answer:
    (found,) = [e for e in effects if isinstance(e, Answer)]
    return found


def captures(effects: Iterable[Effect]) -> list[Capture]:
    return [e for e in effects if isinstance(e, Capture)]
