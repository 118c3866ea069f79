"""A small initramfs for a root that has none: busybox, the modules of disk and file system, and a switch of root.

For a machine that QEMU starts with a kernel of its own; an image brings its own.
"""

import lzma
import stat
from collections.abc import Iterable
from pathlib import Path

MODULES = ("virtio_blk", "ext4", "squashfs")
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


def build(out: Path, busybox: Path, modules: Path, root: str, options: str = "ro", after: str = "") -> None:
    """Write it. `modules`: the kernel's folder under /lib/modules; `after`: shell lines for when /root is mounted.

    Raises `OSError`, and `KeyError` where there is no such module.
    """
    needed = _with_dependencies(modules, MODULES)
    names = [name for name, _ in needed]
    init = _INIT.format(modules=" ".join(names), root=root, options=options, after=after).encode()
    files = [("init", 0o755, init), ("bin/busybox", 0o755, busybox.read_bytes())]
    files += [(f"modules/{name}.ko", 0o644, _unpacked(path)) for name, path in needed]
    folders = ("dev", "proc", "root", "bin", "modules")
    with out.open("wb") as file:
        for number, folder in enumerate(folders):
            file.write(_entry(folder, stat.S_IFDIR | 0o755, b"", number))
        for number, (name, mode, data) in enumerate(files, len(folders)):
            file.write(_entry(name, stat.S_IFREG | mode, data, number))
        file.write(_entry("TRAILER!!!", 0, b"", 0))


def _with_dependencies(modules: Path, names: Iterable[str]) -> list[tuple[str, Path]]:
    """The modules and what they need, in the order of loading, by `modules.dep`."""
    after: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, needs = line.partition(":")
        after[_name(file)] = [file, *needs.split()]
    ordered: dict[str, Path] = {}
    for name in names:
        for file in reversed(after[name]):
            ordered.setdefault(_name(file), modules / file)
    return list(ordered.items())


def _name(file: str) -> str:
    return Path(file).name.split(".")[0].replace("-", "_")


def _unpacked(path: Path) -> bytes:
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


def _entry(name: str, mode: int, data: bytes, number: int) -> bytes:
    """One entry of a cpio archive of the kind "newc"."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(f"{field:08X}".encode() for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
