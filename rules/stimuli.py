"""What can happen to a panel: the things that go into `rules.step`, one frozen class each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from rules.effects import JsonValue
from rules.site import Condition


class Wish(StrEnum):
    """What a person at a keypad, or an operator at the center, asks for.

    TOGGLE is for codes and keys only. RESET ends the indications and the trouble memory of what is over. REARM arms
    again as it was before the last disarm. POSTPONE puts off an automatic arming. GRANT lets the installer in, LEAVE
    ends his session. STATUS and PICTURE are answered by core; the rules count and record them.
    """

    TOGGLE = "toggle"
    ARM = "arm"
    DISARM = "disarm"
    REARM = "rearm"
    SILENCE = "silence"
    RESET = "reset"
    BYPASS = "bypass"
    UNBYPASS = "unbypass"
    ISOLATE = "isolate"
    UNISOLATE = "unisolate"
    POSTPONE = "postpone"
    GRANT = "grant"
    LEAVE = "leave"
    WALK_TEST = "walk-test"
    SIREN_TEST = "siren-test"
    BATTERY_TEST = "battery-test"
    END_TEST = "end-test"
    STATUS = "status"
    PICTURE = "picture"


class Right(StrEnum):
    """What a user may do besides giving his code; what his level does not allow, no right gives."""

    ARM = "arm"
    DISARM = "disarm"
    BYPASS = "bypass"
    OVERRIDE = "override"
    RESET = "reset"
    TEST = "test"
    GRANT = "grant"
    USERS = "users"


@dataclass(frozen=True)
class User:
    """A person who may operate the panel.

    `key` and `duress_key` are hex scrypt keys of the codes (never the codes); `duress_key` may be empty. `level` is the
    access level 2 to 4 of EN 50131-1 (digest §1.1). `areas`: those he may arm and disarm. `rights`: all when it is
    None. `first_day`, `last_day`: days (ordinals) on which the codes count, ends included, None for no bound. `once`:
    they count once, then the user is spent.
    """

    id: str
    name: str
    level: int
    areas: tuple[str, ...]
    key: str
    duress_key: str = ""
    rights: tuple[Right, ...] | None = None
    first_day: int | None = None
    last_day: int | None = None
    once: bool = False


@dataclass(frozen=True)
class ZoneChanged:
    """A driver's debounced reading of a zone; also sent for every zone after start."""

    zone: str
    condition: Condition


@dataclass(frozen=True)
class CodeEntered:
    """A code was entered at `source` (a keypad). `key` is the hex scrypt key of what was typed.

    `areas` empty means every area the user may operate. `zone` goes with BYPASS, ISOLATE and their ends. With ARM:
    `part` names a part set, `instant` means without entry delay, `override` means in spite of what stands in the way,
    as far as the user may. With WALK_TEST: `quiet` means without chime, `hold_up` means that hold-up buttons are tested
    too (installers only).
    """

    source: str
    key: str
    wish: Wish = Wish.TOGGLE
    areas: tuple[str, ...] = ()
    zone: str = ""
    part: str = ""
    instant: bool = False
    override: bool = False
    quiet: bool = False
    hold_up: bool = False


@dataclass(frozen=True)
class RemoteCommand:
    """A command of the alarm center whose signature, panel and freshness core has checked.

    The rules check `counter`: under one `key` (the id of the key that signed it) it only grows, and is part of the
    durable state. Operators act at level 2. `about`: what a PICTURE is of; recorded as it stands.
    """

    counter: int
    operator: str
    wish: Wish
    areas: tuple[str, ...] = ()
    zone: str = ""
    part: str = ""
    instant: bool = False
    override: bool = False
    key: str = ""
    about: str = ""


@dataclass(frozen=True)
class KeysTold:
    """Which keys of the alarm center count: said at the start, and when the center has exchanged them.

    `by`: `file` or `center`. `serial`: number of the list, which only grows. `root`: id of the key that signed the
    exchange, empty for the file's. `receipt`, `command`: ids of the keys; `authorities`: SHA-256 of further
    certificates of the center's. `kept`: the exchange as core wants it back after a restart, None where there is none.
    """

    by: str
    serial: int
    receipt: tuple[str, ...]
    command: tuple[str, ...]
    root: str = ""
    authorities: tuple[str, ...] = ()
    kept: str | None = None


@dataclass(frozen=True)
class ClockTold:
    """The local wall clock: said at the start, at every full minute, and when the clock was set.

    `day`: `date.toordinal` of the local date; `minute`: 0 to 1439. `sure`: the clock is or was synchronised; an
    unsure one moves no schedule and proves no dated code.
    """

    day: int
    minute: int
    sure: bool


@dataclass(frozen=True)
class DeadlinePassed:
    """The moment that `next_deadline` named has come (harmless when it has not)."""


@dataclass(frozen=True)
class TroubleChanged:
    """A trouble of the panel itself began or ended: `trouble` is a name of `rules.vocabulary.TROUBLES`.

    `subject` tells which one where there are several (a path, a camera, a driver), else empty.
    """

    trouble: str
    present: bool
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True)
class TestDone:
    """What became of a test that the panel was asked for (`rules.effects.Request`). `possible` is False where it has
    nothing to test with: then it proves nothing, and is no trouble."""

    test: str
    ok: bool
    detail: str = ""
    possible: bool = True

    __test__ = False  # no test case for pytest


@dataclass(frozen=True)
class TestDue:
    """The panel's own schedule asks for a test (`battery`): grade 3 wants one a day (EN 50131-6, digest §1.11)."""

    test: str

    __test__ = False  # no test case for pytest


@dataclass(frozen=True)
class WalkLeft:
    """Whoever began the walk test at `source` with a code ends it, or is gone. It needs no code: zones come back."""

    source: str


@dataclass(frozen=True)
class PanelStarted:
    """The panel came up with its restored state.

    `cause`: `first` (no state before), `power-up` (another boot) or `restart` (same boot).
    `dark_ms`: how long nobody watched, at least, -1 where unknown. `version`: of the software.
    `config_hash`: SHA-256 of the panel file in force, hex. `user`: who has put it into force, where that is known.
    `root_hash`: of the verified system that runs, hex, where it is an image.
    """

    cause: str
    dark_ms: int
    version: str
    config_hash: str
    user: str = ""
    root_hash: str = ""


@dataclass(frozen=True)
class PanelStopping:
    """The process is asked to end in good order."""

    reason: str


@dataclass(frozen=True)
class UserSet:
    """An authorised actor adds or changes a user. `near`: keys of the codes that differ by 1 or 2 from the new ones."""

    actor: str
    user: User
    near: tuple[str, ...] = ()


@dataclass(frozen=True)
class UserRemoved:
    """An authorised actor removes a user."""

    actor: str
    user: str


@dataclass(frozen=True)
class Noted:
    """Something another part of the panel knows and the journal must hold, as it is.

    `kind` must be one that `rules.vocabulary` marks as noted (pictures, refused commands, ...).
    """

    kind: str
    payload: Mapping[str, JsonValue]


Stimulus: TypeAlias = (
    ZoneChanged
    | CodeEntered
    | RemoteCommand
    | KeysTold
    | ClockTold
    | DeadlinePassed
    | TroubleChanged
    | TestDone
    | TestDue
    | WalkLeft
    | PanelStarted
    | PanelStopping
    | UserSet
    | UserRemoved
    | Noted
)
