"""The center's signed time: what core believes of it, how exactly, and when it has the clock set."""

import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from firmware.clock import utc_text
from firmware.core.clock_port import ASK_AGAIN_MS, LATE_MS, VOUCHED_MS, ClockPort
from firmware.core.refusals import Refusals
from firmware.core.sockets import Server
from firmware.core.wall import LOOK_MS, Wall
from firmware.protocol.jws import KeyRing, Signer, b64url
from firmware.protocol.lines import Client
from firmware.protocol.typ import COMMAND, TIME
from rules.stimuli import ClockTold, Noted, TroubleChanged
from tests.clock import TurnedClock

CENTER = Signer(Ed25519PrivateKey.from_private_bytes(b"c" * 32))
STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"s" * 32))
NONCES = [b64url(bytes([n] * 16)) for n in range(4)]


class Room:
    """Core's port and its wall clock, with a process that would set the clock at the socket's other end."""

    def __init__(self, folder: Path | None = None, used: bool = True, quality: str = "free-running") -> None:
        self.clock = TurnedClock()
        self.clock.quality = quality
        self.told: list[ClockTold | Noted | TroubleChanged] = []
        self.wall = Wall(self.clock, "Asia/Shanghai", self._take)
        self.wall.look()
        self.server = Server()
        refusals = Refusals(self.clock, self._take)
        keys = KeyRing([CENTER.public])
        self.port = ClockPort("bank-0001", 1, "1.0", keys, self.clock, self.wall, refusals, self.server, used)
        self.setter: Client | None = None
        if folder is not None:
            self.server.add(self.port.role(folder / "clock.sock"))
            self.server.start()
            self.setter = Client(folder / "clock.sock")
            assert self.receive()["type"] == "welcome"
        self.port.heartbeat_sent(NONCES[0])

    def _take(self, stimulus: ClockTold | Noted | TroubleChanged) -> bool:
        self.told.append(stimulus)
        return True

    def hear(self, off_s: float, took_ms: int = 0, **changes: Any) -> None:
        """The center's time, so much later than ours, in answer to a heartbeat of so long ago."""
        self.clock.turn(took_ms)
        self.receives(token(utc_text(self.clock.utc() + off_s), **changes))

    def receives(self, jws: str) -> None:
        """A token comes in: on the socket thread, where there is one."""
        if self.setter is None:
            self.port.time_received(jws)
            return
        done = threading.Event()
        self.server.call(lambda: self.port.time_received(jws))
        self.server.call(done.set)
        assert done.wait(5.0)

    def receive(self) -> dict[str, Any]:
        assert self.setter is not None
        message = self.setter.receive(5.0)
        assert message is not None
        return message

    def refused(self) -> list[Any]:
        return [note.payload["reason"] for note in self.told if isinstance(note, Noted)]

    def close(self) -> None:
        if self.setter is not None:
            self.setter.close()
        self.server.stop()


def token(time: str, by: Signer = CENTER, typ: str = TIME, **changes: Any) -> str:
    return by.sign(typ, {"panel": "bank-0001", "nonce": NONCES[0], "time": time} | changes)


