"""Proves an event: every picture against its manifest and its record, the records against the chain and a signature.

What is wrong is named file by file, record by record. What can't be wrong, but should be known (a capture that was cut
off, pictures that went at the end of their retention, no checkpoint yet), is a note.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from firmware.language import Text, pick
from firmware.protocol.canonical import NotCanonical, canonical, sha256_hex
from firmware.protocol.evidence import HOLD, NAME, CaptureManifest
from firmware.protocol.jws import KeyRing, Refused
from firmware.protocol.messages import MAX_MANIFEST, Manifest, Picture, Sealed
from firmware.protocol.signed import read_checkpoint
from provisioning.evidence.events import Event, Shelf
from provisioning.journal_lines import Stored

CHECKPOINT = "journal.checkpoint"
MAX_RECORDS = 200_000
"""Records from the alarm to the next checkpoint; a checkpoint comes every hour."""

SAYS: dict[str, Text] = {
    "missing": ("missing", "缺失"),
    "altered": ("altered: SHA-256 {found}, expected {expected}", "被改动：SHA-256 为 {found}，应为 {expected}"),
    "extra": ("no record and no manifest names it", "日志与清单均未记载"),
    "unreadable": ("can't be read: {found}", "无法读取：{found}"),
    "manifest": ("the manifest is not of this event: {found}", "清单不属于本警情：{found}"),
    "told": ("the manifest says otherwise than the record: {found}", "清单与日志记录不符：{found}"),
    "record": ("record {found}: altered", "记录 {found}：被改动"),
    "link": ("record {found} does not follow the one before", "记录 {found} 与前一条不衔接"),
    "signature": ("checkpoint {found} is not signed by the panel", "检查点 {found} 的主机签名无效"),
    "cut-off": ("capture cut off: it has no manifest", "抓拍中断：无清单"),
    "deleted": ("deleted at the end of its retention, as recorded", "到期已删除，日志有记录"),
    "fault": ("pictures are missing, as the panel said itself: {found}", "主机已说明图像缺失：{found}"),
    "no-checkpoint": (
        "no signed checkpoint follows yet; one comes within an hour",
        "其后尚无签名检查点，一小时内将生成",
    ),
}


@dataclass(frozen=True)
class Finding:
    """One thing: a name of `SAYS`, the file or record that it is about, what was found and expected."""

    code: str
    place: str
    found: str = ""
    expected: str = ""

    def say(self) -> str:
        """In the language of the terminal."""
        return f"{self.place}: {pick(SAYS[self.code], found=self.found, expected=self.expected)}"


@dataclass
class Proof:
    """What the check gave. `files`: sound ones by their path in the evidence folder, with their SHA-256.

    `chain`: the records from the event's first to the checkpoint that vouches for it.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    manifests: list[CaptureManifest] = field(default_factory=list)
    chain: list[Stored] = field(default_factory=list)
    checkpoint: int = 0

    def wrong(self, code: str, place: str, found: object = "", expected: str = "") -> None:
        """Add a finding."""
        self.findings.append(Finding(code, place, str(found)[:200], expected))

    def note(self, code: str, place: str, found: object = "") -> None:
        """Add a note."""
        self.notes.append(Finding(code, place, str(found)[:200]))


def prove(shelf: Shelf, event: Event) -> Proof:
    """Check everything of an event. Raises `BadUse` where journal or key can't be read."""
    proof = Proof()
    _chain(shelf, event, KeyRing([shelf.source.public_key(), *shelf.source.former_keys()]), proof)
    gone = shelf.deleted()
    captures: dict[str, list[Manifest]] = {}
    for _, part in event.parts():
        captures.setdefault(_folder_of(part), []).append(part)
    for folder, parts in captures.items():
        if folder in gone and not (shelf.folder / folder).exists():
            proof.note("deleted", folder)
        elif folder:
            _capture(shelf.folder, folder, event, parts, proof)
        for fault in dict.fromkeys(part.fault for part in parts if part.fault):
            proof.note("fault", folder or parts[0].camera, fault)
    return proof


def _folder_of(part: Manifest) -> str:
    files = [*(picture.file for picture in part.pictures), *((part.thumbnail.file,) if part.thumbnail else ())]
    files += [part.sealed.file] if part.sealed else []
    return files[0].rpartition("/")[0] if files else ""


# --- pictures ---------------------------------------------------------------------------------------


