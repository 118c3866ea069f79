"""Short messages: what we write is read by an independent decoder, and no bytes from outside upset the reader."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smspdudecoder.codecs import GSM
from smspdudecoder.fields import SMSSubmit

from firmware.uplink.sms import gsm7, pdu

NUMBER = "+8613800138000"
ALPHABET = "".join(c for c in map(chr, range(0x2100)) if gsm7.fits(c))
numbers = st.from_regex(r"\A\+?[0-9]{3,15}\Z")
# The decoder takes the padding behind a character of two septets for a character; those have a test of their own.
TWO = "".join(c for c in ALPHABET if len(gsm7.septets(c)) == 2)
seven_bit = st.text(st.sampled_from([c for c in ALPHABET if c not in TWO]), max_size=500)
any_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=TWO), max_size=260)


def read(part: pdu.Part) -> dict[str, Any]:
    """As another program reads it."""
    found: dict[str, Any] = SMSSubmit.decode(StringIO(part.hex))
    assert part.length == len(part.hex) // 2 - 1
    assert part.length <= 176, "what AT+CMGS takes"
    return found


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(ALPHABET) == 127 + 10
    for char in ALPHABET:
        assert GSM.decode(gsm7.pack([*gsm7.septets(char), 0x2B]).hex())[:1] == char
    assert not gsm7.fits("警")
    assert not gsm7.fits("\x1b")


def test_a_message_byte_for_byte() -> None:
    # The text of 3GPP's classic example; first octet 31: submit, relative validity, status report wanted.
    (part,) = pdu.submit("+46708251358", "hellohello", 7)
    assert part.hex == "00" + "3100" + "0B91" + "6407281553F8" + "0000" + "2F" + "0A" + "E8329BFD4697D9EC37"
    (national,) = pdu.submit("10086", "hi", 7)
    assert national.hex[6:16] == "05810180F6"
    (chinese,) = pdu.submit("10086", "报警", 7)
    assert chinese.hex.endswith("00082F0462A58B66")


@example(NUMBER, "Hold-up {7} at the counter, and on. " * 12, 200)
@example("10086", "Hold-up {7} at the counter, and on. " * 20, 0)
@example(NUMBER, "柜台紧急按钮报警🔔" * 12, 255)
@example(NUMBER, "柜台紧急按钮报警🔔" * 40, 7)
@given(numbers, seven_bit | any_text, st.integers(0, 255))
def test_every_text_arrives_whole_or_cut_with_an_ellipsis(number: str, text: str, reference: int) -> None:
    parts = pdu.submit(number, text, reference)
    read_back = [read(part) for part in parts]
    assert 1 <= len(parts) <= pdu.MAX_PARTS
    for place, message in enumerate(read_back, 1):
        assert message["header"] | {"srr": True, "rd": False, "vpf": 2, "mti": "submit"} == message["header"]
        assert message["recipient"]["number"] == number.lstrip("+")
        assert (message["recipient"]["toa"]["ton"] == "international") is number.startswith("+")
        assert message["validity-minutes" if "validity-minutes" in message else "vp"] in (235, 240)
        if len(parts) > 1:
            (element,) = message["user_data"]["header"]["elements"]
            assert element["data"] == {"reference": reference, "parts_count": len(parts), "part_number": place}
    whole = "".join(message["user_data"]["data"] for message in read_back)
    dots = "..." if gsm7.fits(text) else "…"
    assert whole == text or (whole.endswith(dots) and text.startswith(whole[: -len(dots)]) and len(text) > 190)


def test_how_much_goes_into_one_and_three() -> None:
    assert [len(pdu.split("a" * n)) for n in (0, 160, 161, 459, 460, 5000)] == [1, 1, 2, 3, 3, 3]
    assert [len(pdu.split("警" * n)) for n in (70, 71, 201, 202)] == [1, 2, 3, 3]
    assert [len(pdu.split("€" * n)) for n in (80, 81)] == [1, 2]
    # A character of two halves is never cut: 66 and a pair don't fit 67.
    assert [len(chunk) for chunk in pdu.split("警" * 66 + "🔔" + "警" * 60)] == [66, 61]
    assert pdu.split("half \ud83d of it") == ["half ? of it"]


REPORT = "07911326040000F0" + "06" + "2A" + "0D91683108108300F0" + "62113251650023" + "62113251750023" + "00"


def test_a_status_report() -> None:
    assert pdu.report(REPORT) == pdu.Report(0x2A, NUMBER, 0)
    assert pdu.report("00" + REPORT[16:]).number == NUMBER
    outcomes = {0x00: "delivered", 0x1F: "delivered", 0x20: "trying", 0x30: "trying", 0x41: "failed", 0x62: "failed"}
    assert {st: pdu.report(REPORT[:-2] + f"{st:02X}").outcome for st in outcomes} == outcomes


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "status report in hex"),
        ("zz", "status report in hex"),
        ("0", "status report in hex"),
        ("FF0000", "status report in hex"),
        (REPORT[:16] + "04" + REPORT[18:], "message type 0"),
        (REPORT[:-2], "octets"),
        ("00" * 300, "at most"),
    ],
)
def test_what_is_no_report_is_told(line: str, said: str) -> None:
    with pytest.raises(pdu.BadPdu, match=said):
        pdu.report(line)


mutated = st.builds(
    lambda at, by: REPORT[:at] + by + REPORT[at + len(by) :], st.integers(0, len(REPORT)), st.text("0123456789ABCDEFg")
)


@given(st.text(max_size=600) | st.binary(max_size=300).map(bytes.hex) | mutated)
def test_no_line_upsets_the_reader(line: str) -> None:
    try:
        found = pdu.report(line)
    except pdu.BadPdu:
        return
    assert 0 <= found.reference <= 255
    assert found.outcome in ("delivered", "trying", "failed")
