"""`make image`: from packages to `fenghuo-VERSION.img` with its block map, list of parts, update bundle and manifest.

    python -m images.make [--keys DIR] [--out DIR] [--like SBOM]

Without `--keys` it signs with keys made for this build folder, which no card in the field trusts. The same sources and
packages give the same bytes, but for the signatures of the bundle; `--like` refuses other versions than a list names.
"""

import argparse
import datetime
import hashlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from firmware.clock import utc_text
from firmware.protocol.canonical import canonical
from firmware.protocol.release import Manifest, ReleaseFile, sign_manifest
from firmware.version import BUILT, FLOOR, VERSION
from images import bundle, disk, keys, packages, rootfs, sbom, settings, slot
from images.settings import BUILD, TEST_KEYS, Settings

log = logging.getLogger("images.make")

Made = TypeVar("Made")
TOOL_S = 600


class OtherParts(Exception):
    """The packages are not those that the list names; tells the first differences."""


def epoch() -> int:
    """The moment that all dates in the image have: SOURCE_DATE_EPOCH, else when this version was made."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(given) if given else int(datetime.datetime.fromisoformat(BUILT).timestamp())


def make(out: Path, chosen: Settings, key_folder: Path, like: Path | None = None, cache: Path = BUILD) -> list[Path]:
    """Make the release's files in `out`; their paths.

    Raises `OtherParts`, `CalledProcessError`, `NoMirror`, `NotBundled`, `ValueError`, `OSError`.
    """
    out.mkdir(parents=True, exist_ok=True)
    when, name = epoch(), f"fenghuo-{VERSION}"
    fetched = _timed("packages and wheels", lambda: rootfs.fetch(chosen, cache))
    tree = cache / "rootfs"
    keyring = (key_folder / "keyring.pem").read_text()
    _timed("root", lambda: rootfs.make(tree, chosen, fetched, keyring, cache))
    parts = json.loads((tree / "parts.json").read_text())
    if like is not None:
        compare(parts, json.loads(like.read_text(encoding="utf-8")))
    made = _timed("slot", lambda: slot.make(tree, out / f"{name}.slot", when))
    image, block_map = out / f"{name}.img", out / f"{name}.bmap"
    _timed("card", lambda: disk.make(image, made.file, tree, fetched.boot, chosen, when))
    _timed("block map", lambda: _tool("bmaptool", "create", "-o", str(block_map), str(image)))
    listed = out / f"{name}.cdx.json"
    document = sbom.document(parts, VERSION, utc_text(when), chosen.suite)
    listed.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
    bundled = out / f"{name}.raucb"
    about = bundle.About()
    _timed(
        "bundle", lambda: bundle.make(made.file, bundled, about, key_folder / "signer.crt", key_folder / "signer.pem")
    )
    files = [image, block_map, listed, bundled]
    return files + _manifest(out, name, files, chosen, key_folder, when) + [made.file]


def compare(parts: Mapping[str, Sequence[Mapping[str, str]]], listed: Mapping[str, Any]) -> None:
    """Refuse other packages than a CycloneDX list of an earlier build has. Raises `OtherParts`."""
    wanted = {component["name"]: component["version"] for component in listed["components"]}
    found = {part["name"]: part["version"] for kind in parts.values() for part in kind}
    differ = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if differ:
        told = [f"{name}: found {found.get(name, 'none')}, expected {wanted.get(name, 'none')}" for name in differ]
        raise OtherParts("; ".join(told[:10]) + (f"; and {len(told) - 10} more" if len(told) > 10 else ""))


def _manifest(out: Path, name: str, files: Sequence[Path], chosen: Settings, key_folder: Path, when: int) -> list[Path]:
    listed = {file.name: ReleaseFile(size=file.stat().st_size, sha256=_sha256(file)) for file in files}
    manifest = Manifest(version=VERSION, created=utc_text(when), target=chosen.target, floor=FLOOR, files=listed)
    plain, signed = out / f"{name}.manifest.json", out / f"{name}.manifest.jws"
    plain.write_bytes(canonical(manifest.model_dump()))
    signed.write_text(sign_manifest(keys.signer(key_folder), manifest) + "\n")
    return [plain, signed]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tool(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True, timeout=TOOL_S)


def _timed(what: str, do: Callable[[], Made]) -> Made:
    began = time.monotonic()
    made = do()
    log.info("%-20s %5.1f s", what, time.monotonic() - began)
    return made


def main(argv: Sequence[str]) -> int:
    """Make the image and its release files."""
    parser = argparse.ArgumentParser(prog="python -m images.make", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=BUILD)
    parser.add_argument("--keys", type=Path, help="a folder of images.keys; without it, keys of this build folder")
    parser.add_argument("--like", type=Path, help="a list of parts (.cdx.json) whose versions it must have")
    parser.add_argument("--kernel", help="another kernel than settings.toml: PACKAGE/SUITE or folder:PATH")
    words = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings.find_tools()
    key_folder = words.keys or keys.of_build(TEST_KEYS)
    if words.keys is None:
        log.warning("signed with keys for trials (%s): no panel in the field trusts them", TEST_KEYS)
    chosen = settings.read(**({"kernel": words.kernel} if words.kernel else {}))
    try:
        files = make(words.out, chosen, key_folder, words.like)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(map(str, error.cmd))} ended with {error.returncode}:\n{error.stderr}", file=sys.stderr)
        return 1
    except (OtherParts, packages.NoMirror, bundle.NotBundled, OSError, ValueError) as error:
        print(f"images.make: {error}", file=sys.stderr)
        return 1
    for file in files:
        log.info("%s  %d MiB", file, file.stat().st_size // 2**20)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
