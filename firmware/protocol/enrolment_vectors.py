"""Test vectors of the enrolment, `docs/vectors/enrolment.json`: a code, the keys that follow from it, both messages.

Made like the others (`vectors.py`), with published keys that are worth nothing.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware.protocol import enrolment as e
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.one_time_code import fingerprint, new_code, printed
from firmware.protocol.typ import ENROLMENT, ENROLMENT_ANSWER

CODE = new_code(lambda _: bytes(range(1, 14)))
TIME = "2026-03-14T22:50:00.000Z"


def enrolment(panel: str, core: Signer, center: Signer, root: Signer, nonce: str) -> dict[str, Any]:
    """The file's value."""
    keys = e.code_keys(CODE, panel)
    asked = {"panel": panel, "csr": request_pem(panel), "key": x_of(core), "nonce": nonce, "time": TIME}
    request = core.sign(ENROLMENT, asked)
    told = {
        "panel": panel,
        "request": e.digest(request),
        "nonce": nonce,
        "chain": [_certificate(panel, _key("uplink"), False)],
        "authorities": [_certificate("panel ca", _key("authority"), True)],
        "client_authorities": [],
        "receipt_keys": [x_of(center)],
        "command_keys": [x_of(center)],
        "root_keys": [x_of(root)],
        "keys_serial": 3,
        "addresses": [{"host": "alarm.example.org", "port": 8883}],
        "time": "2026-03-14T22:50:02.500Z",
    }
    answer = center.sign(ENROLMENT_ANSWER, told)
    return {
        "about": "Published throw-away keys. MACs are over the token's ASCII characters; fingerprints likewise.",
        "panel": panel,
        "code": printed(CODE),
        "code_letters": CODE,
        "request_key_hex": keys.request.hex(),
        "answer_key_hex": keys.answer.hex(),
        "request_payload": asked,
        "request": {"request": request, "mac": e.seal(keys.request, request)},
        "request_fingerprint": fingerprint(request),
        "answer_payload": told,
        "answer": {"answer": answer, "mac": e.seal(keys.answer, answer)},
        "answer_fingerprint": fingerprint(answer),
        "without_a_code": {"request": request, "mac": ""},
        "wrong_codes": [
            {"what": "another letter", "typed": printed(CODE)[:-3] + "Z" + printed(CODE)[-2:]},
            {"what": "another check", "typed": printed(CODE)[:-1] + "*"},
            {"what": "too short", "typed": printed(CODE)[:-1]},
        ],
    }


def x_of(signer: Signer) -> str:
    """`x` of the public key's JWK."""
    return b64url(signer.public.public_bytes_raw())


def request_pem(panel: str) -> str:
    """PKCS #10 of a published Ed25519 key: its signature is always the same."""
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(panel))
        .sign(_key("uplink"), None)
        .public_bytes(Encoding.PEM)
        .decode()
    )


def _certificate(name: str, key: Ed25519PrivateKey, authority: bool) -> str:
    builder = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name("panel ca"))
    builder = builder.serial_number(2 + authority).public_key(key.public_key())
    builder = builder.not_valid_before(datetime(2026, 3, 14, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2036 if authority else 2027, 3, 14, tzinfo=UTC))
    builder = builder.add_extension(x509.BasicConstraints(authority, None), True)
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    return builder.sign(_key("authority"), None).public_bytes(Encoding.PEM).decode()


def _key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(f"fenghuo test vector: {name}".encode()).digest())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
