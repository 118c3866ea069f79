"""What a hostile broker can push towards core: bounded, whatever it sends."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.protocol.lines import encode
from firmware.protocol.messages import MAX_LINE, CommandIn, ReceiptIn, from_uplink
from firmware.uplink.gate import BURST, MAX_CREDIT, RECEIPTS_PER_S, Gate

JWS = b"aGVhZA.Ym9keQ.c2ln"


@given(
    st.sampled_from(["receipt", "command", "keys", "time", "event", ""]),
    st.binary(max_size=200) | st.just(b"a." * 70_000),
)
def test_whatever_passes_is_a_line_that_core_takes(word: str, payload: bytes) -> None:
    gate = Gate()
    message = gate.check(word, payload, 0)
    if message is None:
        assert sum(gate.dropped.values()) == 1
    else:
        line = encode(message)
        assert len(line) <= MAX_LINE
        assert from_uplink.validate_json(line) == message


def test_the_largest_token_fits_a_line() -> None:
    payload = b"a." + b"b" * (128 * 1024 - 4) + b".c"
    message = Gate().check("receipt", payload, 0)
    assert message is not None
    assert len(encode(message)) <= MAX_LINE


@given(st.lists(st.integers(0, 50), min_size=1, max_size=400))
def test_without_publishes_receipts_pass_only_at_the_stated_pace(gaps_ms: list[int]) -> None:
    gate = Gate()
    now = passed = 0
    for gap in gaps_ms:
        now += gap
        passed += isinstance(gate.check("receipt", JWS, now), ReceiptIn)
    assert passed <= BURST + now * RECEIPTS_PER_S / 1000


def test_each_publish_gives_credit_up_to_a_bound_and_a_new_connection_none() -> None:
    gate = Gate()
    for _ in range(10 * MAX_CREDIT):
        gate.published()
    passed = sum(gate.check("receipt", JWS, 0) is not None for _ in range(2 * MAX_CREDIT))
    assert passed == MAX_CREDIT + BURST
    gate.published()
    gate.opened()
    assert gate.check("receipt", JWS, 0) is None
    assert isinstance(gate.check("command", JWS, 0), CommandIn)
