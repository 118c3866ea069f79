"""A panel file that has passed every check, with the places that follow from it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firmware.config.mistakes import Mistake
    from firmware.config.models import PanelFile


@dataclass(frozen=True)
class Loaded:
    """A panel file without mistakes. `folder` is absolute; `sha256` is of the file's bytes, hex."""

    path: Path
    folder: Path
    file: "PanelFile"
    sha256: str
    text: str = ""

    @property
    def data(self) -> Path:
        """Where journal, keys and evidence lie."""
        return self.folder / self.file.storage.data

    @property
    def run(self) -> Path:
        """Where the sockets lie."""
        return self.folder / self.file.storage.run

    @property
    def mirror(self) -> Path | None:
        """Where the journal is mirrored, on a second medium; None where it is not."""
        return self.folder / self.file.storage.mirror if self.file.storage.mirror else None

    @cached_property
    def warnings(self) -> "list[Mistake]":
        """What is allowed but seldom meant."""
        from firmware.config.reading import warnings_of  # only a person asks; a starting panel does not pay for it

        return warnings_of(self.path.name, self.text)
