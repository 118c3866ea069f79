"""A panel that has moved in: its processes run, its user is known, its center has all records; kept as a snapshot.

What starting Python costs on an emulated board is so paid once, not for each scenario. The center's keys and store
belong to the snapshot, and each run has a copy of them. Certificates live a day, so a snapshot half a day.
"""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from hil.rigs.machine.prepared import READY, TREE, Prepared, locked
from hil.rigs.site import Wanted

GOOD_FOR_S = 12 * 3600
FAR_END = ("ca", "center")


@dataclass(frozen=True)
class MovedIn:
    """`prepared`: its disks with the snapshot. `far`: folder of the center's end. `toml`: the panel file."""

    prepared: Prepared
    far: Path
    panel: str
    toml: str

    def copy_far_end(self, folder: Path) -> None:
        """For one run."""
        for name in FAR_END:
            shutil.copytree(self.far / name, folder / name)


def moved_in(ready: Prepared, wanted: Wanted) -> MovedIn:
    """The panel of these wishes, made now where there is none or it is too old. Raises what a rig's `begin` raises."""
    folder = ready.folder / f"panel-{_site()}{'-camera' if wanted.camera else ''}"
    with locked(ready.folder):
        note = folder / "done.json"
        if not note.exists() or time.time() - note.stat().st_mtime > GOOD_FOR_S:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _make(ready, wanted, folder)
        told = json.loads(note.read_text())
    return MovedIn(Prepared(ready.base, folder, ready.first_boot_s), folder / "far", told["panel"], told["toml"])


def _site() -> str:
    """Names what the panel file is made of."""
    digest = hashlib.sha256()
    for name in ("site.py", "site.toml"):
        digest.update((files("hil.rigs") / name).read_bytes())
    return digest.hexdigest()[:8]


def _make(ready: Prepared, wanted: Wanted, folder: Path) -> None:
    from hil.rigs.machine.rig import MachineRig

    far = folder / "far"
    far.mkdir()
    rig = MachineRig(far, wanted, ready)
    try:
        rig.begin()
        rig.settle()
        rig.far.keep_keys()
        disks = rig.save(READY)
        told = {"panel": rig.panel, "toml": rig.toml}
        for disk in disks:
            shutil.move(disk.path, folder / disk.path.name)
        if ready.base.board.tree:
            shutil.copyfile(ready.folder / TREE, folder / TREE)
    finally:
        rig.end()
    (folder / "done.json").write_text(json.dumps(told))
