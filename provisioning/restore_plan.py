"""What a mirror holds and what `fenghuo restore` would do with it; looks at everything, changes nothing."""

import json
import shutil
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import rules
from firmware.config import BadPanelFile, Loaded, load
from firmware.core.keys import BadKey
from firmware.core.keys import read as read_keys
from firmware.journal import restoring
from firmware.journal.check import Unsound
from firmware.journal.former import former_keys
from firmware.journal.restoring import Copied
from firmware.journal.verify import verify
from firmware.language import Text, pick
from firmware.mirror import medium
from firmware.protocol.jws import KeyRing, key_id, load_public
from provisioning import restore_texts as t

SPARE_BYTES = 4 * 1024 * 1024
KEY_FILES = ("core.pem", "pepper")


class CantRestore(Exception):
    """Nothing was changed. The text is for the technician."""


def refuse(text: Text, **values: object) -> CantRestore:
    """The refusal with this text."""
    return CantRestore(pick(text, **values))


@dataclass(frozen=True)
class Wish:
    """The command line."""

    mirror: Path
    config: Path
    keys: Path | None
    new_keys: bool
    key: Path | None
    replace: bool


@dataclass(frozen=True)
class Held:
    """The mirror, proven. `unsound`: file and number of findings of older journals that are left out."""

    folder: Path
    panel: str
    public: Ed25519PublicKey
    former: tuple[Ed25519PublicKey, ...]
    copies: Sequence[Copied]
    source: Copied
    state: "rules.PanelState | None"
    unsound: Sequence[tuple[str, int]]
    records: int

    @property
    def kid(self) -> str:
        """Thumbprint of the panel's key."""
        return key_id(self.public)

    def ring(self) -> KeyRing:
        """What proves its journals."""
        return KeyRing([self.public, *self.former])


@dataclass(frozen=True)
class Plan:
    """What is going to happen. `keys`: `same`, `backup` or `new`. `file`: `there`, `other` or `copied`."""

    held: Held
    loaded: Loaded
    keys: str
    file: str
    replace: bool
    done: bool = False

    @property
    def users_stay(self) -> bool:
        """Whether the codes of the users count on: only together with the pepper that they were made with."""
        return self.keys != "new"


def hold(folder: Path, key: Path | None) -> Held:
    """Read and prove the mirror. Raises `CantRestore`."""
    panel = _label(folder)
    public = _public(key or folder / medium.PUBLIC_KEY)
    former = () if key else former_keys(folder / "keys")
    ring = KeyRing([public, *former])
    copies, unsound, records = [], [], 0
    for path in sorted(medium.journals(folder)):
        report = verify(path, public, former=former)
        try:
            copy = restoring.read(path, panel, ring)
        except (Unsound, sqlite3.Error, OSError, ValueError, TypeError, KeyError):
            unsound.append((path.name, len(report.findings) or 1))
            continue
        if report.sound or copy.tail is None:
            copies.append(copy)
            records += report.records
        else:
            unsound.append((path.name, len(report.findings)))
    source = _source(folder, copies, unsound)
    return Held(folder, panel, public, former, copies, source, _state(source), unsound, records)


def _label(folder: Path) -> str:
    try:
        panel = medium.panel_of(folder)
    except (medium.BadMedium, OSError) as error:
        raise refuse(t.BAD_MIRROR, place=folder, why=error) from None
    if not panel:
        raise refuse(t.NO_MIRROR, place=folder, label=medium.LABEL)
    return panel


