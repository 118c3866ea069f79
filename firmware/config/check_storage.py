"""Whether the mirror of the journal lies elsewhere than the journal, and whether pictures can stay long enough."""

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


def _not_before(document: Document) -> Iterator[Finding]:
    """Pictures can't be too old before they are old enough."""
    storage = document.table("storage")
    least, most = storage.number("evidence_days"), storage.number("evidence_max_days")
    if least is not None and most is not None and most < least:
        yield wrong(
            storage,
            "evidence_max_days",
            (f"at least evidence_days, {least}", f"不小于 evidence_days，即 {least}"),
            ("pictures would have to go before they may", "图像将在允许删除之前被要求删除"),
        )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_elsewhere, _not_before)
