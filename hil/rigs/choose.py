"""The rigs by their names. Each is imported only when it is chosen: a desk needs no QEMU, a CI machine no bench."""

from pathlib import Path
from typing import get_args

from hil.rigs.base import BaseRig
from hil.rigs.protocol import RigFault, RigName
from hil.rigs.site import Wanted

RIGS: tuple[str, ...] = get_args(RigName)


def choose(name: str, folder: Path, wanted: Wanted) -> BaseRig:
    """A rig for one scenario. Raises `RigFault` where there is none of this kind here."""
    match name:
        case "desk":
            from hil.rigs.desk import DeskRig

            return DeskRig(folder, wanted)
        case "machine":
            from hil.rigs.machine.made import machine_rig

            return machine_rig(folder, wanted)
        case "bench":
            from hil.rigs.bench.rig import open_bench

            return open_bench(folder, wanted)
        case _:
            raise RigFault(f"rig {name}: not built yet")
