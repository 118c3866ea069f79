"""The block map of an image (bmaptool's format 2.0): which blocks carry data, with a SHA-256 for each range of them.

Only these blocks are written: a card of 3 GiB with 1 GiB in it takes a third of the time.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from firmware.protocol.canonical import sha256_hex

BLOCK = 4096
MAX_BYTES = 4 * 1024 * 1024
MAX_RANGES = 65_536
MAX_IMAGE = 2**40

_RANGE = re.compile(r"([0-9]{1,12})(?:-([0-9]{1,12}))?")
_NUMBERS = ("ImageSize", "BlockSize", "BlocksCount", "MappedBlocksCount")
_TEXTS = (*_NUMBERS, "ChecksumType", "BmapFileChecksum")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadBlockMap(ValueError):
    """Not a block map that can be used; says what was found and expected."""


@dataclass(frozen=True)
class Range:
    """Blocks from `first` to `last`, both included."""

    first: int
    last: int
    sha256: str


@dataclass(frozen=True)
class BlockMap:
    """Ranges in order, none over another, all inside the image. Sizes in bytes."""

    image_size: int
    ranges: tuple[Range, ...]

    @property
    def mapped(self) -> int:
        """Bytes to write."""
        return sum(part.last - part.first + 1 for part in self.ranges) * BLOCK


@dataclass
class _Heard:
    texts: dict[str, str] = field(default_factory=dict)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: str = ""
    checksum: str = ""
    version: str = ""


def read_block_map(data: bytes) -> BlockMap:
    """The map in these bytes. Raises `BadBlockMap`."""
    if len(data) > MAX_BYTES:
        raise BadBlockMap(f"{len(data)} bytes, at most {MAX_BYTES}")
    heard = _parsed(data)
    if not heard.version.startswith("2."):
        raise BadBlockMap(f"version {heard.version[:20]!r}, expected 2.0")
    for name in _TEXTS:
        if name not in heard.texts:
            raise BadBlockMap(f"no {name}")
    if heard.texts["ChecksumType"] != "sha256":
        raise BadBlockMap(f"ChecksumType {heard.texts['ChecksumType'][:20]!r}, expected sha256")
    _own_checksum(data, heard.texts["BmapFileChecksum"])
    size, block, blocks, mapped = (_number(heard, name) for name in _NUMBERS)
    if block != BLOCK:
        raise BadBlockMap(f"BlockSize {block}, expected {BLOCK}")
    if not 0 < size <= MAX_IMAGE or size % BLOCK:
        raise BadBlockMap(f"ImageSize {size}, expected a multiple of {BLOCK} up to {MAX_IMAGE}")
    if blocks != size // BLOCK:
        raise BadBlockMap(f"BlocksCount {blocks}, expected {size // BLOCK}")
    found = BlockMap(size, tuple(_ranges(heard, blocks)))
    if found.mapped != mapped * BLOCK:
        raise BadBlockMap(f"MappedBlocksCount {mapped}, but the ranges hold {found.mapped // BLOCK}")
    return found


def written(block_map: BlockMap) -> bytes:
    """The same in bmaptool's format."""
    rows = "".join(
        f'        <Range chksum="{part.sha256}"> {part.first}-{part.last} </Range>\n' for part in block_map.ranges
    )
    texts = (block_map.image_size, BLOCK, block_map.image_size // BLOCK, block_map.mapped // BLOCK, "sha256", "0" * 64)
    head = "".join(f"    <{name}> {text} </{name}>\n" for name, text in zip(_TEXTS, texts, strict=True))
    text = f'<?xml version="1.0" ?>\n<bmap version="2.0">\n{head}    <BlockMap>\n{rows}    </BlockMap>\n</bmap>\n'
    return text.replace("0" * 64, sha256_hex(text.encode()), 1).encode()


def _parsed(data: bytes) -> _Heard:
    heard = _Heard()
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(heard.path) >= 3 or len(heard.ranges) >= MAX_RANGES:
            raise BadBlockMap(f"deeper than 3 elements, or more than {MAX_RANGES} ranges")
        heard.path.append(name)
        heard.text = ""
        heard.checksum = attributes.get("chksum", "")
        if heard.path == ["bmap"]:
            heard.version = attributes.get("version", "")

    def end(name: str) -> None:
        if heard.path == ["bmap", name] and name in _TEXTS:
            if name in heard.texts:
                raise BadBlockMap(f"{name} stands twice")
            heard.texts[name] = heard.text.strip()
        elif heard.path == ["bmap", "BlockMap", "Range"]:
            heard.ranges.append((heard.text.strip(), heard.checksum))
        heard.path.pop()
        heard.text = ""

    def characters(text: str) -> None:
        heard.text = (heard.text + text)[:256]

    def doctype(*_: object) -> None:
        raise BadBlockMap("a document type, expected none")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        # A `BadBlockMap` of a handler is a ValueError too, and stays what it is.
        raise error if isinstance(error, BadBlockMap) else BadBlockMap(f"not XML: {error}") from None
    return heard


def _own_checksum(data: bytes, checksum: str) -> None:
    """The file's SHA-256 while 64 zeros stand in the checksum's place."""
    if not _SHA256.fullmatch(checksum):
        raise BadBlockMap(f"BmapFileChecksum {checksum[:20]!r}, expected a SHA-256")
    if sha256_hex(data.replace(checksum.encode(), b"0" * 64, 1)) != checksum:
        raise BadBlockMap("BmapFileChecksum does not fit the file")


def _number(heard: _Heard, name: str) -> int:
    text = heard.texts[name]
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise BadBlockMap(f"{name} {text[:20]!r}, expected a whole number")
    return int(text)


def _ranges(heard: _Heard, blocks: int) -> list[Range]:
    found: list[Range] = []
    for text, checksum in heard.ranges:
        match = _RANGE.fullmatch(text)
        if match is None or not _SHA256.fullmatch(checksum):
            raise BadBlockMap(f"range {text[:40]!r} with chksum {checksum[:20]!r}, expected FIRST-LAST with a SHA-256")
        part = Range(int(match[1]), int(match[2] or match[1]), checksum)
        after = found[-1].last + 1 if found else 0
        if not after <= part.first <= part.last < blocks:
            raise BadBlockMap(f"range {text!r}, expected it between blocks {after} and {blocks - 1}")
        found.append(part)
    return found
