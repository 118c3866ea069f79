"""What can happen to a panel: the things that go into `rules.step`, one frozen class each."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from rules.effects import JsonValue
from rules.site import Condition


class Wish(StrEnum):
    """What a person at a keypad, or an operator at the center, asks for.

    TOGGLE is for codes and keys only. STATUS is answered by core; the rules count and record it.
    """

    TOGGLE = "toggle"
    ARM = "arm"
    DISARM = "disarm"
    SILENCE = "silence"
    BYPASS = "bypass"
    UNBYPASS = "unbypass"
    STATUS = "status"


@dataclass(frozen=True)
class User:
    """A person who may operate the panel.

    `key` and `duress_key` are hex scrypt keys of the codes (never the codes); `duress_key` may be empty.
    `level` is the access level 2 or 3 of EN 50131-1 (digest §1.1). `areas`: those he may arm and disarm.
    """

    id: str
    name: str
    level: int
    areas: tuple[str, ...]
    key: str
    duress_key: str = ""


@dataclass(frozen=True)
class ZoneChanged:
    """A driver's debounced reading of a zone; also sent for every zone after start."""

    zone: str
    condition: Condition


@dataclass(frozen=True)
class CodeEntered:
    """A code was entered at `source` (a keypad). `key` is the hex scrypt key of what was typed.

    `areas` empty means every area the user may operate. `zone` goes with BYPASS and UNBYPASS.
    """

    source: str
    key: str
    wish: Wish = Wish.TOGGLE
    areas: tuple[str, ...] = ()
    zone: str = ""


@dataclass(frozen=True)
class RemoteCommand:
    """A command of the alarm center whose signature, panel and freshness core has checked.

    The rules check `counter`: it only grows, and is part of the durable state.
    """

    counter: int
    operator: str
    wish: Wish
    areas: tuple[str, ...] = ()
    zone: str = ""


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
class PanelStarted:
    """The panel came up with its restored state.

    `cause`: `first` (no state before), `power-up` (another boot) or `restart` (same boot).
    `dark_ms`: how long nobody watched, at least, -1 where unknown. `version`: of the software.
    `config_hash`: SHA-256 of the panel file in force, hex.
    """

    cause: str
    dark_ms: int
    version: str
    config_hash: str


@dataclass(frozen=True)
class PanelStopping:
    """The process is asked to end in good order."""

    reason: str


@dataclass(frozen=True)
class UserSet:
    """An authorised actor adds or changes a user."""

    actor: str
    user: User


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
    | DeadlinePassed
    | TroubleChanged
    | PanelStarted
    | PanelStopping
    | UserSet
    | UserRemoved
    | Noted
)
