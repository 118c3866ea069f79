"""Checks a bundle as `verify.py` in it does, and names everything that is wrong instead of the first thing.

A bundle comes from anywhere: names, sizes and counts are bounded before anything is read.
"""

import json
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from firmware.language import Text, pick
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.evidence import NAME, CaptureManifest
from firmware.protocol.jws import KeyRing, Refused, key_id, load_public
from firmware.protocol.signed import Bundle, read_bundle, read_checkpoint
from provisioning.evidence.bundle import CHAIN, INDEX, KEYS, PICTURES, SCRIPT, SIGNATURE, script
from provisioning.evidence.events import PICTURES as PICTURES_KIND
from provisioning.evidence.proof import CHECKPOINT

MAX_FILES = 20_000
MAX_FILE = 256 * 1024 * 1024
MAX_KEYS = 32
_WRONG_SHAPE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What JSON of another shape than expected leads to."""
SCRIPT_OTHER: Text = ("verify.py is not the one that this program knows", "verify.py 与本程序内置的不一致")
SAYS: dict[str, Text] = {
    "zip": ("not a bundle: {found}", "不是证据包：{found}"),
    "missing": ("{place}: missing", "{place}：缺失"),
    "extra": ("{place}: not named by the index", "{place}：索引未列出"),
    "altered": ("{place}: altered", "{place}：被改动"),
    "unreadable": ("{place}: can't be read: {found}", "{place}：无法读取：{found}"),
    "signature": ("{place}: not signed by the panel: {found}", "{place}：主机签名无效：{found}"),
    "key": ("the bundle is not signed by the key that was given", "证据包并非由所给公钥签名"),
    "record": ("record {found}: altered, or one before it is missing", "记录 {found}：被改动或其前缺失"),
    "checkpoint": ("no signed checkpoint stands behind the pictures", "图像之后没有签名检查点"),
    "other": ("{place}: not as the records name it", "{place}：与日志记录不符"),
}


@dataclass
class Checked:
    """What the check of a bundle gave; it is genuine where nothing was found."""

    found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    claim: Bundle | None = None
    files: int = 0
    missing: list[str] = field(default_factory=list)
    kids: list[str] = field(default_factory=list)

    def wrong(self, code: str, place: str = "", found: object = "") -> None:
        """Add a finding."""
        self.found.append(pick(SAYS[code], place=place, found=str(found)[:200]))


class _Stop(Exception):
    """Nothing more can be checked."""


def check_bundle(bundle: Path | IO[bytes], key: Ed25519PublicKey | None = None) -> Checked:
    """Check a bundle; `key`: the panel's, as it is known from elsewhere. Raises `OSError` where it can't be read."""
    checked = Checked()
    try:
        with zipfile.ZipFile(bundle) as archive:
            _check(_Archive(archive, checked), key, checked)
    except _Stop:
        pass
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, *_WRONG_SHAPE) as error:
        checked.wrong("zip", found=error)
    return checked


class _Archive:
    """The files of a bundle, bounded, each read once."""

    def __init__(self, archive: zipfile.ZipFile, checked: Checked) -> None:
        self.entries = {entry.filename: entry for entry in archive.infolist()}
        self._archive = archive
        self._checked = checked
        if len(self.entries) != len(archive.infolist()) or len(self.entries) > MAX_FILES:
            self.stop("zip", found=f"{len(archive.infolist())} entries")

    def stop(self, code: str, place: str = "", found: object = "") -> None:
        """Add a finding behind which nothing can be checked. Raises `_Stop`."""
        self._checked.wrong(code, place, found)
        raise _Stop

    def read(self, name: str) -> bytes:
        """The bytes of a file that has to be there. Raises `_Stop`."""
        entry = self.entries.get(name)
        if entry is None:
            self.stop("missing", name)
        elif entry.file_size > MAX_FILE:
            self.stop("unreadable", name, f"{entry.file_size} bytes")
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
            self.stop("altered" if "CRC" in str(error) else "unreadable", name, error)
            raise

    def json(self, name: str) -> dict[str, Any]:
        """The object in a file. Raises `_Stop`."""
        try:
            value = json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            self.stop("unreadable", name, error)
        if not isinstance(value, dict):
            self.stop("unreadable", name, type(value).__name__)
        return dict(value)


def _check(archive: _Archive, key: Ed25519PublicKey | None, checked: Checked) -> None:
    keys = _keys(archive, checked)
    index_bytes = archive.read(INDEX)
    index = archive.json(INDEX)
    try:
        claim = checked.claim = read_bundle(keys, archive.read(SIGNATURE).decode("ascii", "replace"))
    except Refused as refused:
        archive.stop("signature", SIGNATURE, refused)
        return
    if key is not None and key_id(key) not in checked.kids[:1]:
        checked.wrong("key")
    if claim.index != sha256_hex(index_bytes):
        archive.stop("altered", INDEX)
    named = (index.get("panel"), index.get("journal"), index.get("incident"), index.get("by"))
    if named != (claim.panel, claim.journal, claim.incident, claim.by):
        checked.wrong("other", INDEX)
    files = index.get("files")
    checked.missing = [str(name) for name in index.get("missing", [])]
    sound = _files(archive, files if isinstance(files, dict) else {}, checked)
    told = _chain(archive, keys, claim, checked)
    wanted = {file: sha256 for file, sha256 in told.items() if file not in checked.missing}
    for file in sorted(wanted.keys() | sound.keys()):
        if wanted.get(file) != sound.get(file):
            checked.wrong("other", PICTURES + file)
    checked.files = len(sound)


def _keys(archive: _Archive, checked: Checked) -> KeyRing:
    rows = archive.json(KEYS).get("keys")
    try:
        publics = [load_public(row["x"]) for row in rows[:MAX_KEYS]] if isinstance(rows, list) else []
    except (KeyError, TypeError, ValueError) as error:
        archive.stop("unreadable", KEYS, error)
        raise
    checked.kids = [key_id(public) for public in publics]
    return KeyRing(publics)


def _files(archive: _Archive, files: dict[str, Any], checked: Checked) -> dict[str, str]:
    """Every file against the index; gives those of the evidence folder with their real hashes."""
    sound: dict[str, str] = {}
    for name in sorted(archive.entries.keys() - files.keys() - {INDEX, SIGNATURE}):
        checked.wrong("extra", name)
    for name, expected in files.items():
        try:
            found = sha256_hex(archive.read(name))
        except _Stop:
            continue
        if found != expected:
            checked.wrong("altered", name)
        elif name.startswith(PICTURES):
            sound[name.removeprefix(PICTURES)] = found
        elif name == SCRIPT and found != sha256_hex(script().encode()):
            checked.notes.append(pick(SCRIPT_OTHER))
    return sound


def _chain(archive: _Archive, keys: KeyRing, claim: Bundle, checked: Checked) -> dict[str, str]:
    """Walk the records; gives the files that they tell of, by their hashes."""
    told: dict[str, str] = {}
    before: tuple[int, str] | None = None
    last = vouched = 0
    for line in archive.read(CHAIN).splitlines():
        try:
            record = json.loads(line)
            header, payload = json.loads(record["header"]), json.loads(record["payload"] or "{}")
            seq, kind = int(header["seq"]), str(header["kind"])
            follows = before is None or (seq, header["prev"]) == (before[0] + 1, before[1])
            kept = not payload or sha256_hex(record["payload"].encode()) == header["payload_hash"]
            if not (follows and kept and sha256_hex(record["header"].encode()) == record["hash"]):
                checked.wrong("record", found=seq)
            if (header["panel"], header["journal"]) != (claim.panel, claim.journal):
                checked.wrong("record", found=seq)
            if kind == PICTURES_KIND and payload.get("incident") == claim.incident:
                last = seq
                told |= _told(archive, payload)
            if kind == CHECKPOINT and before is not None:
                point = read_checkpoint(keys, str(payload["jws"]))
                vouched = point.seq if (point.seq, point.hash) == before else vouched
            before = (seq, str(record["hash"]))
        except Refused as refused:
            checked.wrong("signature", CHAIN, refused)
            before = None
        except _WRONG_SHAPE as error:
            archive.stop("unreadable", CHAIN, error)
    if not 0 < last <= vouched:
        checked.wrong("checkpoint")
    return told


def _told(archive: _Archive, payload: dict[str, Any]) -> dict[str, str]:
    files = [*payload["pictures"], *([payload["thumbnail"]] if payload["thumbnail"] else [])]
    told = {str(file["file"]): str(file["sha256"]) for file in files}
    sealed = payload.get("sealed")
    if sealed:
        name = str(sealed["file"])
        told[name] = str(sealed["sha256"])
        if PICTURES + name in archive.entries and name.endswith(NAME):
            try:
                manifest = CaptureManifest.model_validate_json(archive.read(PICTURES + name))
            except ValidationError as error:
                archive.stop("unreadable", PICTURES + name, type(error).__name__)
            told |= {picture.file: picture.sha256 for picture in (*manifest.pictures, *manifest.thumbnails)}
    return told
