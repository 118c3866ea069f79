"""Signed tokens: every other implementation reads ours and the other way round, and nothing else counts."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from firmware.protocol.canonical import canonical
from firmware.protocol.jws import MAX_BYTES, KeyRing, Refused, Signer, b64url, key_id, load_public, unb64url
from firmware.protocol.vectors import CENTER_SEED, PANEL_SEED, forge, signer
from tests.firmware.protocol.strategies import payloads, texts

# RFC 9864 renames EdDSA with Ed25519 to Ed25519; v1 of the contract says EdDSA.
pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")

TYP = "fenghuo.receipt.v1"
REASONS = {"malformed", "unsigned", "unknown-key", "bad-signature", "wrong-type"}
ours = signer(CENTER_SEED)
ring = KeyRing([ours.public])
theirs = OKPKey.import_key(
    {"kty": "OKP", "crv": "Ed25519", "x": b64url(ours.public.public_bytes_raw()), "d": b64url(CENTER_SEED)}
)
token = ours.sign(TYP, {"panel": "bank-1", "ranges": [{"first": 1}]})


def reason(text: str, keys: KeyRing = ring, typ: str = TYP) -> str:
    with pytest.raises(Refused) as caught:
        keys.verify(typ, text)
    assert caught.value.reason in REASONS
    assert caught.value.detail
    assert len(caught.value.detail) <= 200
    assert caught.value.detail.isascii()
    return caught.value.reason


def outcome(text: str) -> dict[str, Any] | str:
    try:
        return ring.verify(TYP, text)
    except Refused as refused:
        return refused.reason


@settings(max_examples=100, deadline=None)
@given(payloads, texts)
def test_joserfc_reads_what_we_sign(payload: dict[str, Any], typ: str) -> None:
    text = ours.sign(typ, payload)
    read = joserfc_jws.deserialize_compact(text, theirs, algorithms=["EdDSA"])
    assert read.payload == canonical(payload)
    assert read.protected == {"alg": "EdDSA", "kid": ours.kid, "typ": typ}
    assert ring.verify(typ, text) == payload


@settings(max_examples=100, deadline=None)
@given(payloads)
def test_we_read_what_joserfc_signs_in_its_own_spelling(payload: dict[str, Any]) -> None:
    header = {"typ": TYP, "kid": ours.kid, "alg": "EdDSA"}
    spaced = json.dumps(payload, indent=1).encode()
    text = joserfc_jws.serialize_compact(header, spaced, theirs, algorithms=["EdDSA"])
    assert ring.verify(TYP, text) == payload


def test_the_kid_is_the_rfc_7638_thumbprint() -> None:
    assert ours.kid == theirs.thumbprint()


def test_every_single_bit_flip_is_refused() -> None:
    raw = token.encode()
    for at in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[at] ^= 1 << bit
            reason(changed.decode("latin-1"))


def test_every_truncation_is_refused() -> None:
    for length in range(len(token)):
        assert reason(token[:length]) in {"malformed", "bad-signature", "unsigned"}


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_random_text_is_refused(text: str) -> None:
    assert reason(text) in {"malformed", "unsigned"}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_signed_random_bytes_are_refused_or_an_object(header: bytes, payload: bytes) -> None:
    reason(forge(header, payload))
    good = canonical({"alg": "EdDSA", "kid": ours.kid, "typ": TYP})
    found = outcome(forge(good, payload))
    assert found == "malformed" or isinstance(found, dict)


header_values = st.none() | st.booleans() | st.integers(-5, 5) | texts | st.lists(texts, max_size=2)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64", "x5u"]), header_values))
def test_any_other_header_is_refused(change: dict[str, Any]) -> None:
    header = {"alg": "EdDSA", "kid": ours.kid, "typ": TYP}
    if header | change == header:
        return
    found = reason(forge(canonical(header | change), b"{}"))
    if "alg" in change and change["alg"] != "EdDSA":
        assert found == "unsigned"
    elif set(change) - set(header):
        assert found == "malformed"
    elif change.get("kid", ours.kid) != ours.kid:
        assert found == "unknown-key"
    else:
        assert found == "wrong-type"


def test_a_huge_token_is_refused_before_it_is_read() -> None:
    assert reason("A" * (MAX_BYTES + 1)) == "malformed"
    big = ours.sign(TYP, {"text": "x" * (MAX_BYTES // 4 * 3)})
    assert len(big) > MAX_BYTES
    assert reason(big) == "malformed"
    small = ours.sign(TYP, {"text": "x" * (MAX_BYTES // 2)})
    assert ring.verify(TYP, small)["text"] == "x" * (MAX_BYTES // 2)


def test_deeply_nested_json_is_refused() -> None:
    header = canonical({"alg": "EdDSA", "kid": ours.kid, "typ": TYP})
    for body in (b"[" * 90_000, b'{"a":' * 15_000 + b"1" + b"}" * 15_000, b'{"a":' + b"9" * 90_000 + b"}"):
        assert reason(forge(header, body)) == "malformed"
        assert reason(forge(body, b"{}")) == "malformed"


def test_a_ring_without_keys_trusts_nobody() -> None:
    assert reason(token, KeyRing([])) == "unknown-key"
    assert reason(token, KeyRing([signer(PANEL_SEED).public])) == "unknown-key"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "utf-16-le"])
def test_only_utf_8_is_json_here(encoding: str) -> None:
    header = canonical({"alg": "EdDSA", "kid": ours.kid, "typ": TYP})
    assert reason(forge(header, '{"a":"前"}'.encode(encoding))) == "malformed"


@given(st.binary(max_size=100))
def test_base64url_round_trip(data: bytes) -> None:
    assert unb64url(b64url(data)) == data
    assert b64url(data) == base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.text(max_size=8))
def test_base64url_has_one_spelling(text: str) -> None:
    try:
        data = unb64url(text)
    except ValueError:
        return
    assert b64url(data) == text


def test_public_keys_are_read_from_their_jwk() -> None:
    fresh = Signer(Ed25519PrivateKey.generate())
    assert key_id(load_public(b64url(fresh.public.public_bytes_raw()))) == fresh.kid
    for wrong in ("", "AAAA", "=" * 43, "A" * 44, "A" * 42 + "="):
        with pytest.raises(ValueError):  # noqa: PT011
            load_public(wrong)
