"""Values for the property tests: the JSON domain, records and the payloads of signed things."""

from typing import Any

from hypothesis import strategies as st

from firmware.protocol.canonical import MAX_INTEGER, canonical, sha256_hex
from firmware.protocol.records import Header, Record, record_hash

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(max_codepoint=127), max_size=8)
whole = st.integers(-MAX_INTEGER, MAX_INTEGER)
scalars = st.none() | st.booleans() | whole | texts
domain = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))
payloads = st.dictionaries(keys, domain, max_size=5)

hexes = st.text("0123456789abcdef", min_size=64, max_size=64)
numbers = st.integers(1, MAX_INTEGER)
panels = st.from_regex(r"[a-z0-9][a-z0-9-]{2,47}", fullmatch=True, alphabet="abyz0129-")
journals = st.uuids().map(str)
lanes = st.sampled_from(["alarm", "status", "evidence"])
kinds = st.sampled_from(["alarm.intruder", "area.armed", "evidence.pictures", "trouble.mains-ended"])
moments = st.datetimes().map(lambda m: f"{m:%m-%dT%H:%M:%S}.{m.microsecond // 1000:03d}Z").map("2026-{}".format)
clocks = st.sampled_from(["synchronised", "free-running", "unset"])
nonces = st.text("ABCDxyz019-_", min_size=22, max_size=22)


@st.composite
def records(draw: Any) -> Record:
    """Whole records: the hashes fit."""
    payload = draw(payloads)
    header = Header(
        panel=draw(panels),
        journal=draw(journals),
        seq=draw(numbers),
        lane=draw(lanes),
        lane_seq=draw(numbers),
        boot=draw(st.uuids().map(str)),
        time=draw(moments),
        clock=draw(clocks),
        monotonic_ms=draw(st.integers(0, MAX_INTEGER)),
        kind=draw(kinds),
        payload_hash=sha256_hex(canonical(payload)),
        state_hash=draw(hexes),
        prev=draw(hexes),
    )
    return Record(header=header, payload=payload, hash=record_hash(header))


# Anything that json.loads can give, wrong types and fractions included.
any_json = st.recursive(
    scalars | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=12,
)