def _capture(root: Path, folder: str, event: Event, parts: list[Manifest], proof: Proof) -> None:
    told = {picture.file: picture for part in parts for picture in _pictures(part)}
    sealed = next((part.sealed for part in parts if part.sealed), None)
    known = dict(told)
    if sealed is None:
        proof.note("cut-off", folder)
    else:
        manifest = _manifest(root, sealed, event, proof)
        if manifest is not None:
            known |= _compared(manifest, told, sealed.file, proof)
    for file, picture in sorted(known.items()):
        _file(root, file, picture.sha256, proof)
    expected = {*known, *((sealed.file,) if sealed else ())}
    for path in sorted((root / folder).glob("*")):
        name = f"{folder}/{path.name}"
        if name not in expected and path.name != HOLD:
            proof.wrong("extra", name)


def _pictures(part: Manifest) -> Iterable[Picture]:
    return (*part.pictures, part.thumbnail) if part.thumbnail else part.pictures


def _manifest(root: Path, sealed: Sealed, event: Event, proof: Proof) -> CaptureManifest | None:
    if not _file(root, sealed.file, sealed.sha256, proof):
        return None
    try:
        manifest = CaptureManifest.model_validate_json((root / sealed.file).read_bytes())
    except (OSError, ValidationError) as error:
        proof.wrong("unreadable", sealed.file, type(error).__name__)
        return None
    header = event.records[0].header
    stands = (header.get("panel"), event.incident)
    if (manifest.panel, manifest.incident) != stands or manifest.journal not in ("", event.journal):
        proof.wrong("manifest", sealed.file, f"{manifest.panel} {manifest.journal} {manifest.incident}")
        return None
    proof.manifests.append(manifest)
    return manifest


def _compared(manifest: CaptureManifest, told: dict[str, Picture], place: str, proof: Proof) -> dict[str, Picture]:
    listed = {picture.file: picture for picture in (*manifest.pictures, *manifest.thumbnails)}
    for file, picture in told.items():
        if file not in listed or listed[file].sha256 != picture.sha256:
            proof.wrong("told", place, file)
    return listed


def _file(root: Path, file: str, expected: str, proof: Proof) -> bool:
    """Whether this file is there as it was written."""
    try:
        with (root / file).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        proof.wrong("missing", file)
        proof.missing.append(file)
        return False
    except OSError as error:
        proof.wrong("unreadable", file, error.strerror or error)
        return False
    if found != expected:
        proof.wrong("altered", file, found, expected)
        return False
    if file.endswith(NAME) and (root / file).stat().st_size > MAX_MANIFEST:
        proof.wrong("unreadable", file, f"> {MAX_MANIFEST} bytes")
        return False
    proof.files[file] = found
    return True


# --- records ----------------------------------------------------------------------------------------


def _chain(shelf: Shelf, event: Event, keys: KeyRing, proof: Proof) -> None:
    """From the event's first record to the first checkpoint behind its last."""
    last = event.records[-1].seq
    before: Stored | None = None
    for record in shelf.chain(event):
        _record(record, before, proof)
        proof.chain.append(record)
        if record.header.get("kind") == CHECKPOINT and before is not None:
            if not _vouched(record, before, keys):
                proof.wrong("signature", event.file.name, record.seq)
            elif record.seq > last:
                proof.checkpoint = record.seq
                return
        if len(proof.chain) >= MAX_RECORDS:
            break
        before = record
    proof.note("no-checkpoint", event.file.name)


def _record(record: Stored, before: Stored | None, proof: Proof) -> None:
    header = record.header
    sound = _hash(header) == record.hash and header.get("seq") == record.seq
    if record.payload is not None:
        sound = sound and _hash(record.payload) == header.get("payload_hash")
    if not sound:
        proof.wrong("record", "journal", record.seq)
    elif before is not None and (header.get("prev"), record.seq) != (before.hash, before.seq + 1):
        proof.wrong("link", "journal", record.seq)


def _hash(members: dict[str, object]) -> str:
    try:
        return sha256_hex(canonical(members))
    except NotCanonical:
        return ""


def _vouched(record: Stored, before: Stored, keys: KeyRing) -> bool:
    try:
        signed = read_checkpoint(keys, str((record.payload or {}).get("jws")))
    except Refused:
        return False
    header = before.header
    stands = (header.get("panel"), header.get("journal"), before.seq, before.hash)
    return (signed.panel, signed.journal, signed.seq, signed.hash) == stands


def as_line(record: Stored, whole: bool) -> str:
    """A record in a bundle: header and payload as the very texts that are hashed. Not `whole`: without its payload."""
    payload = canonical(record.payload).decode() if whole and record.payload is not None else None
    return json.dumps({"hash": record.hash, "header": canonical(record.header).decode(), "payload": payload})