def _public(path: Path) -> Ed25519PublicKey:
    try:
        return load_public(json.loads(path.read_bytes())["x"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise refuse(t.NO_KEY, place=path, why=error) from None


def _source(folder: Path, copies: Sequence[Copied], unsound: Sequence[tuple[str, int]]) -> Copied:
    source = restoring.newest(copies)
    # Of a journal that can't be proven nobody can say how new it is: the youngest file of all must be a proven one.
    if unsound and (source is None or any(_younger(folder / name, source.path) for name, _ in unsound)):
        name, count = unsound[-1]
        raise refuse(t.UNSOUND, name=name, count=count, place=folder)
    if source is None:
        raise refuse(t.NOTHING, place=folder)
    return source


def _younger(path: Path, than: Path) -> bool:
    return path.stat().st_mtime_ns > than.stat().st_mtime_ns


def _state(source: Copied) -> "rules.PanelState | None":
    data = source.tail.state.state if source.tail else b""
    try:
        return rules.decode(data) if data else None
    except ValueError as error:
        raise refuse(t.BAD_MIRROR, place=source.path, why=error) from None


def plan(wish: Wish) -> Plan:
    """What would be done. Raises `CantRestore`."""
    held = hold(wish.mirror, wish.key)
    loaded, file = _file(wish, held)
    found = restoring.newer_than(loaded.data, held.panel, _ring_of(loaded, held), held.copies, held.source)
    if found == restoring.REASON:
        return Plan(held, loaded, "same", file, False, done=True)
    if found == restoring.SAME and not wish.replace:
        raise refuse(t.NOTHING_MISSING, data=loaded.data, seq=held.source.last, journal=held.source.journal)
    if found and not wish.replace:
        raise refuse(t.NEWER, data=loaded.data, name=found)
    keys = _keys(wish, held, loaded)
    _room(loaded.data, held)
    return Plan(held, loaded, keys, file, wish.replace)


def _file(wish: Wish, held: Held) -> tuple[Loaded, str]:
    kept = held.folder / medium.PANEL_FILE
    there = wish.config.exists()
    if not there and not kept.is_file():
        raise refuse(t.NO_FILE, place=wish.config)
    try:
        loaded = load(wish.config if there else kept)
    except BadPanelFile as bad:
        raise CantRestore(bad.say()) from None
    if loaded.file.panel.id != held.panel:
        raise refuse(t.OTHER_PANEL, place=wish.config, found=loaded.file.panel.id, expected=held.panel)
    if not there:
        return Loaded(wish.config, wish.config.absolute().parent, loaded.file, loaded.sha256, loaded.text), "copied"
    same = kept.is_file() and kept.read_bytes() == wish.config.read_bytes()
    return loaded, "there" if same or not kept.is_file() else "other"


def _ring_of(loaded: Loaded, held: Held) -> KeyRing:
    """What may prove a journal that lies in the data folder already: the mirror's keys, and the board's own."""
    own = loaded.data / "keys" / "core.jwk"
    try:
        return KeyRing([held.public, *held.former, load_public(json.loads(own.read_bytes())["x"])])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return held.ring()


def _keys(wish: Wish, held: Held, loaded: Loaded) -> str:
    there = loaded.data / "keys"
    if all((there / name).exists() for name in KEY_FILES):
        return "same" if _kid(there, held) == held.kid else "new"
    if wish.keys is not None:
        if not all((wish.keys / name).is_file() for name in KEY_FILES) or _kid(wish.keys, held) != held.kid:
            raise refuse(t.BAD_KEYS, place=wish.keys, found="other files or keys", expected=held.kid)
        return "backup"
    if not wish.new_keys:
        raise refuse(t.WHICH_KEYS, keys=there)
    return "new"


def _kid(folder: Path, held: Held) -> str:
    try:
        return read_keys(folder).signer.kid
    except (BadKey, OSError) as error:
        raise refuse(t.BAD_KEYS, place=folder, found=error, expected=held.kid) from None


def _room(data: Path, held: Held) -> None:
    folder = data
    while not folder.exists():
        folder = folder.parent
    need, free = restoring.size_of(held.copies) + SPARE_BYTES, shutil.disk_usage(folder).free
    if free < need:
        raise refuse(t.FULL, data=data, free=free // 2**20, need=need // 2**20 + 1)


def shown(plan: Plan) -> dict[str, Any]:
    """The plan as JSON."""
    held, tail = plan.held, plan.held.source.tail
    durable = held.state.durable if held.state else None
    return {
        "panel": held.panel,
        "key": held.kid,
        "journal": held.source.journal,
        "seq": held.source.last,
        "written": tail.lived[2] if tail else "",
        "journals": len(held.copies),
        "records": held.records,
        "bytes": restoring.size_of(held.copies),
        "left_out": [{"file": name, "findings": count} for name, count in held.unsound],
        "areas": {id_: area.mode.value for id_, area in durable.areas.items()} if durable else {},
        "in_alarm": [id_ for id_, area in durable.areas.items() if area.alarm] if durable else [],
        "bypassed": sorted(id_ for id_, zone in durable.zones.items() if zone.out) if durable else [],
        "troubles": sorted(durable.troubles) if durable else [],
        "users": sorted(durable.people.users) if durable else [],
        "users_stay": plan.users_stay,
        "keys": plan.keys,
        "file": plan.file,
        "data": str(plan.loaded.data),
        "done_before": plan.done,
    }
