"""What is found of a card that a power cut left: a small one made here, whole, then with each kind of harm."""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware.boot import slots
from hil.updates import frozen
from images.disk import FAT, LINUX, MIB, RAW, START, table
from tests.hil import receipted_site
from tests.hil.receipted_site import Site

SIZES = ((FAT, MIB), (RAW, MIB), (RAW, MIB), (LINUX, 8 * MIB))
A, B, DATA = START + MIB, START + 2 * MIB, START + 3 * MIB
VERSIONS = {"A": "0.1.0", "B": "0.2.0"}


@dataclass
class Card:
    folder: Path
    site: Site

    @property
    def raw(self) -> Path:
        return self.folder / "card.raw"

    def put(self, at: int, data: bytes) -> None:
        with self.raw.open("r+b") as file:
            file.seek(at)
            file.write(data)

    def look(self) -> frozen.Found:
        known = frozen.Known(receipted_site.x(self.site.core), receipted_site.x(self.site.center), self.site.centers[0])
        work = self.folder / "work"
        work.mkdir()
        good = {name: frozen.hash_of(self.folder / name) for name in VERSIONS.values()}
        return frozen.look_at(self.raw, work, good, known)


def image(version: str) -> bytes:
    return slots.pack({"fh_version": version}) + version.encode() * 100


@pytest.fixture
def card(tmp_path: Path) -> Card:
    """A runs, an update to B is on trial."""
    made = Card(tmp_path, receipted_site.make(tmp_path / "site", 1))
    tree = tmp_path / "tree"
    (tree / "updater").mkdir(parents=True)
    (tree / "updater/update.json").write_text(json.dumps({"stage": "trying"}))
    shutil.copytree(made.site.data, tree / "fenghuo/data")
    data = tmp_path / "data.ext4"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(data), "8M"], check=True)
    with made.raw.open("wb") as file:
        file.write(table(SIZES))
        file.truncate(DATA + 8 * MIB)
    for at in slots.COPIES:
        made.put(at, slots.pack(slots.made_primary(slots.FIRST, "B")))
    for at, version in ((A, VERSIONS["A"]), (B, VERSIONS["B"])):
        (tmp_path / version).write_bytes(image(version))
        made.put(at, image(version))
    made.put(DATA, data.read_bytes())
    return made


def test_a_whole_card_is_told_as_it_is(card: Card) -> None:
    assert card.look() == frozen.Found("B", "0.2.0", True, "trying", 14, ())


def out_of_tries(card: Card) -> None:
    for at in slots.COPIES:
        card.put(at, slots.pack({**slots.made_primary(slots.FIRST, "B"), "BOOT_B_LEFT": "0"}))


def test_a_slot_without_tries_is_not_the_one_that_starts(card: Card) -> None:
    out_of_tries(card)
    assert card.look() == frozen.Found("A", "0.1.0", True, "trying", 14, ())


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda c: c.put(B + 4200, b"\xff"), "slot B would start, and is not whole (0.2.0)"),
        (lambda c: c.put(B, b"\xff"), "slot B would start, and is not whole (no entry)"),
        (lambda c: c.put(DATA, b"\0" * 64 * 1024), "a boot would not mend its data partition"),
        (lambda c: c.site.at(1, "UPDATE records SET hash = 'other' WHERE lane = 'alarm' AND lane_seq = 2"), "altered"),
    ],
)
def test_each_harm_is_told(card: Card, harm: Callable[[Card], None], fault: str) -> None:
    harm(card)
    assert fault in " ".join(card.look().faults)


def test_a_record_that_the_center_holds_and_the_card_lacks_is_lost(card: Card) -> None:
    journal = card.folder / "journal.sqlite"
    shutil.copyfile(card.site.journal, journal)
    card.site.at(0, "DELETE FROM record WHERE seq = 14")
    data = card.folder / "data.ext4"
    for words in ("rm /fenghuo/data/journal.sqlite", f"write {card.site.journal} /fenghuo/data/journal.sqlite"):
        subprocess.run(["debugfs", "-w", "-R", words, str(data)], check=True, capture_output=True)
    card.put(DATA, data.read_bytes())
    assert "receipted_lost" in " ".join(card.look().faults)
