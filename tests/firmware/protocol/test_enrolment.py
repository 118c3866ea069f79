"""The enrolment's messages and codes: an independent reading of the vectors, and refusals with their reasons."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from firmware.protocol import enrolment as e
from firmware.protocol.jws import Refused, b64url
from firmware.protocol.one_time_code import (
    BadCode,
    fingerprint,
    new_code,
    printed,
    read_code,
    same_fingerprint,
)
from firmware.protocol.vectors import CENTER_SEED, STRANGER_SEED, signer
from tests.firmware.protocol import independent

FILE = json.loads((Path(__file__).parents[3] / "docs" / "vectors" / "enrolment.json").read_text(encoding="utf-8"))
REQUEST, ANSWER = json.dumps(FILE["request"]), json.dumps(FILE["answer"])


def test_the_vectors_follow_from_the_page_alone() -> None:
    """HKDF, HMAC, hash and JWS by other hands: `cryptography`, `hashlib` and `joserfc`."""
    for way in ("request", "answer"):
        info = f"{way} {FILE['panel']}".encode()
        key = HKDF(SHA256(), 32, b"fenghuo.enrolment.v1", info).derive(FILE["code_letters"].encode())
        assert key.hex() == FILE[f"{way}_key_hex"]
        token = FILE[way][way]
        mac = base64.urlsafe_b64encode(hmac.digest(key, token.encode(), "sha256")).decode().rstrip("=")
        assert mac == FILE[way]["mac"]
        digest = hashlib.sha256(b"fenghuo.enrolment-fingerprint.v1\0" + token.encode()).digest()[:10]
        table = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        letters = base64.b32encode(digest).decode().translate(table)
        assert FILE[f"{way}_fingerprint"].replace("-", "") == letters
    asked, told = FILE["request_payload"], FILE["answer_payload"]
    core = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": asked["key"]})
    center = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": told["receipt_keys"][0]})
    assert independent.verifies(core, FILE["request"]["request"]) == asked
    assert independent.verifies(center, FILE["answer"]["answer"]) == told
    assert told["request"] == hashlib.sha256(FILE["request"]["request"].encode()).hexdigest()
    csr = x509.load_pem_x509_csr(asked["csr"].encode())
    assert csr.is_signature_valid
    assert x509.load_pem_x509_certificate(told["chain"][0].encode()).public_key() == csr.public_key()


def test_ours_reads_what_it_wrote() -> None:
    sealed, request = e.read_request(REQUEST)
    keys = e.code_keys(read_code(FILE["code"]), FILE["panel"])
    assert e.is_sealed(keys.request, sealed.request, sealed.mac)
    assert not e.is_sealed(keys.answer, sealed.request, sealed.mac)
    back, answer = e.read_answer(ANSWER)
    assert e.is_sealed(keys.answer, back.answer, back.mac)
    e.fits(answer, request, sealed.request)


def test_the_code_is_bound_to_the_panel_and_each_way_has_a_key_of_its_own() -> None:
    one, other = (e.code_keys(FILE["code_letters"], panel) for panel in (FILE["panel"], "bank-2"))
    assert len({one.request, one.answer, other.request, other.answer}) == 4


def _signed(seed: bytes, typ: str, payload: dict[str, Any], member: str) -> str:
    return json.dumps({member: signer(seed).sign(typ, payload), "mac": ""})


REFUSED: dict[str, tuple[str, str]] = {
    "nothing": ("", "malformed"),
    "no JSON": ("{", "malformed"),
    "a member more": (json.dumps(FILE["request"] | {"a": 1}), "malformed"),
    "a MAC of another length": (json.dumps(FILE["request"] | {"mac": "AAAA"}), "malformed"),
    "too large": (" " * (e.MAX_BYTES + 1), "malformed"),
    "signed by another key than it names": (
        _signed(STRANGER_SEED, "fenghuo.enrolment.v1", FILE["request_payload"], "request"),
        "unknown-key",
    ),
    "signed as something else": (
        _signed(CENTER_SEED, "fenghuo.receipt.v1", FILE["request_payload"], "request"),
        "unknown-key",
    ),
    "a weak key": (
        _signed(CENTER_SEED, "fenghuo.enrolment.v1", FILE["request_payload"] | {"key": "A" * 43}, "request"),
        "malformed",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_request_that_does_not_count(what: str) -> None:
    text, reason = REFUSED[what]
    with pytest.raises(Refused) as refused:
        e.read_request(text)
    assert refused.value.reason == reason


def test_an_answer_that_none_of_its_own_keys_signed_does_not_count() -> None:
    text = _signed(STRANGER_SEED, "fenghuo.enrolment-answer.v1", FILE["answer_payload"], "answer")
    with pytest.raises(Refused) as refused:
        e.read_answer(text)
    assert refused.value.reason == "unknown-key"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"panel": "bank-2"}, "wrong-panel"),
        ({"request": "0" * 64}, "another-request"),
        ({"nonce": "B" * 22}, "another-request"),
    ],
)
def test_an_answer_to_something_else(change: dict[str, str], reason: str) -> None:
    sealed, request = e.read_request(REQUEST)
    answer = e.EnrolmentAnswer.model_validate(FILE["answer_payload"] | change)
    with pytest.raises(Refused) as refused:
        e.fits(answer, request, sealed.request)
    assert refused.value.reason == reason


@given(st.binary(min_size=13, max_size=13))
def test_a_code_comes_back_however_it_is_written(raw: bytes) -> None:
    left = [raw, b"\7" * 13]
    code = new_code(lambda _: left.pop(0))
    shown = printed(code)
    assert read_code(shown) == code
    assert len(shown) == 25
    assert shown[-1] not in "*~$="
    spoken = shown.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    assert read_code(spoken) == code
    assert read_code("".join(chr(ord(c) + 0xFEE0) for c in shown)) == code  # full width, of an input method


@given(st.binary(min_size=13, max_size=13), st.integers(0, 19), st.integers(1, 31))
def test_every_single_slip_and_every_swap_of_neighbours_is_found(raw: bytes, at: int, by: int) -> None:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    left = [raw, b"\7" * 13]
    plain = printed(new_code(lambda _: left.pop(0))).replace("-", "")
    slipped = plain[:at] + alphabet[(alphabet.index(plain[at]) + by) % 32] + plain[at + 1 :]
    with pytest.raises(BadCode):
        read_code(slipped)
    if at < 19 and plain[at] != plain[at + 1]:
        with pytest.raises(BadCode):
            read_code(plain[:at] + plain[at + 1] + plain[at] + plain[at + 2 :])


@given(st.text(max_size=80))
def test_what_is_typed_is_a_code_or_refused(typed: str) -> None:
    try:
        code = read_code(typed)
    except BadCode:
        return
    assert read_code(printed(code)) == code


def test_fingerprints_are_compared_as_people_type_them() -> None:
    token = FILE["request"]["request"]
    shown = fingerprint(token)
    assert same_fingerprint(shown.lower().replace("-", " "), token)
    assert not same_fingerprint(shown[:-1], token)
    assert not same_fingerprint(fingerprint(token + "x"), token)
    assert b64url(b"") == ""
