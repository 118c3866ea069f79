"""The virtual boards that the rig can be: arm64 as the panels in the field, and on request amd64.

They differ in how QEMU is called and in where the simulated GPIO chip comes from. An arm64 board has a device tree that
names it. An amd64 board has none: there the rig's initramfs asks the kernel for the chip by configfs, before systemd
starts. It is the same chip, `gpiochip0` with the Pi's 58 lines.
"""

import os
from dataclasses import dataclass

from hil.rigs.protocol import RigFault

LINES, LABEL = 58, "pinctrl-bcm2711"
"""Of a Pi 4's chip."""
ASKED = "FENGHUO_MACHINE"
_SIM = "/root/sys/kernel/config/gpio-sim/panel"
# In the root's own /sys: the initramfs has none. Both are mounted by systemd again.
_BY_CONFIGFS = f"""\
/bin/busybox mount -t sysfs sys /root/sys
/bin/busybox mount -t configfs configfs /root/sys/kernel/config
/bin/busybox mkdir {_SIM} {_SIM}/bank0
echo {LINES} >{_SIM}/bank0/num_lines
echo {LABEL} >{_SIM}/bank0/label
echo 1 >{_SIM}/live || echo "no GPIO chip" >/dev/kmsg
/bin/busybox umount /root/sys/kernel/config
/bin/busybox umount /root/sys
"""


@dataclass(frozen=True)
class Board:
    """`architecture`: Debian's name; `machine`: QEMU's words for the bare board; `words`: the kernel's.

    `tree`: its GPIO chip comes by the device tree. `modules` and `script` make it elsewhere, in the rig's initramfs.
    """

    architecture: str
    program: str
    machine: str
    words: str
    first_bus: int
    """The number N of /dev/ttySN that its first serial port beside the console has."""
    packages: str
    tools: tuple[str, ...]
    tree: bool = False
    modules: tuple[str, ...] = ()
    script: str = ""

    def port(self, bus: int) -> str:
        """The guest's serial port of this bus."""
        return f"/dev/ttyS{self.first_bus + bus}"

    @property
    def suffix(self) -> str:
        """Behind the names of what is made for it, where another board's must not be taken."""
        return "" if self == ARM64 else f"-{self.architecture}"


_TOOLS = ("qemu-img", "socat", "setpriv")
ARM64 = Board(
    architecture="arm64",
    program="qemu-system-aarch64",
    machine="-machine virt,gic-version=2,dtb-randomness=off -cpu cortex-a72",
    words="console=ttyAMA0 quiet loglevel=4 panic=10",
    first_bus=0,
    packages="qemu-system-arm qemu-utils device-tree-compiler socat",
    tools=("qemu-system-aarch64", "fdtput", *_TOOLS),
    tree=True,
)
AMD64 = Board(
    architecture="amd64",
    program="qemu-system-x86_64",
    # Without what an emulated processor need not have: a fifth level of pages, machines within the machine.
    machine="-machine q35 -cpu max,la57=off,svm=off",
    # Guards against a real processor's leaks cost TCG most. The chip set's own watchdog must not be the first. A busy
    # host is late with the timer that the kernel tries, and with the one by which it judges the time stamp counter.
    words="console=ttyS0 quiet loglevel=4 panic=10 mitigations=off module_blacklist=iTCO_wdt"
    " no_timer_check tsc=reliable",
    first_bus=1,
    packages="qemu-system-x86 qemu-utils socat",
    tools=("qemu-system-x86_64", *_TOOLS),
    modules=("configfs", "gpio_sim"),
    script=_BY_CONFIGFS,
)
KNOWN = {board.architecture: board for board in (ARM64, AMD64)}


def asked() -> Board:
    """The board that FENGHUO_MACHINE names, else arm64. Raises `RigFault` for another word."""
    word = os.environ.get(ASKED) or ARM64.architecture
    if word not in KNOWN:
        raise RigFault(f"{ASKED}={word}: no such machine, expected {' or '.join(KNOWN)}")
    return KNOWN[word]
