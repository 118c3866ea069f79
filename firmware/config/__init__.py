"""The panel file, `panel.toml`: its models, reading it with every mistake at once, and the site that the rules see.

Every process of the panel reads the file through `load`; what is said about a bad one is `Mistake`s, never a traceback.
The parts are loaded when they are asked for: a core that comes back with a file it knows needs no models (`kept`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from firmware.config.base import Tls
    from firmware.config.dated import Day, Schedule, Stop, Tour
    from firmware.config.dc09 import Dc09Path
    from firmware.config.loaded import Loaded
    from firmware.config.mistakes import BadPanelFile, Mistake
    from firmware.config.models import (
        Adc,
        Area,
        Box,
        Camera,
        Center,
        Loop,
        MqttPath,
        Output,
        Panel,
        PanelFile,
        Part,
        SmsPath,
        Storage,
        Timings,
        Watch,
        Wire,
        Zone,
    )
    from firmware.config.reading import MAX_BYTES, checked, load
    from firmware.config.site import to_site
    from firmware.config.supply import Battery, Board, Power

__all__ = [
    "MAX_BYTES",
    "Adc",
    "Area",
    "BadPanelFile",
    "Battery",
    "Board",
    "Box",
    "Camera",
    "Center",
    "Day",
    "Dc09Path",
    "Loaded",
    "Loop",
    "Mistake",
    "MqttPath",
    "Output",
    "Panel",
    "PanelFile",
    "Part",
    "Power",
    "Schedule",
    "SmsPath",
    "Stop",
    "Storage",
    "Timings",
    "Tls",
    "Tour",
    "Watch",
    "Wire",
    "Zone",
    "checked",
    "load",
    "to_site",
]

_HOMES = {
    "Day": "dated",
    "Tls": "base",
    "Dc09Path": "dc09",
    "Schedule": "dated",
    "Stop": "dated",
    "Tour": "dated",
    "Loaded": "loaded",
    "BadPanelFile": "mistakes",
    "Mistake": "mistakes",
    "MAX_BYTES": "reading",
    "checked": "reading",
    "load": "reading",
    "to_site": "site",
    "Battery": "supply",
    "Board": "supply",
    "Power": "supply",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'models')}"), name)
