"""Promise 4: a captured uplink, played against a real core. Nothing is lost, disarmed or silenced by it."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol import messages as m
from firmware.protocol.jws import Signer, unb64url
from firmware.protocol.lines import Client
from firmware.protocol.typ import COMMAND, KEYS, RECEIPT, TIME
from tests.system.rig import Rig, public_x, rig

STRANGER = Signer(Ed25519PrivateKey.generate())


class Captured:
    """A peer on the uplink's socket that says what an attacker would."""

    def __init__(self, panel: Rig) -> None:
        self.panel = panel
        self.client = Client(panel.run / "uplink.sock")
        self.heads: list[dict[str, Any]] = []
        self.nonces: list[str] = []
        self.errors: list[str] = []
        self.delivered: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []
        self.replies: list[dict[str, Any]] = []

    def hear(self, what: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Take messages in until one of this type comes."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            message = self.client.receive(end - time.monotonic())
            if message is None:
                break
            self._take(message)
            if message["type"] == what:
                return message
        raise AssertionError(f"no {what} within {timeout_s} s")

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "head":
                self.heads.append(message)
            case "heartbeat":
                self.nonces.append(self._payload(message["jws"])["nonce"])
            case "error":
                self.errors.append(message["reason"])
            case "delivered":
                self.delivered.append(message)
            case "records":
                self.records += message["records"]
            case "reply":
                self.replies.append(self._payload(message["jws"]))

    @staticmethod
    def _payload(token: str) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(unb64url(token.split(".")[1]))
        return payload

    def command(self, signer: Signer, **changes: Any) -> str:
        """A command that would be right, but for the changes and the signer."""
        base = {
            "panel": self.panel.panel,
            "counter": 1,
            "nonce": self.nonces[-1],
            "command": "disarm",
            "args": {"areas": [], "zone": ""},
            "operator": "nobody",
        }
        return signer.sign(COMMAND, base | changes)

    def receipt(self, signer: Signer, **changes: Any) -> str:
        """A receipt for the whole alarm lane, but for the changes and the signer."""
        journal = self.heads[-1]["journals"][-1]
        last = max(1, journal["last"]["alarm"])
        base = {
            "panel": self.panel.panel,
            "journal": journal["journal"],
            "lane": "alarm",
            "ranges": [{"first": 1, "last": last, "hash": "0" * 64}],
        }
        return signer.sign(RECEIPT, base | changes)

    def undelivered(self) -> int:
        """First alarm without a receipt, as core says now."""
        return int(self.heads[-1]["journals"][-1]["first_undelivered"]["alarm"])


def quick(text: str) -> str:
    """The demo's bank with short times."""
    return text.replace("path_fault_s = 60", "path_fault_s = 5").replace("exit_delay_s = 8", "exit_delay_s = 1")


@pytest.fixture
def panel() -> Iterator[Rig]:
    """An armed panel in full alarm, whose uplink is somebody else."""
    with rig(clock_rate=2, edit=quick) as made:
        made.start("core")
        made.add_user()
        made.settle()
        made.arm()
        since = made.mark()
        made.move("back-door", "open")
        made.wait("tell", "alarm", since=since)
        yield made


@pytest.fixture
def captured(panel: Rig) -> Captured:
    peer = Captured(panel)
    peer.hear("heartbeat")
    assert peer.heads
    return peer


def unharmed(panel: Rig) -> None:
    """Still in alarm, still sounding."""
    assert panel.mode() == "alarm"
    assert panel.desk(m.AskDesk())["outputs"]["siren-outside"]["on"] is True


@pytest.mark.clause("GB 55029 6.0.4")
def test_forged_receipts_deliver_nothing(panel: Rig, captured: Captured) -> None:
    commands_key_receipt = captured.receipt(panel.commands)
    for token in (
        captured.receipt(STRANGER),
        captured.receipt(panel.receipts),  # rightly signed, but for records that the journal does not hold so
        captured.receipt(panel.receipts, panel="bank-0000"),
        captured.receipt(panel.receipts, journal="0" * 8 + "-0000-0000-0000-" + "0" * 12),
        captured.receipt(panel.receipts, ranges=[{"first": 1, "last": 10**9, "hash": "0" * 64}]),
        commands_key_receipt,
        "garbage",
    ):
        captured.client.send(m.ReceiptIn(jws=token))
    journal = captured.heads[-1]["journals"][-1]["journal"]
    captured.client.send(m.Acknowledged(path="center-1", journal=journal, lane="alarm", ranges=[(1, 1)]))
    captured.client.send(m.Pull(journal=captured.heads[-1]["journals"][-1]["journal"], lane="alarm", first=1, last=99))
    captured.hear("records")
    assert captured.delivered == []
    assert [r["header"]["kind"] for r in captured.records] == ["alarm.intruder"]
    refused = [r["payload"]["reason"] for r in wait_refused(panel, 8)]
    assert len(refused) == 8
    unharmed(panel)


def test_a_true_receipt_counts_and_only_for_what_it_says(panel: Rig, captured: Captured) -> None:
    journal = captured.heads[-1]["journals"][-1]["journal"]
    captured.client.send(m.Pull(journal=journal, lane="alarm", first=1, last=99))
    captured.hear("records")
    alarm = captured.records[0]
    span = {"first": 1, "last": 1, "hash": alarm["hash"]}
    captured.client.send(m.ReceiptIn(jws=captured.receipt(panel.receipts, ranges=[span])))
    assert captured.hear("delivered")["ranges"] == [[1, 1]]
    captured.hear("head")
    assert captured.undelivered() == 2


@pytest.mark.clause("GB 55029 2.0.4 boundary", "EN 50131-1 levels remote")
@pytest.mark.clause("EN 50136 integrity")
def test_forged_altered_stale_and_replayed_commands_do_nothing(panel: Rig, captured: Captured) -> None:
    true = captured.command(panel.commands, command="status")
    captured.client.send(m.CommandIn(jws=true))
    assert captured.hear("reply")["type"] == "reply"
    assert captured.replies[-1]["result"] == "done"
    head, body, signature = captured.command(panel.commands, counter=9).split(".")
    attempts = [
        captured.command(STRANGER, counter=2),
        captured.command(panel.receipts, counter=2),  # the key for receipts is not the key for commands
        true,
        captured.command(panel.commands, counter=2, panel="bank-0000"),
        captured.command(panel.commands, counter=2, nonce="A" * 22),
        captured.command(panel.commands, counter=1),
        f"{head}.{body}.{'AB'[signature[0] == 'A']}{signature[1:]}",
        f"{head}.{body}.",
        "x" * 100_000,
    ]
    for token in attempts:
        captured.client.send(m.CommandIn(jws=token))
    refused = wait_refused(panel, len(attempts))
    assert len(refused) == len(attempts)
    unharmed(panel)


@pytest.mark.clause("GB 55029 2.0.4 boundary")
def test_a_captured_uplink_exchanges_no_keys_and_tells_no_time(panel: Rig, captured: Captured) -> None:
    x = public_x(STRANGER)
    lists = {"panel": "*", "serial": 9, "receipt_keys": [x], "command_keys": [x], "authorities": []}
    told = {"panel": panel.panel, "nonce": captured.nonces[-1], "time": "2030-01-01T00:00:00.000Z"}
    messages = [
        *(m.KeysIn(jws=signer.sign(KEYS, lists)) for signer in (STRANGER, panel.receipts, panel.commands)),
        *(m.TimeIn(jws=signer.sign(TIME, told)) for signer in (STRANGER, panel.commands)),
        m.TimeIn(jws=panel.receipts.sign(TIME, told | {"nonce": "A" * 22})),
    ]
    for message in messages:
        captured.client.send(message)
    refused = wait_refused(panel, len(messages))
    assert [record["payload"]["what"] for record in refused] == ["keys"] * 3 + ["time"] * 3
    captured.client.send(m.CommandIn(jws=captured.command(STRANGER)))
    assert wait_refused(panel, len(messages) + 1)[-1]["payload"]["reason"] == "unknown-key"
    unharmed(panel)
    assert "config.keys" not in panel.kinds()
    assert "clock.set" not in panel.kinds()


def test_a_true_command_disarms(panel: Rig, captured: Captured) -> None:
    """The positive control: the very same way works with the right key, nonce and counter."""
    since = panel.mark()
    captured.client.send(m.CommandIn(jws=captured.command(panel.commands, operator="Wang Fang")))
    panel.wait("output", "siren-outside", False, since=since)
    captured.hear("reply")
    assert (captured.replies[-1]["counter"], captured.replies[-1]["result"]) == (1, "done")
    assert panel.mode() == "disarmed"
    done = [r for r in panel.records() if r["kind"] == "area.disarmed-remotely"]
    assert done
    assert "Wang Fang" in json.dumps(done[0]["payload"], ensure_ascii=False)


def test_an_old_command_does_not_count_after_a_restart(panel: Rig, captured: Captured) -> None:
    token = captured.command(panel.commands)
    panel.kill("core")
    panel.start("core")
    again = Captured(panel)
    again.hear("heartbeat")
    again.client.send(m.CommandIn(jws=token))
    again.hear("reply")
    assert again.replies[-1]["reason"] == "stale"
    unharmed(panel)


def test_floods_and_giants_leave_core_alive_and_its_journal_small(panel: Rig, captured: Captured) -> None:
    before = len(panel.records())
    flood = m.CommandIn(jws=captured.command(STRANGER)).model_dump_json().encode() + b"\n"
    giants = Client(panel.run / "uplink.sock")
    with contextlib.suppress(OSError):  # core hangs up while the giant is still talking
        giants._socket.sendall(b'{"type":"command","jws":"' + b"A" * 1024 * 1024 + b'"}\n')
    captured.client._socket.settimeout(5.0)
    try:
        for _ in range(3000):
            captured.client._socket.sendall(flood)
    except TimeoutError:
        pass  # core reads a flooding peer slowly: the kernel's buffer is full
    since = panel.mark()
    began = time.monotonic()
    panel.move("office-pir", "open")
    panel.wait("record", "alarm.intruder", since=since)
    assert time.monotonic() - began < 5.0
    assert len(panel.records()) - before < 30
    unharmed(panel)


def test_moods_of_the_path_do_not_fill_the_journal(panel: Rig, captured: Captured) -> None:
    before = len(panel.records())
    up, down = m.Path(path="center-1", up=True), m.Path(path="center-1", up=False, detail="no receipts")
    for _ in range(300):
        captured.client.send(down)
        captured.client.send(up)
    captured.client.send(m.Pull(journal=captured.heads[-1]["journals"][-1]["journal"], lane="alarm", first=1, last=99))
    captured.hear("records", timeout_s=15)  # so the 600 before it are read
    # Ten ends pass, and with the only path all paths come and go.
    assert len(panel.records()) - before < 50
    assert "path:center-1" in panel.status()["troubles"]
    unharmed(panel)


def test_a_silent_hold_up_moves_nothing_on_the_state_topic(panel: Rig, captured: Captured) -> None:
    panel.move("office-pir", "open")  # the positive control: this shows
    captured.hear("state")
    since = panel.mark()
    panel.desk(m.Press(zone="holdup-1"))
    panel.wait("record", "restore.hold-up", since=since)
    captured.client.send(m.Pull(journal=captured.heads[-1]["journals"][-1]["journal"], lane="alarm", first=1, last=99))
    heard = []
    while (message := captured.client.receive(5.0)) is not None:
        heard.append(message["type"])
        if message["type"] == "records" and len(message["records"]) >= 3:
            break
    assert "head" in heard
    states = [kind for kind in heard if kind == "state"]
    assert len(states) <= 1, "only the end of the control may still come"


def test_silence_is_reported_as_a_path_fault(panel: Rig, captured: Captured) -> None:
    # It stays connected and says that all is well, but no alarm is ever receipted.
    since = panel.mark()
    captured.client.send(m.Path(path="center-1", up=True))
    trouble = panel.wait("record", "trouble.path", since=since, timeout_s=25)
    assert trouble.value["subject"] == "receipts"
    unharmed(panel)


def test_random_bytes_on_the_uplinks_socket(panel: Rig) -> None:
    for size in (1, 100, 10_000):
        raw = Client(panel.run / "uplink.sock")
        raw._socket.sendall(os.urandom(size) + b"\n")
        raw.close()
    unharmed(panel)


def wait_refused(panel: Rig, count: int) -> list[dict[str, Any]]:
    """The `command.refused` records, once so many are durable."""
    end = time.monotonic() + 10.0
    while True:
        found = [r for r in panel.records() if r["kind"] == "command.refused"]
        if len(found) >= count or time.monotonic() > end:
            return found
        time.sleep(0.05)


def test_what_it_says_of_short_messages_is_telemetry_of_known_paths_and_bounded(panel: Rig, captured: Captured) -> None:
    before = len(panel.records())
    for number in range(1, 301):
        captured.client.send(m.Sms(path="center-1", record="", receiver="center-1", state="sent", detail=str(number)))
    captured.client.send(m.Sms(path="no-such-path", record="", receiver="center-1", state="sent"))
    items: list[dict[str, Any]] = []
    while len(items) < 200:
        items += [item for item in captured.hear("telemetry")["items"] if item["kind"] == "telemetry.sms"]
    assert len(items) < 210
    assert {item["data"]["path"] for item in items} == {"center-1"}
    kinds = [record["kind"] for record in panel.records()[before:]]
    assert not [kind for kind in kinds if kind.startswith("telemetry")]
    assert panel.status()["health"]["notes_refused"] > 90


def test_how_long_delivery_took_is_telemetry(panel: Rig, captured: Captured) -> None:
    spread = m.Spread(count=2, half_ms=40, most_ms=90, worst_ms=90)
    record = f"{'0' * 8}-0000-4000-8000-{'0' * 12}-7"
    took = [m.Took(record=record, sent_ms=12, receipted_ms=40)]
    told = m.Latency(path="center-1", lane="alarm", recorded_to_sent=None, sent_to_receipted=spread, records=took)
    captured.client.send(told.model_copy(update={"path": "no-such-path"}))
    captured.client.send(told)
    items: list[dict[str, Any]] = []
    while not items:
        items += [item for item in captured.hear("telemetry")["items"] if item["kind"] == "telemetry.delivery"]
    assert [item["data"] for item in items] == [told.model_dump(exclude={"type"})]
