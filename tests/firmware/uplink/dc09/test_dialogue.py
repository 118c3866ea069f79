"""The dialogue with a DC-09 receiver, in a turned clock: tries, the second receiver, NAK, DUH, what is no answer."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink.dc09.dialogue import (
    FRESH_S,
    HOME_MS,
    MAX_NAKS,
    Close,
    Dialogue,
    Failed,
    Open,
    Output,
    Refused,
    Taken,
    Terms,
    Write,
)
from firmware.uplink.dc09.frame import NULL, Message, Splitter, Station, encrypt, time_text, wrapped
from hil.dc09 import Heard, read_message
from tests.firmware.uplink.dc09.rig import MOMENT

ALARM = Message("ADM-CID", "1131 01 015")
KEY = bytes(range(16))
RETRY_MS, SUPERVISION_MS = 20_000, 30_000


class Talk:
    """A dialogue, its moment, and the receivers' side of it."""

    def __init__(self, key: bytes | None = None, receivers: int = 1, tries: int = 3) -> None:
        self.now = 1_000
        self.key = key
        terms = Terms(Station("1234"), key, receivers, RETRY_MS, tries, SUPERVISION_MS)
        self.dialogue = Dialogue(terms, Random(1), self.now)

    @property
    def utc(self) -> float:
        return MOMENT + self.now / 1000

    def send(self, message: Message = ALARM, sequence: int = 7) -> list[Output]:
        assert self.dialogue.free(self.now)
        return self.dialogue.send(message, sequence, self.now, self.utc)

    def opened(self) -> list[Output]:
        return self.dialogue.opened(self.utc)

    def lost(self, why: str = "gone") -> list[Output]:
        return self.dialogue.lost(why, self.now, self.utc)

    def later(self, ms: int) -> list[Output]:
        self.now += ms
        return self.dialogue.passed(self.now, self.utc)

    def hear(self, body: str) -> list[Output]:
        return self.dialogue.heard(wrapped(body.encode()), self.now, self.utc)

    def sealed(self, word: str = "*ACK", sequence: int = 7, late_s: float = 0.0) -> list[Output]:
        plain = b"|]" + time_text(self.utc - late_s).encode()
        sealed = encrypt(KEY, b"P" * (16 - len(plain) % 16) + plain).decode()
        return self.hear(f'"{word}"{sequence:04d}R1L0#1234[{sealed}')

    def done(self) -> None:
        """Send and have it acknowledged over a connection that then stands."""
        if self.send() == [Open(0)]:
            self.opened()
        assert self.hear('"ACK"0007R1L0#1234[]') == [Taken()]


def told(outputs: list[Output], key: bytes | None = None) -> Heard:
    """The message that is written, and nothing besides."""
    (write,) = outputs
    assert isinstance(write, Write)
    return read_message(next(Splitter().feed(write.data)) if key is None else write.data[1:-1], key)


def test_a_message_is_sent_once_connected_and_ends_with_its_acknowledgement() -> None:
    talk = Talk()
    assert talk.send() == [Open(0)]
    assert not talk.dialogue.free(talk.now)
    heard = told(talk.opened())
    assert (heard.sequence, heard.content, heard.moment) == (7, "1131 01 015", MOMENT + 1)
    assert talk.hear('"ACK"0007R1L0#1234[]') == [Taken()]
    assert talk.dialogue.up is True
    # The next one goes over the same connection, and supervision is due so long after it.
    assert told(talk.send(sequence=8)).sequence == 8
    assert talk.hear('"ACK"0008R1L0#1234[]') == [Taken()]
    assert talk.dialogue.next_deadline() == talk.now + SUPERVISION_MS
    assert not talk.dialogue.null_due(talk.now + SUPERVISION_MS - 1)
    assert talk.dialogue.null_due(talk.now + SUPERVISION_MS)


