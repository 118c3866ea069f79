"""OSDP readers as real processes on a pty, and the real child of the bus: what core is told, what they show."""

import contextlib
import queue
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.osdp.face import BUZZER, LED, TEXT
from tests.drivers.osdp.osdp_rig import KEYS, OsdpRig, Readers, row

NOT_THERE = ("failed", "r1", True, "it does not answer")
TRIES = 5
BACK = ("failed", "r1", False, "")
Rig = tuple[OsdpRig, Readers]


def plan(id_: str, address: int, **more: Any) -> dict[str, Any]:
    return {"id": id_, "address": address, "key": KEYS[id_], **more}


def typed(bus: Rig, reader: str, keys: str, code: str) -> None:
    """Somebody types, again where not all of it came: a reader of libosdp that is asked twice, because its answer came
    too late, goes on to its next key. Between the tries nothing but troubles is told.
    """
    rig, readers = bus
    for _ in range(TRIES):
        readers.do(reader, "keys", keys=keys)
        with contextlib.suppress(queue.Empty):
            said = next(event for event in iter(rig.next, None) if event[0] not in ("failed", "tampered"))
            if said == (reader, "code", code):
                return
            assert said[:2] == (reader, "code")
            assert len(said[2]) < len(code), "a key that nobody typed"
    raise AssertionError(f"{code} did not come from {reader}")


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Makes a bus with these readers, and starts it."""
    made: list[Rig] = []

    def start(plans: list[dict[str, Any]], rows: list[dict[str, Any]] | None = None) -> Rig:
        readers = Readers(plans)
        rig = OsdpRig(readers.port, rows or [row(p["id"], p["address"], tmp_path) for p in plans])
        made.append((rig, readers))
        rig.driver.start()
        return made[-1]

    yield start
    for rig, readers in made:
        rig.driver.close()
        readers.close()


@pytest.fixture
def two(make: Callable[..., Rig]) -> Rig:
    """Two readers with secure channels, both online."""
    rig, readers = make([plan("r1", 3), plan("r2", 7)])
    assert {rig.next(), rig.next()} == {("tampered", "r1", False), ("tampered", "r2", False)}
    return rig, readers


def test_codes_and_cards_come_with_their_reader(two: Rig) -> None:
    rig, readers = two
    readers.do("r1", "keys", keys="12")
    readers.do("r2", "keys", keys="*1098#")
    assert rig.next() == ("r2", "code", "*1098")
    readers.do("r1", "keys", keys="34#")
    assert rig.next() == ("r1", "code", "1234")
    readers.do("r2", "card", data="2ab34c00", bits=26)
    readers.do("r2", "card", data="2ab34c00", bits=26)  # held on
    readers.do("r2", "card", data="ff00aa11")
    assert rig.next() == ("r2", "card", "wiegand-26-0aacd30")
    assert rig.next() == ("r2", "card", "wiegand-32-ff00aa11")


def test_a_face_becomes_lamp_tone_and_text(two: Rig) -> None:
    rig, readers = two
    rig.driver.show("r2", {"lamp": "red", "tone": "exit", "beep": [0, ""], "rows": ["Armed", "大厅"]})
    readers.command("r2", LED, on_color=1, off_color=1)
    readers.command("r2", BUZZER, control_code=2, on_count=1, off_count=9)
    readers.command("r2", TEXT, offset_row=1, data="Armed" + 11 * " ")
    readers.command("r2", TEXT, offset_row=2, data="大厅" + 12 * " ")
    rig.driver.show("r2", {"lamp": "green", "tone": "", "beep": [1, "wrong"], "rows": []})
    readers.command("r2", LED, on_color=2)
    readers.command("r2", BUZZER, control_code=2, rep_count=4)
    readers.command("r2", BUZZER, control_code=1)
    readers.command("r2", TEXT, offset_row=2, data=16 * " ")


def test_an_opened_reader_is_tampered_and_one_without_supply_is_told(two: Rig) -> None:
    rig, readers = two
    readers.do("r1", "status", tampered=True)
    assert rig.next() == ("tampered", "r1", True)
    readers.do("r1", "status", tampered=False, unpowered=True)
    assert {rig.next(), rig.next()} == {("tampered", "r1", False), ("failed", "r1", True, "its supply fails")}
    readers.do("r1", "status")
    assert rig.next() == BACK


def test_a_silent_reader_is_told_and_costs_the_other_little(two: Rig) -> None:
    rig, readers = two
    rig.driver.show("r1", {"lamp": "red", "tone": "", "beep": [0, ""], "rows": []})
    readers.command("r1", LED, on_color=1)
    readers.do("r1", "silent", on=True)
    assert rig.next() == NOT_THERE
    typed(two, "r2", "77#", "77")
    readers.do("r1", "silent", on=False)
    assert rig.next() == BACK
    readers.command("r1", LED, on_color=1)


def test_a_reader_with_another_key_is_refused_until_it_has_the_right_one(two: Rig) -> None:
    rig, readers = two
    readers.do("r1", "restart", key=KEYS["r2"])
    assert rig.next() == ("failed", "r1", True, "it answers, but not with this key: nothing is taken from it")
    readers.do("r1", "keys", keys="1234#")
    readers.do("r1", "restart", key=KEYS["r1"])
    assert rig.next() == BACK
    typed(two, "r1", "55#", "55")  # and not 123455: what was typed without the right key does not count


def test_a_reader_that_moved_to_another_address_is_missing(two: Rig) -> None:
    rig, readers = two
    readers.do("r1", "restart", address=9)
    assert rig.next() == NOT_THERE
    readers.do("r1", "restart", address=3)
    assert rig.next() == BACK


def test_noise_and_half_frames_cost_no_key(two: Rig) -> None:
    rig, readers = two
    readers.do("r1", "half", frames=1)
    readers.do("r2", "noise", data="5380ff0053ff53535300" * 5)
    readers.do("r1", "keys", keys="4321#")
    # On a busy machine a reader may fall silent for a moment: it is told, and no key is lost.
    said = next(event for event in iter(rig.next, None) if event[0] not in ("failed", "tampered"))
    assert said == ("r1", "code", "4321")


def test_readers_that_lost_their_supply_come_back_by_themselves(two: Rig) -> None:
    rig, readers = two
    readers.kill()
    assert {rig.next()[1], rig.next()[1]} == {"r1", "r2"}
    readers.revive()
    assert {rig.next()[1:3], rig.next()[1:3]} == {("r1", False), ("r2", False)}
    # At its first answer it knows no session, and refuses; it is not let wait for that.
    assert max(rig.figures(name)["restarts"] for name in ("r1", "r2")) <= 1


def test_a_reader_without_secure_channel_is_refused(make: Callable[..., Rig], tmp_path: Path) -> None:
    rig, readers = make([plan("r1", 3) | {"plain": True, "key": ""}], [row("r1", 3, tmp_path)])
    readers.do("r1", "keys", keys="1234#")
    assert rig.next() == ("failed", "r1", True, "it answers, but not with this key: nothing is taken from it")


def test_a_reader_in_plain_counts_where_the_file_says_so(make: Callable[..., Rig], tmp_path: Path) -> None:
    rig, readers = make([plan("r1", 3) | {"plain": True, "key": ""}], [row("r1", 3, tmp_path, key="")])
    assert rig.next() == ("tampered", "r1", False)
    typed((rig, readers), "r1", "1234#", "1234")


def test_a_key_that_can_not_be_read_refuses_its_reader_alone(make: Callable[..., Rig], tmp_path: Path) -> None:
    rows = [row("r1", 3, tmp_path), row("r2", 7, tmp_path)]
    (tmp_path / "r1.key").write_text("not a key")
    rig, readers = make([plan("r1", 3), plan("r2", 7)], rows)
    told = rig.next()
    assert told[:3] == ("failed", "r1", True)
    assert told[3].endswith("r1.key: found something else, expected 32 hex digits")
    assert rig.next() == ("tampered", "r2", False)
    typed((rig, readers), "r2", "1#", "1")


def test_challenges_of_two_lives_differ(tmp_path: Path) -> None:
    """Nobody can play back what he recorded of another start: libosdp alone would repeat itself."""
    import subprocess
    import sys

    code = (
        "import ctypes; from drivers.osdp.randomness import feed; feed();"
        "print([ctypes.CDLL(None).rand() for _ in range(8)])"
    )
    lives = {subprocess.check_output([sys.executable, "-c", code]) for _ in range(3)}
    assert len(lives) == 3
