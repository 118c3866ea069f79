"""The published vectors: our code makes exactly these files, and an independent implementation agrees."""

import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from firmware.protocol import envelope, signed, vectors
from firmware.protocol.canonical import canonical
from firmware.protocol.jws import KeyRing, Refused, b64url, load_public
from firmware.protocol.records import Record, faults
from firmware.protocol.topics import parse
from tests.firmware.protocol import independent

FOLDER = Path(__file__).parents[3] / "docs" / "vectors"
FILES = {name: json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in vectors.FILES}
CHAIN = FILES["records.json"]["chain"]
TOKENS = FILES["jws.json"]["tokens"]
KEYS = FILES["jws.json"]["keys"]


def ring(who: str) -> KeyRing:
    return KeyRing([load_public(KEYS[who]["jwk"]["x"])])


@pytest.mark.parametrize("name", sorted(vectors.FILES))
def test_the_files_are_what_the_code_makes(name: str) -> None:
    made = vectors.text(vectors.FILES[name]())
    assert (FOLDER / name).read_text(encoding="utf-8") == made, "run python -m firmware.protocol.vectors docs/vectors"


def test_main_writes_all_files(tmp_path: Path) -> None:
    vectors.main(tmp_path / "new")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == sorted(vectors.FILES)


@pytest.mark.parametrize("vector", FILES["records.json"]["canonical"], ids=lambda v: next(iter(v["value"])))
def test_canonical_bytes(vector: dict[str, Any]) -> None:
    data = rfc8785.dumps(vector["value"])
    assert data == canonical(vector["value"])
    assert (data.decode(), data.hex(), independent.digest(data)) == (
        vector["canonical"],
        vector["hex"],
        vector["sha256"],
    )


@pytest.mark.parametrize("vector", CHAIN, ids=lambda v: v["record"]["header"]["kind"])
def test_each_record_of_the_chain(vector: dict[str, Any]) -> None:
    record = vector["record"]
    header = record["header"]
    assert rfc8785.dumps(header).decode() == vector["header_canonical"]
    assert rfc8785.dumps(record["payload"]).hex() == vector["payload_canonical_hex"]
    assert rfc8785.dumps(record["payload"]).decode() == vector["payload_canonical"]
    assert independent.record_is_whole(record) == []
    assert independent.digest(vector["state"].encode()) == header["state_hash"]
    assert faults(Record.model_validate(record)) == []


def test_the_chain_is_linked_and_numbered() -> None:
    headers = [vector["record"]["header"] for vector in CHAIN]
    assert [header["prev"] for header in headers] == ["0" * 64, *(v["record"]["hash"] for v in CHAIN[:-1])]
    assert [(h["seq"], h["lane"], h["lane_seq"]) for h in headers] == [
        (1, "status", 1),
        (2, "alarm", 1),
        (3, "evidence", 1),
        (4, "status", 2),
        (5, "status", 3),
    ]


def test_the_checkpoint_vouches_for_the_record_before() -> None:
    before, last = CHAIN[-2]["record"], CHAIN[-1]["record"]
    key = independent.private_key(KEYS["panel"]["seed_hex"], KEYS["panel"]["jwk"]["x"])
    checkpoint = independent.verifies(key, last["payload"]["jws"])
    assert checkpoint is not None
    assert checkpoint["hash"] == before["hash"] == last["header"]["prev"]
    assert checkpoint["state_hash"] == before["header"]["state_hash"]
    assert signed.read_checkpoint(ring("panel"), last["payload"]["jws"]).seq == before["header"]["seq"]


@pytest.mark.parametrize("case", FILES["records.json"]["faulty"], ids=lambda c: c["what"])
def test_records_that_are_not_whole(case: dict[str, Any]) -> None:
    assert independent.record_is_whole(case["record"]) == case["wrong"]
    found = faults(Record.model_validate(case["record"]))
    assert [("header" if "fit the header" in text else "payload") for text in found] == case["wrong"]


