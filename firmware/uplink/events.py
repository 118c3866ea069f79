"""What goes into the delivery logic and what comes out of it: plain frozen values, no sockets.

Core's own messages (`firmware.protocol.messages`) go in and out as they are; here is what the path, the evidence folder
and the process say and do besides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from firmware.protocol.messages import (
    Authorities,
    Beat,
    Delivered,
    Error,
    Head,
    PictureOrder,
    Records,
    Renewal,
    ReplyOut,
    State,
    Telemetry,
    TryPath,
    UplinkMessage,
    Welcome,
)

# --- in ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CoreLost:
    """The connection to core ended; what was asked of it will not be answered."""


@dataclass(frozen=True)
class Pulled:
    """Core's answer to a pull, with the thumbnails (JPEG bytes, by `seq`) that its records name, where at hand."""

    records: Records
    thumbnails: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """The path is connected, and receipts and commands are subscribed. `time`: UTC text."""

    time: str


@dataclass(frozen=True)
class Closed:
    """The path could not be opened, or ended. `refused`: the broker said no (rights, quota, taken over).

    `taken_over`: somebody else opened a session under our client id, and it was not we. `hung_up`: the broker ended it
    in good order, and without a word.
    """

    reason: str
    refused: bool = False
    taken_over: bool = False
    hung_up: bool = False


@dataclass(frozen=True)
class Switch:
    """There is something better to connect with: open a second connection beside the first."""


@dataclass(frozen=True)
class Switched:
    """The second connection is up and the first one over; nothing of the first will be heard. `time`: UTC text."""

    time: str


@dataclass(frozen=True)
class NotSwitched:
    """The second connection did not come up; the first goes on, or its `Closed` follows."""

    reason: str


@dataclass(frozen=True)
class Acked:
    """A publish has left: PUBACK for QoS 1, written to the socket for QoS 0. `failure`: the broker's reason, if any."""

    token: int
    failure: str = ""


@dataclass(frozen=True)
class Received:
    """Something came from the center's side: `word` is the last part of the topic. Unchecked."""

    word: str
    payload: bytes


@dataclass(frozen=True)
class Duty:
    """The lanes that this path carries from now on; the others go by another. None: it is only supervised."""

    lanes: frozenset[str]


@dataclass(frozen=True)
class Tick:
    """Nothing but time has passed."""


@dataclass(frozen=True)
class Stop:
    """The process ends in an orderly way. `time`: UTC text."""

    time: str


FromCore: TypeAlias = (
    Welcome
    | Head
    | Pulled
    | Delivered
    | Beat
    | State
    | Telemetry
    | ReplyOut
    | Renewal
    | Authorities
    | PictureOrder
    | TryPath
    | Error
    | CoreLost
)
FromPath: TypeAlias = Opened | Closed | Acked | Received | Switched | NotSwitched
Input: TypeAlias = FromCore | FromPath | Duty | Switch | Tick | Stop

# --- out -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Connect:
    """Open the path, with this last will (QoS 1, retained). `beside`: while the connection of before still works."""

    will_topic: str
    will: bytes
    beside: bool = False


@dataclass(frozen=True)
class Disconnect:
    """Close the path; `graceful` without the last will."""

    reason: str
    graceful: bool = False


@dataclass(frozen=True)
class Publish:
    """Publish this; say `Acked(token)` when it has left."""

    token: int
    topic: str
    payload: bytes
    qos: Literal[0, 1]
    retain: bool
    content_type: str


ToCore: TypeAlias = UplinkMessage
Output: TypeAlias = ToCore | Connect | Disconnect | Publish
