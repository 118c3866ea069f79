"""A card as a power cut left it, looked at on the host: which slot would start, is it whole, what the data says.

Much quicker than a boot, so many moments of an update can be looked at; a sample of them is booted, too.
"""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.boot import slots

SECTOR, BLOCK = 512, 4096
PARTS = {"A": 2, "B": 3, "data": 4}
_PIECE = 1024 * 1024
CLEAN = (0, 1)
"""Exit codes of `e2fsck -p` after which a boot goes on."""


@dataclass(frozen=True)
class Found:
    """`starts`: the slot that would start; `version`: of what is in it; `whole`: by its hash tree; `stage`: of the
    update, by the book. `faults`: why this is no panel that runs."""

    starts: str
    version: str
    whole: bool
    stage: str
    faults: tuple[str, ...]


def look(card: Path, good: Mapping[str, tuple[str, int]]) -> Found:
    """`card`: qcow2, which is not changed. `good`: SHA-256 and size of the whole slot images by version."""
    with tempfile.TemporaryDirectory(dir=card.parent) as folder:
        raw = Path(folder) / "card.raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", str(card), str(raw)], check=True)
        places = _places(raw)
        faults = []
        starts = _starts(raw)
        with raw.open("rb") as disk:
            disk.seek(places[starts][0])
            version = _version(disk.read(BLOCK))
        whole = version in good and _sha256(raw, places[starts][0], good[version][1]) == good[version][0]
        if not whole:
            faults.append(f"slot {starts} would start, and is not whole ({version or 'no entry'})")
        data = Path(folder) / "data.ext4"
        _take(raw, *places["data"], data)
        raw.unlink()
        code = subprocess.run(["e2fsck", "-p", str(data)], capture_output=True, check=False).returncode
        if code not in CLEAN:
            faults.append(f"e2fsck -p ended with {code}")
        book = _read(data, "/updater/update.json")
        stage = str(json.loads(book).get("stage", "none")) if book else "none"
        if not _read(data, "/fenghuo/data/journal.sqlite"):
            faults.append("no journal")
    return Found(starts, version, whole, stage, tuple(faults))


def _places(raw: Path) -> dict[str, tuple[int, int]]:
    """Start and length of the partitions, bytes."""
    done = subprocess.run(["sfdisk", "--json", str(raw)], capture_output=True, text=True, check=True)
    table: list[dict[str, Any]] = json.loads(done.stdout)["partitiontable"]["partitions"]
    return {
        name: (table[number - 1]["start"] * SECTOR, table[number - 1]["size"] * SECTOR)
        for name, number in PARTS.items()
    }


def _starts(raw: Path) -> str:
    """As the boot script chooses."""
    return slots.primary(slots.read(raw))


def _version(entry: bytes) -> str:
    try:
        return slots.unpack(entry).get("fh_version", "")
    except slots.BadEnvironment:
        return ""


def _sha256(raw: Path, start: int, size: int) -> str:
    digest = hashlib.sha256()
    with raw.open("rb") as disk:
        disk.seek(start)
        while size > 0 and (piece := disk.read(min(size, _PIECE))):
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()


def _take(raw: Path, start: int, size: int, place: Path) -> None:
    words = ["dd", f"if={raw}", f"of={place}", "bs=1M", "iflag=skip_bytes,count_bytes", "conv=sparse"]
    subprocess.run([*words, f"skip={start}", f"count={size}"], check=True, capture_output=True)


def _read(data: Path, path: str) -> bytes:
    """A file of an ext4 image; nothing where it is not."""
    done = subprocess.run(["debugfs", "-R", f"cat {path}", str(data)], capture_output=True, check=False)
    return done.stdout
