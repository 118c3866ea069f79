"""A small initramfs for a root that has none: busybox, the modules of disk and file system, and a switch of root.

For a machine that QEMU starts with a kernel of its own; an image brings its own.
"""

import stat
from collections.abc import Sequence
from pathlib import Path

from images import cpio, kernel

MODULES = ("virtio_blk", "ext4", "squashfs")
_PROGRAM = stat.S_IFREG | 0o755
_INIT = """\
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in {modules}; do /bin/busybox insmod /modules/$module.ko || echo "no $module"; done
/bin/busybox mount -o {options} {root} /root || exec /bin/busybox sh
{after}
/bin/busybox umount /proc
exec /bin/busybox switch_root /root /sbin/init
"""


def build(
    out: Path,
    busybox: Path,
    modules: Path,
    root: str,
    options: str = "ro",
    after: str = "",
    more: Sequence[str] = (),
) -> None:
    """Write it. `modules`: the kernel's folder under /lib/modules, of which `more` are loaded besides those of disks;
    `after`: shell lines for when /root is mounted.

    Raises `OSError`, and `BadKernel` where there is no such module.
    """
    needed = kernel.with_dependencies(modules, (*MODULES, *more))
    names = [path.name.split(".")[0] for path in needed]
    init = _INIT.format(modules=" ".join(names), root=root, options=options, after=after).encode()
    entries = [(folder, stat.S_IFDIR | 0o755, b"") for folder in ("dev", "proc", "root", "bin", "modules")]
    entries += [("init", _PROGRAM, init), ("bin/busybox", _PROGRAM, busybox.read_bytes())]
    entries += [
        (f"modules/{name}.ko", stat.S_IFREG | 0o644, kernel.content(path))
        for name, path in zip(names, needed, strict=True)
    ]
    out.write_bytes(cpio.archive(entries))
