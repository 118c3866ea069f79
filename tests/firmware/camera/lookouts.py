"""A lookout that looks for nothing, for tests of what else a camera does."""

from pathlib import Path

from firmware.camera.lookout import Lookout
from firmware.camera.reference import Kept


def no_lookout() -> Lookout:
    return Lookout((), False, Kept(Path("nowhere"), "any", ""), lambda _: None)
