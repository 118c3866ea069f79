"""An initramfs is a cpio archive of the kind "newc"."""

from collections.abc import Iterable


def archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """The archive of these: name, mode with the kind of file, content. All belong to root, no times; in this order."""
    raw = b"".join(_entry(name, mode, data, number) for number, (name, mode, data) in enumerate(entries, 1))
    return raw + _entry("TRAILER!!!", 0, b"", 0)


def _entry(name: str, mode: int, data: bytes, number: int) -> bytes:
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(f"{field:08X}".encode() for field in fields) + name.encode() + b"\0"
    return _padded(head) + _padded(data)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
