"""The reference alarm center: stores what panels send, checks it, receipts it, and sends signed commands.

For rigs and integrators, no operator's product. One thread of its own takes messages off a bounded queue, commits
many in one transaction, and only then receipts them; paho's thread does nothing but fill the queue.
"""

import contextlib
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from firmware.clock import Clock, SystemClock, utc_text
from hil.center.audit import audit, gaps
from hil.center.chain import receipt_ranges
from hil.center.keys import BadToken, Key, read_token
from hil.center.reader import (
    LANES,
    MAX_PAYLOAD,
    Garbage,
    RecordIn,
    panel_of,
    read_heartbeat,
    read_json,
    read_link,
    read_records,
)
from hil.center.store import Store

OWN = (("receipt",), ("command",), ("keys",), ("time",))
"""What the center itself publishes."""
COALESCE_S = 0.05
"""Receipts of one lane are at least so far apart, seconds; the first goes out at once."""
MAX_QUEUE = 512
MAX_TURN = 512
MAX_RANGES = 64
COMMAND_LIFE_S = 60
SESSION_S = 4 * 3600
"""So long the broker keeps for the center what comes while it is away."""

Heads = Mapping[str, tuple[int, str]]
"""Journal to its head: (seq, hash)."""


@dataclass(frozen=True)
class Arrival:
    """Something that a panel sent, or that was sent to it, after it is stored.

    `what`: `record`, `duplicate`, `rival` (body: header, payload, hash, stored, thumbnail bytes), `heartbeat`,
    `link`, `state`, `telemetry`, `reply`, `receipt`, `command`, `garbage` (reason, detail). `monotonic_ms`: boot clock
    of the center's machine.
    """

    what: str
    panel: str
    body: Mapping[str, Any]
    monotonic_ms: int


@dataclass
class _Turn:
    """What one transaction touched: told and receipted after its commit."""

    arrivals: list[Arrival] = field(default_factory=list)
    touched: dict[tuple[str, str, str], dict[tuple[int, str], int]] = field(default_factory=dict)


