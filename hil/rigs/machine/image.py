"""The very image in the machine: U-Boot, both slots, dm-verity; power that comes and goes, and restarts of its own.

The image file stays as it is: the board writes into a layer over it, larger than the image, as a card is. The agent
comes from outside as in every machine of the rig.
"""

import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hil.rigs.machine import qemu, tree
from hil.rigs.machine.agent import AgentError
from hil.rigs.machine.boards import ARM64
from hil.rigs.machine.prepared import overlay
from hil.rigs.machine.qemu import Boot, Disk, Forward, Qemu
from hil.rigs.protocol import RigFault

FIRMWARE = Path("/usr/lib/u-boot/qemu_arm64/u-boot.bin")
CARD_MIB = 2048
BOOT_S = 300.0


class ImageBoard:
    """A board with the image on its card. A context manager; `on` and `cut` may be repeated."""

    def __init__(
        self, img: Path, folder: Path, forwards: Sequence[Forward] = (), levels: Mapping[int, int] | None = None
    ) -> None:
        """`forwards`: what it reaches of the host, at 10.0.2.100; `levels`: how its input lines stand at boot."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.forwards = list(forwards)
        self.levels = dict(levels or {})
        self._boot = Boot(folder / "board.dtb", firmware=_firmware())
        self._disk = Disk(folder / "card.qcow2", "card")
        self._machine: Qemu | None = None
        tree.write(folder / "board.dtb", qemu.command(ARM64))
        overlay(self._disk.path, img)
        subprocess.run(["qemu-img", "resize", "-q", str(self._disk.path), f"{CARD_MIB}M"], check=True)

    @property
    def machine(self) -> Qemu:
        """The running machine. Raises `RigFault` while its power is off."""
        if self._machine is None:
            raise RigFault("the board's power is off")
        return self._machine

    def on(self, wait_s: float = BOOT_S, clock: str = "") -> Qemu:
        """Power on, and wait for the agent (`wait_s` 0: not). Raises `RigFault` with the console's end."""
        self._machine = Qemu(
            self.folder, self._boot, [self._disk], self.forwards, levels=self.levels, clock=clock, on_watchdog="reset"
        )
        if wait_s:
            self.met(wait_s)
        return self._machine

    def cut(self) -> None:
        """The power goes at this instant."""
        machine, self._machine = self.machine, None
        machine.kill()

    def boot_id(self) -> str:
        """Of the boot that runs."""
        return self.machine.agent.must("cat", "/proc/sys/kernel/random/boot_id").strip()

    def again(self, before: str, wait_s: float = BOOT_S) -> None:
        """Wait until it has booted once more, after this boot id. Raises `RigFault`."""
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            try:
                told = self.machine.agent.run("cat", "/proc/sys/kernel/random/boot_id", timeout_s=5).out.strip()
                # Nothing is told where a busy machine did not come to it.
                if told not in ("", before):
                    self.met(30)
                    return
            except AgentError:
                pass
            time.sleep(0.5)
        raise RigFault(f"no other boot within {wait_s:g} s\n{self.machine.console()}")

    def slot(self) -> str:
        """A or B."""
        return self.machine.agent.must("cat", "/run/fenghuo-boot/slot").strip()

    def close(self) -> None:
        """Power off for good, and take the card away."""
        if self._machine is not None:
            self.cut()
        self._disk.path.unlink(missing_ok=True)

    def met(self, wait_s: float = BOOT_S) -> None:
        """Wait for the agent after an `on` that did not. Raises `RigFault` with the console's end."""
        try:
            self.machine.agent.meet(wait_s)
        except AgentError as error:
            raise RigFault(f"the image does not boot: {error}\n{self.machine.console()}") from error

    def __enter__(self) -> "ImageBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _firmware() -> Path:
    if not FIRMWARE.exists():
        raise RigFault(f"{FIRMWARE} is missing: .ci/packages u-boot-qemu")
    return FIRMWARE
