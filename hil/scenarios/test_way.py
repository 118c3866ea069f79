"""The way to the alarm center: cut, replaced, captured."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol import messages as m
from firmware.protocol.jws import Signer
from firmware.protocol.typ import COMMAND, RECEIPT
from hil.rigs.protocol import Rig

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
    journal = rig.status()["journal"]
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    order = {"panel": rig.status()["panel"], "counter": 1, "nonce": "A" * 22, "command": "disarm"}
    thief.send(m.CommandIn(jws=stranger.sign(COMMAND, order | {"args": {"areas": [], "zone": ""}, "operator": "x"})))
    spans = [{"first": 1, "last": 1, "hash": "0" * 64}]
    receipt = {"panel": rig.status()["panel"], "journal": journal, "lane": "alarm", "ranges": spans}
    thief.send(m.ReceiptIn(jws=stranger.sign(RECEIPT, receipt)))
    rig.stays("siren-outside", on=True, for_s=1)
    assert rig.mode("hall") == "alarm"
    thief.close()
    rig.release()
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)
    rig.center_sees("command.refused", within_s=LONG_S)
