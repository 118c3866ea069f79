"""Signed things: JWS compact serialisation (RFC 7515) with EdDSA over Ed25519 (RFC 8037).

Only what the protocol needs, so that core stays small: one algorithm, three header members, no
extension. Every library that knows JWS reads it; the reference center and the tests use `joserfc`.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from firmware.protocol.canonical import NotCanonical, canonical, check_domain, sha256_hex

ALGORITHM = "EdDSA"
MAX_BYTES = 128 * 1024
"""Characters (ASCII, so bytes) of one token."""

_MAX_DETAIL = 200


class Refused(Exception):
    """A signed thing that does not count. `reason` is a short code, `detail` says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        # What was found comes from outside, so it is cut and made printable before it reaches a log or a record.
        self.reason = reason
        self.detail = detail[:_MAX_DETAIL].encode("ascii", "backslashreplace").decode()[:_MAX_DETAIL]
        super().__init__(f"{reason}: {self.detail}")


def b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 appendix C)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """The bytes behind base64url text; `ValueError` for anything that is not exactly that."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if b64url(data) != text:
        raise ValueError("not the canonical base64url form")
    return data


def key_id(public: Ed25519PublicKey) -> str:
    """The RFC 7638 thumbprint of the public key: the `kid` of everything it signs."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": b64url(public.public_bytes_raw())}
    return b64url(bytes.fromhex(sha256_hex(canonical(jwk))))


def load_public(x: str) -> Ed25519PublicKey:
    """A public key from the `x` of its JWK; `ValueError` when it is not 32 bytes of base64url."""
    return Ed25519PublicKey.from_public_bytes(unb64url(x))


def kid_of(token: str) -> str:
    """The id of the key that a token says signed it; for tokens that a `KeyRing` has verified."""
    return str(_split(token)[0].get("kid"))


def unverified(token: str) -> dict[str, Any]:
    """The payload of a token as it stands, believed by nobody yet: to find the key that it names itself.

    Raises `Refused`, `malformed`.
    """
    return _json_object(_split(token)[1], "payload")


class Signer:
    """Signs with one private key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key()
        self.kid = key_id(self.public)

    def sign(self, typ: str, payload: Mapping[str, Any]) -> str:
        """The compact JWS of the payload's canonical bytes, `typ` saying what kind of thing it is."""
        header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
        body = f"{b64url(canonical(header))}.{b64url(canonical(payload))}"
        return f"{body}.{b64url(self._private.sign(body.encode()))}"


class KeyRing:
    """The public keys that are trusted for one purpose, by their `kid`."""

    def __init__(self, publics: list[Ed25519PublicKey]) -> None:
        self._by_kid = {key_id(p): p for p in publics}

    def replace(self, publics: list[Ed25519PublicKey]) -> None:
        """Trust these and no others from now on."""
        self._by_kid = {key_id(p): p for p in publics}

    def verify(self, typ: str, token: str) -> dict[str, Any]:
        """The payload of a token of this `typ` that one of the keys signed.

        Raises `Refused` with reason `malformed`, `unsigned` (another algorithm or none), `unknown-key`,
        `bad-signature` or `wrong-type`. Nothing of the payload is read before the signature holds.
        """
        header, payload, signature, signed = _split(token)
        if header.get("alg") != ALGORITHM or not signature:
            raise Refused("unsigned", f"alg is {header.get('alg')!r}, expected {ALGORITHM!r}")
        if set(header) != {"alg", "kid", "typ"}:
            raise Refused("malformed", f"header members {sorted(header)}, expected alg, kid, typ")
        public = self._by_kid.get(str(header["kid"]))
        if public is None:
            raise Refused("unknown-key", f"kid {str(header['kid'])[:64]!r} is not trusted here")
        try:
            public.verify(signature, signed)
        except InvalidSignature:
            raise Refused("bad-signature", "the signature does not fit the bytes") from None
        if header["typ"] != typ:
            raise Refused("wrong-type", f"typ is {str(header['typ'])[:64]!r}, expected {typ!r}")
        return _json_object(payload, "payload")


def _split(token: str) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    if len(token) > MAX_BYTES:
        raise Refused("malformed", f"{len(token)} characters, at most {MAX_BYTES}")
    parts = token.split(".")
    if len(parts) != 3:
        raise Refused("malformed", f"{len(parts)} parts, expected 3")
    try:
        header, payload, signature = (unb64url(part) for part in parts)
    except (binascii.Error, ValueError):
        raise Refused("malformed", "a part is not base64url") from None
    return _json_object(header, "header"), payload, signature, f"{parts[0]}.{parts[1]}".encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _json_object(data: bytes, part: str) -> dict[str, Any]:
    try:
        # Decoded here: `json.loads` would take UTF-16, UTF-32 and a byte order mark too.
        value = json.loads(data.decode(), object_pairs_hook=_unique)
        check_domain(value)
    except (ValueError, RecursionError, NotCanonical) as error:
        raise Refused("malformed", f"{part}: {error}") from None
    if not isinstance(value, dict):
        raise Refused("malformed", f"{part} is {type(value).__name__}, expected an object")
    return value
