"""A panel's journal, and a mirror of it that a test turns by hand."""

import hashlib
from pathlib import Path

from firmware.journal.verify import verify
from firmware.mirror.keeping import Mirror
from firmware.mirror.words import Setup
from tests.firmware.journal.rig import PANEL, SIGNER, Rig

FILE = "# a panel file\n"
KEY = '{"crv":"Ed25519","kty":"OKP","x":"x"}\n'


def idle() -> None:
    """Nobody waits for a sign of life."""


class Stick:
    """The second medium, and the mirror on it."""

    def __init__(self, rig: Rig, folder: Path, second: bool = False) -> None:
        self.folder = folder
        file = rig.data.parent / "panel.toml"
        file.write_text(FILE)
        sha256 = hashlib.sha256(FILE.encode()).hexdigest()
        self.setup = Setup(PANEL, str(rig.data), str(rig.run), str(folder), str(file), sha256, KEY, second)
        self.mirror = Mirror(self.setup)
        self.now_s = 0.0

    def turn(self) -> tuple[str, str]:
        """One turn; code and text of what is wrong."""
        self.now_s += 1.0
        return self.mirror.turn(self.now_s, idle)

    def copy(self, journal: str) -> Path:
        return self.folder / f"journal-{journal}.sqlite"

    def sound(self) -> dict[str, int]:
        """Each journal on it, proven, and its last record."""
        found = {}
        for path in self.folder.glob("journal-*.sqlite"):
            report = verify(path, SIGNER.public)
            assert report.findings == [], path
            found[report.journal] = report.last
        return found
