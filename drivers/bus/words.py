"""The words between core and a bus child: one JSON object for each packet of their socket pair.

The child is trusted with its bus and with nothing else: what it says is taken apart here, field by field, and whatever
is not exactly so is a `BadWord`. Packets are bounded, so neither side can make the other keep much.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from rules.site import Condition

LIMIT = 128 * 1024
"""The longest packet, in bytes: a setup of 512 zones fits."""
TEXT_LIMIT = 400
"""The longest text in what a child says; figures apart."""
FIGURES_LIMIT = 16 * 1024
"""The longest figures, in bytes of JSON."""


class BadWord(Exception):
    """A packet that is no word: what was found, and what was expected."""


# --- core to child ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setup:
    """The first word: what the bus is told of its wiring. `outputs`: what each has to be, from the first moment."""

    wiring: Mapping[str, Any]
    outputs: Mapping[str, bool]


@dataclass(frozen=True)
class Order:
    """Switch an output."""

    output: str
    on: bool


@dataclass(frozen=True)
class Report:
    """Say the condition of every zone again."""


@dataclass(frozen=True)
class Show:
    """What a keypad or reader shows from now on: lamp, tones, text; its driver knows how."""

    device: str
    what: Mapping[str, Any]


Bidding: TypeAlias = Setup | Order | Report | Show


# --- child to core ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sensed:
    """A zone's condition, debounced."""

    zone: str
    condition: Condition


@dataclass(frozen=True)
class Failed:
    """A part (a module, a reader) does not answer, or answers again. Part "" is the bus itself: its port or wire."""

    part: str
    present: bool
    detail: str = ""


@dataclass(frozen=True)
class Tampered:
    """The cabinet of a device on the bus was opened, or is shut again."""

    part: str
    present: bool
    detail: str = ""


@dataclass(frozen=True)
class Up:
    """The first round is over: each zone was said once, each part that does not answer was told."""


@dataclass(frozen=True)
class ReadBack:
    """What an output really does."""

    output: str
    on: bool


@dataclass(frozen=True)
class Entered:
    """Somebody typed a code (`what` "code"), held a card ("card") or a tour tag ("tag") to a device."""

    device: str
    what: str
    text: str


@dataclass(frozen=True)
class Figures:
    """The sign of life, once a second: figures for diagnosis."""

    figures: Mapping[str, Any]


Saying: TypeAlias = Sensed | Failed | Tampered | Up | ReadBack | Entered | Figures

ENTERED = ("code", "card", "tag")

_BIDDINGS: Mapping[str, type[Any]] = {"setup": Setup, "order": Order, "report": Report, "show": Show}
_SAYINGS: Mapping[str, type[Any]] = {
    "sensed": Sensed,
    "failed": Failed,
    "tampered": Tampered,
    "up": Up,
    "read-back": ReadBack,
    "entered": Entered,
    "figures": Figures,
}
_NAMES = {kind: name for name, kind in (*_BIDDINGS.items(), *_SAYINGS.items())}
_FIELDS: Mapping[type[Any], Mapping[str, type[Any]]] = {
    Setup: {"wiring": dict, "outputs": dict},
    Order: {"output": str, "on": bool},
    Report: {},
    Show: {"device": str, "what": dict},
    Sensed: {"zone": str, "condition": Condition},
    Failed: {"part": str, "present": bool, "detail": str},
    Tampered: {"part": str, "present": bool, "detail": str},
    Up: {},
    ReadBack: {"output": str, "on": bool},
    Entered: {"device": str, "what": str, "text": str},
    Figures: {"figures": dict},
}


def packed(word: Bidding | Saying) -> bytes:
    """The packet of a word; raises `BadWord` when it is longer than `LIMIT`."""
    data = json.dumps({"word": _NAMES[type(word)], **asdict(word)}, ensure_ascii=False, separators=(",", ":")).encode()
    if len(data) > LIMIT:
        raise BadWord(f"a word of {len(data)} bytes, expected at most {LIMIT}")
    return data


def bidding(packet: bytes) -> Bidding:
    """What core bids; raises `BadWord`."""
    found: Bidding = _word(packet, _BIDDINGS)
    return found


def saying(packet: bytes) -> Saying:
    """What a child says; raises `BadWord` for whatever is not exactly a word, or is too long."""
    found: Saying = _word(packet, _SAYINGS)
    if isinstance(found, Figures):
        if len(packet) > FIGURES_LIMIT:
            raise BadWord(f"figures of {len(packet)} bytes, expected at most {FIGURES_LIMIT}")
        return found
    for name, value in asdict(found).items():
        if isinstance(value, str) and len(value) > TEXT_LIMIT:
            raise BadWord(f"{name}: {len(value)} characters, expected at most {TEXT_LIMIT}")
    if isinstance(found, Entered) and found.what not in ENTERED:
        raise BadWord(f"what: {found.what!r}, expected one of {', '.join(ENTERED)}")
    return found


def _word(packet: bytes, kinds: Mapping[str, type[Any]]) -> Any:
    try:
        read = json.loads(packet.decode())
    except (ValueError, RecursionError) as error:
        raise BadWord(f"{packet[:40]!r}, expected a JSON object") from error
    if not isinstance(read, dict):
        raise BadWord(f"{packet[:40]!r}, expected a JSON object")
    name = read.pop("word", None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise BadWord(f"word: {str(name)[:40]!r}, expected one of {', '.join(kinds)}")
    return kind(**_fields(kind, read))


def _fields(kind: type[Any], read: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _FIELDS[kind]
    if set(read) != set(wanted):
        raise BadWord(f"{_NAMES[kind]}: keys {sorted(read)}, expected {sorted(wanted)}")
    return {name: _value(f"{_NAMES[kind]}.{name}", read[name], type_) for name, type_ in wanted.items()}


def _value(place: str, value: Any, type_: type[Any]) -> Any:
    if type_ is Condition:
        try:
            return Condition(value)
        except ValueError:
            raise BadWord(f"{place}: {str(value)[:40]!r}, expected one of {', '.join(Condition)}") from None
    if type(value) is not type_:
        raise BadWord(f"{place}: {str(value)[:40]!r}, expected a {type_.__name__}")
    if type_ is dict and place == "setup.outputs" and any(type(v) is not bool for v in value.values()):
        raise BadWord(f"{place}: {str(value)[:40]!r}, expected true or false for each output")
    return value
