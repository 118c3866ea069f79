"""What the initramfs of an image tells of this boot: the slot, and the root hash that verifies each block of it."""

import re
from pathlib import Path

FOLDER = Path("/run/fenghuo-boot")
MAX_BYTES = 128
_HASH = re.compile(r"[0-9a-f]{64}")


def root_hash(folder: Path = FOLDER) -> str:
    """The dm-verity root hash of the running system, hex; "" where it is none of our images."""
    found = _line(folder / "root-hash")
    return found if _HASH.fullmatch(found) else ""


def slot(folder: Path = FOLDER) -> str:
    """`A` or `B`, or "" where it is none of our images."""
    found = _line(folder / "slot")
    return found if found in ("A", "B") else ""


def _line(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
