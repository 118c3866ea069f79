"""The folder of the demo: the panel file of its bank branch, and what is remembered between two runs.

panel.toml   made once, kept afterwards; only the center's address and keys are put right
data, run    the panel's
center       the reference center's store and keys
log          what the processes said
"""

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from firmware.config import Loaded, load
from firmware.language import Text, pick
from hil.broker import free_port, is_free
from hil.timeline import Names

# The kernel's limit for the path of a unix socket is 108 bytes, with the zero at its end.
MAX_SOCKET_PATH = 107
_LONGEST_SOCKET = "technician.sock"

_TOO_LONG: Text = (
    "{folder}: this path is too long for the panel's sockets ({found} bytes, at most {most}); choose a shorter --dir",
    "{folder}:路径过长,无法建立套接字({found} 字节,最多 {most});请用 --dir 指定较短的目录",
)


class BadFolder(Exception):
    """The demo can't live in this folder; the text says why."""


@dataclass(frozen=True)
class Address:
    """A broker."""

    host: str
    port: int


def address(folder: Path, broker: Address | None) -> Address:
    """Where the broker is to listen: the one given, else the port of the last run, else a free one."""
    if broker is not None:
        return broker
    file = folder / "panel.toml"
    text = file.read_text() if file.exists() else ""
    found = re.search(r'^host = "127\.0\.0\.1"[^\n]*\nport = (\d+)', text, re.M)
    port = int(found[1]) if found and is_free(int(found[1])) else free_port()
    return Address("127.0.0.1", port)


def make(folder: Path, broker: Address, receipt_key: str, command_key: str) -> tuple[Loaded, bool]:
    """The panel file in `folder`, made or put right; and whether it was there before.

    Raises `BadFolder`, `OSError`, and `firmware.config.BadPanelFile` where somebody's changes are wrong.
    """
    longest = len(str((folder / "run" / _LONGEST_SOCKET).absolute()).encode())
    if longest > MAX_SOCKET_PATH:
        raise BadFolder(pick(_TOO_LONG, folder=folder, found=longest, most=MAX_SOCKET_PATH))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "panel.toml"
    there = file.exists()
    before = file.read_text() if there else ""
    text = before if there else (files("hil") / "demo.toml").read_text()
    values = {
        "host": f'"{broker.host}"',
        "port": str(broker.port),
        "receipt_keys": f'["{receipt_key}"]',
        "command_keys": f'["{command_key}"]',
    }
    for name, value in values.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
    if text != before:
        part = file.with_suffix(".new")
        part.write_text(text)
        part.replace(file)
    return load(file), there


def names(loaded: Loaded) -> Names:
    """What the panel file calls its zones, areas and outputs."""
    file = loaded.file
    return Names(
        zones={zone.id: zone.name for zone in file.zone},
        areas={area.id: area.name for area in file.area},
        outputs={output.id: (str(output.kind), output.id) for output in file.output},
    )


def example_ids(text: str) -> dict[str, list[tuple[object, ...]]]:
    """Ids, types and lines of a panel file's parts, to hold the demo's site against the example it comes from."""
    raw = tomllib.loads(text)
    return {
        "areas": [(area["id"], area["number"]) for area in raw["area"]],
        "zones": [
            (z["id"], z["number"], z["type"], z.get("sensor"), z["areas"], sorted(z["input"].items()))
            for z in raw["zone"]
        ],
        "outputs": [(o["id"], o["kind"], o["line"], o["areas"]) for o in raw["output"]],
        "cameras": [(camera["id"], camera["name"]) for camera in raw["camera"]],
    }
