"""Header bytes, hashes, numbers and checkpoints of the records that the chain makes."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.journal.chain import Chain
from firmware.journal.entries import NO_STATE, Commit, Draft, Tip
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import KeyRing
from firmware.protocol.records import Header, record_hash
from firmware.protocol.signed import read_checkpoint
from firmware.protocol.stored import GENESIS
from rules.vocabulary import KINDS
from tests.firmware.journal.rig import PANEL, SIGNER, state_bytes

JOURNAL = "0b7e9c62-6a1b-4c7e-9e0f-0c1d2e3f4a5b"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
payloads = st.dictionaries(
    st.text("abcdef_", min_size=1, max_size=6), texts | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1), max_size=5
)
drafts = st.builds(
    Draft,
    st.sampled_from(sorted(KINDS.keys() - {k for k in KINDS if k.startswith("telemetry.")})),
    payloads,
    st.just("2026-11-23T07:00:00.123Z"),
    st.sampled_from(["synchronised", "free-running", "unset"]),
    texts.filter(bool),
    st.integers(0, 2**53 - 1),
)
commits = st.lists(st.builds(Commit, st.lists(drafts, max_size=3).map(tuple), st.none() | texts), max_size=6)


def chain() -> Chain:
    return Chain(PANEL, JOURNAL, SIGNER, state_bytes, lambda k: str(KINDS[k].lane), lambda k: KINDS[k].checkpoint)


@settings(max_examples=60, deadline=None)
@given(commits)
def test_header_bytes_are_canonical_and_chained(steps: list[Commit]) -> None:
    prepared = chain().prepare(Tip(), steps)
    prev, lanes = GENESIS, {"alarm": 0, "status": 0, "evidence": 0}
    for number, (seq, lane, lane_seq, data, payload, hash_) in enumerate(prepared.rows, 1):
        header = Header.model_validate_json(data)
        lanes[lane] += 1
        assert canonical(header.model_dump()) == data
        assert record_hash(header) == hash_
        assert header.payload_hash == sha256_hex(payload)
        assert (seq, lane_seq, header.prev) == (number, lanes[lane], prev)
        assert (header.seq, header.lane, header.lane_seq, header.panel, header.journal) == (
            seq,
            lane,
            lane_seq,
            PANEL,
            JOURNAL,
        )
        prev = hash_
    assert (prepared.tip.seq, prepared.tip.hash, dict(prepared.tip.lanes)) == (len(prepared.rows), prev, lanes)


@settings(max_examples=60, deadline=None)
@given(commits)
def test_each_record_names_the_state_after_its_step(steps: list[Commit]) -> None:
    prepared = chain().prepare(Tip(), steps)
    made = chain()
    at, state_hash = 0, NO_STATE
    for step in steps:
        state_hash = state_hash if step.state is None else sha256_hex(state_bytes(step.state))
        count = len(step.drafts) + any(KINDS[d.kind].checkpoint for d in step.drafts)
        for row in prepared.rows[at : at + count]:
            assert json.loads(row[3])["state_hash"] == state_hash
        at += count
    assert at == len(prepared.rows)
    assert made.prepare(Tip(), steps) == prepared, "the same commits must give the same bytes"


def test_a_checkpoint_vouches_for_the_record_before_it() -> None:
    draft = Draft("area.armed", {"area": "hall"}, "2026-11-23T07:00:00.123Z", "synchronised", "b", 5)
    first, second = chain().prepare(Tip(), [Commit((draft,), "armed")]).rows
    signed = read_checkpoint(KeyRing([SIGNER.public]), json.loads(second[4])["jws"])
    assert (signed.seq, signed.hash, signed.journal, signed.panel) == (1, first[5], JOURNAL, PANEL)
    assert signed.state_hash == sha256_hex(b"armed")
    assert json.loads(second[3])["kind"] == "journal.checkpoint"


def test_a_state_is_encoded_once() -> None:
    encoded = []

    def encode(state: object) -> bytes:
        encoded.append(state)
        return state_bytes(state)

    made = Chain(PANEL, JOURNAL, SIGNER, encode, lambda _: "status", lambda _: False)
    draft = Draft("zone.bypassed", {}, "2026-11-23T07:00:00.123Z", "synchronised", "b", 5)
    state = "the same object"
    made.prepare(Tip(), [Commit((draft,), state), Commit((draft,), state)])
    made.prepare(Tip(), [Commit((draft,), state)])
    assert encoded == [state]
