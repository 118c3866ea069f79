"""The cards that the play of power cuts has frozen: looked at on the host, and of every state one or more booted.

Each must become a panel that runs, whose update goes on, and of whose records the center lacks none. Cards lie in the
folder of the run, so the play `boots` goes on where another run was stopped.
"""

import json
import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from hil.rigs.machine.agent import AgentError
from hil.rigs.machine.qmp import QmpError
from hil.rigs.protocol import NotSeen, RigFault
from hil.updates import frozen
from hil.updates.board import PANEL, TRIAL_S, UpdateBoard
from hil.updates.frozen import Cut, Found
from hil.updates.ground import BOOT_S, ENDS, LATER, NEXT, Ground, Result
from hil.updates.variants import Variant

log = logging.getLogger("hil.updates")

CARDS = "cards.jsonl"
COMPLETE_S = 600.0
AGAIN = ("consented", "checked", "installing")
"""Cut in these, the slot is written anew from the beginning."""
WRITTEN = ("installed", "switching", "restarting", "trying")


def keep(folder: Path, cut: Cut) -> None:
    """Add a card to those that lie in this folder."""
    with (folder / CARDS).open("a") as file:
        file.write(json.dumps(asdict(cut), default=str) + "\n")


def kept(folder: Path) -> list[Cut]:
    """The cards that lie there, in the order in which they were taken. Raises `OSError`."""
    rows = map(json.loads, (folder / CARDS).read_text().splitlines())
    return [Cut(row["name"], *(Path(row[name]) for name in ("card", "store", "stick"))) for row in rows]


def boots(ground: Ground, _cuts: int, boots: int) -> Result:
    """The cards that lie in this folder already (`--folder`), looked at and booted."""
    with ground.board("cuts") as box:
        return judged(ground, box, boots)


def judged(ground: Ground, box: UpdateBoard, boots: int) -> Result:
    """Look at all cards, and boot as many as are wanted."""
    good = _good(ground)
    looked = [(cut, frozen.look(cut.card, good, box.known(cut.store))) for cut in kept(ground.folder)]
    faults = [f"{cut.name}: {fault}" for cut, found in looked for fault in found.faults]
    tally = Counter(f"{found.stage}, {found.starts} {found.version}" for _, found in looked)
    log.info("%d cards: %s; %s", len(looked), json.dumps(tally), faults)
    return {
        "cuts": len(looked),
        "found": tally,
        "records looked for": sum(found.records for _, found in looked),
        "booted": _all(box, chosen(looked, boots), faults),
        "faults": faults,
    }


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


def _good(ground: Ground) -> dict[str, tuple[str, int]]:
    """SHA-256 and size of each whole slot by its version."""
    good = {version: frozen.image_of(ground.bundle(Variant(version))) for version in (NEXT, LATER)}
    return {**good, ground.version: frozen.hash_of(ground.built / f"fenghuo-{ground.version}.slot")}


def _all(box: UpdateBoard, cards: Sequence[tuple[Cut, Found]], faults: list[str]) -> list[str]:
    """What became of each; what must not be is added to `faults`.

    The first card of a state is followed to the end of its update; a later one of those that are written anew, until
    that is done, since other cards go on from there.
    """
    ends, seen = [], set[str]()
    for cut, found in cards:
        ends.append(_booted(box, cut, found, found.stage in seen and found.stage in AGAIN, faults))
        seen.add(found.stage)
    return ends


def _booted(box: UpdateBoard, cut: Cut, found: Found, written: bool, faults: list[str]) -> str:
    begun = time.monotonic()
    name = f"{cut.name} ({found.stage}, {found.starts} {found.version})"
    try:
        box.from_card(cut.card, cut.store, cut.stick)
        before = box.steps()
        box.up(BOOT_S)
        up = round(time.monotonic() - begun)
        box.until(lambda: _through(box, written), 2 * TRIAL_S, "the update comes to an end")
        box.up(BOOT_S)
        box.until(lambda: _told(box), COMPLETE_S, "the center has heard of the end")
        if not box.far.center.wait(lambda center: not center.complete(PANEL), COMPLETE_S):
            faults.append(f"{name}, booted: the center lacks {box.far.center.complete(PANEL)[:3]}")
        status, steps = box.status(), box.steps()
        heard = ", ".join(what for seq, what in steps.items() if seq not in before)
        said = f"{name}: up {up} s, {box.board.slot()} {status.get('stage')} after {time.monotonic() - begun:.0f} s; "
        said += f"the center heard: {heard or 'nothing new'}; {box.audit()}"
    except (RigFault, AgentError, NotSeen, QmpError, OSError) as error:
        said = f"{name}: {str(error)[:600]}"
        faults.append(said)
    log.info("booted: %s", said)
    return said


def _through(box: UpdateBoard, written: bool) -> bool:
    """It is over, or waits for people; or, where that is enough, the slot is written."""
    status = box.status()
    stage = status.get("stage")
    return stage in (*ENDS, "none") or status.get("waiting") == "consents" or (written and stage in WRITTEN)


def _told(box: UpdateBoard) -> bool:
    """Where it is over, its last step is at the center."""
    stage = box.status().get("stage")
    return stage not in ENDS or [what.split()[0] for what in box.steps().values()][-1:] == [stage]
