"""The evidence folder as camera keeps it, on a real file system: what is due, held, deleted; when it is full."""

import json
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.camera.keeper import HORIZON_DAYS, Keeper, Kept, days_left
from firmware.camera.store import Store
from firmware.clock import SystemClock, utc_text
from firmware.protocol.messages import Delete, Held, Hold, Stock

JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
TODAY = date.fromisoformat(utc_text(SystemClock().utc())[:10])
MIB = 2**20


class Rig:
    def __init__(self, folder: Path, days: int = 30) -> None:
        self.folder = folder / "evidence"
        self.folder.mkdir()
        self.sent: list[Held | Stock] = []
        self.heard = threading.Condition()
        self.store = Store(self.folder, reserve=0)
        self.keeper = Keeper(self.folder, days, self.store, SystemClock(), self._send)

    def _send(self, message: Held | Stock) -> None:
        with self.heard:
            self.sent.append(message)
            self.heard.notify_all()

    def wait(self, count: int) -> None:
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.sent) >= count, 15)

    def capture(self, age: int, incident: int = 1, size: int = 1000) -> str:
        """A capture of so many days ago."""
        name = f"{TODAY - timedelta(days=age)}/{incident:06d}-lobby"
        place = self.folder / name
        place.mkdir(parents=True)
        (place / "0000.jpg").write_bytes(b"x" * size)
        (place / "manifest.json").write_bytes(b"{}")
        return name

    def hold(self, *folders: str, held: bool = True) -> Held:
        order = Hold(
            held=held,
            journal=JOURNAL,
            incident=1,
            folders=list(folders),
            by="Li Wei",
            reason="court",
            time="2026-03-14T23:09:26.123Z",
        )
        return self.keeper.hold(order)


def test_what_is_older_than_the_retention_is_due_oldest_first(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    names = [rig.capture(age, age) for age in (90, 31, 30, 29, 0)]
    stock = rig.keeper.count()
    assert [due.folder for due in stock.due] == names[:2]
    assert (stock.due[0].files, stock.due[0].bytes) == (2, 1002)
    assert stock.stored == 5 * 1002
    assert (stock.today, stock.per_day) == (1002, 0)


def test_nothing_young_and_nothing_held_is_deleted_whatever_core_says(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    young, held, old = rig.capture(30, 1), rig.capture(90, 2), rig.capture(90, 3)
    assert rig.hold(held) == Held(held=True, journal=JOURNAL, incident=1)
    assert json.loads((rig.folder / held / "hold.json").read_text())["by"] == "Li Wei"
    assert (rig.folder / held / "hold.json").stat().st_mode & 0o777 == 0o640
    stock = rig.keeper.count()
    assert ([due.folder for due in stock.due], stock.held) == ([old], 1)
    assert rig.keeper.delete(Delete(folders=[young, held, old])) == 1
    assert (rig.folder / young / "0000.jpg").exists()
    assert (rig.folder / held / "0000.jpg").exists()
    assert not (rig.folder / old).exists()
    rig.hold(held, held=False)
    assert rig.keeper.delete(Delete(folders=[held])) == 1
    assert not (rig.folder / held).parent.exists(), "an empty day goes too"


def test_no_folder_but_a_captures_is_touched(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    outside = tmp_path / "2020-01-01"
    (outside / "x").mkdir(parents=True)
    (outside / "x" / "f").write_bytes(b"x")
    (rig.folder / "2020-01-01").mkdir()
    (rig.folder / "2020-01-01" / "link").symlink_to(outside / "x")
    for name in ("2020-01-01", "2020-01-01/link", "2020-01-01/none", "2020-13-01/x"):
        with pytest.raises((OSError, ValueError)):
            rig.keeper._place(name)
    assert rig.keeper.delete(Delete(folders=["2020-01-01", "2020-01-01/link"])) == 0
    assert "no capture" in rig.hold("2020-01-01/none").fault
    assert (outside / "x" / "f").exists()
    assert rig.keeper.count().due == []


def test_the_thread_counts_at_the_start_after_a_deletion_and_for_a_new_core(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    old = rig.capture(90)
    rig.keeper.start()
    rig.wait(1)
    rig.keeper.take(Delete(folders=[old]))
    rig.wait(2)
    rig.keeper.take(Delete(folders=[old]))  # gone already: nothing is counted, so core is not asked for ever
    order = Hold(
        held=True, journal=JOURNAL, incident=1, folders=[old], by="x", reason="y", time="2026-03-14T23:09:26.123Z"
    )
    rig.keeper.take(order)
    rig.wait(3)
    rig.keeper.stop(5)
    first, second, third = rig.sent
    assert isinstance(first, Stock)
    assert isinstance(second, Stock)
    assert (len(first.due), len(second.due)) == (1, 0)
    assert isinstance(third, Held)
    assert third.fault


def kept(age: int, size: int, held: bool = False) -> Kept:
    return Kept(f"f{age}", TODAY - timedelta(days=age), 1, size, held)


def test_when_the_card_is_full() -> None:
    assert days_left([], TODAY, 30, 100 * MIB, 0) == -1, "nobody writes"
    assert days_left([], TODAY, 30, 70 * MIB, 10 * MIB) == 8, "the eighth day does not fit"
    assert days_left([], TODAY, 30, 310 * MIB, 10 * MIB) == -1, "from then on each day one leaves"
    full = [kept(age, 10 * MIB) for age in range(1, 31)]
    assert days_left(full, TODAY, 30, 10 * MIB, 10 * MIB) == -1, "as much leaves as comes"
    assert days_left([kept(age, 10 * MIB, held=True) for age in range(1, 31)], TODAY, 30, 30 * MIB, 10 * MIB) == 4


@given(
    st.lists(st.builds(kept, st.integers(0, 400), st.integers(0, 2**40), st.booleans()), max_size=30),
    st.integers(0, 2**45),
    st.integers(0, 2**40),
)
def test_more_room_is_never_full_earlier(captures: list[Kept], room: int, pace: int) -> None:
    less, more = (days_left(captures, TODAY, 30, size, pace) for size in (room, 2 * room))
    assert -1 <= less <= HORIZON_DAYS
    assert more == -1 or (less != -1 and less <= more)
