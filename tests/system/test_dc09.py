"""A panel of real processes whose only way out is a DC-09 receiver: hold-up, kill, and a journal that is whole."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from firmware.protocol import messages as m
from hil.dc09 import Receiver
from provisioning.trying import main as trying
from tests.provisioning.calling import call
from tests.system.rig import CODE, Rig, rig

PLAIN = "I accept that anyone on the network can read and drop reports"
SENTENCE = "I accept that an acknowledgement of DC-09 is not signed"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


def only_dc09(port: int) -> str:
    return (
        f'[[path]]\nid = "receiver"\nkind = "dc09"\nhost = "127.0.0.1"\nport = {port}\naccount = "1234"\n'
        f'retry_s = 5\ntries = 1\nplaintext = "{PLAIN}"\nacknowledgement = "{SENTENCE}"\nusers = {{ manager = 4 }}\n'
    )


@pytest.fixture
def panel(receiver: Receiver) -> Iterator[Rig]:
    def edit(text: str) -> str:
        begin, center = text.index("[[path]]"), text.index("[center]")
        behind = text.find("\n[", center)
        return text[:begin] + only_dc09(receiver.port) + (text[behind:] if behind >= 0 else "")

    with rig(edit=edit) as made:
        yield made


def kept(panel: Rig) -> dict[str, str]:
    """What the journal keeps for a receipt, by lane."""
    with closing(sqlite3.connect(f"file:{panel.journal}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT lane, jws FROM receipt"))


def test_everything_that_has_a_code_arrives_once_and_is_delivered(panel: Rig, receiver: Receiver) -> None:
    panel.start("core", "uplink")
    panel.settle()
    panel.add_user()
    panel.desk(m.Press(zone="holdup-1"))
    receiver.wait(lambda: "1122 01 007" in receiver.codes(), "the hold-up")
    panel.kill("uplink")
    panel.code(CODE, wish="arm")
    panel.wait("tell", "armed", timeout_s=30)
    panel.start("uplink")
    receiver.wait(lambda: "3401 01 004" in receiver.codes() and "3401 02 004" in receiver.codes(), "armed, each area")
    for name in ("uplink", "core"):
        panel.kill(name)
    panel.start("core", "uplink")
    panel.settle()
    receiver.wait(lambda: receiver.codes().count("1305 00 000") == 2, "both starts")
    events = list(receiver.events)
    assert len({(e.record, e.content) for e in events}) == len(events), "nothing twice"
    ours = {f"{r['journal']}-{r['seq']}" for r in panel.records()}
    assert {event.record for event in events} <= ours
    panel.stop()
    panel.check_journal()
    assert kept(panel) == {"alarm": "dc09:receiver", "status": "dc09:receiver"}


def tried(panel: Rig, seconds: int) -> tuple[int, dict[str, Any]]:
    words = ("path", "--path", "receiver", "--for", str(seconds), "--config", str(panel.panel_toml), "--code-stdin")
    done = call(trying, *words, "--json", typed=f"{CODE}\n")
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)["paths"]["receiver"]
    return done.returncode, found


def test_a_technician_tries_the_way_to_the_receiver_and_hears_of_one_that_says_no(
    panel: Rig, receiver: Receiver
) -> None:
    panel.start("core", "uplink")
    panel.settle()
    panel.add_user()
    code, told = tried(panel, 60)
    assert (code, told["carried"]) == (0, "receiver")
    assert 0 <= told["receipt_ms"] < 60_000
    [report] = [record for record in panel.records() if record["kind"] == "test.manual"]
    assert (report["journal"], report["lane_seq"]) == (told["journal"], told["lane_seq"])
    [arrived] = [event for event in receiver.events if event.record == f"{report['journal']}-{report['seq']}"]
    assert arrived.content == "1601 00 004", "a manual test, and by whom"
    receiver.standing = "nak"
    code, told = tried(panel, 1)
    assert (code, told["ok"]) == (1, False)
