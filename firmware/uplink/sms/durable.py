"""Small files of the SMS path that a power cut leaves whole: written beside, synced, renamed."""

import json
from pathlib import Path
from typing import Any

from firmware.durable import write_whole

MAX_BYTES = 1024 * 1024


def write(path: Path, value: dict[str, Any]) -> None:
    """Keep this as JSON, readable by this user only; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, json.dumps(value, ensure_ascii=False).encode())


def read(path: Path) -> dict[str, Any] | None:
    """What was kept, None where nothing was; raises `OSError` or `ValueError` for what can't be read."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(raw) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    try:
        value = json.loads(raw)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}, expected an object")
    return value
