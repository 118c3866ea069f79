"""A bundle: everything of one event in a ZIP that proves itself to who knows the panel's public key.

`index.json` names every file by its SHA-256; core signs its hash. What is in: pictures and manifests, the records from
the alarm to the next signed checkpoint, the panel's public keys, a page to read, a script of 50 lines that checks it.
"""

import errno
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import b64url, key_id
from provisioning.evidence.events import Event
from provisioning.evidence.page import page
from provisioning.evidence.proof import CHECKPOINT, Proof, as_line

FORMAT = "fenghuo.bundle.v1"
INDEX, SIGNATURE, KEYS, CHAIN, PAGE, SCRIPT = (
    "index.json",
    "index.jws",
    "keys.json",
    "chain.jsonl",
    "index.html",
    "verify.py",
)
PICTURES = "evidence/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every entry: the same event gives the same bytes."""


@dataclass(frozen=True)
class Export:
    """Who takes an event away, when (UTC), and why."""

    by: str
    time: str
    reason: str


def write(
    out: Path,
    root: Path,
    event: Event,
    proof: Proof,
    keys: list[Ed25519PublicKey],
    export: Export,
    sign: Callable[[str], str],
) -> None:
    """Make the bundle at `out`, which must not exist. `sign` gives the JWS over the index of this SHA-256.

    Raises `OSError`; nothing is left at `out` then. Pictures are read twice and held one at a time.
    """
    small = {
        KEYS: _keys(keys),
        CHAIN: _chain(event, proof),
        PAGE: page(event, proof, export, [key_id(key) for key in keys]).encode(),
        SCRIPT: script().encode(),
    }
    listed = {name: sha256_hex(data) for name, data in small.items()}
    listed |= {PICTURES + file: sha256 for file, sha256 in proof.files.items()}
    index = canonical(
        {
            "format": FORMAT,
            "panel": str(event.records[0].header["panel"]),
            "journal": event.journal,
            "incident": event.incident,
            "by": export.by,
            "time": export.time,
            "reason": export.reason,
            "files": listed,
            "missing": sorted(proof.missing),
        }
    )
    whole = {INDEX: index, SIGNATURE: sign(sha256_hex(index)).encode(), **small}
    part = out.with_name(f".{out.name}.part")
    try:
        with zipfile.ZipFile(part, "x") as bundle:
            for name, data in whole.items():
                bundle.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
            for file in proof.files:
                bundle.writestr(zipfile.ZipInfo(PICTURES + file, _EPOCH), (root / file).read_bytes())
        if out.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(out))
        part.rename(out)  # not a link: a stick with FAT has none
    finally:
        part.unlink(missing_ok=True)


def script() -> str:
    """The program that checks a bundle, for a third party to read and run."""
    return Path(__file__).with_name("verify.txt").read_text(encoding="utf-8")


def _keys(keys: list[Ed25519PublicKey]) -> bytes:
    rows = [{"crv": "Ed25519", "kid": key_id(k), "kty": "OKP", "x": b64url(k.public_bytes_raw())} for k in keys]
    return json.dumps({"keys": rows}, indent=2).encode()


def _chain(event: Event, proof: Proof) -> bytes:
    """Of other records only what is chained: whatever else happened on the site is not the receiver's business."""
    own = {record.seq for record in event.records}
    lines = [as_line(r, r.seq in own or r.header.get("kind") == CHECKPOINT) for r in proof.chain]
    return "".join(f"{line}\n" for line in lines).encode()
