"""What differs from one processor architecture to the next, for all that is built; the release is for `ARM64`.

`AMD64` is the machine rig's on request: the same tree, units, users and code, with that architecture's packages.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """`debian`: its name in packages; `machine`: as `uname -m` says it, in wheels, and before `-linux-gnu`."""

    debian: str
    machine: str
    elf: int
    """The number of ELF's e_machine."""
    loader: str
    """The dynamic loader, as programs name it but for the first slash."""
    kernel_magic: tuple[int, bytes]
    """Where in its kernel's image which bytes stand."""
    kernel_kind: str
    controllers: tuple[str, ...]
    """Modules of its boards' card readers."""

    @property
    def multiarch(self) -> str:
        """The folder of its libraries under /usr/lib, and the first part of its compiler's name."""
        return f"{self.machine}-linux-gnu"


ARM64 = Architecture(
    debian="arm64",
    machine="aarch64",
    elf=183,
    loader="lib/ld-linux-aarch64.so.1",
    kernel_magic=(0x38, b"ARMd"),
    kernel_kind="a raw arm64 Image",
    controllers=("bcm2835", "sdhci_iproc", "sdhci_brcmstb"),
)
AMD64 = Architecture(
    debian="amd64",
    machine="x86_64",
    elf=62,
    loader="lib64/ld-linux-x86-64.so.2",
    kernel_magic=(0x202, b"HdrS"),
    kernel_kind="an x86 bzImage",
    controllers=(),
)
BUILDER = AMD64
"""Of the machine that builds: its Python makes the byte code."""
KNOWN = {found.debian: found for found in (ARM64, AMD64)}
