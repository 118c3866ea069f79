"""The reference alarm center: stores what panels send, checks it, receipts it, and sends signed commands.

For rigs and integrators, no operator's product. One thread of its own takes messages off a bounded inbox, commits
many in one transaction, and only then receipts and answers them; paho's thread does nothing but fill the inbox.
"""

import json
import sqlite3
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from firmware.clock import Clock, SystemClock
from firmware.protocol.typ import COMMAND, RECEIPT
from hil.center.audit import audit, gaps
from hil.center.inbox import Inbox
from hil.center.intake import Answerer, Arrival, Intake, Turn
from hil.center.keys import Key
from hil.center.reader import MAX_PAYLOAD
from hil.center.receipts import Receipts
from hil.center.store import QUOTA_BYTES, Store
from hil.center.wire import Broker, expiring

MAX_TURN = 512
COMMAND_LIFE_S = 60
SESSION_S = 4 * 3600
"""So long the broker keeps for the center what comes while it is away."""
MAX_UNSENT = 10_000
"""Receipts that may wait in paho for the broker. More are dropped and counted: the panels send again."""

Heads = Mapping[str, tuple[int, str]]
"""Journal to its head: (seq, hash)."""


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
        tls: ssl.SSLContext | None = None,
        quota: int = QUOTA_BYTES,
        words: Sequence[str] = ("#",),
    ) -> None:
        """`panels` gives the `x` of a panel's public key, or None while it is not known: such a panel is refused.

        `session`: keep one at the broker, under an id of this folder; a second center beside it must not.
        `quota`: bytes of one panel's records. `words`: what it subscribes to of each panel's topics.
        """
        self.store = Store(folder / "center.sqlite", quota, shared=tuple(words) != ("#",))
        self.receipt_key = Key.at(folder / "keys" / "receipt.jwk")
        self.command_key = Key.at(folder / "keys" / "command.jwk")
        self.silent = False
        self.inbox = Inbox()
        self._broker = Broker(host, port, tls)
        self._words = tuple(words)
        self._intake = Intake(self.store, panels, clock or SystemClock(), lambda: self.command_key.kid)
        self._receipts = Receipts(self.store)
        self._changed = threading.Condition()
        self._callbacks: list[Callable[[Arrival], None]] = []
        self._failed = 0
        self._unsent = 0
        self._connected = threading.Event()
        self._client = self._make_client(session)
        self._thread = threading.Thread(target=self._work, name="center", daemon=True)

    # --- life

    def start(self, timeout_s: float = 5.0) -> "Center":
        """Connect and subscribe; raises `TimeoutError` when the broker does not answer in time."""
        self._thread.start()
        self._client.loop_start()
        if not self._connected.wait(timeout_s):
            self.stop()
            why = self._broker.trouble()
            raise TimeoutError(
                f"no MQTT 5 broker at {self._broker} within {timeout_s:g} s" + (f": {why}" if why else "")
            )
        return self

    def stop(self) -> None:
        """Disconnect, take in what is queued, close the store. Safe to call twice."""
        self._client.disconnect()
        self._client.loop_stop()
        self.inbox.close()
        if self._thread.is_alive():
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

    def answer(self, word: str, answerer: Answerer, own: tuple[str, ...] = ()) -> None:
        """Let this one answer what panels publish on a word of the topics; `own`: the words on which it answers."""
        self._intake.answer(word, answerer, own)

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
        unwritten = {**self.inbox.dropped, "store-failed": self._failed, "unsent": self._unsent}
        return self.store.counts() | {name: n for name, n in unwritten.items() if n}

    def online(self, panel: str) -> bool | None:
        """Whether the panel's uplink is online, None when it was never heard."""
        return self.store.online(panel)

    def reply(self, panel: str, counter: int) -> dict[str, Any] | None:
        """The panel's signed reply to a command, None while there is none."""
        rows = self.store.rows("SELECT body FROM replies WHERE panel=? AND counter=?", panel, counter)
        return dict(json.loads(rows[0]["body"])) if rows else None

    def command(
        self,
        panel: str,
        command: str,
        args: Mapping[str, Any],
        operator: str,
        before: Callable[[int], object] = lambda _: None,
    ) -> int:
        """Sign and send a command; returns its counter. Raises `LookupError` before the first heartbeat.

        `before` hears of the counter before anything is sent.
        """
        counter, nonce = self.store.next_command(panel, command, dict(args), operator, self._intake.now())
        before(counter)
        body = {
            "panel": panel,
            "counter": counter,
            "nonce": nonce,
            "command": command,
            "args": dict(args),
            "operator": operator,
        }
        self.send_command(panel, self.command_key.sign(COMMAND, body))
        self._tell([self._intake.arrival("command", panel, body)])
        return counter

    def send_command(self, panel: str, token: str) -> None:
        """Publish a command as it is: for replays, and for rigs that sign something wrong on purpose."""
        self.send(panel, "command", token)

    def send(self, panel: str, word: str, token: str) -> None:
        """Publish a signed thing on a topic of a panel's, with the life of a command."""
        self.publish(panel, word, token, COMMAND_LIFE_S)

    def publish(self, panel: str, word: str, payload: str | bytes, life_s: int | None = None) -> None:
        """Publish on one of a panel's topics, not retained; `life_s`: no broker keeps it longer, seconds."""
        topic = f"fenghuo/v1/{panel}/{word}"
        self._client.publish(topic, payload, qos=1, properties=None if life_s is None else expiring(life_s))

    # --- paho's thread

    def _make_client(self, session: bool) -> mqtt.Client:
        name = f"fenghuo-center-{self.receipt_key.kid[:12]}" if session else ""
        client = self._broker.client(name, SESSION_S if session else 0, MAX_UNSENT)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._connected.set()
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: Any, _props: object) -> None:
        if not reason.is_failure:
            client.subscribe([(f"fenghuo/v1/+/{word}", 1) for word in self._words])

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        data = bytes(message.payload)
        self.inbox.put(message.topic, data[: MAX_PAYLOAD + 1] if len(data) > MAX_PAYLOAD else data)

    # --- the center's thread

    def _work(self) -> None:
        running = True
        while running:
            batch, running = self.inbox.take(MAX_TURN, self._receipts.due())
            try:
                self._turn(batch)
            except sqlite3.Error:
                self._failed += 1  # a full disk, say: nothing of this turn is receipted, and the panels send it again
                self._tell([])

    def _turn(self, batch: list[tuple[str, bytes]]) -> None:
        turn = Turn()
        if batch:
            with self.store.transaction():
                for topic, data in batch:
                    self._intake.take(turn, topic, data)
                for panel in self.inbox.flooding():
                    self._intake.flooded(panel)
        self._receipts.add(turn.touched)
        self._tell(turn.arrivals)
        for answer in turn.answers:
            self.publish(*answer)
        self._send_receipts()

    def _send_receipts(self) -> None:
        bodies = self._receipts.take()
        if not bodies or self.silent:
            return
        sent = []
        for body in bodies:
            token = self.receipt_key.sign(RECEIPT, body)
            told = self._client.publish(f"fenghuo/v1/{body['panel']}/receipt", token, qos=1)
            if told.rc == mqtt.MQTT_ERR_QUEUE_SIZE:
                self._unsent += 1
            else:
                sent.append(self._intake.arrival("receipt", body["panel"], body))
        with self.store.transaction():
            for arrival in sent:
                self.store.count(arrival.panel, "receipt")
        self._tell(sent)

    def _tell(self, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            for callback in self._callbacks:
                try:
                    callback(arrival)
                except Exception:
                    self.store.count("", "callback-failed")
        with self._changed:
            self._changed.notify_all()
