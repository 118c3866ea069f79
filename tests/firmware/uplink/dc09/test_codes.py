"""What a record becomes in Contact ID and SIA: areas, zones, users, devices, the failed path's place, the x-data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.dc09.codes import USER_CODES, Names, Style, messages
from firmware.uplink.dc09.frame import Message, Station, frame
from hil.dc09 import read_message
from rules.vocabulary import KINDS
from tests.firmware.uplink.dc09.rig import JOURNAL, MOMENT, record

NAMES = Names(
    areas={"hall": 1, "vault": 12},
    zones={"door": "Front [door] 大门", "w": "金库"},
    users={"li": 12},
    paths=("m-1", "m-2", "d", "gsm"),
    devices={"lobby": 2},
)
CID, SIA = Style("adm-cid"), Style("sia-dcs")
DOOR = {"zone": "door", "zone_number": 15, "areas": ["hall"]}


def contents(kind: str, payload: dict[str, Any] | None, style: Style = CID) -> list[str]:
    return [message.content for message in messages(record(kind, payload), NAMES, style, MOMENT)]


@pytest.mark.parametrize(
    ("kind", "payload", "cid", "sia"),
    [
        ("alarm.entry", DOOR, ["1134 01 015"], ["Nri1/BA015"]),
        ("restore.entry", DOOR, ["3134 01 015"], ["Nri1/BH015"]),
        ("alarm.hold-up", {**DOOR, "areas": ["hall", "vault"]}, ["1122 01 015"], ["Nri1/HA015"]),
        ("area.armed", {"areas": ["hall"], "user": "li"}, ["3401 01 012"], ["Nri1/CL012"]),
        ("area.armed", {"areas": ["hall", "vault"], "user": "7"}, ["3401 01 007", "3401 12 007"], None),
        ("area.disarmed-remotely", {"areas": ["vault"], "by": "remote:op"}, ["1407 12 000"], ["Nri12/OQ000"]),
        ("area.disarmed", {"areas": ["gone"], "area_numbers": [3], "user": "who"}, ["1401 03 000"], ["Nri3/OP000"]),
        ("alarm.duress", {"areas": ["hall"], "user": "li"}, ["1121 01 012"], ["Nri1/HA012"]),
        ("zone.bypassed", {**DOOR, "user": "li"}, ["1570 01 015"], ["Nri1/BB015"]),
        ("test.report", {}, ["1602 00 000"], ["NRP000"]),
        ("trouble.mains", {"subject": ""}, ["1301 00 000"], ["NAT000"]),
        ("trouble.camera", {"subject": "lobby"}, ["1330 00 002"], ["NET002"]),
        ("trouble.path", {"subject": "m-1"}, ["1351 00 000"], ["NLT000"]),
        ("trouble.path", {"subject": "m-2"}, ["1352 00 000"], ["NLT000"]),
        ("trouble.path", {"subject": "d"}, ["1353 00 000"], ["NNT000"]),
        ("trouble.path-ended", {"subject": "gsm"}, ["3353 00 000"], ["NNR000"]),
        ("trouble.path", {"subject": "receipts"}, ["1354 00 000"], ["NYC000"]),
        ("trouble.path-ended", {"subject": "uplink"}, ["3350 00 000"], ["NYK000"]),
        ("trouble.paths", {}, ["1350 00 000"], ["NYS000"]),
        ("area.alarm-aborted", {"areas": ["hall"]}, [], ["Nri1/AB000"]),
        ("area.exit-started", {"areas": ["hall"]}, [], []),
        ("journal.checkpoint", {"jws": "a.b.c"}, [], []),
        ("alarm.of-tomorrow", DOOR, [], []),
        ("alarm.fire", None, ["1110 00 000"], ["NFA000"]),
        ("alarm.fire", {"areas": "hall", "zone_number": "9", "zone": 4}, ["1110 00 000"], ["NFA000"]),
    ],
)
def test_codes(kind: str, payload: dict[str, Any] | None, cid: list[str], sia: list[str] | None) -> None:
    assert contents(kind, payload) == cid
    if sia is not None:
        assert contents(kind, payload, SIA) == sia


def test_a_zone_number_beyond_999_goes_as_sia() -> None:
    (message,) = messages(record("alarm.intruder", {**DOOR, "zone_number": 1000}), NAMES, CID, MOMENT)
    assert (message.ident, message.content) == ("SIA-DCS", "Nri1/BA1000")


def test_names_are_ascii_without_the_standards_own_signs() -> None:
    assert contents("alarm.entry", DOOR, Style("sia-dcs", text=True)) == ["Nri1/BA015^Front door^"]
    assert contents("alarm.entry", {**DOOR, "zone": "w"}, Style("sia-dcs", text=True)) == ["Nri1/BA015"]


def test_user_codes_are_those_of_the_digest() -> None:
    listed = (
        "121 313 400 401 402 403 404 405 406 407 408 409 411 412 413 414 415 416 421 422 423 424 425 429 430 441 442"
        " 450 451 452 453 454 455 456 457 458 459 462 463 464 465 466 574 604 607 625 642 652 653"
    )
    assert {int(code) for code in listed.split()} <= USER_CODES
    assert USER_CODES - {int(code) for code in listed.split()} == {601, 627, 628, 630, 631, 632}


def extras(style: Style, now_s: float = MOMENT, **more: str) -> tuple[str, ...]:
    (message,) = messages(record("alarm.entry", DOOR, **more), NAMES, style, now_s)  # type: ignore[arg-type]
    return message.extras


def test_the_identity_goes_with_each_message_and_the_time_with_an_old_one() -> None:
    identity = f"I{JOURNAL}-2"
    assert extras(Style(extras="none")) == ()
    assert extras(Style(extras="one")) == (identity,)
    assert extras(Style(extras="one"), MOMENT + 31) == (f"{identity} 2026-03-14T15:09:26.000Z",)
    every = Style(extras="all", mac="0123456789AB")
    assert extras(every) == ("M0123456789AB", identity)
    assert extras(every, MOMENT + 31) == ("M0123456789AB", "H15:09:26,03-14-2026", identity)
    assert extras(every, time="2026-13-41T25:61:61.000Z") == ("M0123456789AB", identity)
    assert extras(every, MOMENT + 31, clock="unset") == ("M0123456789AB", identity), "a time worth nothing is not told"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_PAYLOADS = st.none() | st.dictionaries(
    st.sampled_from(["areas", "area_numbers", "zone", "zone_number", "user", "subject"]), _JSON
)


@given(st.sampled_from(sorted(KINDS)), _PAYLOADS, st.sampled_from([CID, SIA, Style("sia-dcs", "all", True)]))
def test_whatever_a_payload_holds_the_frame_is_sound(kind: str, payload: dict[str, Any] | None, style: Style) -> None:
    for message in messages(record(kind, payload), NAMES, style, MOMENT + 99):
        heard = read_message(frame(message, 1, Station("1234"), MOMENT)[1:-1])
        assert Message(message.ident, heard.content, heard.extras) == message
