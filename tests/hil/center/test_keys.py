"""Which signed things the center believes: those of the contract's vectors, and none of those it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.center.keys import BadToken, Key, read_jwk_x, read_token

_JWS = json.loads((Path(__file__).parents[3] / "docs" / "vectors" / "jws.json").read_text())
_RECEIPT = "fenghuo.receipt.v1"
_BEYOND_JWS = ("a member that the receipt does not have", "a range that runs backwards")
"""Refused for what the receipt says, which is not for the reader of a token to judge."""


def _x(name: str) -> str:
    return str(_JWS["keys"][name]["jwk"]["x"])


@pytest.mark.parametrize("vector", _JWS["tokens"], ids=lambda v: v["typ"])
def test_a_good_token_is_read(vector: dict[str, Any]) -> None:
    token = vector["token"].encode()
    assert read_token(_x(vector["signed_by"]), vector["typ"], token) == vector["payload"]


@pytest.mark.parametrize("vector", _JWS["refused"], ids=lambda v: v["what"])
def test_a_token_that_the_panel_refuses_is_refused_here_too(vector: dict[str, Any]) -> None:
    token = vector["token"].encode()
    if vector["what"] in _BEYOND_JWS:
        assert read_token(_x("center"), _RECEIPT, token)["ranges"]
        return
    with pytest.raises(BadToken):
        read_token(_x("center"), _RECEIPT, token)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"a":{"b":1,"b":1}}', "twice"),
        (b'{"a":1.5}', "whole"),
        (b'{"a":1e3}', "whole"),
        (b'{"a":NaN}', "whole"),
        ('{"a":1}'.encode("utf-16"), "Unicode"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[]", "list"),
        (b"[" * 90_000, "Recursion"),
    ],
    ids=lambda v: str(v)[:24],
)
def test_a_rightly_signed_payload_outside_the_domain_is_refused(tmp_path: Path, payload: bytes, said: str) -> None:
    from joserfc import jws

    key = Key.at(tmp_path / "key.jwk")
    header = {"alg": "EdDSA", "kid": key.kid, "typ": _RECEIPT}
    token = jws.serialize_compact(header, payload, key._key, algorithms=["EdDSA"])
    with pytest.raises(BadToken, match=said):
        read_token(key.x, _RECEIPT, token.encode())


@given(
    st.binary(max_size=300) | st.from_regex(rb"[A-Za-z0-9_=+/-]{0,40}(\.[A-Za-z0-9_=+/-]{0,40}){0,4}", fullmatch=True)
)
def test_garbage_is_refused_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(BadToken):
        read_token(_x("center"), _RECEIPT, data)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kty":"OKP","crv":"X25519","x":"AAAA"}', '{"crv":"Ed25519","x":7}'])
def test_a_file_that_is_no_public_key_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"Ed25519|Expecting"):
        read_jwk_x(text)
