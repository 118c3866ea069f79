"""The panel file, `panel.toml`: its models, reading it with every mistake at once, and the site that the rules see.

Every process of the panel reads the file through `load`; what is said about a bad one is `Mistake`s, never a traceback.
"""

from typing import TYPE_CHECKING, Any

from firmware.config.mistakes import BadPanelFile, Mistake
from firmware.config.models import (
    Area,
    Camera,
    Center,
    MqttPath,
    Output,
    Panel,
    PanelFile,
    Power,
    Storage,
    Timings,
    Tls,
    Wire,
    Zone,
)
from firmware.config.reading import MAX_BYTES, Loaded, load

if TYPE_CHECKING:
    from firmware.config.site import to_site

__all__ = [
    "MAX_BYTES",
    "Area",
    "BadPanelFile",
    "Camera",
    "Center",
    "Loaded",
    "Mistake",
    "MqttPath",
    "Output",
    "Panel",
    "PanelFile",
    "Power",
    "Storage",
    "Timings",
    "Tls",
    "Wire",
    "Zone",
    "load",
    "to_site",
]


def __getattr__(name: str) -> Any:
    """`to_site` brings all the rules with it, which uplink and camera do without."""
    if name == "to_site":
        from firmware.config.site import to_site

        return to_site
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
