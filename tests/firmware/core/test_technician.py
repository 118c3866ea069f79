"""The technician's socket over the real rules: who may change whom, and what becomes of wrong codes."""

import json
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import rules
from firmware.core.codes import Codes
from firmware.core.engine import Engine, Ports
from firmware.core.sockets import Server
from firmware.core.technician_port import LOCK_S, WRONG_CODES, TechnicianPort, TechnicianSources
from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from rules.effects import Answer, Record, Tell
from tests.clock import TurnedClock
from tests.rules.branch import branch

BOSS, BOSS_DURESS, CLERK = "271828", "314159", "161803"


class Bench:
    """A server with the technician's port, the codes' thread and an engine; everything is durable at once."""

    def __init__(self, folder: Path) -> None:
        self.records: list[Record] = []
        self.engine = Engine(
            branch(),
            rules.initial(branch()),
            TurnedClock(),
            Ports(lambda *_: None, self._commit, lambda _: None, lambda _: None, lambda: None),
        )
        self.server = Server()
        self.codes = Codes("bank-1", b"p" * 32)
        sources = TechnicianSources(
            status=lambda: rules.private_view(branch(), self.engine.state),
            users=lambda: self.engine.state.users,
            areas=frozenset(branch().areas),
            snapshot=self._snapshot,
            records=lambda _after, _limit: [],
            submit=self.engine.submit,
        )
        self.port = TechnicianPort(sources, self.codes, self.server)
        self.path = folder / "technician.sock"
        self.server.add(self.port.role(self.path))
        self.snapshots = 0
        self.made: Future[Path] = Future()
        for part in (self.engine, self.codes, self.server):
            part.start()

    def _commit(self, records: tuple[Record, ...], _state: Any, talk: tuple[Tell | Answer, ...]) -> None:
        self.records += records
        for record in records:
            if record.kind in ("user.set", "user.removed"):
                self.port.user_settled(str(record.payload["user"]), "")
        for word in talk:
            if isinstance(word, Tell) and word.notice == "user-refused":
                self.port.user_settled(str(word.args["user"]), str(word.args["reason"]))

    def _snapshot(self) -> "Future[Path]":
        self.snapshots += 1
        return self.made

    def ask(self, message: BaseModel) -> dict[str, Any]:
        client = Client(self.path)
        client.send(message)
        answer = client.receive(10.0)
        client.close()
        assert answer is not None
        return answer

    def set(self, id_: str, level: int, areas: list[str], new: str, code: str = "", duress: str = "") -> dict[str, Any]:
        return self.ask(
            m.SetUser(id=id_, name=id_, level=level, areas=areas, new_code=new, new_duress_code=duress, code=code)
        )

    def kinds(self) -> list[str]:
        return [record.kind for record in self.records]

    def close(self) -> None:
        self.server.stop()
        self.codes.stop()
        self.engine.stop("the test is over")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def staffed(bench: Bench) -> Bench:
    """A boss of everything (level 3) and a clerk of the hall (level 2)."""
    assert bench.set("boss", 3, ["hall", "vault"], BOSS, duress=BOSS_DURESS)["ok"]
    assert bench.set("clerk", 2, ["hall"], CLERK, code=BOSS)["ok"]
    return bench


@pytest.mark.parametrize(
    ("id_", "level", "areas"),
    [
        ("friend", 2, ["vault"]),
        ("friend", 2, ["hall", "vault"]),
        ("friend", 3, ["hall"]),
        ("clerk", 2, ["hall", "vault"]),
        ("clerk", 3, ["hall"]),
        ("boss", 2, ["hall"]),
    ],
)
def test_nobody_makes_more_of_anyone_than_he_is_himself(staffed: Bench, id_: str, level: int, areas: list[str]) -> None:
    before = staffed.engine.state.users
    answer = staffed.set(id_, level, areas, "999000", code=CLERK)
    assert (answer["ok"], answer["reason"].partition(":")[0]) == (False, "code")
    assert staffed.engine.state.users == before


def test_who_stands_above_may(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["vault"], "999000", code=BOSS)["ok"]
    assert staffed.set("second", 3, ["hall"], "888000", code=BOSS)["ok"]
    assert staffed.ask(m.RemoveUser(id="clerk", code=BOSS))["ok"]
    assert set(staffed.engine.state.users) == {"boss", "second"}


def test_a_clerk_changes_his_own_code_and_removes_no_boss(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["hall"], "999000", code=CLERK)["ok"]
    assert not staffed.ask(m.RemoveUser(id="boss", code="999000"))["ok"]
    assert set(staffed.engine.state.users) == {"boss", "clerk"}


def test_the_only_user_stays(bench: Bench) -> None:
    """A panel without users takes the next one without a code."""
    assert bench.set("boss", 3, ["hall", "vault"], BOSS)["ok"]
    answer = bench.ask(m.RemoveUser(id="boss", code=BOSS))
    assert (answer["ok"], answer["reason"].partition(":")[0]) == (False, "id")
    assert set(bench.engine.state.users) == {"boss"}


def test_wrong_codes_are_counted_over_all_connections_locked_out_and_recorded(staffed: Bench) -> None:
    for n in range(WRONG_CODES + 2):
        assert not staffed.set("x", 2, ["hall"], "999000", code=f"00000{n}")["ok"]
    assert "code.locked-out" in staffed.kinds()
    lockout = next(record for record in staffed.records if record.kind == "code.locked-out")
    assert lockout.payload["by"] == "keypad:technician"
    assert not staffed.set("x", 2, ["hall"], "999000", code=BOSS)["ok"], "the right code counts while locked out"
    assert "technician" in rules.encode(staffed.engine.state).decode()
    assert LOCK_S >= 90


def test_a_duress_code_does_the_same_and_calls_for_help(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["hall"], "999000", code=BOSS_DURESS) == staffed.set(
        "clerk", 2, ["hall"], "999001", code=BOSS
    )
    assert staffed.kinds().count("alarm.duress") == 1


def test_codes_show_in_no_answer_and_no_record(staffed: Bench) -> None:
    staffed.set("x", 2, ["hall"], "999000", code="123456")
    text = json.dumps([staffed.ask(m.AskStatus()), [dict(record.payload) for record in staffed.records]])
    user = staffed.engine.state.users["boss"]
    for secret in (BOSS, BOSS_DURESS, CLERK, "123456", user.key, user.duress_key):
        assert secret not in text


def test_all_who_ask_for_a_snapshot_at_the_same_time_share_one(bench: Bench) -> None:
    bench.made = Future()
    clients = [Client(bench.path) for _ in range(3)]
    for client in clients:
        client.send(m.AskSnapshot())
        client.send(m.AskStatus())
        assert (client.receive(10.0) or {})["detail"]["areas"]  # so the question before it was read
    bench.made.set_result(Path("snapshot.sqlite"))
    for client in clients:
        assert (client.receive(10.0) or {})["detail"] == {"path": "snapshot.sqlite"}
        client.close()
    assert bench.snapshots == 1
    assert bench.ask(m.AskSnapshot())["ok"]
    assert bench.snapshots == 2
