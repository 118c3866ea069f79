"""The machine of this checkout: built from its sources where something changed, booted once, then a rig per scenario.

`python -m hil.rigs.machine.made` makes it ahead of a run, and says how long each part took.
"""

import logging
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from hil.rigs.machine import bare, boards
from hil.rigs.machine.moved_in import moved_in
from hil.rigs.machine.prepared import FOLDER, Prepared, prepared
from hil.rigs.machine.rig import MachineRig
from hil.rigs.protocol import RigFault
from hil.rigs.site import Wanted

ROOTFS = Path("build/image/rootfs")
MADE_ELSEWHERE = "FENGHUO_ROOTFS"
"""A folder that `python -m images.rootfs` made, to be taken as it is."""
BUILD_S = 1200


def machine_rig(folder: Path, wanted: Wanted) -> MachineRig:
    """A rig for one scenario. Raises `RigFault` where the machine can't be built."""
    ready = machine()
    # QEMU's USB adapter does not travel in a snapshot, and a Pi's or a network's camera is one scenario's: with them
    # the panel moves in for each.
    alone = wanted.bus or wanted.csi or wanted.rtsp
    return MachineRig(folder, wanted, ready, None if alone else moved_in(ready, wanted))


@cache
def machine() -> Prepared:
    """The machine of this checkout, booted: of the board that FENGHUO_MACHINE names. Raises `RigFault`."""
    board = boards.asked()
    work = FOLDER / f"bare{board.suffix}"
    if made := os.environ.get(MADE_ELSEWHERE):
        return prepared(bare.base(Path(made), work, board))
    rootfs = ROOTFS.with_name(ROOTFS.name + board.suffix)
    words = [sys.executable, "-m", "images.rootfs", str(rootfs), "--arch", board.architecture, "--lately", "24"]
    done = subprocess.run(words, capture_output=True, timeout=BUILD_S)
    if done.returncode:
        raise RigFault(f"the panel's root can't be built: {done.stderr.decode(errors='replace')[-2000:]}")
    return prepared(bare.base(rootfs, work, board))


def main() -> int:
    """Make it."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    began = time.monotonic()
    ready = machine()
    print(f"built, booted (agent after {ready.first_boot_s:g} s): {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    moved_in(ready, Wanted())
    print(f"moved in: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
