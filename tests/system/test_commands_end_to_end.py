"""The center's commands, signed by its own library, through a real Mosquitto and uplink to core, and back."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from firmware.protocol import messages as m
from hil.center import Center
from hil.center.keys import Key
from tests.system.rig import CODE, Rig, rig

OPERATOR = "王芳 desk 3"
WAIT_S = 15.0


class Desk:
    """An operator of the center, and the panel he works on."""

    def __init__(self, center: Center, panel: Rig) -> None:
        self.center, self.panel = center, panel

    def ask(self, command: str, areas: Sequence[str] = (), zone: str = "") -> dict[str, Any]:
        """The panel's signed reply to a command."""
        counter = self.center.command(self.panel.panel, command, {"areas": list(areas), "zone": zone}, OPERATOR)
        return self.reply(counter)

    def reply(self, counter: int) -> dict[str, Any]:
        assert self.center.wait(lambda c: c.reply(self.panel.panel, counter), WAIT_S), f"no reply to {counter}"
        found = self.center.reply(self.panel.panel, counter)
        assert found is not None
        return found

    def body(self, **changed: Any) -> dict[str, Any]:
        """A disarm that would be good: the next counter and a fresh nonce, some members changed."""
        store = self.center.store
        counter, nonce = store.next_command(self.panel.panel, "disarm", {}, OPERATOR, "2026-03-14T23:09:30.000Z")
        good = {"panel": self.panel.panel, "counter": counter, "nonce": nonce, "command": "disarm"}
        return good | {"args": {"areas": [], "zone": ""}, "operator": OPERATOR} | changed

    def send(self, key: Key, body: dict[str, Any]) -> str:
        token = key.sign("fenghuo.command.v1", body)
        self.center.send_command(self.panel.panel, token)
        return token

    def refusals(self) -> list[str]:
        """Reasons of the `command.refused` records that the center holds, in order."""
        return [p["reason"] for p in self.held("command.refused")]

    def held(self, kind: str) -> list[dict[str, Any]]:
        records = self.center.records(self.panel.panel)
        return [record["payload"] for record in records if record["header"]["kind"] == kind]

    def wait_held(self, kind: str, number: int = 1) -> list[dict[str, Any]]:
        assert self.center.wait(lambda _c: len(self.held(kind)) >= number, WAIT_S), f"{kind} not at the center"
        return self.held(kind)


@pytest.fixture
def desk(mosquitto: int, tmp_path: Path) -> Iterator[Desk]:
    keys: dict[str, str] = {}
    with (
        Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as center,
        rig(port=mosquitto, center=(center.receipt_key.x, center.command_key.x)) as panel,
    ):
        panel.start("core")
        keys[panel.panel] = str(panel.panel_x())
        panel.start("uplink")
        panel.add_user()
        panel.settle()
        assert center.wait(lambda c: c.heads(panel.panel), WAIT_S)
        yield Desk(center, panel)


@pytest.mark.clause("CP-01 23", "GB 55029 3.5.1(7) operation")
def test_every_command_is_carried_out_recorded_and_answered(desk: Desk) -> None:
    panel = desk.panel
    state = desk.ask("status")
    assert (state["result"], state["detail"]["areas"]["hall"]["mode"]) == ("done", "disarmed")

    assert desk.ask("bypass", zone="office-pir")["result"] == "done"
    assert panel.status()["zones"]["office-pir"]["bypassed"] is True
    assert desk.ask("unbypass", zone="office-pir")["result"] == "done"
    assert panel.status()["zones"]["office-pir"]["bypassed"] is False

    assert desk.ask("arm", ["hall"])["result"] == "done"
    assert (panel.mode("hall"), panel.mode("vault")) == ("armed", "disarmed")

    since = panel.mark()
    panel.move("back-door", "open")
    panel.wait("output", "siren-outside", True, since=since)
    assert desk.ask("silence")["result"] == "done"
    panel.wait("output", "siren-outside", False, since=since)
    assert panel.mode("hall") == "alarm"

    assert desk.ask("disarm", ["hall"])["result"] == "done"
    assert panel.mode("hall") == "disarmed"

    done = desk.wait_held("command.done", 6)
    assert [p["command"] for p in done] == ["status", "bypass", "unbypass", "arm", "silence", "disarm"]
    assert {p["by"] for p in done} == {f"remote:{OPERATOR}"}


