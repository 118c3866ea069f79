"""The first-boot drop: `panel.toml` and `enrol.json` in the folder `fenghuo` of the image's FAT boot partition, and
what the board's firmware reads beside it.

mtools lays them into a copy of that partition; the blocks that it changed go to the card together with the image's own.
So the card is proven as a whole, and needs no second write.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from provisioning.flash import texts as t
from provisioning.flash.blockmap import BLOCK
from provisioning.flash.partitions import TABLE_BYTES, BadTable, Partition, Read, boot_partition, read_table
from provisioning.flash.refusal import refuse, said
from provisioning.flash.source import CHUNK, Source

FOLDER = "fenghuo"
_PATIENCE_S = 60
_MAX_BOOT = 2 * 2**30


def drop_into(source: Source, files: Mapping[str, bytes], for_firmware: Mapping[str, bytes]) -> Source:
    """The source with these files in its boot partition, read back from it: `files` in the folder of the first boot,
    those for the board's firmware at the top. Raises `CantFlash`."""
    laid = {**{f"{FOLDER}/{name}": data for name, data in files.items()}, **for_firmware}
    if not laid:
        return source
    if shutil.which("mcopy") is None:
        raise refuse(t.NO_MTOOLS)
    with tempfile.TemporaryDirectory(prefix="fenghuo-flash-") as name:
        try:
            return Source(source.release, _patches(source, laid, Path(name)))
        except OSError as error:
            raise refuse(t.DROP, file=source.release.image, why=said(error)) from None


def _patches(source: Source, files: Mapping[str, bytes], work: Path) -> dict[int, bytes]:
    part = _boot(source)
    before, after = work / "before", work / "after"
    _take_out(source, part, (before, after))
    when = datetime.fromisoformat(source.release.manifest.created).timestamp()
    _mtools(source, when, "mmd", "-D", "s", "-i", str(after), f"::{FOLDER}")
    for path, data in files.items():
        _lay_in(source, when, after, work / "file", path, data)
    first = part.start // BLOCK
    return {first + number: block for number, block in _changed(before, after)}


def _boot(source: Source) -> Partition:
    head = bytearray(TABLE_BYTES)
    for chunk in source.chunks(TABLE_BYTES):
        _lay(head, 0, chunk.offset, chunk.data)
    try:
        table = read_table(lambda offset, length: bytes(head[offset : offset + length]), source.size)
    except BadTable as why:
        raise refuse(t.IMAGE_TABLE, file=source.release.image, why=why) from None
    found = boot_partition(table, _reading(source, table))
    if found is None or found.start % BLOCK or found.size % BLOCK or found.size > _MAX_BOOT:
        raise refuse(t.NO_BOOT, file=source.release.image)
    return found


def _reading(source: Source, table: tuple[Partition, ...]) -> Read:
    """Reads the first block of each partition, from one pass over the source."""
    starts = {part.start: bytearray(BLOCK) for part in table}
    for chunk in source.chunks(max(starts, default=-1) + 1):
        for start, block in starts.items():
            _lay(block, start, chunk.offset, chunk.data)
    return lambda offset, length: bytes(starts[offset][:length])


def _lay(into: bytearray, start: int, offset: int, data: bytes) -> None:
    """Copy what of `data` at `offset` falls into the window that begins at `start`."""
    low, high = max(start, offset), min(start + len(into), offset + len(data))
    if low < high:
        into[low - start : high - start] = data[low - offset : high - offset]


def _take_out(source: Source, part: Partition, copies: tuple[Path, ...]) -> None:
    for copy in copies:
        with copy.open("wb") as file:
            file.truncate(part.size)
    end = part.start + part.size
    for chunk in source.chunks(end):
        low, high = max(part.start, chunk.offset), min(end, chunk.offset + len(chunk.data))
        if low >= high:
            continue
        for copy in copies:
            with copy.open("r+b") as file:
                file.seek(low - part.start)
                file.write(chunk.data[low - chunk.offset : high - chunk.offset])


def _lay_in(source: Source, when: float, image: Path, scratch: Path, path: str, data: bytes) -> None:
    scratch.write_bytes(data)
    os.utime(scratch, (when, when))
    place = f"::{path}"
    _mtools(source, when, "mcopy", "-o", "-m", "-i", str(image), str(scratch), place)
    back = scratch.with_name("back")
    _mtools(source, when, "mcopy", "-n", "-o", "-i", str(image), place, str(back))
    if back.read_bytes() != data:
        raise refuse(t.DROP, file=source.release.image, why=f"{path}: not read back as it was written")
    back.unlink()


def _mtools(source: Source, when: float, *words: str) -> None:
    # The same drop must give the same bytes, so that a second run finds the card equal.
    told = {"SOURCE_DATE_EPOCH": str(int(when)), "TZ": "UTC", "MTOOLSRC": os.devnull, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        words, env={**os.environ, **told}, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE_S
    )
    if done.returncode != 0:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise refuse(t.DROP, file=source.release.image, why=f"{words[0]}: {why[-1] if why else done.returncode}"[:300])


def _changed(before: Path, after: Path) -> Iterator[tuple[int, bytes]]:
    with before.open("rb") as old, after.open("rb") as new:
        at = 0
        while data := new.read(CHUNK):
            was = old.read(CHUNK)
            if data != was:
                for start in range(0, len(data), BLOCK):
                    if data[start : start + BLOCK] != was[start : start + BLOCK]:
                        yield (at + start) // BLOCK, data[start : start + BLOCK]
            at += len(data)
