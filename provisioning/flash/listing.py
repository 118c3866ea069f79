"""`fenghuo flash --list`: the disks that can be flashed, what is on them, and why the others can't."""

import json
from dataclasses import asdict

from rich.table import Table

from firmware.language import pick
from provisioning.flash import texts as t
from provisioning.flash.disks import Disk, Kernel
from provisioning.flash.target import Target
from provisioning.flash.writing import gib
from provisioning.terminal import console


def show_disks(kernel: Kernel, everything: bool, as_json: bool) -> None:
    """Print the removable ones; with `everything` all."""
    disks = [disk for disk in kernel.disks() if disk.removable or everything]
    if as_json:
        rows = [{**asdict(disk), "device": str(disk.path), "why_not": _why_not(disk)} for disk in disks]
        print(json.dumps({"ok": True, "disks": rows}, ensure_ascii=False))
        return
    if not disks:
        print(pick(t.NO_DISKS))
        return
    table = Table(*(pick(head) for head in t.HEADS))
    for disk in disks:
        on_it = ", ".join(" ".join(filter(None, (item.what, item.label))) for item in Target.of(disk).lost())
        use = ", ".join(where for kind, where in disk.uses if kind == disk.use)
        model = " ".join(filter(None, (disk.model, disk.bus)))
        table.add_row(str(disk.path), gib(disk.size), model, on_it, pick(t.USES[_why_not(disk)], uses=use))
    console().print(table)


def _why_not(disk: Disk) -> str:
    return disk.use or ("read-only" if disk.read_only else "" if disk.removable else "fixed")