def test_without_an_answer_it_is_tried_three_times_with_the_same_number_then_it_failed() -> None:
    talk = Talk()
    talk.send()
    assert told(talk.opened()).sequence == 7
    for _ in range(2):
        assert talk.later(RETRY_MS - 1) == []
        assert talk.later(1) == [Close(), Open(0)], "a new connection for each try"
        assert told(talk.opened()).sequence == 7
    assert talk.later(RETRY_MS) == [Close(), Failed("the receiver does not answer")]
    assert talk.dialogue.up is False
    # From now on one try at a time, after a pause.
    talk.now = max(talk.now, talk.dialogue.next_deadline())
    assert talk.send() == [Open(0)]
    assert talk.lost("refused") == []
    assert talk.later(RETRY_MS) == [Close(), Failed("refused")]


def test_then_as_often_at_the_second_receiver_and_back_to_the_first_in_time() -> None:
    talk = Talk(receivers=2, tries=2)
    assert talk.send() == [Open(0)]
    talk.lost("refused")
    assert [talk.later(RETRY_MS) for _ in range(3)] == [[Close(), Open(n)] for n in (0, 1, 1)]
    talk.opened()
    assert talk.hear('"ACK"0007R1L0#1234[]') == [Taken()]
    assert talk.dialogue.home == 1
    assert isinstance(talk.send(sequence=8)[0], Write), "it stays there"
    talk.hear('"ACK"0008R1L0#1234[]')
    talk.now += HOME_MS
    assert talk.send(NULL, 0) == [Open(0)], "NULL looks whether the first is back"
    assert talk.later(RETRY_MS) == [Close(), Open(1)]
    talk.opened()
    assert talk.hear('"ACK"0000R1L0#1234[]') == [Taken()]
    assert talk.dialogue.home == 1
    talk.now += HOME_MS
    assert talk.send(NULL, 0) == [Open(0)]
    talk.opened()
    assert talk.hear('"ACK"0000R1L0#1234[]') == [Taken()]
    assert talk.dialogue.home == 0


def test_a_connection_that_had_grown_old_is_made_anew_within_the_try() -> None:
    talk = Talk()
    talk.done()
    assert isinstance(talk.send()[0], Write)
    assert talk.lost() == [Open(0)]
    assert told(talk.opened()).sequence == 7
    assert talk.lost() == [], "a second time it has to wait"
    assert talk.later(RETRY_MS) == [Close(), Open(0)]


def test_nak_sets_the_time_and_the_message_is_built_anew() -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    heard = told(talk.hear(f'"NAK"0000R1L0A0[]{time_text(talk.utc + 3600)}'))
    assert (heard.sequence, heard.moment) == (7, talk.utc + 3600)
    assert talk.hear('"ACK"0007R1L0#1234[]') == [Taken()]
    heard = told(talk.send(sequence=8))
    assert heard.moment == talk.utc + 3600, "and stays so"


@pytest.mark.parametrize("time", ["_00:00:00,01-01-0001", "_23:59:59,12-31-9999", "_23:59:59,12-31-2019"])
def test_a_nak_of_no_time_that_can_be_is_only_sent_again(time: str) -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    assert told(talk.hear(f'"NAK"0000R1L0A0[]{time}')).moment == talk.utc


def test_a_receiver_that_says_nak_for_ever_is_left_alone() -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    for _ in range(MAX_NAKS):
        assert isinstance(talk.hear(f'"NAK"0000L0R0A0[]{time_text(talk.utc)}')[0], Write)
    (failed,) = talk.hear(f'"NAK"0000L0R0A0[]{time_text(talk.utc)}')
    assert isinstance(failed, Failed)
    assert failed.nak
    assert "account" in failed.reason
    assert talk.dialogue.free(talk.dialogue.next_deadline())


def test_duh_ends_it_and_is_no_sign_of_a_fault_of_the_line() -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    (refused,) = talk.hear('"DUH"0007R1L0#1234[]')
    assert isinstance(refused, Refused)
    assert "1131 01 015" in refused.reason
    assert talk.dialogue.up is True
    # A receiver that does not know NULL lives all the same; one with a key has to prove that it does.
    talk.send(NULL, 0)
    assert talk.hear('"DUH"0000R1L0#1234[]') == [Taken()]
    talk = Talk(KEY)
    talk.send(NULL, 0)
    talk.opened()
    assert talk.hear('"DUH"0000R1L0#1234[]') == []


