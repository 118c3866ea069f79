"""A small evidence bundle that is genuine, and the same with one file of it replaced and the whole signed anew.

So what stands inside a bundle is fuzzed too: the check reads it only behind a signature that holds.
"""

import io
import json
import zipfile
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.stored import GENESIS
from firmware.protocol.typ import BUNDLE, CHECKPOINT

PANEL, JOURNAL = "bank-0001", "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TIME = "2026-03-14T23:09:26.123Z"
FOLDER = "2026-03-14/000001-lobby"
PICTURE = b"\xff\xd8 a picture \xff\xd9"


def _listed(data: bytes, name: str) -> dict[str, Any]:
    return {
        "file": f"{FOLDER}/{name}",
        "sha256": sha256_hex(data),
        "bytes": len(data),
        "offset_ms": 0,
        "width": 640,
        "height": 480,
        "boxes": [],
    }


def manifest() -> bytes:
    """The manifest of a capture with one picture."""
    members = {
        "format": "fenghuo.evidence.v1",
        "panel": PANEL,
        "journal": JOURNAL,
        "incident": 1,
        "kind": "alarm.entry",
        "zone": "hall",
        "camera": "lobby",
        "folder": FOLDER,
        "time": TIME,
        "clock": "synchronised",
        "pictures": [_listed(PICTURE, "0000.jpg")],
        "thumbnails": [],
        "verdict": "unverified",
        "score": 0,
        "threshold": 400,
        "model": "none",
        "models": [],
        "parts": 1,
        "thinned": 0,
        "fault": "",
    }
    return canonical(members)


def chain(sealed: bytes) -> bytes:
    """Pictures, and the checkpoint that vouches for them."""
    whole = {"file": f"{FOLDER}/manifest.json", "sha256": sha256_hex(sealed), "bytes": len(sealed)}
    payload = {"incident": 1, "pictures": [_listed(PICTURE, "0000.jpg")], "thumbnail": None, "sealed": whole}
    first = _line(1, "evidence.pictures", payload, GENESIS)
    at = json.loads(first)["hash"]
    claim = {"panel": PANEL, "journal": JOURNAL, "seq": 1, "hash": at, "state_hash": GENESIS, "time": TIME}
    return first + _line(2, "journal.checkpoint", {"jws": SIGNER.sign(CHECKPOINT, claim)}, at)


def _line(seq: int, kind: str, payload: dict[str, Any], prev: str) -> bytes:
    said = canonical(payload)
    header = canonical(
        {
            "panel": PANEL,
            "journal": JOURNAL,
            "seq": seq,
            "kind": kind,
            "time": TIME,
            "payload_hash": sha256_hex(said),
            "prev": prev,
        }
    )
    line = {"hash": sha256_hex(header), "header": header.decode(), "payload": said.decode()}
    return json.dumps(line).encode() + b"\n"


def keys() -> bytes:
    """The key that signs here."""
    row = {"crv": "Ed25519", "kid": SIGNER.kid, "kty": "OKP", "x": b64url(SIGNER.public.public_bytes_raw())}
    return json.dumps({"keys": [row]}).encode()


def index() -> bytes:
    """The index of the genuine one."""
    with zipfile.ZipFile(io.BytesIO(bundle())) as archive:
        return archive.read("index.json")


def bundle(**replaced: bytes) -> bytes:
    """A bundle, with `picture`, `manifest`, `chain`, `keys` or `index` replaced and all of it signed."""
    sealed = replaced.get("manifest", manifest())
    files = {
        "keys.json": replaced.get("keys", keys()),
        "chain.jsonl": replaced.get("chain", chain(sealed)),
        f"evidence/{FOLDER}/manifest.json": sealed,
        f"evidence/{FOLDER}/0000.jpg": replaced.get("picture", PICTURE),
    }
    hashes = {name: sha256_hex(data) for name, data in files.items()}
    named = {"panel": PANEL, "journal": JOURNAL, "incident": 1, "by": "Li Wei", "time": TIME}
    listed = canonical({**named, "format": "fenghuo.bundle.v1", "reason": "", "files": hashes, "missing": []})
    index_ = replaced.get("index", listed)
    files["index.jws"] = SIGNER.sign(BUNDLE, {**named, "index": sha256_hex(index_)}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in {"index.json": index_, **files}.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()
