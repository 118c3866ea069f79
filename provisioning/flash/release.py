"""An image and what belongs to it: found beside it, and proven by a trusted release key before anything is written.

The signature holds the manifest, the manifest the SHA-256 of the image file and of its block map, and the block map the
SHA-256 of each range; so each block that goes to a card hangs on the signature.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.protocol import jws
from firmware.protocol.jws import KeyRing, Refused, kid_of
from firmware.protocol.release import BadReleaseKey, Manifest, read_manifest, release_keys
from provisioning.flash import texts as t
from provisioning.flash.blockmap import MAX_BYTES, BadBlockMap, BlockMap, read_block_map
from provisioning.flash.refusal import refuse, said

KEYS = Path("/etc/fenghuo/release-keys")
PLAIN, PACKED = ".img", ".img.zst"
STEP = 4 * 1024 * 1024


@dataclass(frozen=True)
class Release:
    """A signed image. `kid` signed it; `sha256` is that of the file `image`, which may be packed.

    `contents` is the block map's: the same for a plain and a packed image.
    """

    image: Path
    manifest: Manifest
    block_map: BlockMap
    sha256: str
    contents: str
    kid: str

    @property
    def packed(self) -> bool:
        """Whether the file is compressed by zstd."""
        return self.image.name.endswith(PACKED)


def find_release(image: Path, keys: Sequence[Path]) -> Release:
    """Read and prove all but the image's own bytes. Raises `CantFlash`."""
    ending = next((ending for ending in (PACKED, PLAIN) if image.name.endswith(ending)), None)
    if ending is None:
        raise refuse(t.NO_IMAGE, image=image)
    stem = image.name.removesuffix(ending)
    token = _read(image.with_name(f"{stem}.manifest.jws"), jws.MAX_BYTES).decode("ascii", "replace").strip()
    manifest = _manifest(image, token, keys)
    block_map = _block_map(manifest, image.with_name(f"{stem}.bmap"))
    named = manifest.files.get(image.name)
    if named is None:
        raise refuse(t.NOT_NAMED, file=image.name, files=", ".join(sorted(manifest.files)))
    found = _size(image)
    if found != named.size:
        raise refuse(t.SIZE, file=image, found=found, expected=named.size)
    if ending == PLAIN and named.size != block_map.image_size:
        raise refuse(t.BMAP, file=f"{stem}.bmap", why=f"ImageSize {block_map.image_size} ≠ {named.size}")
    contents = manifest.files[f"{stem}.bmap"].sha256
    return Release(image, manifest, block_map, named.sha256, contents, kid_of(token))


def prove(release: Release, told: Callable[[int], None]) -> None:
    """Read the whole file and hold it against the manifest; `told` hears how many bytes more. Raises `CantFlash`."""
    digest = hashlib.sha256()
    try:
        with release.image.open("rb", buffering=0) as file:
            while data := file.read(STEP):
                digest.update(data)
                told(len(data))
    except OSError as error:
        raise refuse(t.UNREADABLE, file=release.image, why=said(error)) from None
    if digest.hexdigest() != release.sha256:
        raise refuse(t.CORRUPT, file=release.image, found=digest.hexdigest(), expected=release.sha256)


def _manifest(image: Path, token: str, keys: Sequence[Path]) -> Manifest:
    try:
        ring = release_keys(keys)
    except BadReleaseKey as error:
        raise refuse(t.BAD_KEY, why=error) from None
    except OSError as error:
        raise refuse(t.UNREADABLE, file=error.filename, why=said(error)) from None
    if not ring:
        raise refuse(t.NO_KEY, places=", ".join(map(str, keys)))
    try:
        return read_manifest(KeyRing(ring), token)
    except Refused as why:
        text = {"unknown-key": t.FOREIGN_KEY}.get(why.reason, t.BAD_MANIFEST)
        raise refuse(text, file=image.name, why=why) from None


def _block_map(manifest: Manifest, file: Path) -> BlockMap:
    data = _read(file, MAX_BYTES)
    named = manifest.files.get(file.name)
    if named is None:
        raise refuse(t.NOT_NAMED, file=file.name, files=", ".join(sorted(manifest.files)))
    found = hashlib.sha256(data).hexdigest()
    if found != named.sha256:
        raise refuse(t.CORRUPT, file=file, found=found, expected=named.sha256)
    try:
        return read_block_map(data)
    except BadBlockMap as why:
        raise refuse(t.BMAP, file=file, why=why) from None


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError:
        raise refuse(t.MISSING, file=file) from None
    except OSError as error:
        raise refuse(t.UNREADABLE, file=file, why=said(error)) from None
    if len(data) > most:
        raise refuse(t.TOO_LONG, file=file, most=most)
    return data


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        raise refuse(t.MISSING, file=file) from None
    except OSError as error:
        raise refuse(t.UNREADABLE, file=file, why=said(error)) from None