def test_with_a_key_only_a_fresh_encrypted_answer_counts() -> None:
    talk = Talk(KEY)
    talk.send()
    heard = told(talk.opened(), KEY)
    assert heard.encrypted
    assert talk.hear('"ACK"0007R1L0#1234[]') == []
    assert talk.sealed(late_s=FRESH_S + 2) == []
    assert talk.sealed(late_s=-FRESH_S - 2) == []
    assert talk.sealed(sequence=6) == []
    assert dict(talk.dialogue.counts) == {"not-encrypted": 1, "stale": 2, "of-another": 1}
    assert talk.sealed() == [Taken()]


def test_why_nothing_counted_is_told() -> None:
    talk = Talk(KEY, tries=1)
    talk.send()
    talk.opened()
    talk.hear('"ACK"0007R1L0#1234[]')
    assert talk.later(RETRY_MS) == [Close(), Failed("the receiver acknowledges in plain text")]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ('"ACK"0006R1L0#1234[]', "of-another"),
        ('"ACK"0007R1L0#1235[]', "of-another"),
        ('"NAK"0006R1L0A0[]', "of-another"),
        ('"ACK"0007R1L0', "unreadable"),
    ],
)
def test_answers_to_something_else_do_not_count(body: str, count: str) -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    assert talk.hear(body) == []
    assert talk.dialogue.counts[count] == 1
    assert talk.hear('"ACK"0007R1L0#1234[]') == [Taken()]
    assert talk.hear('"ACK"0007R1L0#1234[]') == []
    assert talk.dialogue.counts["unasked"] == 1


def test_an_answer_of_the_connection_before_does_not_count() -> None:
    talk = Talk()
    talk.send()
    talk.opened()
    half = wrapped(b'"ACK"0007R1L0#1234[]')
    assert talk.dialogue.heard(half[:20], talk.now, talk.utc) == []
    talk.later(RETRY_MS)
    talk.opened()
    assert talk.dialogue.heard(half[20:], talk.now, talk.utc) == []
    assert talk.hear('"ACK"0007R1L0#1234[]') == [Taken()]


_THINGS = st.one_of(
    st.sampled_from(["opened", "lost", "ack", "nak", "duh", "garbage"]),
    st.integers(0, 90_000),
)


@given(st.lists(_THINGS, max_size=60), st.integers(1, 2), st.booleans())
def test_whatever_happens_each_message_ends_once_and_it_always_goes_on(
    things: list[str | int], receivers: int, with_key: bool
) -> None:
    talk = Talk(KEY if with_key else None, receivers)
    sequence = ended = begun = 0

    def count(outputs: list[Output]) -> None:
        nonlocal ended
        ended += sum(isinstance(output, Taken | Refused | Failed) for output in outputs)
        assert begun - 1 <= ended <= begun

    for thing in things:
        if talk.dialogue.free(talk.now):
            sequence, begun = sequence + 1, begun + 1
            count(talk.send(sequence=sequence))
        match thing:
            case "opened":
                count(talk.opened())
            case "lost":
                count(talk.lost())
            case "ack":
                count(talk.sealed(sequence=sequence) if with_key else talk.hear(f'"ACK"{sequence:04d}L0#1234[]'))
            case "nak":
                count(talk.hear(f'"NAK"0000L0A0[]{time_text(talk.utc + 5)}'))
            case "duh":
                count(talk.hear(f'"DUH"{sequence:04d}L0#1234[]'))
            case "garbage":
                count(talk.dialogue.heard(b"\n\r\n0000\r\x00", talk.now, talk.utc))
            case int():
                count(talk.later(thing))
    # Without another word it comes to its end.
    for _ in range(20):
        talk.now = max(talk.now, talk.dialogue.next_deadline())
        count(talk.later(0))
    assert ended == begun
    assert talk.dialogue.free(talk.now)
