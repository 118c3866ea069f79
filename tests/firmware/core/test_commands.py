"""Core against a captured uplink: forged, replayed, stale, altered and flooding commands."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.core.commands import Commands
from firmware.core.pictures import Pictures
from firmware.core.refusals import EACH_WINDOW, WINDOW_MS, Refusals
from firmware.protocol.jws import KeyRing, Signer, b64url, unb64url
from firmware.protocol.messages import PictureOrder
from firmware.protocol.stored import StoredRecord
from firmware.protocol.typ import COMMAND, RECEIPT, REPLY
from rules.effects import Answer
from rules.stimuli import Noted, RemoteCommand, Wish
from tests.clock import TurnedClock

CENTER = Signer(Ed25519PrivateKey.from_private_bytes(b"c" * 32))
PANEL = Signer(Ed25519PrivateKey.from_private_bytes(b"p" * 32))
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
NONCES = [b64url(bytes([n] * 16)) for n in range(4)]


class Desk:
    """What the commands of core hand on, collected."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.orders: list[RemoteCommand] = []
        self.records: list[Noted] = []
        self.sent: list[str] = []
        self.room = True
        self.journal: dict[tuple[str, int], StoredRecord] = {}
        self.ordered: list[PictureOrder] = []
        self.refusals = Refusals(self.clock, self.records.append)
        self.pictures = Pictures(
            lambda journal, seq: self.journal.get((journal, seq)),
            self.records.append,
            self.ordered.append,
            frozenset({"center-1"}),
            ("pictures.example",),
        )
        self.commands = Commands(
            "bank-0001",
            KeyRing([CENTER.public]),
            PANEL,
            self.clock,
            self.refusals,
            self._submit,
            lambda: {"areas": {}},
            self.sent.append,
            self.pictures,
        )
        self.commands.heartbeat_sent(NONCES[0])

    def _submit(self, order: RemoteCommand) -> bool:
        if self.room:
            self.orders.append(order)
        return self.room

    def replies(self) -> list[dict[str, Any]]:
        return [KeyRing([PANEL.public]).verify(REPLY, token) for token in self.sent]


def payload(**changes: Any) -> dict[str, Any]:
    base = {
        "panel": "bank-0001",
        "counter": 7,
        "nonce": NONCES[0],
        "command": "disarm",
        "args": {"areas": ["hall"], "zone": ""},
        "operator": "Li Wei",
    }
    return base | changes


def command(signer: Signer = CENTER, typ: str = COMMAND, **changes: Any) -> str:
    return signer.sign(typ, payload(**changes))


def test_a_right_command_reaches_the_rules() -> None:
    desk = Desk()
    desk.commands.received(command())
    assert desk.orders == [RemoteCommand(7, "Li Wei", Wish.DISARM, ("hall",), "", key=CENTER.kid)]
    assert desk.records == []


def test_a_command_carries_part_instant_and_override_to_the_rules() -> None:
    desk = Desk()
    args = {"areas": ["hall"], "part": "night", "instant": True, "override": True}
    desk.commands.received(command(command="arm", args=args))
    assert desk.orders == [RemoteCommand(7, "Li Wei", Wish.ARM, ("hall",), "", "night", True, True, CENTER.kid)]


@pytest.mark.parametrize("name", ["reset", "postpone", "silence", "bypass", "unbypass", "status"])
def test_every_command_becomes_its_wish(name: str) -> None:
    desk = Desk()
    desk.commands.received(command(command=name))
    assert [order.wish.value for order in desk.orders] == [name]


@pytest.mark.clause("GB 55029 2.0.4 boundary", "EN 50131-1 levels remote", "EN 50131-1 log session")
@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "malformed"),
        ("a.b.c", "malformed"),
        (command(STRANGER), "unknown-key"),
        (command(typ=RECEIPT), "wrong-type"),
        (command(panel="bank-0002"), "wrong-panel"),
        (command(nonce=NONCES[3]), "stale"),
        (command(command="format"), "malformed"),
        (command(counter=0), "malformed"),
        (command(counter=2**60), "malformed"),
        (command(counter=True), "malformed"),
        (command(operator=""), "malformed"),
        (command(extra=1), "malformed"),
    ],
)
def test_a_wrong_one_is_refused_recorded_and_answered(token: str, reason: str) -> None:
    desk = Desk()
    desk.commands.received(token)
    assert desk.orders == []
    assert [(r.kind, r.payload["reason"]) for r in desk.records] == [("command.refused", reason)]
    assert [(r["result"], r["reason"]) for r in desk.replies()] == [("refused", reason)]


