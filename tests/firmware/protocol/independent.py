"""The protocol once more, from docs/protocol.md alone: `rfc8785`, `joserfc`, `hashlib` and nothing of ours."""

import base64
import hashlib
import json
import warnings
from typing import Any

import rfc8785
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import OKPKey


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def thumbprint(jwk: dict[str, str]) -> str:
    required = {name: jwk[name] for name in ("crv", "kty", "x")}
    return base64.urlsafe_b64encode(hashlib.sha256(rfc8785.dumps(required)).digest()).decode().rstrip("=")


def record_is_whole(record: dict[str, Any]) -> list[str]:
    wrong = []
    if digest(rfc8785.dumps(record["header"])) != record["hash"]:
        wrong.append("header")
    if record["payload"] is not None and digest(rfc8785.dumps(record["payload"])) != record["header"]["payload_hash"]:
        wrong.append("payload")
    return wrong


def private_key(seed_hex: str, x: str) -> OKPKey:
    d = base64.urlsafe_b64encode(bytes.fromhex(seed_hex)).decode().rstrip("=")
    return OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": x, "d": d})


def sign(key: OKPKey, typ: str, payload: dict[str, Any]) -> str:
    header = {"alg": "EdDSA", "kid": key.thumbprint(), "typ": typ}
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA with Ed25519 to Ed25519; v1 of the contract says EdDSA.
        warnings.simplefilter("ignore", SecurityWarning)
        # joserfc keeps the order of the header's members: alg, kid, typ is the canonical one.
        return jws.serialize_compact(header, rfc8785.dumps(payload), key, algorithms=["EdDSA"])


def verifies(key: OKPKey, token: str) -> dict[str, Any] | None:
    """The payload where joserfc takes the signature of this key, else None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            payload = jws.deserialize_compact(token, key, algorithms=["EdDSA"]).payload
    except (JoseError, ValueError):
        return None
    value = json.loads(payload)
    return value if isinstance(value, dict) else None
