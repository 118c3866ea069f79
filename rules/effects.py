"""What the rules ask the rest of the panel to do: what comes out of `rules.step`, one frozen class each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

# No floats: a record's bytes must be the same in every language (docs/protocol.md, "Canonical JSON").
JsonValue: TypeAlias = "str | int | bool | None | Sequence[JsonValue] | Mapping[str, JsonValue]"


@dataclass(frozen=True)
class Record:
    """Write this event into the journal. `kind` is a name of `rules.vocabulary.KINDS`."""

    kind: str
    payload: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Switch:
    """Switch this output, at once, before anything is written."""

    output: str
    on: bool


@dataclass(frozen=True)
class Capture:
    """Ask these cameras for pictures of this incident; nobody waits for them."""

    incident: int
    kind: str
    zone: str
    cameras: tuple[str, ...]


@dataclass(frozen=True)
class Tell:
    """Tell a keypad or the technician; held back until the records of this step are durable.

    `source` is who asked; empty means every keypad. `notice` is a name of `rules.notices`.
    """

    source: str
    notice: str
    args: Mapping[str, JsonValue]


@dataclass(frozen=True)
class Answer:
    """Answer the remote command `counter` of this `key`; held back until the records of this step are durable.

    `done` with an empty `reason`, or not done with why (a name of `rules.notices`).
    """

    counter: int
    done: bool
    reason: str
    detail: Mapping[str, JsonValue]
    key: str = ""


@dataclass(frozen=True)
class Request:
    """Ask the panel for a test that the rules can't do themselves: `battery` (a load test).

    It answers with `rules.stimuli.TestDone`; no answer in time counts as failed.
    """

    test: str


Effect: TypeAlias = Record | Switch | Capture | Tell | Answer | Request
