"""Plays in which an update waits: until the panel is disarmed, or for a receipt that never comes."""

import time
from collections.abc import Callable

from firmware.protocol import messages as m
from hil.rigs.machine.qemu import HOST_SEEN_FROM_GUEST, Forward
from hil.updates.board import CORE_S, INSTALL_S, TRIAL_S, UpdateBoard
from hil.updates.ground import BOOT_S, NEXT, Ground, Result, expect
from hil.updates.variants import Variant
from hil.updates.web import BundleServer

WEB_PORT = 8444
STILL_S = 30.0
DOWN_S = 60.0


def waits(ground: Ground, _cuts: int, _boots: int) -> Result:
    """From a URL while armed: it waits until disarmed. Back without a way to the center: the receipt is waived."""
    found: Result = {}
    bundle = ground.bundle(Variant(NEXT))
    folder = ground.folder / "waits"
    with (
        BundleServer(bundle, folder / "web", HOST_SEEN_FROM_GUEST) as web,
        UpdateBoard(ground.image, folder, [Forward(WEB_PORT, web.port)]) as box,
    ):
        box.commission()
        begun, before = time.monotonic(), box.board.boot_id()
        url = f"https://{HOST_SEEN_FROM_GUEST}:{WEB_PORT}/{bundle.name}"
        code, said = box.consents("install", url, then=box.arm)
        expect(code == 0, f"{said}\n{box.log()}")
        found["offered and consented s"] = round(time.monotonic() - begun)
        box.until(lambda: box.status().get("waiting") == "disarmed", INSTALL_S, "it is written, and waits")
        found["written s"] = round(time.monotonic() - begun)
        found["read of the URL MiB"], found["bundle MiB"] = web.read >> 20, bundle.stat().st_size >> 20
        time.sleep(STILL_S)
        still = box.board.boot_id() == before and box.mode() == "armed" and box.status()["stage"] == "installed"
        found["armed, it waited"] = still
        box.arm(False)
        box.board.again(before, BOOT_S)
        box.up(BOOT_S)
        box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
        found["to"] = box.board.slot()
        found |= _back(box, lambda: None)
        found["at the center"], found["audit"] = box.kinds(), box.audit()
    good = (found["to"], found["back to"], found["why"], still) == ("B", "A", "receipt-waived", True)
    found["faults"] = [] if good else [str(found)]
    return found


def no_receipt(ground: Ground, _cuts: int, _boots: int) -> Result:
    """The way to the center ends after the consents: no receipt, the panel goes back, and the center hears why."""
    found: Result = {}
    with ground.board("no-receipt") as box:
        box.commission()
        box.plug(ground.bundle(Variant(NEXT)))
        before = box.board.boot_id()
        code, said = box.consents("install", "--usb")
        expect(code == 0, said)
        box.far.line(False)
        box.board.again(before, INSTALL_S)
        found["tried"], before, begun = box.board.slot(), box.board.boot_id(), time.monotonic()
        box.board.again(before, 2 * TRIAL_S)
        box.up(BOOT_S)
        # Not at the first other boot: a busy machine may start anew within the trial, which then begins anew.
        box.until(lambda: box.status().get("stage") == "gone-back", 2 * TRIAL_S, "it has gone back")
        found["back after s"] = round(time.monotonic() - begun)
        box.far.line(True)
        told = box.far.wait_held("update.gone-back", lambda _: True, CORE_S)
        found["runs"], found["why"] = box.board.slot(), told["payload"]["why"]
        found["at the center"], found["audit"] = box.kinds(), box.audit()
    found["faults"] = [] if (found["tried"], found["runs"], found["why"]) == ("B", "A", "no-receipt") else [str(found)]
    return found


def _back(box: UpdateBoard, then: Callable[[], object]) -> Result:
    """Roll back while there is no way to the center, from before the consents on."""
    box.far.line(False)
    box.until(lambda: not _linked(box), DOWN_S, "the panel knows that its way is down")
    before = box.board.boot_id()
    code, said = box.consents("rollback", then=then)
    expect(code == 0, said)
    box.board.again(before, BOOT_S)
    box.up(BOOT_S)
    box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends")
    found: Result = {"back to": box.board.slot()}
    box.far.line(True)
    told = box.far.wait_held("update.good", lambda record: record["payload"].get("source") == "slot:other", CORE_S)
    return {**found, "why": told["payload"].get("why", "")}


def _linked(box: UpdateBoard) -> bool:
    """Whether core has a way that works: the path's trouble stands where not."""
    return not any(name.startswith("path:") for name in box.ask(m.AskDrivers())["troubles"])
