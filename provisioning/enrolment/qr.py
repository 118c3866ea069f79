"""A request as QR codes: in the terminal, one after another, or as pictures."""

import io
from pathlib import Path

import segno

from firmware.protocol.enrolment_parts import parts

_SCALE = 6


def drawn(part: str) -> str:
    """One part for a terminal, in half blocks."""
    out = io.StringIO()
    _code(part).terminal(out, border=2, compact=True)
    return out.getvalue()


def pictures(whole: bytes, folder: Path, kind: str) -> list[Path]:
    """`request-1-of-3.png` …, or `svg`. Raises `OSError`, `BadPart`."""
    texts = parts(whole)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number, text in enumerate(texts, 1):
        file = folder / f"request-{number}-of-{len(texts)}.{kind}"
        _code(text).save(str(file), scale=_SCALE, border=4)
        made.append(file)
    return made


def _code(text: str) -> segno.QRCode:
    return segno.make_qr(text, error="l", boost_error=True)
