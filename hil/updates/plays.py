"""The plays of `python -m hil.updates`: each commissions a panel on the image, and does to it what life does."""

import json
import logging
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.bundle_signer import BundleSigner
from hil.rigs.machine.agent import AgentError
from hil.rigs.protocol import RigFault
from hil.updates import frozen, variants
from hil.updates.board import CORE_S, INSTALL_S, TRIAL_S, UpdateBoard
from hil.updates.variants import Variant
from images import bundle

log = logging.getLogger("hil.updates")

NEXT, NEWER, OLDER, DIES = "0.2.0", "0.3.0", "0.0.9", "0.2.9"
BOOT_S = 600.0
ENDS = ("good", "gone-back", "refused")

Result = dict[str, Any]


@dataclass(frozen=True)
class Site:
    """`built`: what `images.make` left; `out`: where variants are kept; `folder`: for this run; `version`: built."""

    built: Path
    keys: Path
    out: Path
    folder: Path
    version: str

    @property
    def image(self) -> Path:
        return self.built / f"fenghuo-{self.version}.img"

    def bundle(self, variant: Variant) -> Path:
        """Of a variant; made where it is not kept."""
        return variants.make(self.built, self.out, variant, self.keys)

    def board(self, name: str) -> UpdateBoard:
        """A card of its own."""
        return UpdateBoard(self.image, self.folder / name)