@pytest.fixture
def room(tmp_path: Path) -> Any:
    made = Room(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize(("off_s", "took_ms"), [(0.0, 0), (0.9, 0), (-0.9, 0), (3.0, 8000), (-0.1, LATE_MS)])
def test_a_clock_that_is_right_as_far_as_one_can_tell_counts_as_synchronised_for_a_day(
    off_s: float, took_ms: int
) -> None:
    room = Room()
    assert room.clock.state() == "free-running"
    room.hear(off_s - took_ms / 2000, took_ms)
    assert room.clock.state() == "synchronised"
    room.clock.turn(VOUCHED_MS + 1)
    assert room.clock.state() == "free-running"
    assert room.port.ordered == 0


@pytest.mark.parametrize("off_s", [2.0, -2.0, 3600.0, -3600.0, 86_400.0 * 400])
def test_a_clock_that_is_off_is_set_by_the_process_that_may(room: Room, off_s: float) -> None:
    true = room.clock.utc() + off_s
    room.hear(off_s)
    order = room.receive()
    assert order["type"] == "set-clock"
    assert abs(order["utc_ms"] / 1000 - true) < 0.002
    assert order["monotonic_ms"] == room.clock.monotonic_ms()
    assert (room.port.ordered, room.clock.state()) == (1, "free-running")


def test_the_middle_of_what_it_may_be_is_taken(room: Room) -> None:
    began = room.clock.utc()
    room.clock.turn(6_000)
    room.receives(token(utc_text(began + 100)))
    # It was 100 s later at some moment of the last 6 s, so now it is 94 to 100 s later: 97.
    assert abs(room.receive()["utc_ms"] / 1000 - (room.clock.utc() + 97)) < 0.002


def test_the_setting_is_the_centers_in_the_record_and_ends_with_a_vouched_clock(room: Room) -> None:
    room.clock.turn(LOOK_MS)
    room.wall.look()
    room.hear(500.0)
    room.clock.turn(LOOK_MS)
    room.clock.now_utc += 500.0
    room.wall.look()
    (note,) = [told for told in room.told if isinstance(told, Noted)]
    assert (note.kind, note.payload["by"], note.payload["difference_ms"]) == ("clock.set", "center", 500_000)
    room.port.heartbeat_sent(NONCES[1])
    room.hear(0.0, nonce=NONCES[1])
    assert room.clock.state() == "synchronised"


def test_an_order_is_not_repeated_at_once_but_later(room: Room) -> None:
    for _ in range(3):
        room.hear(100.0)
    assert room.port.ordered == 1
    room.hear(100.0, ASK_AGAIN_MS)
    assert room.port.ordered == 2


def test_a_time_server_is_never_contradicted_and_the_difference_is_told() -> None:
    room = Room(quality="synchronised")
    room.hear(100.0)
    assert (room.port.ordered, room.refused()) == (0, [])
    assert room.port.figures()["center_off_ms"] == 100_000
    assert room.clock.vouched_until_ms == -1


def test_where_the_file_does_not_say_so_nothing_is_set_or_vouched_for() -> None:
    room = Room(used=False)
    room.hear(0.0)
    room.hear(100.0)
    assert (room.port.ordered, room.clock.state()) == (0, "free-running")


def test_what_took_too_long_says_too_little(room: Room) -> None:
    room.hear(500.0, LATE_MS + 1)
    assert (room.port.late, room.port.ordered, room.refused()) == (1, 0, [])


def test_a_clock_that_was_sure_is_not_set_by_more_than_an_hour(tmp_path: Path) -> None:
    room = Room(tmp_path, quality="synchronised")
    room.clock.quality = "free-running"
    room.hear(3601.0)
    room.hear(-3601.0)
    assert (room.port.ordered, room.refused()) == (0, ["implausible"] * 2)
    room.hear(3500.0)
    assert room.port.ordered == 1
    room.close()


def test_a_clock_that_somebody_else_has_set_may_be_put_right_by_any_time(tmp_path: Path) -> None:
    room = Room(tmp_path, quality="synchronised")
    room.clock.quality = "free-running"
    room.clock.turn(LOOK_MS)
    room.clock.now_utc += 86_400.0
    room.wall.look()
    room.hear(-86_400.0)
    assert room.port.ordered == 1
    room.close()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (token(utc_text(1_790_000_100), STRANGER), "unknown-key"),
        (token(utc_text(1_790_000_100), typ=COMMAND), "wrong-type"),
        (token(utc_text(1_790_000_100), panel="bank-0002"), "wrong-panel"),
        (token(utc_text(1_790_000_100), nonce=NONCES[3]), "stale"),
        (token("2026-13-40T99:00:00.000Z"), "malformed"),
        (token("2025-12-31T00:00:00.000Z"), "out-of-range"),
        (token("9999-12-31T23:59:59.999Z"), "out-of-range"),
        (token("tomorrow"), "malformed"),
        ("a.b.c", "malformed"),
    ],
)
def test_a_wrong_one_sets_nothing_and_is_recorded(room: Room, wrong: str, reason: str) -> None:
    room.receives(wrong)
    assert (room.refused(), room.port.ordered) == ([reason], 0)


def test_the_last_two_heartbeats_may_be_answered_and_no_other() -> None:
    room = Room()
    room.port.heartbeat_sent(NONCES[1])
    room.hear(0.0)
    room.port.heartbeat_sent(NONCES[2])
    room.hear(0.0)
    assert room.refused() == ["stale"]


@given(st.binary(max_size=300))
def test_no_bytes_from_outside_move_the_clock(data: bytes) -> None:
    room = Room()
    room.port.time_received(data.decode("latin-1"))
    assert (room.clock.state(), len(room.refused())) == ("free-running", 1)
