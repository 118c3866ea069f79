"""The center's bookkeeping of runs, breaks, gaps and ranges against a plain model of it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hil.center.chain import GENESIS, Chain, compress, receipt_ranges


@st.composite
def journals(draw: st.DrawFn) -> tuple[list[tuple[int, str, str]], list[int]]:
    """Records (seq, prev, hash) of a journal, some with a wrong prev, and an order in which a part of them arrives."""
    length = draw(st.integers(1, 25))
    broken = draw(st.sets(st.integers(1, length), max_size=4))
    records = []
    for seq in range(1, length + 1):
        prev = GENESIS if seq == 1 else f"{seq - 1:064}"
        records.append((seq, "f" * 64 if seq in broken else prev, f"{seq:064}"))
    return records, draw(st.lists(st.integers(1, length), max_size=60))


@given(journals())
def test_runs_breaks_and_gaps_are_those_of_the_plain_model(case: tuple[list[tuple[int, str, str]], list[int]]) -> None:
    records, order = case
    chain = Chain()
    found: list[int] = []
    for seq in order:
        found += chain.add(*records[seq - 1])
    held = set(order)
    wrong = {s for s, prev, _ in records if prev == "f" * 64}
    assert set(found) == set(chain.breaks()) == {s for s in held & wrong if s == 1 or s - 1 in held}
    assert len(found) == len(set(found))
    assert chain.gaps(len(records)) == compress(set(range(1, len(records) + 1)) - held)
    for first in range(1, len(records) + 1):
        for last in range(first, len(records) + 1):
            whole = set(range(first, last + 1)) <= held and not (set(range(first + 1, last + 1)) & wrong)
            assert chain.joined(first, last) == whole
    good = 0
    while good + 1 in held and good + 1 not in wrong:
        good += 1
    assert chain.verified() == good


@given(journals(), st.integers(0, 25))
def test_what_lies_below_a_signed_base_is_not_missed(
    case: tuple[list[tuple[int, str, str]], list[int]], base: int
) -> None:
    records, order = case
    chain = Chain()
    for seq in order[::2]:
        chain.add(*records[seq - 1])
    if base:
        chain.rebase(base, f"{base:064}")
    chain.rebase(base // 2, "e" * 64)
    for seq in order[1::2]:
        chain.add(*records[seq - 1])
    held, wrong = set(order), {s for s, prev, _ in records if prev == "f" * 64}
    assert chain.gaps(len(records)) == compress(set(range(base + 1, len(records) + 1)) - held)
    good = base
    while good + 1 in held and good + 1 not in wrong:
        good += 1
    assert chain.verified() == good
    assert chain.held == len(held)


@given(st.data())
def test_receipt_ranges_name_what_arrived_and_never_span_what_is_not_linked(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, 30))
    lanes = data.draw(st.lists(st.sampled_from("ab"), min_size=length, max_size=length))
    numbers = {"a": 0, "b": 0}
    places = []  # (lane, lane_seq, seq)
    for seq, lane in enumerate(lanes, 1):
        numbers[lane] += 1
        places.append((lane, numbers[lane], seq))
    broken = data.draw(st.sets(st.integers(2, length + 1), max_size=3))
    held = data.draw(st.sets(st.integers(1, length)))
    chain = Chain()
    for seq in held:
        chain.add(seq, "f" * 64 if seq in broken else f"{seq - 1:064}", f"{seq:064}")
    arrived = {p for p in places if p[0] == "a" and p[2] in held and data.draw(st.booleans())}
    ranges = receipt_ranges(chain, [(lane_seq, seq, f"{seq:064}") for _, lane_seq, seq in arrived])
    assert [n for first, last, _ in ranges for n in range(first, last + 1)] == sorted(p[1] for p in arrived)
    seq_of = {p[1]: p[2] for p in places if p[0] == "a"}
    for first, last, own_hash in ranges:
        assert own_hash == f"{seq_of[last]:064}"
        span = set(range(seq_of[first], seq_of[last] + 1))
        assert first == last or (span <= held and not (span - {seq_of[first]}) & broken)
    for (_, last, _), (first, _, _) in pairwise(ranges):
        assert last + 1 < first or not chain.joined(seq_of[last], seq_of[first])


@given(st.sets(st.integers(0, 50)))
def test_compress_keeps_the_numbers(numbers: set[int]) -> None:
    ranges = compress(numbers)
    assert {n for a, b in ranges for n in range(a, b + 1)} == numbers
    assert all(b + 1 < c for (_, b), (c, _) in pairwise(ranges))
