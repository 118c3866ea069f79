"""Canonical JSON (RFC 8785) and the hashes over it.

Our JSON holds only strings, booleans, null, whole numbers within ±2^53, lists and objects with ASCII keys. Within that
domain Python's own encoder, told to sort and not to space, writes exactly RFC 8785, five times as
fast as a general encoder; a property test holds it against the `rfc8785` package.
"""

import hashlib
import json
from typing import Any

from rules.effects import JsonValue

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 16

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


class NotCanonical(ValueError):
    """A value outside the domain; the text names the place (`$.areas[2]`) and what was found."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of a value that is known to be in the domain (our own records)."""
    return _encode(value).encode()


def check_domain(value: object, place: str = "$", depth: int = 0) -> JsonValue:
    """Return `value` if it is in the domain, else raise `NotCanonical`: for values from outside."""
    if depth > MAX_DEPTH:
        raise NotCanonical(f"{place}: deeper than {MAX_DEPTH} levels")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(f"{place}: {value} is outside ±(2^53 - 1)")
        return value
    if isinstance(value, str):
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise NotCanonical(f"{place}: text with a lone surrogate")
        return value
    if isinstance(value, (list, tuple)):
        return [check_domain(item, f"{place}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, dict):
        for key in value:
            if not (isinstance(key, str) and key.isascii()):
                raise NotCanonical(f"{place}: key {key!r} is not ASCII text")
        return {key: check_domain(item, f"{place}.{key}", depth + 1) for key, item in value.items()}
    raise NotCanonical(f"{place}: {type(value).__name__} is not allowed (found {value!r})")


def sha256_hex(data: bytes) -> str:
    """SHA-256, lower-case hex."""
    return hashlib.sha256(data).hexdigest()