def test_alg_none_is_refused() -> None:
    desk = Desk()
    header = b64url(json.dumps({"alg": "none", "kid": CENTER.kid, "typ": COMMAND}).encode())
    body = command().split(".")[1]
    desk.commands.received(f"{header}.{body}.")
    desk.commands.received(f"{header}.{body}.{b64url(bytes(64))}")
    assert desk.orders == []
    assert [r.payload["reason"] for r in desk.records] == ["unsigned", "unsigned"]


def test_the_nonces_of_the_last_two_heartbeats_count_and_no_older() -> None:
    desk = Desk()
    desk.commands.heartbeat_sent(NONCES[1])
    desk.commands.received(command(counter=1, nonce=NONCES[0]))
    desk.commands.received(command(counter=2, nonce=NONCES[1]))
    assert [order.counter for order in desk.orders] == [1, 2]
    desk.commands.heartbeat_sent(NONCES[2])
    desk.commands.received(command(counter=3, nonce=NONCES[0]))
    assert [order.counter for order in desk.orders] == [1, 2]
    assert desk.records[-1].payload["reason"] == "stale"


def test_before_the_first_heartbeat_no_command_counts() -> None:
    desk = Desk()
    fresh = Commands(
        "bank-0001",
        KeyRing([CENTER.public]),
        PANEL,
        desk.clock,
        desk.refusals,
        desk._submit,
        dict,
        desk.sent.append,
        desk.pictures,
    )
    fresh.received(command())
    assert desk.orders == []
    assert desk.records[-1].payload["reason"] == "stale"


@pytest.mark.clause("EN 50131-1 levels remote")
def test_a_replay_is_refused_and_a_counter_never_goes_back() -> None:
    desk = Desk()
    desk.commands.received(command())
    desk.commands.received(command())
    desk.commands.received(command(counter=6))
    assert len(desk.orders) == 1
    assert [r.payload["reason"] for r in desk.records] == ["replayed", "replayed"]


def test_a_full_queue_is_answered_busy() -> None:
    desk = Desk()
    desk.room = False
    desk.commands.received(command())
    assert [(r["counter"], r["reason"]) for r in desk.replies()] == [(7, "busy")]


def test_a_flood_fills_neither_journal_nor_link_and_is_counted() -> None:
    desk = Desk()
    for _ in range(1000):
        desk.commands.received(command(STRANGER))
    assert len(desk.records) == EACH_WINDOW
    assert len(desk.sent) == EACH_WINDOW
    desk.clock.turn(WINDOW_MS)
    desk.refusals.close_window()
    assert desk.records[-1].payload["counts"] == {"command:unknown-key": 1000 - EACH_WINDOW}
    desk.commands.received(command())
    assert len(desk.orders) == 1


def test_the_answer_to_status_carries_the_public_state() -> None:
    desk = Desk()
    desk.commands.received(command(command="status"))
    desk.commands.answer(Answer(7, True, "", {}, CENTER.kid))
    desk.commands.answer(Answer(8, False, "zone-active", {"zones": ["front-door"]}, CENTER.kid))
    status, refused = desk.replies()
    assert (status["counter"], status["result"], status["detail"]) == (7, "done", {"areas": {}})
    assert (refused["result"], refused["reason"], refused["detail"]) == (
        "refused",
        "zone-active",
        {"zones": ["front-door"]},
    )


@pytest.mark.clause("EN 50131-1 levels remote")
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_altered_command_counts(data: st.DataObject) -> None:
    token = command()
    parts = token.split(".")
    which = data.draw(st.integers(0, 2))
    raw = bytearray(unb64url(parts[which]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[which] = b64url(bytes(raw))
    desk = Desk()
    desk.commands.received(".".join(parts))
    assert desk.orders == []
    assert len(desk.records) == 1


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_random_text_is_refused(token: str) -> None:
    desk = Desk()
    desk.commands.received(token)
    assert desk.orders == []
    assert len(desk.records) == 1
