"""Sound partition tables to begin with: an MBR, and a GPT with its checksums."""

import struct
import zlib

_DATA = bytes.fromhex("af3dc60f838472478e793d69d8477de4")


def tables() -> tuple[bytes, bytes]:
    """The first sectors of two disks."""
    return mbr((0x0C, 2048, 8192), (0x83, 10240, 4096)), gpt()


def mbr(*parts: tuple[int, int, int]) -> bytes:
    """Of kinds, first sectors and counts."""
    rows = b"".join(struct.pack("<B3xB3xII", 0, *part) for part in parts)
    return bytes(446) + rows.ljust(64, b"\0") + b"\x55\xaa"


def gpt(count: int = 4, width: int = 128, at: int = 2, rows: bytes | None = None) -> bytes:
    """With right checksums, whatever the members are."""
    rows = row(2048, 4095) if rows is None else rows
    rows = rows.ljust(min(count * width, 64 * 1024), b"\0")
    places = (1, 9, 34, 99, bytes(16), at, count, width, zlib.crc32(rows))
    head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 65536, 92, 0, 0, *places)
    head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
    return mbr((0xEE, 1, 99)) + head.ljust(512, b"\0") + rows


def row(first: int, last: int) -> bytes:
    """An entry for these sectors."""
    return _DATA + bytes(range(16)) + struct.pack("<QQQ", first, last, 0) + "data".encode("utf-16-le").ljust(72, b"\0")
