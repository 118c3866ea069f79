"""The center's keys and its signatures, made with `joserfc`: another JWS library than the panel's, on purpose.

Two keys, one for receipts and one for commands, so that the machine that receipts day and night can't arm or disarm.
"""

import base64
import json
import os
import warnings
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

ALGORITHM = "EdDSA"
MAX_TOKEN = 128 * 1024

# The contract says `EdDSA` (RFC 8037), which every JWS library knows; `Ed25519` of RFC 9864 is too young for that.
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")


class BadToken(Exception):
    """A signed thing that does not count; the text says why."""


class Key:
    """One private key of the center, kept as a JWK file."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self.kid = key.thumbprint()
        self.x = str(key.as_dict(private=False)["x"])

    @classmethod
    def new(cls) -> "Key":
        """A key that is kept nowhere."""
        return cls(OKPKey.generate_key("Ed25519", private=True))

    @classmethod
    def at(cls, path: Path) -> "Key":
        """The key of this file, which is made (0600) when there is none."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = OKPKey.generate_key("Ed25519", private=True)
            part = path.with_suffix(".new")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(new.as_dict(private=True), file)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        return cls(OKPKey.import_key(json.loads(path.read_text())))

    def sign(self, typ: str, payload: dict[str, Any]) -> str:
        """The compact JWS of a payload."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
        body = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return jws.serialize_compact(header, body.encode(), self._key, algorithms=[ALGORITHM])


def read_token(x: str, typ: str, token: bytes) -> dict[str, Any]:
    """The payload of a token that the Ed25519 key `x` signed under `typ`; raises `BadToken`.

    As strict as the panel: three header members and no other, no member twice, no fraction, UTF-8, exact base64url.
    """
    if len(token) > MAX_TOKEN:
        raise BadToken(f"{len(token)} bytes, at most {MAX_TOKEN}")
    try:
        header = _object(_header(token), "header")
        if set(header) != {"alg", "kid", "typ"}:
            raise BadToken(f"header members {sorted(header)!r:.200}, expected alg, kid, typ")
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x})
        found = jws.deserialize_compact(token, key, algorithms=[ALGORITHM])
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadToken(f"{type(error).__name__}: {error}") from None
    if header["typ"] != typ or header["kid"] != key.thumbprint():
        raise BadToken(f"typ {header['typ']!r:.64} and kid {header['kid']!r:.64}, expected {typ!r} of the panel's key")
    try:
        return _object(found.payload, "payload")
    except (ValueError, RecursionError) as error:
        raise BadToken(f"{type(error).__name__}: {error}") from None


def _header(token: bytes) -> bytes:
    # Another spelling of base64url (padding, spare bits) would be another token under the same signature.
    parts = token.split(b".")
    if len(parts) != 3:
        raise BadToken(f"{len(parts)} parts, expected 3")
    decoded = [base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in parts]
    if any(base64.urlsafe_b64encode(data).rstrip(b"=") != part for data, part in zip(decoded, parts, strict=True)):
        raise BadToken("a part is not exact base64url")
    return decoded[0]


def _object(data: bytes, part: str) -> dict[str, Any]:
    # Decoded here: `json.loads` would take UTF-16 and UTF-32 too.
    value = json.loads(data.decode(), object_pairs_hook=_unique, parse_float=_no_fraction, parse_constant=_no_fraction)
    if not isinstance(value, dict):
        raise BadToken(f"the {part} is {type(value).__name__}, expected an object")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadToken("a member stands twice")
    return members


def _no_fraction(text: str) -> Any:
    raise BadToken(f"{text:.40}: numbers are whole")


def read_jwk_x(text: str) -> str:
    """`x` of a public Ed25519 JWK file (a panel's `core.jwk`); raises `ValueError`."""
    value = json.loads(text)
    if not isinstance(value, dict) or value.get("crv") != "Ed25519" or not isinstance(value.get("x"), str):
        raise ValueError('not a public Ed25519 JWK: expected {"kty":"OKP","crv":"Ed25519","x":"..."}')
    OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": value["x"]})
    return str(value["x"])