def test_what_stands_in_the_way_is_told_and_recorded(desk: Desk) -> None:
    desk.panel.move("back-door", "open")
    desk.panel.wait("condition", "back-door", "active")
    refused = desk.ask("arm", ["hall"])
    assert (refused["result"], refused["reason"]) == ("refused", "arming-refused")
    assert refused["detail"]["reasons"] == ["active:back-door"]
    assert desk.ask("bypass", zone="holdup-1")["reason"] == "not-bypassable"
    assert desk.ask("disarm", ["cellar"])["reason"] == "unknown-area"
    desk.wait_held("command.refused", 3)
    assert desk.refusals() == ["arming-refused", "not-bypassable", "unknown-area"]
    assert desk.panel.mode("hall") == "disarmed"


def test_that_an_alarm_was_false_is_told_to_the_center_which_holds_the_alarm(desk: Desk) -> None:
    since = desk.panel.mark()
    desk.panel.move("box-tamper", "cut")
    desk.wait_held("alarm.tamper")
    records = desk.center.records(desk.panel.panel)
    [alarm] = [record["header"] for record in records if record["header"]["kind"] == "alarm.tamper"]
    desk.panel.move("box-tamper", "close")
    desk.panel.wait("record", "restore.tamper", since=since)
    place = {"journal": alarm["journal"], "seq": alarm["seq"], "by": "Wang"}
    for said in ({"says": "true", "reason": "somebody was there"}, {"says": "false", "reason": "a loose lid"}):
        desk.panel.technician(m.MarkAlarm.model_validate({**place, **said, "code": CODE}))
    told = desk.wait_held("acceptance.alarm-marked", 2)
    assert [(one["journal"], one["seq"], one["says"], one["user"]) for one in told] == [
        (alarm["journal"], alarm["seq"], says, "manager") for says in ("true", "false")
    ]


@pytest.mark.clause("GB 55029 2.0.4 boundary", "EN 50131-1 levels remote")
def test_unsigned_replayed_stale_and_foreign_commands_disarm_nothing(desk: Desk) -> None:
    center, panel = desk.center, desk.panel
    assert desk.ask("arm")["result"] == "done"
    stranger = Key(OKPKey.generate_key("Ed25519", private=True))
    replayed = desk.send(center.command_key, desk.body(command="status"))
    desk.reply(json.loads(_payload(replayed))["counter"])

    center.send_command(panel.panel, replayed)
    center.send_command(panel.panel, "disarm")
    desk.send(stranger, desk.body())
    desk.send(center.receipt_key, desk.body())
    desk.send(center.command_key, desk.body(panel="bank-next-door"))
    desk.send(center.command_key, desk.body(nonce="AAECAwQFBgcICQoLDA0ODw"))
    header, _, signature = desk.center.command_key.sign("fenghuo.command.v1", desk.body()).split(".")
    altered = _encode(json.dumps(desk.body()))
    center.send_command(panel.panel, f"{header}.{altered}.{signature}")
    center.send_command(panel.panel, f"{_encode(json.dumps({'alg': 'none', 'kid': 'x', 'typ': 'x'}))}.{altered}.")

    desk.wait_held("command.refused", 8)
    assert desk.refusals() == [
        "replayed",
        "malformed",
        "unknown-key",
        "unknown-key",
        "wrong-panel",
        "stale",
        "bad-signature",
        "unsigned",
    ]
    assert (panel.mode("hall"), panel.mode("vault")) == ("armed", "armed")
    assert "area.disarmed-remotely" not in panel.kinds()


def test_after_a_restart_of_core_an_old_counter_and_an_old_token_still_count_for_nothing(desk: Desk) -> None:
    center, panel = desk.center, desk.panel
    used = desk.body()
    token = desk.send(center.command_key, used)
    assert desk.reply(used["counter"])["result"] == "done"
    assert desk.ask("arm")["result"] == "done"

    beats = center.counts()["heartbeat"]
    panel.kill("core")
    panel.start("core")
    assert center.wait(lambda c: c.counts()["heartbeat"] > beats, WAIT_S)

    center.send_command(panel.panel, token)
    desk.send(center.command_key, desk.body(counter=used["counter"]))
    desk.wait_held("command.refused", 2)
    assert desk.refusals() == ["stale", "replayed"]
    assert panel.mode("hall") == "armed"
    assert desk.ask("disarm")["result"] == "done"


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
