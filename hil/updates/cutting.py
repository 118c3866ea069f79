"""The play of power cuts: updates whose card is frozen at each step, as a cut at that moment would leave it.

Each frozen card is looked at on the host (which slot would start, is it whole, is every record there that the center
holds); of every state one is booted, beside a center that holds what it held then, until the update has come to an end.
"""

import base64
import json
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hil.rigs.machine.agent import AgentError
from hil.rigs.protocol import NotSeen, RigFault
from hil.updates import frozen
from hil.updates.board import INSTALL_S, PANEL, TRIAL_S, UpdateBoard
from hil.updates.ground import BOOT_S, DIES, ENDS, NEXT, Ground, Result, expect
from hil.updates.variants import Variant

log = logging.getLogger("hil.updates")

BOOK = "/data/updater/update.json"
LOOK_S, ANSWER_S = 0.15, 1.5
EVERY_S, LEAVING_S = 12.0, 5.0
"""A card is frozen at each new step, and so long after the last one: sooner while it restarts."""
LEAVING = ("switching", "restarting", "going-back")
COMPLETE_S = 180.0


@dataclass(frozen=True)
class Frozen:
    """`step`: what the book said when it was taken; `store`: what the center held; `stick`: what was plugged in."""

    name: str
    step: str
    card: Path
    store: Path
    stick: Path


class Knife:
    """Freezes cards while a play goes on; a context manager."""

    def __init__(self, box: UpdateBoard, folder: Path, most: int) -> None:
        """`most`: cards, but for those of new steps."""
        self._box, self._folder, self._most = box, folder, most
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="knife", daemon=True)
        self.taken: list[Frozen] = []
        folder.mkdir()

    def __enter__(self) -> "Knife":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(60)

    def _run(self) -> None:
        begun = at = time.monotonic()
        last = ""
        while not self._ended.wait(LOOK_S):
            step = self._step() or last
            due = time.monotonic() - at >= (LEAVING_S if step in LEAVING else EVERY_S)
            if step != last or (due and len(self.taken) < self._most):
                self._freeze(f"{time.monotonic() - begun:.0f} s", step)
                at, last = time.monotonic(), step

    def _step(self) -> str:
        """Where the update is, as its book says; nothing while the machine is not there to be asked."""
        try:
            told = self._box.board.machine.agent.call("get", ANSWER_S, path=BOOK)
            return str(json.loads(base64.b64decode(told["data"])).get("stage", ""))
        except (AgentError, RigFault, ValueError, KeyError):
            return ""

    def _freeze(self, when: str, step: str) -> None:
        number = len(self.taken)
        card, store = self._folder / f"{number:03}.qcow2", self._folder / f"{number:03}-center"
        try:
            self._box.freeze(card)
            store.mkdir()
            copy_of(self._box.folder / "far" / "center" / "center.sqlite", store / "center.sqlite")
        except (RigFault, OSError, sqlite3.Error) as error:
            log.info("not frozen: %s", error)
            return
        self.taken.append(Frozen(f"{when}, {step}", step, card, store, self._box.stick))


def cuts(ground: Ground, most: int, boots: int) -> Result:
    """An update that proves itself, then one whose panel does not start and that goes back: both cut at every step."""
    with ground.board("cuts") as box:
        box.commission()
        taken = _proving(ground, box, most) + _going_back(ground, box, most)
        kinds, audit = box.kinds(), box.audit()
        looked = [(cut, frozen.look(cut.card, _good(ground), box.known(cut.store))) for cut in taken]
        faults = [f"{cut.name}: {fault}" for cut, found in looked for fault in found.faults]
        tally: dict[str, int] = {}
        for _, found in looked:
            name = f"{found.stage}, {found.starts} {found.version}"
            tally[name] = tally.get(name, 0) + 1
        log.info("%d cards: %s; %s", len(looked), json.dumps(tally), faults)
        booted = [_booted(box, cut, found, faults) for cut, found in chosen(looked, boots)]
    return {
        "cuts": len(looked),
        "found": tally,
        "records looked for": sum(found.records for _, found in looked),
        "booted": booted,
        "at the center": kinds,
        "audit": audit,
        "faults": faults,
    }


def _proving(ground: Ground, box: UpdateBoard, most: int) -> list[Frozen]:
    box.plug(ground.bundle(Variant(NEXT)))
    before = box.board.boot_id()
    with Knife(box, ground.folder / "proving", most) as knife:
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
        time.sleep(2 * EVERY_S)
    return knife.taken


def _going_back(ground: Ground, box: UpdateBoard, most: int) -> list[Frozen]:
    box.plug(ground.bundle(Variant(DIES, harm="core")))
    before = box.board.boot_id()
    with Knife(box, ground.folder / "going-back", most) as knife:
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        before = box.board.boot_id()
        box.board.again(before, TRIAL_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "gone-back", BOOT_S, "it has gone back")
        time.sleep(2 * EVERY_S)
    return knife.taken


def _good(ground: Ground) -> dict[str, tuple[str, int]]:
    variants = {NEXT: Variant(NEXT), DIES: Variant(DIES, harm="core")}
    good = {version: frozen.image_of(ground.bundle(variant)) for version, variant in variants.items()}
    return {**good, ground.version: frozen.hash_of(ground.built / f"fenghuo-{ground.version}.slot")}


def chosen(looked: Iterable[tuple[Frozen, frozen.Found]], boots: int) -> list[tuple[Frozen, frozen.Found]]:
    """Of each state and slot that would start, the first card; of these as many as are wanted, from both updates."""
    firsts: dict[tuple[str, str, str], tuple[Frozen, frozen.Found]] = {}
    for cut, found in looked:
        firsts.setdefault((found.stage, found.starts, found.version), (cut, found))
    cards = list(firsts.values())
    wanted = min(boots, len(cards))
    return [cards[number * len(cards) // wanted] for number in range(wanted)]


def _booted(box: UpdateBoard, cut: Frozen, found: frozen.Found, faults: list[str]) -> str:
    """Boot a card: it must become a panel that runs, whose update comes to an end, and that its center holds whole."""
    begun = time.monotonic()
    try:
        box.from_card(cut.card, cut.store, cut.stick)
        box.up(BOOT_S)
        up = time.monotonic() - begun
        box.until(lambda: _ended(box), 2 * TRIAL_S, "the update comes to an end")
        box.up(BOOT_S)
        status = box.status()
        if not box.far.center.wait(lambda center: not center.complete(PANEL), COMPLETE_S):
            faults.append(f"{cut.name}, booted: the center lacks {box.far.center.complete(PANEL)[:3]}")
        end = f"{box.board.slot()} {status['stage']} {status['why']}".strip()
        said = f"{cut.name} ({found.stage}, {found.starts}): up {up:.0f} s, {end}, {box.audit()}"
    except (RigFault, AgentError, NotSeen) as error:
        said = f"{cut.name} ({found.stage}): {str(error)[:600]}"
        faults.append(said)
    log.info("booted: %s", said)
    return said


def _ended(box: UpdateBoard) -> bool:
    """It is over, or waits for people."""
    status = box.status()
    return status.get("stage") in (*ENDS, "none") or status.get("waiting") == "consents"


def copy_of(store: Path, place: Path) -> None:
    """What the center holds now, while it goes on."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)
