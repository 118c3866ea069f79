"""A report as a folder or a ZIP: its data, pages, pictures, and a manifest of them that the panel has signed.

`manifest.json` names every file by its SHA-256, `manifest.jws` is core's signature over it (`signed.SignedReport`).
"""

import errno
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import b64url, key_id
from firmware.protocol.messages import RunId
from firmware.protocol.records import Hash, PanelId, Strict

FORMAT = "fenghuo.report.v1"
MANIFEST, SIGNATURE, KEYS = "manifest.json", "manifest.jws", "keys.json"
DATA: Mapping[str, str] = {"acceptance": "acceptance.json", "trial": "trial.json"}
PICTURES = "pictures/"
MAX_FILES = 256
MAX_FILE = 64 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)

FileName = Annotated[str, Field(pattern=r"^(pictures/)?[a-z0-9][a-z0-9.-]{0,79}$")]


class Manifest(Strict):
    """What a report consists of."""

    format: Literal["fenghuo.report.v1"]
    what: Literal["acceptance", "trial"]
    panel: PanelId
    run: RunId
    files: dict[FileName, Hash] = Field(max_length=MAX_FILES)


def manifest(what: Literal["acceptance", "trial"], panel: str, run: str, files: Mapping[str, bytes]) -> bytes:
    """The manifest of these files, as it is signed."""
    listed = {name: sha256_hex(data) for name, data in files.items()}
    made = Manifest(format="fenghuo.report.v1", what=what, panel=panel, run=run, files=listed)
    return canonical(made.model_dump())


def keys_file(keys: list[Ed25519PublicKey]) -> bytes:
    """The panel's public keys, the one that signs first."""
    rows = [{"crv": "Ed25519", "kid": key_id(k), "kty": "OKP", "x": b64url(k.public_bytes_raw())} for k in keys]
    return json.dumps({"keys": rows}, indent=2).encode()


def write(out: Path, files: Mapping[str, bytes], listed: bytes, sign: Callable[[str], str]) -> None:
    """Make the report at `out`, which must not exist; a name that ends in .zip makes a ZIP, else a folder.

    `sign` gives the JWS over the manifest of this SHA-256. Raises `OSError`; nothing is left at `out` then.
    """
    if out.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
    part = out.with_name(f".{out.name}.part")
    _clear(part)
    try:
        _written(part, out.suffix == ".zip", {**files, MANIFEST: listed})
        # Recorded and signed last: what the journal tells of is on the card.
        _add(part, SIGNATURE, sign(sha256_hex(listed)).encode())
        part.rename(out)
    finally:
        _clear(part)


def _written(part: Path, zipped: bool, files: Mapping[str, bytes]) -> None:
    if zipped:
        with zipfile.ZipFile(part, "x") as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
        return
    part.mkdir(parents=True)
    for name, data in files.items():
        (part / name).parent.mkdir(exist_ok=True)
        (part / name).write_bytes(data)


def _add(part: Path, name: str, data: bytes) -> None:
    if part.is_dir():
        (part / name).write_bytes(data)
        return
    with zipfile.ZipFile(part, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)


def _clear(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)
