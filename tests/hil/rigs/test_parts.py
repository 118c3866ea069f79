"""What all rigs share: the recording and its waits, the keys of the keypad, the site's file."""

import threading
from pathlib import Path
from typing import get_args

import pytest

from firmware.config import load
from firmware.protocol.messages import Code, WishName
from hil.rigs.keypad import keys
from hil.rigs.protocol import Mark, NotSeen
from hil.rigs.recording import MAX_MARKS, Recording
from hil.rigs.site import LOADS, Place, Wanted, Way, panel_file

X = "44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"
WAY = Way("127.0.0.1", 8883, X, X)


def test_a_wait_ends_with_a_mark_that_another_thread_puts() -> None:
    record = Recording()
    threading.Timer(0.05, lambda: record.note("output", "siren", True)).start()
    assert record.wait("output", "siren", lambda mark: mark.value is True, 5, "siren on").value is True


def test_a_wait_for_what_does_not_come_says_what_came_instead() -> None:
    record = Recording()
    record.note("output", "siren", False)
    record.note("output", "strobe", True)
    with pytest.raises(NotSeen, match=r"siren on: not seen within 0 s; siren was False; output else: strobe=True"):
        record.wait("output", "siren", lambda mark: mark.value is True, 0, "siren on")


def test_marks_come_in_order_of_time_and_are_bounded() -> None:
    record = Recording()
    for ms in (3, 1, 2):
        record.put(Mark(ms, "step", "s"))
    assert [mark.ms for mark in record.marks()] == [1, 2, 3]
    for ms in range(MAX_MARKS):
        record.put(Mark(ms, "step", "s"))
    assert len(record.marks()) == MAX_MARKS
    assert record.dropped == 3


ZONES, AREAS = {"back-door": 4}, {"hall": 1, "vault": 2}


@pytest.mark.parametrize(
    ("code", "pressed"),
    [
        (Code(digits="271828#"), "271828#"),
        (Code(digits="271828", areas=["vault"]), "*002271828#"),
        (Code(digits="271828", wish="arm"), "*10271828#"),
        (Code(digits="271828", wish="arm", instant=True), "*20271828#"),
        (Code(digits="271828", wish="arm", override=True), "*30271828#"),
        (Code(digits="271828", wish="disarm"), "*40271828#"),
        (Code(digits="271828", wish="bypass", zone="back-door"), "*5004271828#"),
        (Code(digits="271828", wish="walk-test", hold_up=True), "*94271828#"),
    ],
)
def test_what_is_typed_is_what_the_keypads_page_says(code: Code, pressed: str) -> None:
    assert keys(code, ZONES, AREAS) == pressed


@pytest.mark.parametrize("wish", get_args(WishName))
def test_each_wish_has_keys_or_says_that_none_does_it(wish: WishName) -> None:
    code = Code(digits="271828", wish=wish, zone="back-door")
    if wish == "picture":
        with pytest.raises(ValueError, match="no key does picture"):
            keys(code, ZONES, AREAS)
    else:
        assert keys(code, ZONES, AREAS).endswith("271828#")


def test_an_arming_of_one_area_by_wish_has_no_keys() -> None:
    with pytest.raises(ValueError, match="for the keypad's areas"):
        keys(Code(digits="271828", wish="disarm", areas=["hall"]), ZONES, AREAS)


@pytest.mark.parametrize("pins", ["simulated", "board"])
@pytest.mark.parametrize("wanted", [Wanted(), Wanted(camera=True, bus=True, rate=10), Wanted(camera=True, rtsp=True)])
def test_the_sites_file_is_right_for_every_rig(pins: str, wanted: Wanted, tmp_path: Path) -> None:
    place = Place(pins=pins, bus_port="/dev/ttyUSB0", keypad_port="/dev/ttyS1", camera_source="/tmp/x")  # type: ignore[arg-type]
    (tmp_path / "panel.toml").write_text(panel_file("rig-1", place, WAY, wanted))
    file = load(tmp_path / "panel.toml").file
    assert {o.line: o.id for o in file.output} == LOADS
    assert bool(file.camera) == wanted.camera
    assert bool(file.modbus) == wanted.bus
    assert file.panel.clock_rate == (wanted.rate if pins == "simulated" else 1)
