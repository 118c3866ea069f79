"""Bundles whose index is signed and whose insides are false: what an exporter with a socket could have core sign."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.protocol.canonical import sha256_hex
from firmware.protocol.typ import CHECKPOINT
from hil.fuzz import bundles
from provisioning.evidence.bundle import script
from provisioning.evidence.bundle_check import check_bundle


def refused(data: bytes, folder: Path) -> tuple[bool, bool]:
    """By the command's check, and by the script."""
    (folder / "bundle.zip").write_bytes(data)
    (folder / "verify.py").write_text(script(), encoding="utf-8")
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder / "bundle.zip")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0 or "NOT GENUINE" in ran.stderr
    return bool(check_bundle(folder / "bundle.zip", bundles.SIGNER.public).found), ran.returncode != 0


def other_records() -> bytes:
    """A chain with a genuine checkpoint, of other records."""
    first, second = bundles.chain(bundles.manifest()).splitlines(keepends=True)
    claim = {"panel": bundles.PANEL, "journal": bundles.JOURNAL, "seq": 1, "hash": "0" * 64, "state_hash": "0" * 64}
    token = bundles.SIGNER.sign(CHECKPOINT, claim | {"time": bundles.TIME})
    line = json.loads(second)
    payload = json.dumps({"jws": token}, separators=(",", ":"))
    header = json.loads(line["header"]) | {"payload_hash": sha256_hex(payload.encode())}
    text = json.dumps(header, separators=(",", ":"), sort_keys=True)
    made = {"hash": sha256_hex(text.encode()), "header": text, "payload": payload}
    return first + json.dumps(made).encode()


def test_the_one_that_all_are_made_from_is_genuine(tmp_path: Path) -> None:
    assert refused(bundles.bundle(), tmp_path) == (False, False)


@pytest.mark.parametrize(
    "replaced",
    [
        {"picture": b"\xff\xd8 somebody else \xff\xd9"},
        {
            "manifest": bundles.manifest().replace(b'"unverified"', b'"person"'),
            "chain": bundles.chain(bundles.manifest()),
        },
        {"chain": bundles.chain(bundles.manifest()).splitlines(keepends=True)[0]},
        {"chain": other_records()},
        {"chain": b""},
        {"keys": b'{"keys": []}'},
    ],
    ids=["picture", "manifest", "no checkpoint", "checkpoint of other records", "no records", "no key"],
)
def test_a_signed_index_makes_nothing_inside_true(tmp_path: Path, replaced: dict[str, bytes]) -> None:
    assert refused(bundles.bundle(**replaced), tmp_path) == (True, True)
