"""The stand-in key of simulated lives: believed like a real one, and only for its own bytes."""

import pytest

from firmware.protocol.jws import KeyRing, Refused
from hil.life.quick_key import quick_signer

SIGNER = quick_signer(b"one")


def test_what_it_signed_is_believed() -> None:
    token = SIGNER.sign("receipt", {"panel": "p", "n": 1})
    assert KeyRing([SIGNER.public]).verify("receipt", token) == {"panel": "p", "n": 1}


def test_another_key_is_unknown_and_its_signature_does_not_fit() -> None:
    token = SIGNER.sign("receipt", {"n": 1})
    other = quick_signer(b"two")
    with pytest.raises(Refused, match="unknown-key"):
        KeyRing([other.public]).verify("receipt", token)
    header, payload, _ = token.split(".")
    forged = other.sign("receipt", {"n": 1}).split(".")[2]
    with pytest.raises(Refused, match="bad-signature"):
        KeyRing([SIGNER.public]).verify("receipt", f"{header}.{payload}.{forged}")


def test_altered_bytes_are_refused() -> None:
    header, _, signature = SIGNER.sign("receipt", {"n": 1}).split(".")
    payload = SIGNER.sign("receipt", {"n": 2}).split(".")[1]
    with pytest.raises(Refused, match="bad-signature"):
        KeyRing([SIGNER.public]).verify("receipt", f"{header}.{payload}.{signature}")
