"""The plays of `python -m hil.updates`: each commissions a panel on the image, and does to it what life does."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from hil.bundle_signer import BundleSigner
from hil.updates.board import CORE_S, INSTALL_S, TRIAL_S
from hil.updates.booted import boots
from hil.updates.cutting import cuts
from hil.updates.first_boot import first_boot
from hil.updates.ground import BOOT_S, DIES, ENDS, NEXT, OLDER, Ground, Result, expect
from hil.updates.variants import Harm, Variant
from hil.updates.waiting import no_receipt, waits
from images import bundle


def there_and_back(ground: Ground, _cuts: int, _boots: int) -> Result:
    """First boot, A to B from a stick while armed, B to A by a rollback; areas as they were, all at the center."""
    found: Result = {}
    with ground.board("there") as box:
        box.commission()
        found["from"] = box.board.slot()
        box.plug(ground.bundle(Variant(NEXT)))
        before = box.board.boot_id()
        code, said = box.consents("install", "--usb", "--even-armed", "--reason", "trial", then=box.arm)
        expect(code == 0, said)
        box.board.again(before, INSTALL_S)
        box.up(BOOT_S)
        found["armed after"] = box.mode()
        found["trial s"] = round(box.until(lambda: box.status().get("stage") == "good", TRIAL_S, "the trial ends"))
        found["to"] = box.board.slot()
        box.arm(False)
        before = box.board.boot_id()
        code, said = box.consents("rollback")
        expect(code == 0, said)
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


def refused(ground: Ground, _cuts: int, _boots: int) -> Result:
    """A wrong signature, an older version, a damaged image: the panel runs on as it was."""
    found: Result = {}
    with ground.board("refused") as box:
        box.commission()
        good = ground.bundle(Variant(NEXT))
        folder = ground.folder / "bad"
        folder.mkdir()
        other = BundleSigner.make(folder / "keys")
        image = folder / "slot.img"
        image.write_bytes(good.read_bytes()[:1_000_000])
        wrong, older, damaged = (folder / f"{name}.raucb" for name in ("wrong", "older", "damaged"))
        bundle.make(image, wrong, bundle.About(version=NEXT), other.cert, other.key)
        bundle.make(image, older, bundle.About(version=OLDER), ground.keys / "signer.crt", ground.keys / "signer.pem")
        raw = bytearray(good.read_bytes())
        raw[len(raw) // 2] ^= 1
        damaged.write_bytes(raw)
        for path, why in ((wrong, "signature"), (older, "below-floor"), (damaged, "write")):
            box.plug(path)
            box.consents("install", "--usb")
            box.until(lambda: box.status().get("stage") in ENDS, INSTALL_S, "it is refused")
            found[path.stem] = f"{box.status()['stage']}: {box.status()['why']}"
            expect(box.status()["why"] == why, f"{path.stem}: {box.status()}\n{box.log()}")
        before = box.board.boot_id()
        box.board.machine.agent.run("systemctl", "--no-block", "reboot")
        box.board.again(before, BOOT_S)
        box.up(BOOT_S)
        found["runs after a restart"] = box.board.slot()
        found["at the center"] = box.kinds()
        found["audit"] = box.audit()
    found["faults"] = [] if found["runs after a restart"] == "A" else [str(found)]
    return found


def broken(ground: Ground, _cuts: int, _boots: int) -> Result:
    """Signed bundles whose kernel or root does not start."""
    return _back_from(ground, "broken", {"kernel": "did-not-start", "root": "did-not-start"})


def silent(ground: Ground, _cuts: int, _boots: int) -> Result:
    """Signed bundles whose core dies at its start, or hangs."""
    return _back_from(ground, "silent", {"core": "core-silent", "hangs": "core-silent"})


def _back_from(ground: Ground, name: str, harms: Mapping[Harm, str]) -> Result:
    """Back by itself from each, and the center hears why; `harms`: why from which."""
    found: Result = {}
    faults: list[str] = []
    with ground.board(name) as box:
        box.commission()
        for harm, why in harms.items():
            box.plug(ground.bundle(Variant(DIES, harm=harm)))
            before = box.board.boot_id()
            code, said = box.consents("install", "--usb")
            expect(code == 0, said)
            box.board.again(before, INSTALL_S)
            begun = time.monotonic()
            if (tried := box.board.slot()) == "B":
                box.board.again(box.board.boot_id(), 2 * TRIAL_S)
            box.up(BOOT_S)
            box.until(lambda: box.status().get("stage") == "gone-back", 2 * TRIAL_S, "it has gone back")
            told = box.status()
            found[harm] = f"{box.board.slot()}, {told['why']}, after {time.monotonic() - begun:.0f} s"
            if (box.board.slot(), told["why"], tried) != ("A", why, "B" if why == "core-silent" else "A"):
                faults.append(f"{harm}: {found[harm]}, tried {tried}")
            box.far.wait_held("update.gone-back", _because(why, told["sha256"]), CORE_S)
        found["at the center"] = box.kinds()
        found["audit"] = box.audit()
    found["faults"] = faults
    return found


def _because(why: str, sha256: str) -> Callable[[dict[str, Any]], bool]:
    return lambda record: (record["payload"]["why"], record["payload"]["sha256"]) == (why, sha256)


PLAYS: Mapping[str, Callable[[Ground, int, int], Result]] = {
    "first-boot": first_boot,
    "there-and-back": there_and_back,
    "waits": waits,
    "refused": refused,
    "broken": broken,
    "silent": silent,
    "no-receipt": no_receipt,
    "cuts": cuts,
    "boots": boots,
}
