"""What the uplink publishes besides records: heartbeat, state, replies, telemetry. All of it bounded.

Of heartbeat, state and a request for a certificate only the newest counts. Replies and telemetry wait in short queues,
oldest dropped first and counted. Telemetry goes only when no record wants to, and a part of a picture after it.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from firmware.protocol.envelope import BATCH_CONTENT_TYPE, CONTENT_TYPE, telemetry
from firmware.protocol.messages import Beat, Renewal, ReplyOut, State, Telemetry
from firmware.uplink.packing import encode

JSON_TYPE = "application/json"
JWS_TYPE = "application/jose"

REPLIES = 32
REPLIES_AT_ONCE = 4
TELEMETRY_ITEMS = 256
TELEMETRY_BATCH = 16


@dataclass(frozen=True)
class Letter:
    """Something to publish. `kind` says of what sort it is, `words` the end of its topic."""

    kind: str
    words: tuple[str, ...]
    payload: bytes
    content_type: str
    qos: Literal[0, 1] = 1
    retain: bool = False


class Outbox:
    """Waits for a connection with what is not a record."""

    def __init__(self, panel: str) -> None:
        self.dropped: Counter[str] = Counter()
        self._panel = panel
        self._state: State | None = None
        self._state_sent = False
        self._beat: Beat | None = None
        self._renewal: Renewal | None = None
        self._replies: deque[ReplyOut] = deque()
        self._items: deque[dict[str, Any]] = deque()
        self._number = 0
        self._chunk: Letter | None = None

    def put(self, message: Beat | State | ReplyOut | Renewal | Telemetry) -> None:
        """Keep this until it can go."""
        match message:
            case Beat():
                self._beat = message
            case State():
                self._state, self._state_sent = message, False
            case Renewal():
                self._renewal = message
            case ReplyOut():
                self._keep(self._replies, message, REPLIES, "reply")
            case Telemetry():
                for item in message.items:
                    self._keep(self._items, item, TELEMETRY_ITEMS, "telemetry")

    def opened(self) -> None:
        """A new connection: the state is published anew; what the center asked for before, it asks for again."""
        self._chunk = None
        self._state_sent = False

    def letters(self, flying: Counter[str]) -> Iterator[Letter]:
        """What may go now and not behind any record, given how many of each kind are in flight."""
        if self._beat and not flying["heartbeat"]:
            beat, self._beat = self._beat, None
            yield Letter("heartbeat", ("heartbeat",), beat.jws.encode(), JWS_TYPE, qos=0)
        for _ in range(min(len(self._replies), REPLIES_AT_ONCE - flying["reply"])):
            yield Letter("reply", ("reply",), self._replies.popleft().jws.encode(), JWS_TYPE)
        if self._renewal and not flying["renewal"]:
            renewal, self._renewal = self._renewal, None
            yield Letter("renewal", ("renewal",), renewal.jws.encode(), JWS_TYPE)
        if self._state and not self._state_sent and not flying["state"]:
            self._state_sent = True
            yield Letter("state", ("state",), encode(self._state.body), JSON_TYPE, retain=True)

    @property
    def wants_chunk(self) -> bool:
        """Whether there is room for the next part of a picture."""
        return self._chunk is None

    def offer(self, chunk: Letter) -> None:
        """A part of a picture, for when the line has nothing better to do."""
        self._chunk = chunk

    def chunk(self, flying: Counter[str]) -> Letter | None:
        """The part of a picture that waits, when none is in flight."""
        if flying["picture"]:
            return None
        chunk, self._chunk = self._chunk, None
        return chunk

    def telemetry(self, flying: Counter[str], order: list[int]) -> Letter | None:
        """The next telemetry, when none is in flight. `order` is that of the connection, for the ids."""
        if not self._items or flying["telemetry"]:
            return None
        items = [self._items.popleft() for _ in range(min(len(self._items), TELEMETRY_BATCH))]
        events = [event for item in items if (event := self._event(item, order))]
        if not events:
            return None
        if len(events) == 1:
            return Letter("telemetry", ("event", "telemetry"), events[0], CONTENT_TYPE)
        return Letter("telemetry", ("batch", "telemetry"), b"[%b]" % b",".join(events), BATCH_CONTENT_TYPE)

    def _keep(self, queue: deque[Any], item: object, limit: int, name: str) -> None:
        queue.append(item)
        if len(queue) > limit:
            queue.popleft()
            self.dropped[name] += 1

    def _event(self, item: dict[str, Any], order: list[int]) -> bytes | None:
        kind, time, data = item.get("kind"), item.get("time"), item.get("data")
        if not (isinstance(kind, str) and isinstance(time, str) and isinstance(data, dict)):
            self.dropped["telemetry"] += 1
            return None
        self._number += 1
        number = order[1] * 1_000_000_000 + self._number
        return encode(telemetry(self._panel, order[0], number, kind, time, data))
