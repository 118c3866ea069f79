"""The play of power cuts: updates whose card is frozen at each step, as a cut at that moment would leave it.

Each frozen card is looked at on the host (which slot would start, is it whole, is every record there that the center
holds); of every state one or more are booted, beside a center that holds what it held then (`hil.updates.booted`).
"""

import base64
import json
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hil.rigs.machine.agent import AgentError
from hil.rigs.protocol import RigFault
from hil.updates import booted, frozen
from hil.updates.board import CORE_S, INSTALL_S, TRIAL_S, UpdateBoard
from hil.updates.frozen import Cut, Found
from hil.updates.ground import BOOT_S, LATER, NEXT, Ground, Result, expect
from hil.updates.variants import Variant

log = logging.getLogger("hil.updates")

BOOK = "/data/updater/update.json"
LOOK_S, ANSWER_S = 0.15, 1.5
EVERY_S = 12.0
EVERY_S_IN = {"switching": 8.0, "restarting": 8.0, "going-back": 8.0, "trying": 90.0}
"""A card is frozen at each new step, and so long after the last one: sooner while it restarts."""


class Knife:
    """Freezes cards while a play goes on; a context manager."""

    def __init__(self, box: UpdateBoard, folder: Path, most: int) -> None:
        """`most`: cards, but for those of new steps."""
        self._box, self._folder, self._most = box, folder, most
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="knife", daemon=True)
        self.taken: list[Cut] = []
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
            due = time.monotonic() - at >= EVERY_S_IN.get(step, EVERY_S)
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
        self.taken.append(Cut(f"{when}, {step}", step, card, store, self._box.stick))


def cuts(ground: Ground, most: int, boots: int) -> Result:
    """An update that proves itself, then one without a receipt, which goes back: both cut at every step."""
    with ground.board("cuts") as box:
        box.commission()
        taken = _proving(ground, box, most)
        more, back = _going_back(ground, box, most)
        taken += more
        kinds, audit = box.kinds(), box.audit()
        looked = [(cut, frozen.look(cut.card, _good(ground), box.known(cut.store))) for cut in taken]
        faults = [f"{cut.name}: {fault}" for cut, found in looked for fault in found.faults]
        if back["why"] != "no-receipt":
            faults.append(f"it went back otherwise: {back}")
        tally = Counter(f"{found.stage}, {found.starts} {found.version}" for _, found in looked)
        log.info("%d cards: %s; %s", len(looked), json.dumps(tally), faults)
        ends = booted.all_of(box, chosen(looked, boots), faults)
    return {
        "cuts": len(looked),
        "found": tally,
        "records looked for": sum(found.records for _, found in looked),
        "the second went back": back,
        "at the center": kinds,
        "audit": audit,
        "booted": ends,
        "faults": faults,
    }


def _proving(ground: Ground, box: UpdateBoard, most: int) -> list[Cut]:
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


def _going_back(ground: Ground, box: UpdateBoard, most: int) -> tuple[list[Cut], Result]:
    """The line is cut after the consents; back at home, the center hears why."""
    box.plug(ground.bundle(Variant(LATER)))
    before = box.board.boot_id()
    with Knife(box, ground.folder / "going-back", most) as knife:
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.far.line(False)
        box.board.again(before, INSTALL_S)
        before, begun = box.board.boot_id(), time.monotonic()
        found: Result = {"tried": box.board.slot()}
        box.board.again(before, 2 * TRIAL_S)
        box.up(BOOT_S)
        found["after s"] = round(time.monotonic() - begun)
        box.until(lambda: box.status().get("stage") == "gone-back", BOOT_S, "it has gone back")
        time.sleep(2 * EVERY_S)
    box.far.line(True)
    told = box.far.wait_held("update.gone-back", lambda _: True, CORE_S)
    return knife.taken, {**found, "runs": box.board.slot(), "why": told["payload"]["why"]}


def _good(ground: Ground) -> dict[str, tuple[str, int]]:
    good = {version: frozen.image_of(ground.bundle(Variant(version))) for version in (NEXT, LATER)}
    return {**good, ground.version: frozen.hash_of(ground.built / f"fenghuo-{ground.version}.slot")}


def chosen(looked: Iterable[tuple[Cut, Found]], boots: int) -> list[tuple[Cut, Found]]:
    """As many as are wanted: of each state and slot that would start the first card, spread over both updates where
    not all can be; where more can, the last of each, of the states with most cards before the others.
    """
    states: dict[tuple[str, str, str], list[tuple[Cut, Found]]] = {}
    for cut, found in looked:
        states.setdefault((found.stage, found.starts, found.version), []).append((cut, found))
    firsts = [cards[0] for cards in states.values()]
    if boots < len(firsts):
        return [firsts[number * len(firsts) // boots] for number in range(boots)]
    most_first = sorted((cards for cards in states.values() if len(cards) > 1), key=len, reverse=True)
    return firsts + [cards[-1] for cards in most_first][: boots - len(firsts)]


def copy_of(store: Path, place: Path) -> None:
    """What the center holds now, while it goes on."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)
