"""Which slot boots: the variables that U-Boot's script and RAUC share (RAUC's `bootloader=custom`).

Two copies of a U-Boot environment (CRC-32, `name=value` texts) lie in the gap before the first partition. The first
is written before the second, each synced, and the first that is whole counts: a power cut at any moment leaves one.
"""

import os
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

DISK = Path("/dev/fenghuo/disk")
COPIES = (1024 * 1024, 1024 * 1024 + 64 * 1024)
"""Bytes from the start of the disk."""
SIZE = 4096
TRIES = 3
SLOTS = ("A", "B")
FIRST: Mapping[str, str] = {"BOOT_ORDER": "A B", "BOOT_A_LEFT": str(TRIES), "BOOT_B_LEFT": str(TRIES)}
EXIT_USAGE = 2


class BadEnvironment(ValueError):
    """A block that is no whole environment; says what was found."""


def pack(values: Mapping[str, str]) -> bytes:
    """The block of these variables. Raises `ValueError` where they do not fit."""
    body = b"".join(f"{name}={values[name]}".encode("ascii") + b"\0" for name in sorted(values)) + b"\0"
    if len(body) > SIZE - 4:
        raise ValueError(f"{len(body)} bytes of variables, at most {SIZE - 4}")
    body = body.ljust(SIZE - 4, b"\0")
    return zlib.crc32(body).to_bytes(4, "little") + body


def unpack(block: bytes) -> dict[str, str]:
    """The variables of a block. Raises `BadEnvironment`."""
    if len(block) != SIZE:
        raise BadEnvironment(f"{len(block)} bytes, expected {SIZE}")
    crc, body = int.from_bytes(block[:4], "little"), block[4:]
    if zlib.crc32(body) != crc:
        raise BadEnvironment(f"CRC {crc:08x}, expected {zlib.crc32(body):08x}")
    text = body.split(b"\0\0", 1)[0]
    try:
        pairs = [entry.decode("ascii").partition("=") for entry in text.split(b"\0") if entry]
    except UnicodeDecodeError as error:
        raise BadEnvironment(f"not ASCII: {error}") from None
    return {name: value for name, _, value in pairs}


def read(disk: Path = DISK) -> dict[str, str]:
    """The variables in force; those of a new card where neither copy is whole. Raises `OSError`."""
    with disk.open("rb") as file:
        for offset in COPIES:
            file.seek(offset)
            try:
                return {**FIRST, **unpack(file.read(SIZE))}
            except BadEnvironment:
                continue
    return dict(FIRST)


def write(values: Mapping[str, str], disk: Path = DISK) -> None:
    """Put these in force, durably. Raises `OSError`."""
    block = pack(values)
    number = os.open(disk, os.O_WRONLY | os.O_CLOEXEC)
    try:
        for offset in COPIES:
            if os.pwrite(number, block, offset) != SIZE:
                raise OSError(f"{disk}: could not be written at {offset}")
            os.fsync(number)
    finally:
        os.close(number)


def primary(values: Mapping[str, str]) -> str:
    """The slot that boots next: the first in the order that has a try left; the first of all where none has."""
    order = [slot for slot in values["BOOT_ORDER"].split() if slot in SLOTS] or list(SLOTS)
    return next((slot for slot in order if _left(values, slot) > 0), order[0])


def made_primary(values: Mapping[str, str], slot: str) -> dict[str, str]:
    """This slot first, with all its tries."""
    others = [other for other in SLOTS if other != slot]
    return {**values, "BOOT_ORDER": " ".join([slot, *others]), f"BOOT_{slot}_LEFT": str(TRIES)}


def is_good(values: Mapping[str, str], slot: str) -> bool:
    """Whether it is in the order and has a try left."""
    return slot in values["BOOT_ORDER"].split() and _left(values, slot) > 0


def marked(values: Mapping[str, str], slot: str, good: bool) -> dict[str, str]:
    """A good slot has all its tries again; a bad one has none, and comes last."""
    order = [other for other in values["BOOT_ORDER"].split() if other in SLOTS]
    if good:
        return {**values, f"BOOT_{slot}_LEFT": str(TRIES), "BOOT_ORDER": " ".join([*order, *[slot][slot in order :]])}
    last = [other for other in order if other != slot] + [slot]
    return {**values, f"BOOT_{slot}_LEFT": "0", "BOOT_ORDER": " ".join(last)}


def booted(words: str) -> str:
    """The slot that the kernel's words name, or nothing."""
    return next((word.partition("=")[2] for word in words.split() if word.startswith("rauc.slot=")), "")


def _left(values: Mapping[str, str], slot: str) -> int:
    try:
        return int(values.get(f"BOOT_{slot}_LEFT", "0"), 16)  # U-Boot counts in hexadecimal
    except ValueError:
        return 0


def main(argv: Sequence[str], disk: Path = DISK, words: Path = Path("/proc/cmdline")) -> int:
    """What RAUC asks of a boot loader: get-primary, set-primary SLOT, get-state SLOT, set-state SLOT good|bad,
    get-current."""
    match list(argv):
        case ["get-primary"]:
            print(primary(read(disk)))
        case ["get-current"]:
            print(booted(words.read_text()))
        case ["get-state", slot] if slot in SLOTS:
            print("good" if is_good(read(disk), slot) else "bad")
        case ["set-primary", slot] if slot in SLOTS:
            write(made_primary(read(disk), slot), disk)
        case ["set-state", slot, ("good" | "bad") as state] if slot in SLOTS:
            write(marked(read(disk), slot, state == "good"), disk)
        case _:
            print(f"boot-slots: {' '.join(argv)!r}: {main.__doc__}", file=sys.stderr)
            return EXIT_USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
