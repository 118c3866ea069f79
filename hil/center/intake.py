"""What a center makes of each message: read, judged, kept, told. No network and no thread here.

One `Turn` is one transaction; what it touched is told and receipted after its commit. A word of the topics that comes
with a later part of the contract gets an `Answerer` of its own, and nothing else here changes.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from firmware.clock import Clock, utc_text
from firmware.protocol.typ import HEARTBEAT, REPLY
from hil.center import alarms, vouched
from hil.center.keys import BadToken, read_token
from hil.center.reader import LANES, Garbage, RecordIn, panel_of, read_heartbeat, read_json, read_link, read_records
from hil.center.store import Store

Place: TypeAlias = tuple[str, str, str]
"""Panel, journal, lane."""
Touched: TypeAlias = dict[tuple[int, str], int]
"""(lane_seq, hash) to seq, 0 where the place is in dispute."""
Answerer: TypeAlias = Callable[[str, bytes], Mapping[str, str | bytes]]
"""Gets the panel and what it published on the word; gives what to publish to it, by the word of the topic.

Called in the center's thread, inside the transaction; what it gives is published after the commit. `Garbage` refuses.
"""
_OWN = frozenset({"receipt", "command", "keys", "time"})


@dataclass(frozen=True)
class Arrival:
    """Something that a panel sent, or that was sent to it, after it is stored.

    `what`: `record`, `duplicate`, `rival`, `full` (body: header, payload, hash, stored, thumbnail bytes), `heartbeat`,
    `link`, `state`, `telemetry`, `reply`, `receipt`, `command`, `asked` (an answerer's word), `garbage` (reason,
    detail). `monotonic_ms`: boot clock of the center's machine.
    """

    what: str
    panel: str
    body: Mapping[str, Any]
    monotonic_ms: int


@dataclass
class Turn:
    """What one transaction touched: told, receipted and answered after its commit."""

    arrivals: list[Arrival] = field(default_factory=list)
    touched: dict[Place, Touched] = field(default_factory=dict)
    answers: list[tuple[str, str, str | bytes]] = field(default_factory=list)
    """Panel, word, payload."""


class Intake:
    """Takes messages in, one after the other. All methods belong inside a transaction of the store."""

    def __init__(
        self, store: Store, panels: Callable[[str], str | None], clock: Clock, command_kid: Callable[[], str]
    ) -> None:
        """`panels` gives the `x` of a panel's public key, or None while it is not known: such a panel is refused.

        `command_kid`: the key of our commands, which may be exchanged; replies to those of another key are another
        center's.
        """
        self._command_kid = command_kid
        self._store = store
        self._panels = panels
        self._clock = clock
        self._answerers: dict[str, Answerer] = {}
        self._journal_of: dict[str, str] = {}
        self.own = set(_OWN)
        """Words on which the center itself publishes: it hears them too, and looks away."""

    def answer(self, word: str, answerer: Answerer, own: tuple[str, ...] = ()) -> None:
        """Let this one answer what panels publish on a word; `own`: the words on which it answers."""
        self._answerers[word] = answerer
        self.own.update(own)

    def take(self, turn: Turn, topic: str, data: bytes) -> None:
        """Take in one message, whatever it holds."""
        panel = ""
        try:
            panel, words = panel_of(topic)
            if words[0] not in self.own or len(words) > 1:
                self._registered(panel)
                self._dispatch(turn, panel, words, data)
        except Garbage as garbage:
            self._refuse(turn, panel, garbage)
        except Exception as error:
            # One message must never end the center, whatever it holds.
            self._refuse(turn, panel, Garbage("internal", f"{type(error).__name__}: {error}"))

    def flooded(self, panel: str) -> None:
        """This panel sent more than its share of the inbox: its certificate wants to be revoked at the broker."""
        if self._store.key(panel):
            self._store.find(self.now(), panel, "flood", "more than its share was waiting, the rest dropped", once=True)

    def arrival(self, what: str, panel: str, body: Mapping[str, Any]) -> Arrival:
        """Something of this moment."""
        return Arrival(what, panel, body, self._clock.monotonic_ms())

    def now(self) -> str:
        """UTC, as the store keeps it."""
        return utc_text(self._clock.utc())

    def _dispatch(self, turn: Turn, panel: str, words: tuple[str, ...], data: bytes) -> None:
        match words:
            case ("event" | "batch", lane) if lane in LANES:
                records, bad = read_records(panel, lane, data, batch=words[0] == "batch")
                for record in records:
                    self._keep(turn, record, self.now())
                for garbage in bad:
                    self._refuse(turn, panel, garbage)
            case ("event" | "batch", "telemetry"):
                value = read_json(data, floats=True)
                self._store.count(panel, "telemetry", len(value) if isinstance(value, list) else 1)
                turn.arrivals.append(self.arrival("telemetry", panel, {"data": value}))
            case ("heartbeat",):
                self._heartbeat(turn, panel, data)
            case ("link", *path) if path in ([], ["second"], ["third"], ["fourth"]):
                self._link(turn, panel, "/".join(path), data)
            case ("state",):
                body = read_json(data)
                self._store.run("INSERT OR REPLACE INTO states VALUES(?,?)", panel, json.dumps(body))
                turn.arrivals.append(self.arrival("state", panel, body if isinstance(body, dict) else {}))
            case ("reply",):
                self._reply(turn, panel, data)
            case (word,) if word in self._answerers:
                self._answer(turn, panel, word, data)
            case _:
                raise Garbage("topic", "/".join(words)[:100])

    def _registered(self, panel: str) -> str:
        x = self._store.key(panel)
        if x is None:
            x = self._panels(panel)
            if x is None:
                raise Garbage("unknown-panel", panel[:64])
            self._store.register(panel, x)
        return x

    def _keep(self, turn: Turn, record: RecordIn, now: str) -> None:
        header = record.header
        what = self._store.put(record, now)
        self._store.count(record.panel, "record" if what == "new" else what)
        if what == "new":
            vouched.look_at(self._store, record, now)
            alarms.note(self._store, record, now)
        if what != "full":
            touched = turn.touched.setdefault((record.panel, header["journal"], header["lane"]), {})
            touched[(header["lane_seq"], record.hash)] = 0 if what == "rival" else header["seq"]
        body = {
            "header": header,
            "payload": record.payload,
            "hash": record.hash,
            "stored": record.stored,
            "thumbnail": len(record.thumbnail or b""),
        }
        turn.arrivals.append(self.arrival("record" if what == "new" else what, record.panel, body))

    def _heartbeat(self, turn: Turn, panel: str, data: bytes) -> None:
        beat = read_heartbeat(panel, self._signed(panel, HEARTBEAT, data))
        now = self.now()
        if why := self._store.beat(panel, beat, now):
            raise Garbage(f"{why}-heartbeat", f"session {beat['session']} beat {beat['beat']}")
        self._store.count(panel, "heartbeat")
        if self._journal_of.get(panel) != beat["journal"]:
            vouched.follows(self._store, panel, beat["journal"], now)
            self._journal_of[panel] = beat["journal"]
        turn.arrivals.append(self.arrival("heartbeat", panel, beat))

    def _link(self, turn: Turn, panel: str, path: str, data: bytes) -> None:
        link = read_link(panel, data)
        fresh = self._store.link(link, self.now(), path)
        self._store.count(panel, "link" if fresh else "link-late")
        if fresh:
            turn.arrivals.append(
                self.arrival("link", panel, {"online": link.online, "order": link.order, "path": path})
            )

    def _reply(self, turn: Turn, panel: str, data: bytes) -> None:
        body = self._signed(panel, REPLY, data)
        if body.get("panel") != panel:
            raise Garbage("wrong-panel", f"a reply of {body.get('panel')!r:.64}")
        counter = body.get("counter")
        if not isinstance(counter, int | None) or isinstance(counter, bool):
            raise Garbage("malformed", f"counter {counter!r:.50}")
        if body.get("key", "") not in ("", self._command_kid()):
            self._store.count(panel, "reply-to-another")  # the panel has a second center, with a counter of its own
            return
        self._store.reply(panel, body, self.now())
        self._store.count(panel, "reply")
        turn.arrivals.append(self.arrival("reply", panel, body))

    def _answer(self, turn: Turn, panel: str, word: str, data: bytes) -> None:
        answers = self._answerers[word](panel, data)
        self._store.count(panel, f"asked.{word}")
        turn.answers += [(panel, to, payload) for to, payload in answers.items()]
        turn.arrivals.append(self.arrival("asked", panel, {"word": word, "answers": sorted(answers)}))

    def _signed(self, panel: str, typ: str, data: bytes) -> dict[str, Any]:
        try:
            return read_token(self._registered(panel), typ, data)
        except BadToken as error:
            raise Garbage("signature", str(error)[:200]) from None

    def _refuse(self, turn: Turn, panel: str, garbage: Garbage) -> None:
        known = panel if self._store.key(panel) else ""  # names made up by strangers must not fill the counters
        self._store.count(known, f"garbage.{garbage.reason}")
        if garbage.reason in ("altered", "wrong-panel", "signature"):
            self._store.find(self.now(), known, garbage.reason, garbage.detail)
        body = {"reason": garbage.reason, "detail": garbage.detail}
        turn.arrivals.append(self.arrival("garbage", panel, body))
