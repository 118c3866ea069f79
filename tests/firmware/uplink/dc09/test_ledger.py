"""What a DC-09 path remembers: numbers, what is done with, and the message that a kill interrupted."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.dc09.frame import LAST_SEQUENCE
from firmware.uplink.dc09.ledger import Ledger
from tests.firmware.uplink.dc09.rig import JOURNAL, OTHER

ALARM, STATUS = (JOURNAL, "alarm"), (JOURNAL, "status")


def test_a_restart_goes_on_with_the_numbers_and_knows_what_went_out(tmp_path: Path) -> None:
    file = tmp_path / "uplink" / "d.json"
    ledger = Ledger(file)
    assert ledger.begin(ALARM, 5, 0) == 1
    ledger.settle(ALARM, 5, acknowledged=True)
    assert ledger.begin(STATUS, 1, 0) == 2
    ledger.settle(STATUS, 1, acknowledged=False)
    assert ledger.begin(ALARM, 6, 0) == 3
    ledger.flush()
    assert file.stat().st_mode & 0o777 == 0o600
    again = Ledger(file)
    assert again.settled(ALARM).items == again.acknowledged(ALARM).items == ((5, 5),)
    assert (again.settled(STATUS).items, again.acknowledged(STATUS).items) == (((1, 1),), ())
    assert again.begin(ALARM, 6, 0) == 3, "the message that was under way keeps its number"
    assert again.begin(ALARM, 7, 0) == 4


def test_a_record_in_several_messages_goes_on_where_it_was(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "d.json")
    assert [ledger.begin(STATUS, 9, part) for part in (0, 1, 1)] == [1, 2, 2]
    ledger.flush()
    again = Ledger(tmp_path / "d.json")
    assert again.parts_done(STATUS, 9) == 1
    assert again.parts_done(STATUS, 8) == again.parts_done(ALARM, 9) == 0
    assert again.begin(STATUS, 9, 1) == 2


def test_after_9999_comes_1(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "d.json")
    numbers = [ledger.begin(ALARM, n, 0) for n in range(1, LAST_SEQUENCE + 2)]
    assert numbers == [*range(1, LAST_SEQUENCE + 1), 1]


def test_journals_that_core_no_longer_has_are_forgotten_and_what_is_delivered_is_one_range(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "d.json")
    ledger.settle((OTHER, "alarm"), 1, acknowledged=True)
    ledger.pass_over(ALARM, [(2, 2), (4, 4), (9, 9)])
    ledger.keep_only({ALARM: 6, STATUS: 1})
    assert ledger.settled((OTHER, "alarm")).items == ()
    assert ledger.settled(ALARM).items == ((1, 5), (9, 9))
    assert ledger.settled(STATUS).items == ()


def test_a_disk_that_refuses_stops_nothing_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "d.json").mkdir()
    ledger = Ledger(tmp_path / "d.json")
    assert "not known" in ledger.trouble
    assert ledger.begin(ALARM, 1, 0) == 1
    ledger.settle(ALARM, 1, acknowledged=True)
    ledger.flush()
    assert "can't be noted" in ledger.trouble
    assert ledger.settled(ALARM).items == ((1, 1),)
    (tmp_path / "d.json").rmdir()
    ledger.flush()
    assert ledger.trouble == ""
    assert Ledger(tmp_path / "d.json").settled(ALARM).items == ((1, 1),)


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 10_000},
        {"sequence": "1"},
        {"under_way": {"journal": JOURNAL}},
        {"settled": [[JOURNAL, "alarm", [[3, 1]]]]},
        {"settled": [[JOURNAL, "alarm", [[1.5, 2]]]]},
        {"acknowledged": 7},
        {"under_way": {"journal": JOURNAL, "lane": "alarm", "lane_seq": 1, "part": 0, "sequence": 9}},
    ],
)
def test_a_broken_file_counts_as_empty(tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "d.json"
    sound = {"sequence": 4, "under_way": None, "settled": [[JOURNAL, "alarm", [[1, 2]]]], "acknowledged": []}
    file.write_text(json.dumps(sound))
    assert Ledger(file).begin(ALARM, 3, 0) == 5
    file.write_text(json.dumps({**sound, **change}))
    ledger = Ledger(file)
    assert "not known" in ledger.trouble
    assert ledger.settled(ALARM).items == ()
    assert ledger.begin(ALARM, 1, 0) == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_ledger_or_an_empty_one(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("ledger") / "d.json"
    file.write_bytes(data)
    assert 1 <= Ledger(file).begin(ALARM, 1, 0) <= LAST_SEQUENCE
