"""Fuzz targets of updates: what the updater reads of `rauc`, of its book, and of core; what core reads of it."""

import json
from collections.abc import Callable

from pydantic import ValidationError

from firmware.protocol import messages as m
from firmware.protocol import updates as u
from firmware.updater import bundle, kept, rauc
from firmware.updater.life import Stage

Parse = Callable[[bytes], None]
Found = tuple[str, tuple[bytes, ...], Parse, tuple[type[Exception], ...]]

_SHA256 = "5a" * 32


class NoBook(Exception):
    """What is no book."""


def found() -> list[Found]:
    """Name, sound frames, parser and its refusals of each."""
    info = {
        "compatible": "fenghuo-arm64",
        "version": "0.2.0",
        "description": bundle.description("0.1.0", 2, (1, 2), "why", "原因"),
        "images": [{"rootfs": {"checksum": _SHA256, "filename": "slot.img"}}],
    }
    status = {
        "compatible": "fenghuo-arm64",
        "booted": "A",
        "slots": [{"rootfs.0": {"bootname": "A"}}, {"rootfs.1": {"bootname": "B"}}],
    }
    step = u.Step(number=3, kind="update.good", version="0.2.0", sha256=_SHA256, by=["boss"])
    book = kept.Kept(stage=Stage.TRYING, home="A", target="B", number=3, steps=[step])
    told = u.UpdateStatus(stage="none", slot="A", home="A", running="0.1.0", floor="0.1.0", data=1, offers=1)
    offer = u.Offer(source="usb:", by="fitter", even_armed=True, reason="x")
    return [
        ("rauc: info", (json.dumps(info).encode(),), lambda raw: _drop(bundle.read_info(raw)), (bundle.NotTaken,)),
        ("rauc: status", (json.dumps(status).encode(),), lambda raw: _drop(rauc.read_status(raw)), (rauc.NoRauc,)),
        ("updater's book", (book.model_dump_json(exclude_defaults=True).encode(),), _book, (NoBook,)),
        (
            "updater to core",
            (step.model_dump_json().encode(), told.model_dump_json().encode()),
            lambda raw: _drop(m.from_updater.validate_json(raw)),
            (ValidationError,),
        ),
        (
            "core to updater",
            (offer.model_dump_json().encode(),),
            lambda raw: _drop(m.to_updater.validate_json(raw)),
            (ValidationError,),
        ),
    ]


def _drop(_read: object) -> None:
    return


def _book(raw: bytes) -> None:
    read = kept.read(raw)
    if read is None:
        raise NoBook
    if kept.read(read.model_dump_json().encode()) != read:
        raise AssertionError("what was read does not come back the same")
