"""What the plays stand on: the image that was built, its variants, a board of its own for each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.rigs.protocol import RigFault
from hil.updates import variants
from hil.updates.board import UpdateBoard
from hil.updates.variants import Variant

NEXT, LATER, OLDER, DIES = "0.2.0", "0.3.0", "0.0.9", "0.2.9"
BOOT_S = 600.0
ENDS = ("good", "gone-back", "refused")

Result = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """`built`: what `images.make` left; `out`: where variants are kept; `folder`: for this run; `version`: built."""

    built: Path
    keys: Path
    out: Path
    folder: Path
    version: str

    @property
    def image(self) -> Path:
        """Of the card."""
        return self.built / f"fenghuo-{self.version}.img"

    def bundle(self, variant: Variant) -> Path:
        """Of a variant; made where it is not kept."""
        return variants.make(self.built, self.out, variant, self.keys)

    def board(self, name: str) -> UpdateBoard:
        """A card of its own."""
        return UpdateBoard(self.image, self.folder / name)


def expect(true: bool, said: str) -> None:
    """Raises `RigFault` with what was said where it is not so."""
    if not true:
        raise RigFault(said)
