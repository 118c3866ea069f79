"""Cards of the play of power cuts, booted: each must become a panel that runs, whose update goes on, and of whose
records the center lacks none.
"""

import logging
import time
from collections.abc import Sequence

from hil.rigs.machine.agent import AgentError
from hil.rigs.machine.qmp import QmpError
from hil.rigs.protocol import NotSeen, RigFault
from hil.updates.board import PANEL, TRIAL_S, UpdateBoard
from hil.updates.frozen import Cut, Found
from hil.updates.ground import BOOT_S, ENDS

log = logging.getLogger("hil.updates")

COMPLETE_S = 600.0
AGAIN = ("consented", "checked", "installing")
"""Cut in these, the slot is written anew from the beginning."""
WRITTEN = ("installed", "switching", "restarting", "trying")


def all_of(box: UpdateBoard, cards: Sequence[tuple[Cut, Found]], faults: list[str]) -> list[str]:
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
