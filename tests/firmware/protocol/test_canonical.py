"""Canonical JSON: the same bytes as an independent encoder over the whole domain, and nothing outside it."""

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.protocol.canonical import MAX_DEPTH, MAX_INTEGER, NotCanonical, canonical, check_domain, sha256_hex
from tests.firmware.protocol.strategies import any_json, domain


@settings(max_examples=300, deadline=None)
@given(domain)
@example({"é".encode().hex(): "😀\ud7ff\ue000", "\x7f": "\x7f\u2028", "": '\x00\x1f"\\/\b\f\n\r\t'})
@example({"b": 1, "a": 2, "aa": 3, "A": 4, "_": 5, "-": 6})
@example([MAX_INTEGER, -MAX_INTEGER, 0, True, False, None])
def test_the_same_bytes_as_rfc8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert check_domain(value) == value


@settings(max_examples=200, deadline=None)
@given(domain)
def test_reading_and_writing_again_gives_the_same_bytes(value: Any) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


@settings(max_examples=300, deadline=None)
@given(any_json)
def test_whatever_the_domain_check_lets_through_has_one_form(value: Any) -> None:
    try:
        checked = check_domain(value)
    except NotCanonical:
        return
    assert canonical(checked) == rfc8785.dumps(value)


def nested(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "place", "found"),
    [
        ({"a": [1, 1.5]}, "$.a[1]", "float"),
        ({"a": float("nan")}, "$.a", "float"),
        (float("inf"), "$", "float"),
        ([b"bytes"], "$[0]", "bytes"),
        ({"a": {"b": {1, 2}}}, "$.a.b", "set"),
        (MAX_INTEGER + 1, "$", "54 bits"),
        (-MAX_INTEGER - 1, "$", "54 bits"),
        ([10**5000], "$[0]", "bits"),
        (["ok", "\ud800"], "$[1]", "lone surrogate"),
        ({"é": 1}, "$", "not ASCII"),
        ({1: 1}, "$", "not ASCII"),
        ({"x" * 100_000 + "é": 1}, "$", "not ASCII"),
        (nested(MAX_DEPTH + 1), "$[0]", f"deeper than {MAX_DEPTH}"),
        (nested(100_000), "$[0]", f"deeper than {MAX_DEPTH}"),
    ],
)
def test_outside_the_domain_is_refused_with_its_place(value: Any, place: str, found: str) -> None:
    with pytest.raises(NotCanonical) as caught:
        check_domain(value)
    assert str(caught.value).startswith(place)
    assert found in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_deepest_value_allowed() -> None:
    assert check_domain(nested(MAX_DEPTH)) == nested(MAX_DEPTH)


@given(st.binary(max_size=200))
def test_hashes_are_sha256(data: bytes) -> None:
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()
