"""The panel file of the scenarios' bank: one site for all rigs, with what differs between them filled in.

The GPIO lines are the same on a desk, in a virtual machine and on a bench; so are ids, times and rules. A rig says
where its pins, ports and folders are (`Place`); a scenario says what more it needs (`Wanted`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal

from drivers.simulated_supply import CONTACT_MV

AREAS = ("hall", "vault")
USER, NAME = "manager", "Li Wei"
CODE, DURESS, WRONG = "271828", "314159", "999999"
"""The user's code, his duress code, and nobody's. Of a rig's panel, which exists for one scenario."""
BUS, KEYPAD, CAMERA, MODULE = "rs485", "keypad-1", "lobby", 1
LOADS: Mapping[int, str] = {
    20: "siren-outside",
    21: "siren-inside",
    26: "strobe",
    18: "armed-lamp",
    10: "alarm-lamp",
}
"""What hangs on which line at the site, whatever the panel file says of its outputs: a rig reads these lines."""
CONTACT_V = CONTACT_MV / 1000
"""Below this the contact of the supply's battery supervision opens."""

_BUS = """[[modbus]]
id = "rs485"
port = "{port}"
baud = 115200
timeout_ms = {timeout_ms}

[[modbus.module]]
id = "m1"
address = 1
profile = "waveshare-io-8"

[[zone]]
id = "roof"
number = 91
name = "Roof hatch 屋顶检修口"
type = "24-hour"
areas = ["hall"]
point = {{ module = "m1", input = 3, debounce_ms = 50 }}
"""
_KEYPAD = """[[osdp]]
id = "doors"
port = "{port}"

[[osdp.reader]]
id = "keypad-1"
address = 1
areas = ["hall", "vault"]
{key}
"""
_CAMERA = """[[camera]]
id = "lobby"
name = "Lobby 大堂"
maker = "{maker}"
source = "{source}"{secret}
width = 320
height = 240
frames_per_s = 2
pre_s = 1
post_s = {seconds}
tampers = ["black"]
"""


@dataclass(frozen=True)
class Wanted:
    """What a scenario needs besides the site's plain lines. Camera and bus cost the panel a process each.

    `csi`: the camera is a Raspberry Pi's own, through picamera2 and libcamera.

    `rtsp`: it is a network camera that asks for a password, and is not plugged in yet.

    `small_disk`: the journal's medium is one that `disk_full` can fill.

    `rate`: where the pins are simulated, the panel's monotonic clock runs so many times faster; real ones take the time
    it takes.
    """

    camera: bool = False
    bus: bool = False
    csi: bool = False
    rtsp: bool = False
    small_disk: bool = False
    rate: int = 1


@dataclass(frozen=True)
class Place:
    """What differs between rigs. Paths are as the panel sees them; a port that is empty is not there.

    `keypad_key`: the line of the panel file that says how the keypad is trusted (`key_file` or `insecure`).
    `camera_secret`: the name of the file, in `keys`, with a network camera's password; `camera_s`: for how long after
    an alarm its camera takes pictures.
    """

    pins: Literal["simulated", "board"] = "simulated"
    chip: int = 0
    entry_s: int = 3
    exit_s: int = 2
    keys: str = "keys"
    data: str = "data"
    run: str = "run"
    bus_port: str = ""
    bus_timeout_ms: int = 60
    keypad_port: str = ""
    keypad_key: str = 'insecure = "I accept that anyone on the bus can read and send codes"'
    camera_maker: str = "folder"
    camera_source: str = ""
    camera_secret: str = ""
    camera_s: int = 2


@dataclass(frozen=True)
class Way:
    """The way to the center, and whose receipts and commands count."""

    host: str
    port: int
    receipt_key: str
    command_key: str


@dataclass(frozen=True)
class Delivery:
    """What is installed on the panel: its file, and the files of its TLS identity by name (private keys 0600)."""

    panel: str
    toml: str
    keys: Mapping[str, bytes] = field(default_factory=dict)


def panel_file(panel: str, place: Place, way: Way, wanted: Wanted) -> str:
    """The text of the panel file."""
    rate = f"\nclock_rate = {wanted.rate}" if place.pins == "simulated" and wanted.rate > 1 else ""
    words = {
        "PANEL": panel,
        "PINS": f'pins = "{place.pins}"\nchip = {place.chip}{rate}',
        "ENTRY_S": place.entry_s * wanted.rate if rate else place.entry_s,
        "EXIT_S": place.exit_s * wanted.rate if rate else place.exit_s,
        "CAMERAS": f'cameras = ["{CAMERA}"]' if wanted.camera else "",
        "MORE": "\n".join(_more(place, wanted)),
        "HOST": way.host,
        "PORT": way.port,
        "RECEIPT_KEY": way.receipt_key,
        "COMMAND_KEY": way.command_key,
        "KEYS": place.keys,
        "DATA": place.data,
        "RUN": place.run,
    }
    text = (files("hil.rigs") / "site.toml").read_text()
    return re.sub(r"@([A-Z_]+)@", lambda found: str(words.get(found[1], found[0])), text)


def _more(place: Place, wanted: Wanted) -> list[str]:
    more = []
    if wanted.bus:
        more.append(_BUS.format(port=place.bus_port, timeout_ms=place.bus_timeout_ms))
    if place.keypad_port:
        more.append(_KEYPAD.format(port=place.keypad_port, key=place.keypad_key))
    if wanted.camera:
        secret = f'\nsecret_file = "{place.keys}/{place.camera_secret}"' if place.camera_secret else ""
        about = {"maker": place.camera_maker, "source": place.camera_source, "seconds": place.camera_s}
        more.append(_CAMERA.format(secret=secret, **about))
    return more
