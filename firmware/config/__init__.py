"""The panel file, `panel.toml`: its models, reading it with every mistake at once, and the site that the rules see.

Every process of the panel reads the file through `load`; what is said about a bad one is `Mistake`s, never a traceback.
"""

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
