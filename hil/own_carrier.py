"""Our journal and uplink as a carrier for benches, beside Mosquitto's bridge. A record's number is its `seq`."""

import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path

from firmware.core.keys import load_or_make
from hil.bench_core import open_journal
from hil.carrier import Carrier, boot_ms
from hil.stand import Stand
from hil.stand_center import RECEIPTS


class Own(Carrier):
    """The reference center is its other end."""

    name = "Fenghuo"

    def __init__(self, data: Path | None, link: int, remote: int) -> None:
        super().__init__()
        self.stand = Stand([link], [remote], data=data)
        self.panel = self.stand.panel
        self._core: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        center = self.stand.center_parts[0]
        if not center.running:
            center.start().ready()
        self._core = subprocess.Popen(
            [sys.executable, "-m", "hil.bench_core", str(self.stand.panel_toml)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, args=(self._core,), daemon=True)
        self._reader.start()
        self.stand.uplink.start()

    def _read(self, core: "subprocess.Popen[bytes]") -> None:
        for line in core.stdout or ():
            words = line.decode().split()
            if len(words) == 4 and line.endswith(b"\n"):
                now = boot_ms()
                for seq in range(int(words[1]), int(words[2]) + 1):
                    self.kept[seq] = now
                    if words[3] == "alarm":
                        self.alarms.append(seq)
                    self.on_kept(seq)

    def kill(self) -> None:
        if self._core is not None:
            self._core.kill()
            self._core.wait(10)
        if self._reader is not None:
            self._reader.join(10)
        self.stand.uplink.kill()

    def make(self, count: int, per_s: float, lane: str = "status") -> None:
        if self._core is not None and self._core.stdin is not None:
            with suppress(OSError):
                self._core.stdin.write(f"make {count} {per_s} {lane}\n".encode())
                self._core.stdin.flush()

    def arrived(self) -> dict[int, int]:
        file = self.stand.centers[0] / "center.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            numbers = {(lane, n): seq for lane, n, seq in db.execute("SELECT lane, lane_seq, seq FROM records")}
        found: dict[int, int] = dict.fromkeys(numbers.values(), 0)
        notes = self.stand.centers[0] / RECEIPTS
        for line in notes.read_text().splitlines() if notes.exists() else ():
            _, lane, first, last, ms = line.split()
            for number in range(int(first), int(last) + 1):
                seq = numbers.get((lane, number))
                if seq is not None and not found[seq]:
                    found[seq] = int(ms)
        return found

    def again(self) -> int:
        file = self.stand.centers[0] / "center.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
            return int(db.execute("SELECT COALESCE(SUM(n), 0) FROM counts WHERE name = 'duplicate'").fetchone()[0])

    def close(self) -> None:
        self.kill()
        self.stand.close()


def reopened(data: Path, panel: str) -> set[int]:
    """The records of a journal after a power cut, opened as the panel opens it; none where there is no journal."""
    if not (data / "journal.sqlite").exists():
        return set()
    with tempfile.TemporaryDirectory(prefix="fh-run-") as run:
        journal = open_journal(data, Path(run), panel, load_or_make(data / "keys"))
        head = journal.mark().seq
        journal.close()
    with closing(sqlite3.connect(f"file:{data / 'journal.sqlite'}?mode=ro", uri=True)) as db:
        return {int(seq) for (seq,) in db.execute("SELECT seq FROM record WHERE seq <= ?", (head,))}
