"""Fuzz targets of the enrolment: what panel and center read of each other, from people, and from flashed cards."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from firmware.protocol import enrolment, enrolment_parts, jws, one_time_code
from firmware.protocol.typ import ENROLMENT, ENROLMENT_ANSWER
from firmware.protocol.vectors import enrolment as vectors
from hil.center.enrolment import Declined, read_request
from provisioning.enrolment.drop import Drop

Parse = Callable[[bytes], None]
Found = tuple[str, tuple[bytes, ...], Parse, tuple[type[Exception], ...]]


class NotKept(Exception):
    """What was taken did not come back the same."""


def found() -> list[Found]:
    """Name, sound frames, parser and its refusals of each."""
    made = vectors()
    request, answer = (json.dumps(made[name]).encode() for name in ("request", "answer"))
    asked, told = (json.dumps(made[f"{name}_payload"]).encode() for name in ("request", "answer"))
    parts = tuple("\n".join(enrolment_parts.parts(whole)).encode() for whole in (answer, b"{}"))
    refused = (jws.Refused,)
    drop = json.dumps({"center": "https://a.example:8443", "code": made["code"], "ca": "", "path": "center-1"})
    return [
        ("enrolment: request", (request,), _again(enrolment.read_request, "request"), refused),
        ("enrolment: answer", (answer,), _again(enrolment.read_answer, "answer"), refused),
        ("enrolment: request, signed", (asked,), _signed(ENROLMENT, "request", enrolment.read_request), refused),
        (
            "enrolment: answer, signed",
            (told,),
            _signed(ENROLMENT_ANSWER, "answer", enrolment.read_answer),
            (jws.Refused,),
        ),
        ("center: enrolment", (request,), _read, (Declined,)),
        ("center: enrolment, signed", (asked,), _signed(ENROLMENT, "request", read_request), (Declined,)),
        (
            "enrolment: parts",
            parts,
            _parts,
            (enrolment_parts.BadPart,),
        ),
        ("enrolment: one-time code", (str(made["code"]).encode(),), _code, (one_time_code.BadCode,)),
        ("enrolment: enrol.json", (drop.encode(),), _drop, (ValidationError,)),
    ]


def _again(read: Callable[[bytes], tuple[Any, Any]], name: str) -> Parse:
    def parse(data: bytes) -> None:
        sealed, payload = read(data)
        if read(sealed.model_dump_json().encode()) != (sealed, payload) or not getattr(sealed, name):
            raise NotKept

    return parse


def _signed(typ: str, name: str, read: Callable[[bytes], object]) -> Parse:
    """A payload as it comes, under a signature that holds: of the key that the sound ones name."""
    seed = hashlib.sha256(f"fenghuo test vector: {'panel' if name == 'request' else 'center'}".encode()).digest()
    private = Ed25519PrivateKey.from_private_bytes(seed)
    kid = jws.key_id(private.public_key())

    def parse(data: bytes) -> None:
        head = jws.b64url(json.dumps({"alg": "EdDSA", "kid": kid, "typ": typ}).encode())
        body = f"{head}.{jws.b64url(data)}"
        token = f"{body}.{jws.b64url(private.sign(body.encode()))}"
        read(json.dumps({name: token, "mac": ""}).encode())

    return parse


def _read(data: bytes) -> None:
    asked = read_request(data)
    if read_request(json.dumps({"request": asked.token, "mac": asked.mac}).encode()).hash != asked.hash:
        raise NotKept


def _parts(data: bytes) -> None:
    whole = enrolment_parts.put_together(data)
    if not data.lstrip().startswith(b"{"):
        again = enrolment_parts.put_together("\n".join(enrolment_parts.parts(whole)).encode())
        if again != whole:
            raise NotKept


def _code(data: bytes) -> None:
    code = one_time_code.read_code(data.decode(errors="replace"))
    if one_time_code.read_code(one_time_code.printed(code)) != code:
        raise NotKept


def _drop(data: bytes) -> None:
    drop = Drop.model_validate_json(data)
    if Drop.model_validate_json(drop.model_dump_json()) != drop:
        raise NotKept
