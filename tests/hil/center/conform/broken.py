"""Centers that do one thing wrong, each a variant of the reference center, for the conformance kit to find."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import paho.mqtt.client as mqtt

from firmware.protocol.jws import unb64url
from firmware.protocol.typ import COMMAND, RECEIPT
from hil.center import Arrival, Center
from hil.center.center import COMMAND_LIFE_S
from hil.center.intake import Intake, Turn
from hil.center.keys import Key
from hil.center.reader import LANES, Garbage, RecordIn
from hil.center.wire import expiring
from rules.vocabulary import KINDS


class Altered(Center):
    """The reference, with its receipts and commands altered on the way out."""

    def _send_receipts(self) -> None:
        for body in self._receipts.take():
            self.put_out("receipt", body["panel"], self.receipt(body), None)

    def receipt(self, body: dict[str, Any]) -> str:
        return self.receipt_key.sign(RECEIPT, body)

    def command_body(self, body: dict[str, Any]) -> dict[str, Any]:
        return body

    def command(
        self,
        panel: str,
        command: str,
        args: Mapping[str, Any],
        operator: str,
        before: Callable[[int], object] = lambda _: None,
    ) -> int:
        counter, nonce = self.store.next_command(panel, command, dict(args), operator, self._intake.now())
        before(counter)
        body = {"panel": panel, "counter": counter, "nonce": nonce, "command": command, "args": dict(args),
                "operator": operator}  # fmt: skip
        token = self.command_key.sign(COMMAND, self.command_body(body))
        self.put_out("command", panel, token, COMMAND_LIFE_S)
        return counter

    def put_out(self, word: str, panel: str, token: str, life_s: int | None) -> None:
        properties = None if life_s is None else expiring(life_s)
        self._client.publish(f"fenghuo/v1/{panel}/{word}", token, qos=1, properties=properties)


class WrongTyp(Altered):
    def receipt(self, body: dict[str, Any]) -> str:
        return self.receipt_key.sign("fenghuo.ack.v1", body)


class WrongKey(Altered):
    """Signs receipts with a key that the panel was never told."""

    other = Key.new()

    def receipt(self, body: dict[str, Any]) -> str:
        return self.other.sign(RECEIPT, body)


class WrongHash(Altered):
    """Every receipt comes twice, the second time with a hash of its own."""

    def receipt(self, body: dict[str, Any]) -> str:
        good = self.receipt_key.sign(RECEIPT, body)
        self.put_out("receipt", body["panel"], good, None)
        ranges = [r | {"hash": "0" * 64} for r in body["ranges"]]
        return self.receipt_key.sign(RECEIPT, body | {"ranges": ranges})


class MoreMembers(Altered):
    def receipt(self, body: dict[str, Any]) -> str:
        return self.receipt_key.sign(RECEIPT, body | {"at": "2026-03-14T23:09:26.123Z"})


class Joins(Altered):
    """Receipts everything from 1 to the newest: what is missing, and what is not linked."""

    def receipt(self, body: dict[str, Any]) -> str:
        newest = max(body["ranges"], key=lambda r: r["last"])
        return self.receipt_key.sign(RECEIPT, body | {"ranges": [newest | {"first": 1}]})


class NoSession(Altered):
    """Subscribes and publishes with QoS 0, and keeps no session."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{**named, "session": False})

    def _on_connect(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe("fenghuo/v1/+/#", qos=0)

    def put_out(self, word: str, panel: str, token: str, life_s: int | None) -> None:
        properties = None if life_s is None else expiring(life_s)
        self._client.publish(f"fenghuo/v1/{panel}/{word}", token, qos=0, properties=properties)


class RetainsCommands(Altered):
    def put_out(self, word: str, panel: str, token: str, life_s: int | None) -> None:
        properties = None if life_s is None else expiring(life_s)
        retain = word == "command"
        self._client.publish(f"fenghuo/v1/{panel}/{word}", token, qos=1, retain=retain, properties=properties)


class ForeverCommands(Altered):
    """No message expiry, and each command twice."""

    def put_out(self, word: str, panel: str, token: str, life_s: int | None) -> None:
        assert word == "receipt" or life_s
        for _ in range(2 if word == "command" else 1):
            super().put_out(word, panel, token, None)


class StaleNonce(Altered):
    """Keeps to the first nonce that it ever heard."""

    first: dict[str, str] = {}
    """Of each panel, also over a restart."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.on_arrival(self._heard)

    def _heard(self, arrival: Arrival) -> None:
        if arrival.what == "heartbeat":
            self.first.setdefault(arrival.panel, arrival.body["nonce"])

    def command_body(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"nonce": self.first[body["panel"]]}


class SameCounter(Altered):
    def command_body(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"counter": 7, "operator": f"wang {body['counter']}"}


class _Believing(Intake):
    """Believes heartbeats that anybody signed."""

    def _signed(self, panel: str, typ: str, data: bytes) -> dict[str, Any]:
        assert panel
        assert typ
        try:
            body = json.loads(unb64url(data.split(b".")[1].decode()))
        except (ValueError, IndexError):
            raise Garbage("signature", "no token") from None
        return dict(body)


class Believes(Altered):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._intake.__class__ = _Believing


class _Blind(Intake):
    """Checks nothing of a record."""

    def _dispatch(self, turn: Turn, panel: str, words: tuple[str, ...], data: bytes) -> None:
        if words[0] not in ("event", "batch") or words[1] not in LANES:
            super()._dispatch(turn, panel, words, data)
            return
        try:
            value = json.loads(data)
            events = value if words[0] == "batch" else [value]
            records = [e["data"] for e in events]
        except (ValueError, RecursionError, TypeError, KeyError):
            raise Garbage("malformed", "no records") from None
        for found in records:
            header = found["header"]
            self._keep(turn, RecordIn(panel, header | {"panel": panel}, found["payload"], found["hash"], False, None),
                       self.now())  # fmt: skip


class Blind(Altered):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._intake.__class__ = _Blind


class _NoDuplicates(Intake):
    def _keep(self, turn: Turn, record: RecordIn, now: str) -> None:
        header = record.header
        held = "SELECT 1 FROM records WHERE panel=? AND journal=? AND seq=? AND hash=?"
        if not self._store.rows(held, record.panel, header["journal"], header["seq"], record.hash):
            super()._keep(turn, record, now)


class NoDuplicates(Altered):
    """Takes a record that it holds for settled, and says nothing."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._intake.__class__ = _NoDuplicates


class _DropsUnknown(Intake):
    def _keep(self, turn: Turn, record: RecordIn, now: str) -> None:
        if record.header["kind"] in KINDS and record.payload is not None:
            super()._keep(turn, record, now)


class DropsUnknown(Altered):
    """Drops kinds that it does not know, and records whose payload is gone."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._intake.__class__ = _DropsUnknown
