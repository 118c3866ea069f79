"""A card as a power cut left it, looked at on the host: which slot would start, is it whole, what the data says, and
whether each record is in its journal that the center held at that moment.

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
from firmware.boot.data import check
from hil.verdict import Verdict, judge

SECTOR, BLOCK = 512, 4096
PARTS = {"A": 2, "B": 3, "data": 4}
JOURNAL = "/fenghuo/data"
_PIECE = 1024 * 1024


@dataclass(frozen=True)
class Cut:
    """A card that was frozen. `store`: what the center held then; `stick`: what was plugged in."""

    name: str
    card: Path
    store: Path
    stick: Path


@dataclass(frozen=True)
class Known:
    """What the center knew at that moment: the panel's public key, its own of receipts, and the folder of its store."""

    panel_x: str
    receipt_x: str
    center: Path


@dataclass(frozen=True)
class Found:
    """`starts`: the slot that would start; `version`: of what is in it; `whole`: each byte of it; `stage`: of the
    update, by the book; `records`: in the journal. `faults`: why this is no panel that runs, or what it has lost."""

    starts: str
    version: str
    whole: bool
    stage: str
    records: int
    faults: tuple[str, ...]


def look(card: Path, good: Mapping[str, tuple[str, int]], known: Known) -> Found:
    """`card`: qcow2, which is not changed. `good`: SHA-256 and size of the whole slot images by version."""
    with tempfile.TemporaryDirectory(dir=card.parent) as folder:
        raw = Path(folder) / "card.raw"
        subprocess.run(["qemu-img", "convert", "-O", "raw", str(card), str(raw)], check=True)
        return look_at(raw, Path(folder), good, known)


def look_at(raw: Path, folder: Path, good: Mapping[str, tuple[str, int]], known: Known) -> Found:
    """As `look`, at a raw disk, which is not changed; `folder` takes what is taken out of it."""
    places = _places(raw)
    faults = []
    starts = slots.primary(slots.read(raw))
    with raw.open("rb") as disk:
        disk.seek(places[starts][0])
        version = _version(disk.read(BLOCK))
    whole = version in good and _sha256(raw, places[starts][0], good[version][1]) == good[version][0]
    if not whole:
        faults.append(f"slot {starts} would start, and is not whole ({version or 'no entry'})")
    data = folder / "data.ext4"
    _take(raw, *places["data"], data)
    if not check(data):
        faults.append("a boot would not mend its data partition")
    book = _read(data, "/updater/update.json")
    stage = str(json.loads(book).get("stage", "none")) if book else "none"
    verdict = _judged(data, folder / "journal", known)
    faults += _lost(verdict)
    return Found(starts, version, whole, stage, verdict.records, tuple(faults))


def _judged(data: Path, folder: Path, known: Known) -> Verdict:
    folder.mkdir()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        if content := _read(data, f"{JOURNAL}/{name}"):
            (folder / name).write_bytes(content)
    return judge(folder, known.panel_x, [known.receipt_x], [known.center])


def _lost(verdict: Verdict) -> list[str]:
    """What must not be, also in the midst of a delivery: others are what is on its way."""
    counts = {name: getattr(verdict, name) for name in ("receipted_lost", "doubled", "altered", "unsound")}
    bad = [f"{count} {name}: {verdict.texts[:3]}" for name, count in counts.items() if count]
    return bad if verdict.records else [*bad, "no journal"]


def hash_of(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a slot's image."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def image_of(bundle: Path) -> tuple[str, int]:
    """SHA-256 and size of the image in a bundle. Raises `CalledProcessError`."""
    words = ["rauc", "info", "--no-verify", "--output-format=json", str(bundle)]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    image = told["images"][0]["rootfs"]
    return str(image["checksum"]), int(image["size"])


def _places(raw: Path) -> dict[str, tuple[int, int]]:
    """Start and length of the partitions, bytes."""
    done = subprocess.run(["sfdisk", "--json", str(raw)], capture_output=True, text=True, check=True)
    table: list[dict[str, Any]] = json.loads(done.stdout)["partitiontable"]["partitions"]
    return {
        name: (table[number - 1]["start"] * SECTOR, table[number - 1]["size"] * SECTOR)
        for name, number in PARTS.items()
    }


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
