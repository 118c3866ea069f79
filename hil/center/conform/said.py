"""What a center published to the panel, taken apart point by point: a wrong `typ` must not hide a right range."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from firmware.protocol.jws import MAX_BYTES, KeyRing, Refused, load_public, unb64url
from firmware.protocol.records import Strict

M = TypeVar("M", bound=Strict)


@dataclass(frozen=True)
class Heard:
    """A message as the broker gave it. `at`: seconds of the monotonic clock; `expiry_s`: None where none was set."""

    word: str
    data: bytes
    qos: int
    retain: bool
    expiry_s: int | None
    at: float


@dataclass(frozen=True)
class Said(Generic[M]):
    """A signed thing. `faults`: by the point that they break (`signature`, `typ`, `form`), what was found."""

    heard: Heard
    body: M | None
    faults: Mapping[str, str] = field(default_factory=dict)
    raw: Mapping[str, Any] = field(default_factory=dict)
    """The payload as it came."""


class Reader:
    """Reads what one kind of key signs."""

    def __init__(self, keys: list[str]) -> None:
        """`keys`: `x` of each public key that the center was said to have; raises `ValueError`."""
        self._ring = KeyRing([load_public(x) for x in keys])

    def read(self, heard: Heard, typ: str, model: type[M]) -> Said[M]:
        """Take it apart; never raises."""
        faults: dict[str, str] = {}
        header, body = _parts(heard.data)
        if header is None or body is None:
            return Said(heard, None, {"form": f"{heard.data[:60]!r}: no JWS in compact form"})
        if len(heard.data) > MAX_BYTES:
            faults["form"] = f"{len(heard.data)} characters, at most {MAX_BYTES}"
        if header.get("typ") != typ:
            faults["typ"] = f"typ {header.get('typ')!r:.64}"
        if fault := self._signature(heard.data, str(header.get("typ"))):
            faults["signature"] = fault
        try:
            return Said(heard, model.model_validate(body), faults, body)
        except ValidationError as error:
            first = error.errors()[0]
            faults["form"] = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
            return Said(heard, _known(model, body), faults, body)

    def _signature(self, data: bytes, typ: str) -> str:
        try:
            self._ring.verify(typ, data.decode("ascii", "replace"))
        except Refused as refused:
            return str(refused)
        return ""


def _known(model: type[M], body: dict[str, Any]) -> M | None:
    """What it says without the members that are not of the contract: the other points can still be judged."""
    try:
        return model.model_validate({name: value for name, value in body.items() if name in model.model_fields})
    except ValidationError:
        return None


def _parts(data: bytes) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    try:
        header, body, _ = data.decode("ascii").split(".")
        first, second = json.loads(unb64url(header)), json.loads(unb64url(body))
    except (ValueError, RecursionError):
        return None, None
    return (first if isinstance(first, dict) else None), (second if isinstance(second, dict) else None)