@pytest.mark.parametrize("who", sorted(KEYS))
def test_keys(who: str) -> None:
    key = independent.private_key(KEYS[who]["seed_hex"], KEYS[who]["jwk"]["x"])
    assert key.as_dict(private=False)["x"] == KEYS[who]["jwk"]["x"]
    assert independent.thumbprint(KEYS[who]["jwk"]) == key.thumbprint() == KEYS[who]["kid"]
    # The public half is really that of the seed: what the seed signs verifies under `x`.
    token = independent.sign(key, "t", {"a": 1})
    assert ring(who).verify("t", token) == {"a": 1}


@pytest.mark.parametrize("vector", TOKENS, ids=lambda v: v["typ"])
def test_tokens(vector: dict[str, Any]) -> None:
    who = vector["signed_by"]
    key = independent.private_key(KEYS[who]["seed_hex"], KEYS[who]["jwk"]["x"])
    assert independent.sign(key, vector["typ"], vector["payload"]) == vector["token"]
    assert independent.verifies(key, vector["token"]) == vector["payload"]
    assert ring(who).verify(vector["typ"], vector["token"]) == vector["payload"]
    header = {"alg": "EdDSA", "kid": KEYS[who]["kid"], "typ": vector["typ"]}
    assert rfc8785.dumps(header).decode() == vector["header_canonical"]
    assert rfc8785.dumps(vector["payload"]).decode() == vector["payload_canonical"]
    signature = b64url(bytes.fromhex(vector["signature_hex"]))
    assert vector["token"] == f"{vector['signing_input']}.{signature}"


def test_there_is_a_token_of_each_typ() -> None:
    typs = {value for name, value in vars(signed).items() if name.isupper() and str(value).startswith("fenghuo.")}
    assert {vector["typ"] for vector in TOKENS} == typs


@pytest.mark.parametrize("case", FILES["jws.json"]["refused"], ids=lambda c: c["what"])
def test_tokens_that_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        signed.read_receipt(ring("center"), case["token"])
    assert caught.value.reason == case["reason"]
    if case["reason"] in {"bad-signature", "unknown-key", "unsigned"}:
        key = independent.private_key(KEYS["center"]["seed_hex"], KEYS["center"]["jwk"]["x"])
        assert independent.verifies(key, case["token"]) is None


def schema_of(words: tuple[str, ...]) -> str:
    """The schema of what stands on a topic that is not a token's."""
    named: dict[tuple[str, ...], str] = {("event", "telemetry"): "telemetry", ("batch", "telemetry"): "telemetry-batch"}
    return named.get(words, words[0])


MODELS: dict[str, Any] = {
    "event": envelope.Event.model_validate_json,
    "batch": envelope.batch.validate_json,
    "certificate": envelope.IssuedCertificate.model_validate_json,
    "fetch": envelope.Fetch.model_validate_json,
    "picture": envelope.picture.validate_json,
    "link": envelope.Link.model_validate_json,
    "state": envelope.PublicState.model_validate_json,
    "telemetry": envelope.TelemetryEvent.model_validate_json,
    "telemetry-batch": envelope.telemetry_batch.validate_json,
}


@pytest.mark.parametrize("message", FILES["envelope.json"]["messages"], ids=lambda m: m["what"])
def test_messages(message: dict[str, Any]) -> None:
    assert rfc8785.dumps(message["value"]).decode() == message["body"]
    place = parse(message["topic"])
    assert place is not None
    assert place[0] == vectors.PANEL
    MODELS[schema_of(place[1])](message["body"])
    events = message["value"] if isinstance(message["value"], list) else [message["value"]]
    for event in events:
        if "header" in event.get("data", {}):
            header = event["data"]["header"]
            assert event["id"] == f"{header['journal']}-{header['seq']}"
            assert place[1][1] == header["lane"]
            assert independent.record_is_whole(event["data"]) == []