class Center:
    """One alarm center. Start and stop it, or use it as a context manager."""

    def __init__(
        self,
        host: str,
        port: int,
        folder: Path,
        panels: Callable[[str], str | None] = lambda _: None,
        clock: Clock | None = None,
        session: bool = True,
    ) -> None:
        """`panels` gives the `x` of a panel's public key, or None while it is not known: such a panel is refused.

        `session`: keep one at the broker, under an id of this folder; a second center beside it must not.
        """
        self.store = Store(folder / "center.sqlite")
        self.receipt_key = Key.at(folder / "keys" / "receipt.jwk")
        self.command_key = Key.at(folder / "keys" / "command.jwk")
        self.silent = False
        self._clock = clock or SystemClock()
        self._panels = panels
        self._queue: queue.Queue[tuple[str, bytes] | None] = queue.Queue(MAX_QUEUE)
        self._changed = threading.Condition()
        self._callbacks: list[Callable[[Arrival], None]] = []
        self._pending: dict[tuple[str, str, str], dict[tuple[int, str], int]] = {}
        self._receipted = 0.0
        self._dropped = 0
        self._failed = 0
        self._connected = threading.Event()
        self._client = self._make_client(host, port, session)
        self._thread = threading.Thread(target=self._work, name="center", daemon=True)

    # --- life

    def start(self, timeout_s: float = 5.0) -> "Center":
        """Connect and subscribe; raises `TimeoutError` when the broker does not answer in time."""
        self._thread.start()
        self._client.loop_start()
        if not self._connected.wait(timeout_s):
            self.stop()
            raise TimeoutError(f"no MQTT 5 broker at {self._client.host}:{self._client.port} within {timeout_s:g} s")
        return self

    def stop(self) -> None:
        """Disconnect, take in what is queued, close the store. Safe to call twice."""
        self._client.disconnect()
        self._client.loop_stop()
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self.store.close()

    def __enter__(self) -> "Center":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- what tests, rigs and the demo ask

    def on_arrival(self, callback: Callable[[Arrival], None]) -> None:
        """Call this for each arrival, in the center's thread. An exception in it is counted, and harms nothing."""
        self._callbacks.append(callback)

    def wait(self, predicate: Callable[["Center"], object], timeout_s: float) -> bool:
        """Wait until the predicate holds; looked at again after each thing that arrives."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(predicate(self)), timeout_s)

    def records(self, panel: str, journal: str | None = None) -> list[dict[str, Any]]:
        """The held records in the journal's order: header, payload, hash, lane and so on."""
        rows = self.store.rows(
            "SELECT * FROM records WHERE panel=? AND (? IS NULL OR journal=?) ORDER BY journal, seq",
            panel,
            journal,
            journal,
        )
        return [
            {"header": json.loads(r["header"]), "payload": json.loads(r["payload"] or "null"), "hash": r["hash"]}
            for r in rows
        ]

    def heads(self, panel: str) -> dict[str, tuple[int, str]]:
        """The head of each journal as the panel's last signed heartbeat in it said."""
        rows = self.store.rows("SELECT journal, seq, hash FROM heads WHERE panel=?", panel)
        return {row["journal"]: (row["seq"], row["hash"]) for row in rows}

    def complete(self, panel: str, heads: Heads | None = None) -> list[str]:
        """What is wrong or missing between record 1 and each head; empty when the center holds all in its place.

        Everything is computed anew from what is stored. `heads` defaults to those of the signed heartbeats.
        """
        return audit(self.store, panel, self.heads(panel) if heads is None else heads)

    def gaps(self, panel: str) -> dict[str, list[tuple[int, int]]]:
        """For each journal the ranges of `seq` that the panel has and the center does not hold."""
        return gaps(self.store, panel)

    def counts(self) -> dict[str, int]:
        """How many of each: `record`, `duplicate`, `rival`, `garbage.REASON`, `finding.WHAT`, `receipt` …"""
        unwritten = {"queue-full": self._dropped, "store-failed": self._failed}
        return self.store.counts() | {name: n for name, n in unwritten.items() if n}

    def online(self, panel: str) -> bool | None:
        """Whether the panel's uplink is online, None when it was never heard."""
        rows = self.store.rows("SELECT online FROM links WHERE panel=?", panel)
        return bool(rows[0]["online"]) if rows else None

    def reply(self, panel: str, counter: int) -> dict[str, Any] | None:
        """The panel's signed reply to a command, None while there is none."""
        rows = self.store.rows("SELECT body FROM replies WHERE panel=? AND counter=?", panel, counter)
        return dict(json.loads(rows[0]["body"])) if rows else None

    def command(self, panel: str, command: str, args: Mapping[str, Any], operator: str) -> int:
        """Sign and send a command; returns its counter. Raises `LookupError` before the first heartbeat."""
        counter, nonce = self.store.next_command(panel, command, dict(args), operator, self._now())
        body = {
            "panel": panel,
            "counter": counter,
            "nonce": nonce,
            "command": command,
            "args": dict(args),
            "operator": operator,
        }
        self.send_command(panel, self.command_key.sign("fenghuo.command.v1", body))
        self._tell([self._arrival("command", panel, body)])
        return counter

    def send_command(self, panel: str, token: str) -> None:
        """Publish a command as it is: for replays, and for rigs that sign something wrong on purpose."""
        self.send(panel, "command", token)

    def send(self, panel: str, word: str, token: str) -> None:
        """Publish a signed thing on a topic of a panel's, with the life of a command."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = COMMAND_LIFE_S
        self._client.publish(f"fenghuo/v1/{panel}/{word}", token, qos=1, properties=properties)

    # --- paho's thread

    def _make_client(self, host: str, port: int, session: bool) -> mqtt.Client:
        name = f"fenghuo-center-{self.receipt_key.kid[:12]}" if session else ""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTProtocolVersion.MQTTv5)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S if session else 0
        client.reconnect_delay_set(1, 30)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._connected.set()
        client.on_message = self._on_message
        client.connect_async(host, port, keepalive=30, clean_start=not session, properties=properties)
        return client

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, _props: object) -> None:
        if not reason.is_failure:
            client.subscribe("fenghuo/v1/+/#", qos=1)

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        data = bytes(message.payload)
        if len(data) > MAX_PAYLOAD:
            data = data[: MAX_PAYLOAD + 1]
        try:
            self._queue.put((message.topic, data), timeout=5)
        except queue.Full:
            self._dropped += 1  # the panel gets no receipt, and sends it again

    # --- the center's thread

    def _work(self) -> None:
        running = True
        while running:
            batch = self._take()
            running = None not in batch
            try:
                self._turn([item for item in batch if item is not None])
            except sqlite3.Error:
                self._failed += 1  # a full disk, say: nothing of this turn is receipted, and the panels send it again
                self._tell([])

    def _turn(self, batch: list[tuple[str, bytes]]) -> None:
        turn = _Turn()
        if batch:
            with self.store.transaction():
                for topic, data in batch:
                    self._take_in(turn, topic, data)
        for place, touched in turn.touched.items():
            self._pending.setdefault(place, {}).update(touched)
        self._tell(turn.arrivals)
        self._send_receipts()

    def _take(self) -> list[tuple[str, bytes] | None]:
        wait = max(0.0, self._receipted + COALESCE_S - time.monotonic()) if self._pending else None
        batch: list[tuple[str, bytes] | None] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._queue.get(timeout=wait))
            while len(batch) < MAX_TURN:
                batch.append(self._queue.get_nowait())
        return batch

    def _take_in(self, turn: _Turn, topic: str, data: bytes) -> None:
        panel = ""
        try:
            panel, words = panel_of(topic)
            if words not in OWN:
                self._registered(panel)
                self._dispatch(turn, panel, words, data)
        except Garbage as garbage:
            self._refuse(turn, panel, garbage)
        except Exception as error:
            # One message must never end the center, whatever it holds.
            self._refuse(turn, panel, Garbage("internal", f"{type(error).__name__}: {error}"))

    def _dispatch(self, turn: _Turn, panel: str, words: tuple[str, ...], data: bytes) -> None:
        now = self._now()
        match words:
            case ("event" | "batch", lane) if lane in LANES:
                records, bad = read_records(panel, lane, data, batch=words[0] == "batch")
                for record in records:
                    self._keep(turn, record, now)
                for garbage in bad:
                    self._refuse(turn, panel, garbage)
            case ("event" | "batch", "telemetry"):
                value = read_json(data, floats=True)
                self.store.count(panel, "telemetry", len(value) if isinstance(value, list) else 1)
                turn.arrivals.append(self._arrival("telemetry", panel, {"data": value}))
            case ("heartbeat",):
                self._heartbeat(turn, panel, data, now)
            case ("link",):
                link = read_link(panel, data)
                fresh = self.store.link(link, now)
                self.store.count(panel, "link" if fresh else "link-late")
                if fresh:
                    turn.arrivals.append(self._arrival("link", panel, {"online": link.online, "order": link.order}))
            case ("state",):
                body = read_json(data)
                self.store.run("INSERT OR REPLACE INTO states VALUES(?,?)", panel, json.dumps(body))
                turn.arrivals.append(self._arrival("state", panel, body if isinstance(body, dict) else {}))
            case ("reply",):
                self._reply(turn, panel, data, now)
            case _:
                raise Garbage("topic", "/".join(words)[:100])

    def _registered(self, panel: str) -> str:
        x = self.store.key(panel)
        if x is None:
            x = self._panels(panel)
            if x is None:
                raise Garbage("unknown-panel", panel[:64])
            self.store.register(panel, x)
        return x

    def _keep(self, turn: _Turn, record: RecordIn, now: str) -> None:
        header = record.header
        what = self.store.put(record, now)
        self.store.count(record.panel, "record" if what == "new" else what)
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
        turn.arrivals.append(self._arrival("record" if what == "new" else what, record.panel, body))

    def _heartbeat(self, turn: _Turn, panel: str, data: bytes, now: str) -> None:
        beat = read_heartbeat(panel, self._signed(panel, "fenghuo.heartbeat.v1", data))
        if why := self.store.beat(panel, beat, now):
            raise Garbage(f"{why}-heartbeat", f"session {beat['session']} beat {beat['beat']}")
        self.store.count(panel, "heartbeat")
        turn.arrivals.append(self._arrival("heartbeat", panel, beat))

    def _reply(self, turn: _Turn, panel: str, data: bytes, now: str) -> None:
        body = self._signed(panel, "fenghuo.reply.v1", data)
        if body.get("panel") != panel:
            raise Garbage("wrong-panel", f"a reply of {body.get('panel')!r:.64}")
        counter = body.get("counter")
        if not isinstance(counter, int | None) or isinstance(counter, bool):
            raise Garbage("malformed", f"counter {counter!r:.50}")
        if body.get("key", "") not in ("", self.command_key.kid):
            self.store.count(panel, "reply-to-another")  # the panel has a second center, with a counter of its own
            return
        self.store.run("INSERT INTO replies VALUES(?,?,?,?)", panel, counter, json.dumps(body), now)
        self.store.count(panel, "reply")
        turn.arrivals.append(self._arrival("reply", panel, body))

    def _signed(self, panel: str, typ: str, data: bytes) -> dict[str, Any]:
        try:
            return read_token(self._registered(panel), typ, data)
        except BadToken as error:
            raise Garbage("signature", str(error)[:200]) from None

    def _refuse(self, turn: _Turn, panel: str, garbage: Garbage) -> None:
        known = panel if self.store.key(panel) else ""  # names made up by strangers must not fill the counters
        self.store.count(known, f"garbage.{garbage.reason}")
        if garbage.reason in ("altered", "wrong-panel", "signature"):
            self.store.find(self._now(), known, garbage.reason, garbage.detail)
        body = {"reason": garbage.reason, "detail": garbage.detail}
        turn.arrivals.append(self._arrival("garbage", panel, body))

    # --- receipts

    def _send_receipts(self) -> None:
        if not self._pending or time.monotonic() < self._receipted + COALESCE_S:
            return
        pending, self._pending = self._pending, {}
        if self.silent:
            return
        self._receipted = time.monotonic()
        for (panel, journal, lane), touched in pending.items():
            self._receipt(panel, journal, lane, touched)

    def _receipt(self, panel: str, journal: str, lane: str, touched: Mapping[tuple[int, str], int]) -> None:
        chain = self.store.chain(panel, journal)
        arrived = [(lane_seq, seq, own) for (lane_seq, own), seq in touched.items()]
        # One wrong range makes a receipt void: what is in dispute has one of its own.
        linked = receipt_ranges(chain, [record for record in arrived if record[1]])
        disputed = [[(lane_seq, lane_seq, own)] for lane_seq, seq, own in arrived if not seq]
        for ranges in (*(linked[at : at + MAX_RANGES] for at in range(0, len(linked), MAX_RANGES)), *disputed):
            body = {
                "panel": panel,
                "journal": journal,
                "lane": lane,
                "ranges": [{"first": a, "last": b, "hash": h} for a, b, h in ranges],
            }
            self._client.publish(
                f"fenghuo/v1/{panel}/receipt", self.receipt_key.sign("fenghuo.receipt.v1", body), qos=1
            )
            self.store.count(panel, "receipt")
            self._tell([self._arrival("receipt", panel, body)])

    def _arrival(self, what: str, panel: str, body: Mapping[str, Any]) -> Arrival:
        return Arrival(what, panel, body, self._clock.monotonic_ms())

    def _now(self) -> str:
        return utc_text(self._clock.utc())

    def _tell(self, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            for callback in self._callbacks:
                try:
                    callback(arrival)
                except Exception:
                    self.store.count("", "callback-failed")
        with self._changed:
            self._changed.notify_all()
