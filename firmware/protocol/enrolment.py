"""How a new panel asks the center for its first certificate, and how the center answers (docs/enrolment.md).

A request is signed by core's key and carries a PKCS #10 request, so both keys prove themselves; an answer is signed by
the center's receipt key. What makes them believed is the one-time code: each carries a MAC under a key that is derived
from it, another one for each direction. Without a code two people compare fingerprints (`one_time_code.fingerprint`).
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError

from firmware.config.keys import is_public_key
from firmware.protocol.jws import KeyRing, Refused, b64url, load_public, unverified
from firmware.protocol.messages import CertificateRequest
from firmware.protocol.records import Hash, Number, PanelId, Strict, UtcText
from firmware.protocol.signed import Certificate, KeyX, Nonce
from firmware.protocol.typ import ENROLMENT, ENROLMENT_ANSWER

MAX_BYTES = 64 * 1024
"""Of a request or an answer as it travels."""
_SALT = b"fenghuo.enrolment.v1"

M = TypeVar("M", bound=Strict)

Mac = Annotated[
    str,
    Field(
        pattern=r"^([A-Za-z0-9_-]{43})?$", description="base64url of HMAC-SHA256 over the token; empty without a code"
    ),
]
Token = Annotated[str, Field(max_length=48 * 1024, description="compact JWS")]


class EnrolmentRequest(Strict):
    """Signed by core: this panel asks for its first client certificate, and this is its key from now on."""

    panel: PanelId
    csr: CertificateRequest
    key: KeyX = Field(description="core's public key, the one that signs this")
    nonce: Nonce
    time: UtcText = Field(description="as the panel's clock stands, which may be wrong")


class Address(Strict):
    """Where a broker of the center listens."""

    host: str = Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")
    port: int = Field(ge=1, le=65535)


class EnrolmentAnswer(Strict):
    """Signed by the center with one of the receipt keys that it names."""

    panel: PanelId
    request: Hash = Field(description="SHA-256 of the request's token")
    nonce: Nonce = Field(description="that of the request")
    chain: list[Certificate] = Field(
        min_length=1, max_length=4, description="the panel's own first, then those that lead to the authority, if any"
    )
    authorities: list[Certificate] = Field(min_length=1, max_length=4, description="CAs whose brokers count")
    client_authorities: list[Certificate] = Field(
        max_length=4, description="CAs that may sign the panel's next certificate; none: `authorities`"
    )
    receipt_keys: list[KeyX] = Field(min_length=1, max_length=8)
    command_keys: list[KeyX] = Field(max_length=8)
    root_keys: list[KeyX] = Field(max_length=4)
    keys_serial: Number = Field(description="number of the lists of keys")
    addresses: list[Address] = Field(max_length=4, description="of the center's brokers; none: the panel file's count")
    time: UtcText


class SealedRequest(Strict):
    """What goes to the center, over HTTPS, as a file or as a QR code."""

    request: Token = Field(description="JWS, `fenghuo.enrolment.v1`")
    mac: Mac


class SealedAnswer(Strict):
    """What comes back."""

    answer: Token = Field(description="JWS, `fenghuo.enrolment-answer.v1`")
    mac: Mac


@dataclass(frozen=True)
class CodeKeys:
    """What a code is good for at one panel: a key for each direction. 32 bytes each."""

    request: bytes
    answer: bytes


def code_keys(code: str, panel: str) -> CodeKeys:
    """HKDF-SHA256 (RFC 5869) of the code's 20 letters, bound to the panel's id."""
    prk = hmac.digest(_SALT, code.encode("ascii"), "sha256")
    return CodeKeys(*(hmac.digest(prk, f"{way} {panel}".encode() + b"\x01", "sha256") for way in ("request", "answer")))


def seal(key: bytes | None, token: str) -> str:
    """The MAC of a token; empty where there is no code."""
    return "" if key is None else b64url(hmac.digest(key, token.encode("ascii"), "sha256"))


def is_sealed(key: bytes, token: str, mac: str) -> bool:
    """Whether the MAC is that of the token under this key; in constant time."""
    return hmac.compare_digest(seal(key, token).encode(), mac.encode())


def digest(token: str) -> str:
    """By which an answer names the request."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_request(text: bytes | str) -> tuple[SealedRequest, EnrolmentRequest]:
    """A request whose signature is that of the key it names; its MAC is not looked at. Raises `Refused`."""
    sealed = _parsed(SealedRequest, text)
    request = _payload(EnrolmentRequest, unverified(sealed.request))
    _ring([request.key]).verify(ENROLMENT, sealed.request)
    return sealed, request


def read_answer(text: bytes | str) -> tuple[SealedAnswer, EnrolmentAnswer]:
    """An answer that one of the receipt keys it names has signed; nothing else is looked at. Raises `Refused`."""
    sealed = _parsed(SealedAnswer, text)
    answer = _payload(EnrolmentAnswer, unverified(sealed.answer))
    _ring(answer.receipt_keys).verify(ENROLMENT_ANSWER, sealed.answer)
    return sealed, answer


def fits(answer: EnrolmentAnswer, request: EnrolmentRequest, token: str) -> None:
    """Raises `Refused` where the answer is to another request."""
    if answer.panel != request.panel:
        raise Refused("wrong-panel", f"for panel {answer.panel}, expected {request.panel}")
    same = hmac.compare_digest(answer.request, digest(token)) and hmac.compare_digest(answer.nonce, request.nonce)
    if not same:
        raise Refused("another-request", "it answers another request than the one that waits here")


def _ring(keys: list[str]) -> KeyRing:
    if wrong := next((key for key in keys if not is_public_key(key)), None):
        raise Refused("malformed", f"{wrong} is no public key")
    return KeyRing([load_public(key) for key in keys])


def _parsed(model: type[M], text: bytes | str) -> M:
    data = text.encode(errors="replace") if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise Refused("malformed", f"{len(data)} bytes, at most {MAX_BYTES}")
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise _refused(error) from None


def _payload(model: type[M], payload: dict[str, Any]) -> M:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_input=False)[0]
    return Refused("malformed", f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}")
