"""A journal on real files with a clock that tests turn, and small file systems that run full."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.journal import Commit, Draft, Journal
from firmware.journal.verify import Report, verify
from firmware.protocol.jws import Signer
from firmware.protocol.stored import StoredRecord
from rules.vocabulary import KINDS
from tests.clock import TurnedClock

PANEL = "bank-branch-7"
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
CENTER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))


def state_bytes(state: object) -> bytes:
    """States of these tests are texts."""
    assert isinstance(state, str)
    return state.encode()


class Rig:
    """The folders, the clock and the key of one panel; `open` as often as you like."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.run = folder / "run"
        self.clock = TurnedClock()
        self.signer = SIGNER
        self.panel = PANEL

    @property
    def main(self) -> Path:
        return self.data / "journal.sqlite"

    def open(self, **more: Any) -> Journal:
        return Journal.open(
            self.data,
            self.run,
            self.panel,
            self.signer,
            self.clock,
            state_bytes,
            lambda kind: str(KINDS[kind].lane),
            lambda kind: KINDS[kind].checkpoint,
            **more,
        )

    def draft(self, kind: str = "zone.bypassed", **payload: Any) -> Draft:
        clock = self.clock
        clock.turn(7)
        moment = (
            f"2026-11-23T07:{clock.now_ms // 60_000 % 60:02}:{clock.now_ms // 1000 % 60:02}.{clock.now_ms % 1000:03}Z"
        )
        return Draft(
            kind, payload or {"zone": "z1", "n": clock.now_ms}, moment, "synchronised", clock.boot(), clock.now_ms
        )

    def commit(self, kind: str = "zone.bypassed", state: str | None = None, **payload: Any) -> Commit:
        return Commit((self.draft(kind, **payload),), state)

    def verify(self, path: Path | None = None, **more: Any) -> Report:
        return verify(path or self.main, self.signer.public, **more)


def everything(journal: Journal) -> list[StoredRecord]:
    reader = journal.reader()
    found: list[StoredRecord] = []
    while part := reader.after(found[-1].seq if found else 0):
        found += part
    reader.close()
    return found


def undelivered(journal: Journal) -> list[tuple[str, str, int, bytes]]:
    """All that the uplink would still get: journal, lane, lane_seq, payload."""
    reader = journal.reader()
    found = []
    for head in reader.heads():
        for lane, last in head.last.items():
            at = 1
            while at <= last:
                records, at = reader.pull(head.journal, lane, at, last)
                found += [(head.journal, lane, r.lane_seq, r.payload or b"") for r in records]
    reader.close()
    return found


@contextlib.contextmanager
def small_disk(folder: Path, size: str = "1m") -> Iterator[Path]:
    """A file system of its own that runs full."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small tmpfs needs root")
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a tmpfs can't be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
