"""Which journal files a command means, and the keys that prove them: from a file, a folder, or a panel file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.config import BadPanelFile, Loaded, load
from firmware.journal.former import former_keys
from firmware.journal.schema import NAME
from firmware.journal.texts import BAD_KEY, BAD_SEEN, NO_FILE, NO_KEY
from firmware.language import Text, pick
from firmware.protocol.jws import KeyRing, load_public
from firmware.protocol.messages import AskSnapshot, AskStatus
from provisioning.technician import SOCKET, NoAnswer, connected

ONE_OF: Text = (
    "give a journal file, its folder, the folder of panel.toml, or --config panel.toml",
    "请给出日志文件、其目录、panel.toml 所在目录，或 --config panel.toml",
)
KEY = Path("keys") / "core.jwk"


class BadUse(Exception):
    """What was asked can't be done. The text is for the technician. Exit code 2."""


@dataclass(frozen=True)
class Source:
    """Files to read, oldest first, the journal in use last. `running`: a panel answers; `seq` is its last record."""

    files: list[Path]
    key: Path
    loaded: Loaded | None = None
    snapshot: bool = False
    running: bool = False
    seq: int = 0

    def public_key(self) -> Ed25519PublicKey:
        """The panel's public key. Raises `BadUse`."""
        try:
            jwk = json.loads(self.key.read_bytes())
            return load_public(jwk["x"])
        except OSError:
            raise BadUse(pick(NO_KEY, place=self.key)) from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadUse(pick(BAD_KEY, place=self.key, found=error)) from None

    def former_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Keys that the panel had before it was restored on other hardware."""
        return former_keys(self.key.parent)


def sources(place: Path | None, config: Path | None, key: Path | None, snapshot: bool = True) -> Source:
    """What the words on the command line mean. Raises `BadUse`."""
    if (place is None) == (config is None):
        raise BadUse(pick(ONE_OF))
    if config is not None:
        return _of_panel(config, key, snapshot)
    assert place is not None  # noqa: S101
    if (place / "panel.toml").is_file():
        return _of_panel(place / "panel.toml", key, snapshot)
    if place.is_dir():
        return Source(_in_folder(place), key or place / KEY)
    if not place.is_file():
        raise BadUse(pick(NO_FILE, place=place))
    return Source([place], key or place.parent / KEY)


def _of_panel(config: Path, key: Path | None, snapshot: bool) -> Source:
    try:
        loaded = load(config)
    except BadPanelFile as bad:
        raise BadUse(bad.say()) from None
    except OSError as error:
        raise BadUse(f"{config}: {error.strerror}") from None
    key = key or loaded.data / KEY
    if (loaded.run / SOCKET).exists():
        try:
            return _running(loaded, key, snapshot)
        except NoAnswer:
            if snapshot and _answers(loaded):
                raise
    return Source(_in_folder(loaded.data), key, loaded)


def _running(loaded: Loaded, key: Path, snapshot: bool) -> Source:
    with connected(loaded) as panel:
        if not snapshot:
            detail = panel.ask(AskStatus()).detail
            return Source([], key, loaded, running=True, seq=int(detail.get("seq", 0)))
        copy = Path(str(panel.ask(AskSnapshot()).detail["path"]))
    older = [path for path in _in_folder(loaded.data, needed=False) if path.name != NAME]
    return Source([*older, copy], key, loaded, snapshot=True, running=True)


def _answers(loaded: Loaded) -> bool:
    try:
        with connected(loaded):
            return True
    except NoAnswer:
        return False


def _in_folder(folder: Path, needed: bool = True) -> list[Path]:
    older = [p for p in folder.glob("journal-*.sqlite") if ".corrupt-" not in p.name]
    found = sorted(older, key=lambda p: p.stat().st_mtime_ns)
    if (folder / NAME).exists():
        found.append(folder / NAME)
    if needed and not found:
        raise BadUse(pick(NO_FILE, place=folder))
    return found


def receipt_keys(loaded: Loaded | None) -> KeyRing | None:
    """The center's keys that the panel file names, None where there is no panel file or no center."""
    if loaded is None or loaded.file.center is None:
        return None
    return KeyRing([load_public(x) for x in loaded.file.center.receipt_keys])


def seen_at_center(path: Path | None) -> list[Mapping[str, Any]]:
    """The list that a center exports: `journal`, `seq` and `hash` each. Raises `BadUse`."""
    if path is None:
        return []
    try:
        items = json.loads(path.read_bytes())
        for item in items:
            if not (isinstance(item["journal"], str) and type(item["seq"]) is int and isinstance(item["hash"], str)):
                raise ValueError(str(item)[:80])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadUse(pick(BAD_SEEN, place=path, found=error)) from None
    return list(items)
