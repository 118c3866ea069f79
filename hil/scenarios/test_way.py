"""The way to the alarm center: cut, replaced, captured."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol import messages as m
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import Signer, unb64url
from firmware.protocol.typ import COMMAND, RECEIPT
from hil.rigs.protocol import Channel, Rig

LONG_S = 60.0


@pytest.mark.clause("GB 50394 nothing lost")
def test_network_lost_during_an_alarm(rig: Rig) -> None:
    """The line is cut, then the burglar comes: the siren sounds, and the center gets all of it later. 断网时报警。"""
    rig.arm()
    rig.network(False)
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.open("vault-vibration")
    rig.disarm()
    assert not rig.center_holds("alarm.intruder")
    rig.network(True)
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)
    rig.center_sees("alarm.intruder", zone="vault-vibration", within_s=LONG_S)


def test_network_away_for_long(rig: Rig) -> None:
    """The line is away longer than the path may be: path trouble is told, with its restore. 长时间断网。"""
    rig.network(False)
    rig.open("side-exit")
    since = rig.now()
    while "paths" not in rig.status()["troubles"]:
        assert rig.now() - since < 1000 * LONG_S
    rig.network(True)
    rig.center_sees("trouble.paths", within_s=LONG_S)
    rig.center_sees("trouble.paths-ended", within_s=LONG_S)


def test_broker_replaced(rig: Rig) -> None:
    """Another broker, which knows nobody, at the same address in the midst of an alarm. 更换消息服务器。"""
    rig.arm()
    rig.broker_replaced()
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)
    assert rig.command("disarm", {"areas": []})["result"] == "done"


def test_uplink_captured(rig: Rig) -> None:
    """A stranger on the uplink's socket: his receipt swallows nothing, his command disarms nothing. 上行进程被劫持。"""
    stranger = Signer(Ed25519PrivateKey.generate())
    rig.arm()
    thief = rig.capture()
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.sees("hall", "alarm")
    panel, journal = rig.status()["panel"], rig.status()["journal"]
    span = {"first": 1, "last": 1, "hash": sha256_hex(canonical(_alarm(thief, journal)["header"]))}
    nonce = _payload(_hear(thief, "heartbeat")["jws"])["nonce"]
    order = {"counter": 1, "nonce": nonce, "command": "disarm", "args": {"areas": [], "zone": ""}, "operator": "x"}
    thief.send(m.CommandIn(jws=stranger.sign(COMMAND, {"panel": panel, **order})))
    receipt = {"panel": panel, "journal": journal, "lane": "alarm", "ranges": [span]}
    thief.send(m.ReceiptIn(jws=stranger.sign(RECEIPT, receipt)))
    rig.stays("siren-outside", on=True, for_s=1)
    assert rig.mode("hall") == "alarm"
    thief.close()
    rig.release()
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)
    rig.center_sees("command.refused", within_s=LONG_S, reason="unknown-key")


def _alarm(thief: Channel, journal: str) -> dict[str, Any]:
    """The first alarm, pulled as an uplink does, once core tells that it is durable."""
    while not _hear(thief, "head")["journals"][-1]["last"]["alarm"]:
        pass
    thief.send(m.Pull(journal=journal, lane="alarm", first=1, last=1))
    records: list[dict[str, Any]] = _hear(thief, "records")["records"]
    return records[0]


def _hear(thief: Channel, what: str) -> dict[str, Any]:
    """What core says of this kind, next."""
    for _ in range(100):
        message = thief.receive(10.0)
        assert message is not None, f"core says no {what} within 10 s"
        if message["type"] == what:
            return message
    raise AssertionError(f"no {what} among 100 messages of core")


def _payload(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(unb64url(token.split(".")[1]))
    return found