def there_and_back(site: Site, _cuts: int, _boots: int) -> Result:
    """First boot, A to B from a stick while armed, B to A by a rollback; areas as they were, all at the center."""
    found: Result = {}
    with site.board("there") as box:
        box.commission()
        found["from"] = box.board.slot()
        box.plug(site.bundle(Variant(NEXT)))
        before = box.board.boot_id()
        code, said = box.consents("install", "--usb", "--even-armed", "--reason", "trial", then=box.arm)
        _expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        box.up(BOOT_S)
        found["armed after"] = box.mode()
        found["trial s"] = round(box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends"))
        found["to"] = box.board.slot()
        box.arm(False)
        before = box.board.boot_id()
        code, said = box.consents("rollback")
        _expect(code == 0, said)
        box.board.again(before, BOOT_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
        found["back to"] = box.board.slot()
        box.far.wait_held("update.good", lambda record: record["payload"].get("source") == "slot:other", CORE_S)
        found["at the center"] = box.kinds()
        found["audit"] = box.audit()
    found["faults"] = (
        [] if (found["to"], found["back to"], found["armed after"]) == ("B", "A", "armed") else [str(found)]
    )
    return found


def refused(site: Site, _cuts: int, _boots: int) -> Result:
    """A wrong signature, an older version, a damaged image: the panel runs on as it was."""
    found: Result = {}
    with site.board("refused") as box:
        box.commission()
        good = site.bundle(Variant(NEXT))
        folder = site.folder / "bad"
        folder.mkdir()
        other = BundleSigner.make(folder / "keys")
        image = folder / "slot.img"
        image.write_bytes(good.read_bytes()[:1_000_000])
        wrong, older, damaged = (folder / f"{name}.raucb" for name in ("wrong", "older", "damaged"))
        bundle.make(image, wrong, bundle.About(version=NEXT), other.cert, other.key)
        bundle.make(image, older, bundle.About(version=OLDER), site.keys / "signer.crt", site.keys / "signer.pem")
        raw = bytearray(good.read_bytes())
        raw[len(raw) // 2] ^= 1
        damaged.write_bytes(raw)
        for path, why in ((wrong, "signature"), (older, "below-floor"), (damaged, "write")):
            box.plug(path)
            box.consents("install", "--usb")
            box.until(lambda: box.status().get("stage") in ENDS, INSTALL_S, "it is refused")
            found[path.stem] = f"{box.status()['stage']}: {box.status()['why']}"
            _expect(box.status()["why"] == why, f"{path.stem}: {box.status()}\n{box.log()}")
        before = box.board.boot_id()
        box.board.machine.agent.run("systemctl", "--no-block", "reboot")
        box.board.again(before, BOOT_S)
        box.up(BOOT_S)
        found["runs after a restart"] = box.board.slot()
        found["at the center"] = box.kinds()
        found["audit"] = box.audit()
    found["faults"] = [] if found["runs after a restart"] == "A" else [str(found)]
    return found


def broken(site: Site, _cuts: int, _boots: int) -> Result:
    """A bundle whose panel does not start: it goes back by itself, and the center hears why."""
    found: Result = {}
    with site.board("broken") as box:
        box.commission()
        box.plug(site.bundle(Variant(DIES, dies=True)))
        before = box.board.boot_id()
        code, said = box.consents("install", "--usb")
        _expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        begun, before = time.monotonic(), box.board.boot_id()
        found["tried"] = box.board.slot()
        box.board.again(before, TRIAL_S)
        box.up(BOOT_S)
        found["back after s"] = round(time.monotonic() - begun)
        told = box.far.wait_held("update.gone-back", lambda _: True, CORE_S)
        found["runs"], found["why"] = box.board.slot(), told["payload"]["why"]
        found["at the center"] = box.kinds()
        found["audit"] = box.audit()
    found["faults"] = [] if (found["runs"], found["why"]) == ("A", "core-silent") else [str(found)]
    return found


def cuts(site: Site, cuts: int, boots: int) -> Result:
    """One update, its card frozen at many moments as a power cut would leave it; each is looked at, some are booted."""
    cards: list[tuple[str, Path]] = []
    with site.board("cuts") as box:
        box.commission()
        box.plug(site.bundle(Variant(NEXT)))
        stages: list[str] = []
        ended = threading.Event()
        watcher = threading.Thread(target=lambda: _freeze(box, site.folder, cards, cuts, ended), daemon=True)
        before = box.board.boot_id()
        code, said = box.consents("install", "--usb", then=watcher.start)
        _expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
        ended.set()
        watcher.join(60)
        stages = box.kinds()
        good = {
            NEXT: _image(site.bundle(Variant(NEXT))),
            site.version: _file(site.built / f"fenghuo-{site.version}.slot"),
        }
        looked = [(when, card, frozen.look(card, good)) for when, card in cards]
        faults = [f"{when}: {fault}" for when, _, found in looked for fault in found.faults]
        tally: dict[str, int] = {}
        for _, _, found in looked:
            name = f"{found.stage}, {found.starts} {found.version}"
            tally[name] = tally.get(name, 0) + 1
        booted = _booted(box, looked, boots, faults)
    return {"cuts": len(looked), "found": tally, "booted": booted, "at the center": stages, "faults": faults}


def _freeze(box: UpdateBoard, folder: Path, cards: list[tuple[str, Path]], most: int, ended: threading.Event) -> None:
    """Freeze the card every few seconds until the update is over."""
    begun = time.monotonic()
    while len(cards) < most and not ended.wait(4.0):
        card = folder / f"frozen-{len(cards):03}.qcow2"
        try:
            box.freeze(card)
        except (RigFault, OSError) as error:
            log.info("not frozen: %s", error)
            continue
        cards.append((f"{time.monotonic() - begun:.0f} s", card))


def _booted(box: UpdateBoard, looked: list[tuple[str, Path, frozen.Found]], boots: int, faults: list[str]) -> list[str]:
    """Boot cards of as many states as there are; each must become a panel that runs, and that the center hears."""
    chosen: dict[str, tuple[str, Path, frozen.Found]] = {}
    for row in looked:
        chosen.setdefault(f"{row[2].stage} {row[2].starts}", row)
    told = []
    for when, card, found in list(chosen.values())[:boots]:
        try:
            box.from_card(card)
            box.up(BOOT_S)
            box.until(lambda: box.status().get("stage") != "", BOOT_S, "the updater answers")
            told.append(f"{when} ({found.stage}): {box.board.slot()}, {box.status()['stage']}")
        except (RigFault, AgentError) as error:
            faults.append(f"{when} ({found.stage}): {str(error)[:300]}")
    return told


def _image(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a bundle's image."""
    words = ["rauc", "info", "--no-verify", "--output-format=json", str(path)]
    told = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    image = told["images"][0]["rootfs"]
    return str(image["checksum"]), int(image["size"])


def _file(path: Path) -> tuple[str, int]:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _expect(true: bool, said: str) -> None:
    if not true:
        raise RigFault(said)


PLAYS: Mapping[str, Callable[[Site, int, int], Result]] = {
    "there-and-back": there_and_back,
    "refused": refused,
    "broken": broken,
    "cuts": cuts,
}
