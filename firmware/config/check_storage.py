"""Whether the mirror of the journal can be what it is for: elsewhere than the journal itself."""

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from firmware.config.findings import wrong
from firmware.config.mistakes import Finding
from firmware.config.rows import Document


def _elsewhere(document: Document) -> Iterator[Finding]:
    storage = document.table("storage")
    mirror = storage.text("mirror")
    if not mirror:
        return
    own = PurePosixPath(mirror)
    for key, default in (("data", "data"), ("run", "run")):
        other = PurePosixPath(storage.text(key, default))
        if own == other or other in own.parents or own in other.parents:
            yield wrong(
                storage,
                "mirror",
                ("a folder on a second medium, as /media/usb/fenghuo", "第二介质上的目录，如 /media/usb/fenghuo"),
                (f"a mirror in the folder of {key} is lost together with it", f"与 {key} 同处的镜像会一并丢失"),
            )
            return


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_elsewhere,)
