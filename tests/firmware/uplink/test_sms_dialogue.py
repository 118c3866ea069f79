"""The AT line parser: replies are told from what nobody asked for, and no bytes upset it."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.sms.dialogue import MAX_LINE, MAX_LINES, Command, Dialogue, Heard, Reply, Unsolicited, fields

SIGNAL = Command("AT+CSQ", prefix="+CSQ:")
SEND = Command("AT+CMGS=20", 60_000, "+CMGS:", body="0031000B91")


def heard(dialogue: Dialogue, data: bytes) -> list[Heard]:
    return list(dialogue.feed(data, 0))


def asked(command: Command) -> Dialogue:
    dialogue = Dialogue()
    dialogue.ask(command, 0)
    return dialogue


def test_a_reply_among_echo_and_noise() -> None:
    dialogue = asked(SIGNAL)
    assert bytes(dialogue.out) == b"AT+CSQ\r"
    found = heard(dialogue, b"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\n^RSSI:17\r\nRING\r\n\r\nOK\r\n+CREG: 1\r\n")
    assert found == [
        Unsolicited("^RSSI:17"),
        Unsolicited("RING"),
        Reply(SIGNAL, ("+CSQ: 17,99",), "OK"),
        Unsolicited("+CREG: 1"),
    ]
    assert isinstance(found[2], Reply)
    assert found[2].ok
    assert dialogue.idle


@given(st.lists(st.integers(0, 60), max_size=6))
def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]) -> None:
    stream = b"\r\n+CMGS: 42\r\n\r\n+CDS: 25\r\n0006\r\n\r\nOK\r\n\r\n+CMTI: 1\r\n"
    dialogue = asked(SEND)
    found: list[Heard] = []
    at = 0
    for cut in [*sorted(cuts), len(stream)]:
        found += heard(dialogue, stream[at:cut])
        at = max(at, cut)
    assert found == [
        Unsolicited("+CDS: 25", "0006"),
        Reply(SEND, ("+CMGS: 42",), "OK"),
        Unsolicited("+CMTI: 1"),
    ]


def test_the_body_goes_out_at_the_prompt_and_only_then() -> None:
    dialogue = asked(SEND)
    dialogue.out.clear()
    assert heard(dialogue, b"\r\n") == []
    assert not dialogue.out
    assert heard(dialogue, b"> ") == []
    assert bytes(dialogue.out) == b"0031000B91\x1a"
    assert heard(dialogue, b"0031000B91\r\n+CMS ERROR: 38\r\n") == [Reply(SEND, (), "+CMS ERROR: 38")]
    dialogue.out.clear()
    assert heard(dialogue, b"\r\n> ") == []
    assert not dialogue.out


def test_errors_and_silence_end_a_command() -> None:
    for final, code in (("ERROR", None), ("+CME ERROR: 10", 10), ("+CMS ERROR: 500", 500), ("+CME ERROR: x", None)):
        (reply,) = heard(asked(SIGNAL), f"\r\n{final}\r\n".encode())
        assert isinstance(reply, Reply)
        assert (reply.final, reply.code, reply.ok) == (final, code, False)
    dialogue = asked(SEND)
    assert dialogue.deadline() == 10_000, "the prompt comes soon, or never"
    list(dialogue.feed(b"> ", 5_000))
    assert dialogue.deadline() == 65_000
    assert dialogue.passed(64_999) is None
    dialogue.out.clear()
    late = dialogue.passed(65_000)
    assert late == Reply(SEND, (), "timeout")
    assert bytes(dialogue.out) == b"\x1b", "a prompt that may be open is left"
    assert dialogue.deadline() is None
    assert heard(dialogue, b"\r\nOK\r\n") == [Unsolicited("OK")], "its late result is nobody's"


def test_the_late_result_of_another_command_is_no_answer() -> None:
    (reply,) = heard(asked(SIGNAL), b"\r\nOK\r\n")
    assert isinstance(reply, Reply)
    assert not reply.ok


def test_a_stored_report_is_two_lines() -> None:
    read = Command("AT+CMGR=3", prefix="+CMGR:", block=True)
    (reply,) = heard(asked(read), b"\r\n+CMGR: 0,,25\r\n0006\r\n\r\nOK\r\n")
    assert reply == Reply(read, ("+CMGR: 0,,25", "0006"), "OK")


def test_fields() -> None:
    assert fields('+COPS: 0,0,"CHINA MOBILE",7') == ["0", "0", "CHINA MOBILE", "7"]
    assert fields("nothing") == [""]


@given(st.lists(st.binary(max_size=200) | st.sampled_from([b"\r\n", b"> ", b"OK\r\n", b"+CDS: 1\r\n", b"+CSQ: "])))
def test_no_bytes_upset_it(chunks: list[bytes]) -> None:
    dialogue = asked(SIGNAL)
    for place, chunk in enumerate(chunks):
        for found in dialogue.feed(chunk, place):
            line = found.line if isinstance(found, Unsolicited) else found.final
            assert 0 < len(line) <= MAX_LINE
            if isinstance(found, Reply):
                dialogue.ask(SEND, place)
    assert dialogue.passed(10**9) is None or dialogue.idle
    (reply,) = heard_after(dialogue)
    assert reply.ok, "whatever came before, the next command is heard"


def heard_after(dialogue: Dialogue) -> list[Reply]:
    list(dialogue.feed(b"\r\n\r\n", 0))
    list(dialogue.feed(b"x\r\n", 0))
    dialogue.ask(SIGNAL, 0)
    return [found for found in dialogue.feed(b"\r\n+CSQ: 1,1\r\nOK\r\n", 0) if isinstance(found, Reply)]


def test_endless_lines_are_dropped_and_counted() -> None:
    dialogue = asked(SIGNAL)
    assert heard(dialogue, b"x" * 100_000) == []
    assert heard(dialogue, b"\r\n+CSQ: 3,9\r\n" * (MAX_LINES + 5) + b"OK\r\n")[-1].lines[:1] == ("+CSQ: 3,9",)  # type: ignore[union-attr]
    assert dialogue.dropped == 1 + 5
