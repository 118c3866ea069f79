"""The device tree of the virtual machine: QEMU's own, with a simulated GPIO chip like a Raspberry Pi's.

Linux' gpio-sim takes the chip from the tree: 58 lines named as on a Pi 4, whose inputs are driven and whose outputs
are read through sysfs in the guest. The board calls itself a Pi 4 with a revision, by which gpiozero knows its pins.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from hil.rigs.machine.boards import LABEL, LINES

REVISION = "c03111"
"""Raspberry Pi 4 Model B 1.1, 4 GB."""
SERIAL = "10000000f39f0901"
MODEL = "Raspberry Pi 4 Model B Rev 1.1"

# node, property, type ("s" strings, "x" cells), values; no values: an empty property
_EDITS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("/", "model", "s", (MODEL,)),
    ("/", "compatible", "s", ("raspberrypi,4-model-b", "brcm,bcm2711", "linux,dummy-virt")),
    ("/system", "linux,revision", "x", (REVISION,)),
    ("/system", "linux,serial", "x", (SERIAL[:8], SERIAL[8:])),
    # QEMU's own GPIO chip would be gpiochip0, which is the Pi's header.
    ("/pl061@9030000", "status", "s", ("disabled",)),
    ("/gpio-keys", "status", "s", ("disabled",)),
    ("/gpio-sim", "compatible", "s", ("gpio-simulator",)),
    ("/gpio-sim/bank0", "gpio-controller", "s", ()),
    ("/gpio-sim/bank0", "#gpio-cells", "x", ("2",)),
    ("/gpio-sim/bank0", "ngpios", "x", (f"{LINES:x}",)),
    ("/gpio-sim/bank0", "gpio-sim,label", "s", (LABEL,)),
)


def write(out: Path, machine: Sequence[str]) -> None:
    """Write the tree of the machine that this QEMU command line describes. Raises `CalledProcessError`."""
    subprocess.run([*machine, "-machine", f"dumpdtb={out}"], check=True, capture_output=True, timeout=60)
    for node in dict.fromkeys(edit[0] for edit in _EDITS):
        if node != "/":
            subprocess.run(["fdtput", "-p", "-c", str(out), node], capture_output=True, timeout=10)
    for node, name, kind, values in _EDITS:
        subprocess.run(["fdtput", "-t", kind, str(out), node, name, *values], check=True, timeout=10)
