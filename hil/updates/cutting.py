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
from contextlib import closing
from pathlib import Path

from hil.rigs.machine.agent import AgentError
from hil.rigs.protocol import RigFault
from hil.updates import booted
from hil.updates.board import CORE_S, INSTALL_S, TRIAL_S, UpdateBoard
from hil.updates.frozen import Cut
from hil.updates.ground import BOOT_S, LATER, NEXT, Ground, Result, expect
from hil.updates.variants import Variant

log = logging.getLogger("hil.updates")

BOOK = "/data/updater/update.json"
LOOK_S, ANSWER_S = 0.15, 5.0
EVERY_S = 12.0
EVERY_S_IN = {"switching": 8.0, "restarting": 8.0, "going-back": 8.0, "trying": 90.0}
"""A card is frozen at each new step, and so long after the last one: sooner while it restarts."""


class Knife:
    """Freezes cards while a play goes on; a context manager."""

    def __init__(self, ground: Ground, box: UpdateBoard, name: str, most: int) -> None:
        """`most`: cards, but for those of new steps."""
        self._ground, self._box, self._name, self._most = ground, box, name, most
        self._folder = ground.folder / name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="knife", daemon=True)
        self._taken = 0
        self._folder.mkdir()

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
            if step != last or (due and self._taken < self._most):
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
        number = self._taken
        card, store = self._folder / f"{number:03}.qcow2", self._folder / f"{number:03}-center"
        try:
            self._box.freeze(card)
            store.mkdir()
            copy_of(self._box.folder / "far" / "center" / "center.sqlite", store / "center.sqlite")
        except (RigFault, OSError, sqlite3.Error) as error:
            log.info("not frozen: %s", error)
            return
        booted.keep(self._ground.folder, Cut(f"{self._name} {number}, {when}, {step}", card, store, self._box.stick))
        self._taken += 1


def cuts(ground: Ground, most: int, boots: int) -> Result:
    """An update that proves itself, then one without a receipt, which goes back: both cut at every step."""
    with ground.board("cuts") as box:
        box.commission()
        box.keep()
        _proving(ground, box, most)
        back = _going_back(ground, box, most)
        heard: Result = {"the second went back": back, "at the center": box.kinds(), "audit": box.audit()}
        found = booted.judged(ground, box, boots)
    if back["why"] != "no-receipt":
        found["faults"].append(f"it went back otherwise: {back}")
    return {**heard, **found}


def _proving(ground: Ground, box: UpdateBoard, most: int) -> None:
    box.plug(ground.bundle(Variant(NEXT)))
    before = box.board.boot_id()
    with Knife(ground, box, "proving", most):
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
        time.sleep(2 * EVERY_S)


def _going_back(ground: Ground, box: UpdateBoard, most: int) -> Result:
    """The line is cut after the consents; back at home, the center hears why."""
    box.plug(ground.bundle(Variant(LATER)))
    before = box.board.boot_id()
    with Knife(ground, box, "going-back", most):
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.far.line(False)
        box.board.again(before, INSTALL_S)
        before, begun = box.board.boot_id(), time.monotonic()
        found: Result = {"tried": box.board.slot()}
        box.board.again(before, 2 * TRIAL_S)
        box.up(BOOT_S)
        # Not at the first other boot: a busy machine may start anew within the trial, which then begins anew.
        box.until(lambda: box.status().get("stage") == "gone-back", 2 * TRIAL_S, "it has gone back")
        found["after s"] = round(time.monotonic() - begun)
        time.sleep(2 * EVERY_S)
    box.far.line(True)
    told = box.far.wait_held("update.gone-back", lambda _: True, CORE_S)
    return {**found, "runs": box.board.slot(), "why": told["payload"]["why"]}


def copy_of(store: Path, place: Path) -> None:
    """What the center holds now, while it goes on."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as source, closing(sqlite3.connect(place)) as copy:
        source.backup(copy)
