"""The steps of an acceptance run that need more than the panel's word: pictures on the card, receipts in its file."""

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firmware.config import Loaded
from firmware.journal.check import read_delivered
from firmware.journal.verify import open_to_read
from firmware.protocol.jws import KeyRing
from firmware.protocol.messages import AskSnapshot, Manifest
from provisioning.accept import texts as t
from provisioning.accept.judging import Failed
from provisioning.accept.plan import Step
from provisioning.accept.playing import Player, Seen
from provisioning.accept.results import PictureOf
from provisioning.accept.talking import Talk
from provisioning.accept.watching import Panel, Record, place

PICTURES = "pictures"
EVIDENCE = "evidence"
DELIVERED_S = 30.0
PAUSE_S = 2.0


@dataclass
class Proof:
    """What a run has gathered beside its results. `since`: the number of the run's first record."""

    loaded: Loaded
    folder: Path
    since: int
    pictures: list[PictureOf]
    made: int = 0
    receipted: int = 0
    missing: tuple[int, ...] = ()


def camera(proof: Proof, panel: Panel, talk: Talk, player: Player, patience_s: float) -> Callable[[Step], Seen]:
    """Plays the step of a camera: the panel takes pictures with it, as at an alarm."""

    def play(step: Step) -> Seen:
        after = panel.follow()
        said = {"subject": step.subject, "name": step.name}
        talk.tell("do", t.DO["camera"], said=said, step=step.id, act="camera", subject=step.subject, position="")
        player.tested("camera-test", camera=step.subject)
        post_s = next(c.post_s for c in proof.loaded.file.camera if c.id == step.subject)
        found = player.until(lambda: _taken(panel, after, step.subject), "not-seen", patience_s + post_s)
        return _kept(proof, step, found)

    return play


def _taken(panel: Panel, after: int, camera_id: str) -> tuple[Record, Manifest] | None:
    """The first record of pictures of this camera, with at least one picture and no fault."""
    panel.follow()
    for record in panel.records:
        if record["header"]["kind"] != "evidence.pictures" or record["header"]["seq"] <= after:
            continue
        try:
            manifest = Manifest.model_validate(record["payload"])
        except ValidationError:
            continue
        if manifest.camera == camera_id and manifest.pictures and not manifest.fault:
            return record, manifest
    return None


def _kept(proof: Proof, step: Step, found: tuple[Record, Manifest]) -> Seen:
    """Copy the picture nearest to the alarm, and hold it against the hash that the record tells."""
    record, manifest = found
    picture = min(manifest.pictures, key=lambda one: abs(one.offset_ms))
    source = proof.loaded.data / EVIDENCE / picture.file
    name = f"{step.subject}.jpg"
    target = proof.folder / PICTURES / name
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
    except OSError as error:
        raise Failed("picture", place(record), what=f"{picture.file}: {error.strerror}") from None
    if digest != picture.sha256:
        raise Failed("picture", place(record), what=f"{picture.file}: SHA-256")
    header = record["header"]
    shown = PictureOf(step.subject, name, digest, picture.width, picture.height, header["time"], manifest.verdict)
    proof.pictures[:] = [*(p for p in proof.pictures if p.camera != step.subject), shown]
    figures: dict[str, Any] = {
        "pictures": len(manifest.pictures),
        "size": f"{picture.width} x {picture.height}",
        "verdict": manifest.verdict,
        "offset_ms": picture.offset_ms,
    }
    return Seen(figures, place(record))


def receipts(proof: Proof, panel: Panel, keys: KeyRing, talk: Talk) -> Callable[[Step], Seen]:
    """Plays the last step: every record since the run began is delivered, by the ranges that the panel has signed."""

    def play(step: Step) -> Seen:
        talk.tell("do", t.DO["receipts"], step=step.id, act="receipts", position="")
        last = panel.follow()
        journal = str(panel.status()["journal"])
        end = time.monotonic() + DELIVERED_S
        while True:
            made, missing = _undelivered(Path(str(panel.ask(AskSnapshot())["path"])), proof, journal, last, keys)
            proof.made, proof.receipted, proof.missing = made, made - len(missing), tuple(missing[:64])
            if not missing:
                return Seen({"made": made, "receipted": made})
            if time.monotonic() >= end:
                raise Failed("missing", found=len(missing), made=made)
            time.sleep(PAUSE_S)

    return play


def _undelivered(snapshot: Path, proof: Proof, journal: str, last: int, keys: KeyRing) -> tuple[int, list[int]]:
    """How many records the run has made, and the numbers of those without a receipt. Raises `Failed`."""
    query = "SELECT seq, lane, lane_seq FROM record WHERE seq >= ? AND seq <= ? ORDER BY seq"
    try:
        with closing(open_to_read(snapshot)) as db:
            ranges, _ = read_delivered(db, proof.loaded.file.panel.id, journal, keys)
            rows = db.execute(query, (proof.since, last)).fetchall()
    except (sqlite3.Error, OSError) as error:
        raise Failed("refused", what=str(error)[:200]) from None
    missing = [int(seq) for seq, lane, n in rows if lane not in ranges or ranges[lane].gaps(n, n)]
    return len(rows), missing
