"""A release's manifest: which files belong to one version, signed as a whole by the release key.

The builder of images writes it, whoever flashes or updates reads it: `fenghuo-VERSION.manifest.json` holds the
canonical bytes (RFC 8785), `fenghuo-VERSION.manifest.jws` the same under a signature, and that one alone counts.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from firmware.protocol.jws import KeyRing, Refused, Signer, load_public
from firmware.protocol.records import UtcText
from firmware.protocol.typ import RELEASE

MAX_FILES = 32
MAX_KEY_BYTES = 4096
MAX_KEYS = 16

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
VersionText = Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+){1,3}([a-z0-9.+~-]{0,32})$", max_length=64)]


class BadReleaseKey(Exception):
    """A file that should hold a public release key and does not; names it and what was found."""


class ReleaseFile(BaseModel):
    """One file of a release."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    size: Annotated[int, Field(ge=1, le=2**40)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Manifest(BaseModel):
    """What a version consists of. Members that are not known here do no harm: an older tool reads a newer release."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    version: VersionText
    created: UtcText
    target: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$", description="the boards that it is for")]
    floor: Annotated[VersionText, Field(description="no panel that had this one goes back below")]
    files: Annotated[Mapping[FileName, ReleaseFile], Field(min_length=1, max_length=MAX_FILES)]


def read_manifest(keys: KeyRing, token: str) -> Manifest:
    """The manifest that one of these release keys signed. Raises `Refused`."""
    payload = keys.verify(RELEASE, token.strip())
    try:
        # By way of JSON: strict models take a list or a date there as JSON writes it.
        return Manifest.model_validate_json(json.dumps(payload))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise Refused("malformed", f"{place}: {first['msg']}, found {first['input']!r}") from None


def sign_manifest(signer: Signer, manifest: Manifest) -> str:
    """The compact JWS whose payload are the canonical bytes of the manifest."""
    return signer.sign(RELEASE, manifest.model_dump())


def release_keys(places: Iterable[Path]) -> list[Ed25519PublicKey]:
    """The public keys in these files (`*.jwk`), or in folders of such files. Raises `BadReleaseKey`, `OSError`."""
    files = [file for place in places for file in (sorted(place.glob("*.jwk")) if place.is_dir() else [place])]
    if len(files) > MAX_KEYS:
        raise BadReleaseKey(f"{files[0].parent}: {len(files)} keys, at most {MAX_KEYS}")
    return [_public(file) for file in files]


def _public(file: Path) -> Ed25519PublicKey:
    with file.open("rb") as stream:
        data = stream.read(MAX_KEY_BYTES + 1)
    try:
        if len(data) > MAX_KEY_BYTES:
            raise ValueError(f"more than {MAX_KEY_BYTES} bytes")
        jwk = json.loads(data)
        if jwk["kty"] != "OKP" or jwk["crv"] != "Ed25519" or "d" in jwk:
            raise ValueError("not a public Ed25519 key")
        return load_public(jwk["x"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadReleaseKey(f"{file}: {error}; expected a JWK: kty OKP, crv Ed25519, x") from None
