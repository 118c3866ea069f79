"""A release in small for the tests of flashing: an image with a FAT boot partition, data and holes, signed."""

import json
import os
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from random import Random

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.release import Manifest, ReleaseFile, sign_manifest
from provisioning.flash.blockmap import BLOCK, BlockMap, Range, written

MIB = 2**20
BOOT_AT, BOOT_BYTES = MIB, 4 * MIB


@dataclass(frozen=True)
class SmallRelease:
    """Where its files are; `signer` holds the release key, `key` is its public file."""

    folder: Path
    version: str
    signer: Signer
    key: Path

    @property
    def image(self) -> Path:
        """The plain image."""
        return self.folder / f"fenghuo-{self.version}.img"

    @property
    def packed(self) -> Path:
        """The same, compressed."""
        return self.folder / f"fenghuo-{self.version}.img.zst"

    @property
    def block_map(self) -> Path:
        """bmaptool's."""
        return self.folder / f"fenghuo-{self.version}.bmap"

    @property
    def manifest(self) -> Path:
        """The signed one."""
        return self.folder / f"fenghuo-{self.version}.manifest.jws"

    def sign(self) -> None:
        """Write the manifest anew, of the files as they are now."""
        files = {
            file.name: ReleaseFile(size=file.stat().st_size, sha256=sha256_hex(file.read_bytes()))
            for file in (self.image, self.packed, self.block_map)
        }
        manifest = Manifest(
            version=self.version, created="2026-11-27T10:00:00.000Z", target="pi-arm64", floor=self.version, files=files
        )
        self.manifest.write_text(sign_manifest(self.signer, manifest))
        self.manifest.with_suffix(".json").write_bytes(canonical(manifest.model_dump()))


def make_release(folder: Path, version: str = "0.2.0", size: int = 18 * MIB, seed: int = 1) -> SmallRelease:
    """Needs mtools. A third of the image is holes."""
    folder.mkdir(parents=True, exist_ok=True)
    signer = Signer(Ed25519PrivateKey.generate())
    key = folder / "release.jwk"
    x = b64url(signer.public.public_bytes_raw())
    key.write_text(json.dumps({"crv": "Ed25519", "kid": signer.kid, "kty": "OKP", "x": x}))
    made = SmallRelease(folder, version, signer, key)
    _image(made.image, size, Random(seed))  # noqa: S311
    made.packed.write_bytes(zstandard.ZstdCompressor(level=1).compress(made.image.read_bytes()))
    made.block_map.write_bytes(written(mapped(made.image)))
    made.sign()
    return made


def mapped(image: Path) -> BlockMap:
    """The map of a sparse file: its blocks that are not all zero, and those at its two ends."""
    data = image.read_bytes()
    blocks = [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
    used = [number for number, block in enumerate(blocks) if any(block) or number < BOOT_AT // BLOCK]
    ranges: list[Range] = []
    for number in used:
        if not ranges or ranges[-1].last != number - 1:
            ranges.append(Range(number, number, ""))
        ranges[-1] = Range(ranges[-1].first, number, "")
    return BlockMap(len(data), tuple(_hashed(part, data) for part in ranges))


def _hashed(part: Range, data: bytes) -> Range:
    return Range(part.first, part.last, sha256_hex(data[part.first * BLOCK : (part.last + 1) * BLOCK]))


def _image(image: Path, size: int, random: Random) -> None:
    data_at = BOOT_AT + BOOT_BYTES
    with image.open("wb") as file:
        file.truncate(size)
        file.write(_table(((0x0C, BOOT_AT, BOOT_BYTES), (0x83, data_at, size - data_at))))
        for at in range(data_at, size - 3 * MIB, 6 * MIB):
            file.seek(at)
            file.write(random.randbytes(min(4 * MIB + 3 * BLOCK, size - at)))
    sectors, told = BOOT_BYTES // 512, {"SOURCE_DATE_EPOCH": "1764237600", "MTOOLSRC": os.devnull}
    place = ("-i", f"{image}@@{BOOT_AT}")
    subprocess.run(
        ("mformat", *place, "-T", str(sectors), "-N", "0f0f0f0f", "-v", "FENGHUO", "::"),
        env={**os.environ, **told},
        check=True,
    )


def _table(parts: tuple[tuple[int, int, int], ...]) -> bytes:
    rows = b"".join(struct.pack("<B3xB3xII", 0, kind, at // 512, size // 512) for kind, at, size in parts)
    return bytes(446) + rows.ljust(64, b"\0") + b"\x55\xaa"
