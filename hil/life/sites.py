"""The sites that lives are led on: the examples of the documentation, a crowded one, and any panel file."""

from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from hil.life.crowded import crowded_site
from hil.life.ground import Ground
from rules.site import Hours

if TYPE_CHECKING:
    from firmware.config import PanelFile

EXAMPLES = ("bank", "warehouse", "school")
NAMES = (*EXAMPLES, "crowded")
_FOLDER = Path(__file__).parents[2] / "docs" / "examples"
YEARS = range(2026, 2036)
"""The years in which lives begin and end; 2028 and 2032 are leap years."""


class NoSuchSite(Exception):
    """Neither a built-in site nor a panel file without mistakes; the text says what was found."""


def ground(name: str) -> Ground:
    """The site of this name, or of the panel file at this path. Raises `NoSuchSite`."""
    if name == "crowded":
        return _crowded()
    return _of_file(_FOLDER / f"{name}.toml" if name in EXAMPLES else Path(name), name)


def _crowded() -> Ground:
    site = crowded_site(holidays())
    paths = frozenset(site.paths)
    cameras = frozenset(camera for zone in site.zones.values() for camera in zone.cameras)
    return Ground("crowded", site, sha256(b"crowded").hexdigest(), cameras, paths)


def _of_file(path: Path, name: str) -> Ground:
    from firmware.config import BadPanelFile, load, to_site

    try:
        loaded = load(path)
    except BadPanelFile as bad:
        raise NoSuchSite(bad.say()) from None
    file = loaded.file
    cameras, paths = frozenset(camera.id for camera in file.camera), frozenset(path.id for path in file.path)
    name = name if name in EXAMPLES else file.panel.id
    return Ground(name, to_site(file), loaded.sha256, cameras, paths, _supplies(file))


def _supplies(file: "PanelFile") -> frozenset[str]:
    lines = {"mains": file.power.mains_line, "battery": file.power.battery_line}
    return frozenset(name for name, line in lines.items() if line is not None)


def holidays() -> dict[int, Hours | None]:
    """Days that differ from the week in the years of the lives: closed, short, and a Sunday that is worked."""
    found: dict[int, Hours | None] = {}
    for year in YEARS:
        for month, day in ((1, 1), (2, 28), (4, 5), (5, 1), (5, 2), *((10, d) for d in range(1, 8))):
            found[date(year, month, day).toordinal()] = None
        found[date(year, 9, 30).toordinal()] = Hours(8 * 60, 15 * 60)
        sunday = date(year, 10, 8).toordinal()
        found[sunday + (7 - sunday % 7) % 7] = Hours(9 * 60, 17 * 60)
    return found
