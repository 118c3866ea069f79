"""A backlog comes home, with real core and uplink: an alarm overtakes it, everything is held once, memory is flat."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.signed import MAX_RANGES, read_receipt
from hil.bench_backlog import measure
from hil.storing_center import Row, receipts

RECORDS = 20_000
WINDOW = 1_024
"""Records of a lane that may wait for their receipt (`firmware.uplink.delivery.Settings`)."""


def test_a_backlog_is_drained_behind_new_alarms_without_growing_and_nothing_is_missing(tmp_path: Path) -> None:
    found = measure(tmp_path, RECORDS, rounds=1)
    assert found["drained"] > RECORDS
    assert found["held"] == found["last"], "each record of the journal stands at the center, once"
    # A machine that stalls may let a receipt be late: then a window is sent again.
    assert found["again"] <= WINDOW
    # The alarm that was raised without a link is behind 1,000 older ones, and 19,000 other records.
    assert found["alarm_first_left"] > 0.9 * RECORDS
    assert 0 < found["alarm_amid_left"] <= 0.75 * RECORDS
    assert found["core_most_mib"] - found["core_before_mib"] < 16
    assert found["uplink_most_mib"] - found["uplink_before_mib"] < 16


JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"


def row(number: int, lane_seq: int, prev: str) -> Row:
    return Row(
        "bank", "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47", number, "status", lane_seq, b"{}", b"{}", f"{number:064x}", prev
    )


def spans(rows: list[Row]) -> list[list[tuple[int, int, str]]]:
    signer = Signer(Ed25519PrivateKey.generate())
    read = [read_receipt(KeyRing([signer.public]), token) for _, token in receipts(rows, signer)]
    return [[(r.first, r.last, r.hash) for r in receipt.ranges] for receipt in read]


def test_the_storing_center_joins_only_what_is_linked() -> None:
    linked = [row(n, n, f"{n - 1:064x}") for n in (1, 2, 3)]
    assert spans(linked) == [[(1, 3, f"{3:064x}")]]
    assert spans([*linked, row(5, 4, f"{4:064x}")]) == [[(1, 3, f"{3:064x}"), (4, 4, f"{5:064x}")]]
    assert spans([linked[0], linked[0]]) == [[(1, 1, f"{1:064x}")]]


def test_the_storing_center_says_more_than_fits_in_further_receipts() -> None:
    found = spans([row(2 * n, n, "0" * 64) for n in range(1, 101)])
    assert [len(ranges) for ranges in found] == [MAX_RANGES, 100 - MAX_RANGES]
