"""A panel file that core has checked before, kept so that it needs no checking again.

Building the models and checking the file is the longest part of core's start, and a start is the gap in which nobody
watches. So core keeps the checked file as JSON beside its journal, under a MAC with the device's pepper, bound to
the file's hash, this version and these models. Whatever does not fit exactly counts as nothing: the file is read anew.
"""

import hashlib
import hmac
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from firmware.config.loaded import Loaded
from firmware.version import VERSION

if TYPE_CHECKING:
    from firmware.config.models import PanelFile

NAME = "panel.kept"
MAX_BYTES = 1024 * 1024
MAX_KEPT = 4 * 1024 * 1024


class View:
    """A table of the file: its members as attributes, as the model has them."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.__dict__.update(members)


def view(value: Any) -> Any:
    """Tables become `View`s, all else stays."""
    if isinstance(value, dict):
        return View({name: view(member) for name, member in value.items()})
    return [view(item) for item in value] if isinstance(value, list) else value


def keep(loaded: Loaded, pepper: bytes) -> None:
    """Keep this file for the next start; a disk that refuses costs only time."""
    body = {"file": loaded.file.model_dump(mode="json"), "sha256": loaded.sha256, "models": _models()}
    data = json.dumps(body, ensure_ascii=False).encode()
    part = loaded.data / f"{NAME}.part"
    try:
        part.write_bytes(_mac(pepper, data).encode() + b"\n" + data)
        part.chmod(0o600)
        part.replace(loaded.data / NAME)
    except OSError:
        part.unlink(missing_ok=True)


def load(path: Path) -> Loaded | None:
    """The file as it was kept, if it is the very same and nothing is amiss; else None. Raises nothing."""
    try:
        return _load(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _load(path: Path) -> Loaded | None:
    if path.stat().st_size > MAX_BYTES:
        return None
    raw = path.read_bytes()
    folder = path.absolute().parent
    data = folder / str(tomllib.loads(raw.decode()).get("storage", {}).get("data", "data"))
    if (data / NAME).stat().st_size > MAX_KEPT:
        return None
    mac, _, body = (data / NAME).read_bytes().partition(b"\n")
    pepper = (data / "keys" / "pepper").read_bytes()
    if not hmac.compare_digest(mac, _mac(pepper, body).encode()):
        return None
    kept = json.loads(body)
    sha256 = hashlib.sha256(raw).hexdigest()
    if kept["sha256"] != sha256 or kept["models"] != _models():
        return None
    return Loaded(path, folder, cast("PanelFile", view(kept["file"])), sha256, raw.decode())


def _mac(pepper: bytes, body: bytes) -> str:
    return hmac.new(pepper, b"fenghuo-panel-file\0" + body, "sha256").hexdigest()


def _models() -> str:
    """What the file was checked with: the version, and in a source tree the state of models' and profiles' source."""
    here = Path(__file__).parent
    sources = [here / f"{name}.py" for name in ("base", "dated", "dc09", "defaults", "models", "readers", "supply")]
    stats = [source.stat() for source in (*sources, here.parents[1] / "rules" / "profiles.py")]
    return " ".join([VERSION, *(f"{stat.st_size} {stat.st_mtime_ns}" for stat in stats)])
