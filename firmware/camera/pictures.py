"""JPEG in and out: what a frame becomes on its way into the ring, and what a thumbnail is made of."""

import io
from collections.abc import Sequence

from PIL import Image

from drivers.cameras import Frame
from firmware.camera.mark import MAX_BYTES as MARK_BYTES
from firmware.camera.outlines import Outline, blacken
from firmware.protocol.envelope import MAX_THUMBNAIL_BYTES

QUALITY = 85
THUMBNAIL_SIZE = (320, 240)
_THUMBNAIL_QUALITIES = (75, 60, 45, 30, 15)
_LAST_RESORT = (160, 120)
_ROOM = MAX_THUMBNAIL_BYTES - MARK_BYTES


def encode(frame: Frame, mask: Sequence[Outline] = ()) -> bytes:
    """The frame as JPEG, black where the mask is. Raises `ValueError` or `TypeError` for what is no RGB picture."""
    if frame.rgb.ndim != 3 or frame.rgb.shape[2] != 3:
        raise ValueError(f"frame: found shape {frame.rgb.shape}, expected (height, width, 3)")
    return _jpeg(blacken(Image.fromarray(frame.rgb, "RGB"), mask), QUALITY)


def decode(jpeg: bytes) -> Image.Image:
    """The picture in a JPEG of ours, RGB."""
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


def thumbnail(jpeg: bytes) -> tuple[bytes, int, int]:
    """A small JPEG, at most `MAX_THUMBNAIL_BYTES` once it is marked, its width and height; fits into 320 by 240."""
    whole = Image.open(io.BytesIO(jpeg))
    whole.draft("RGB", THUMBNAIL_SIZE)
    picture = whole.convert("RGB")
    picture.thumbnail(THUMBNAIL_SIZE)
    for quality in _THUMBNAIL_QUALITIES:
        data = _jpeg(picture, quality)
        if len(data) <= _ROOM:
            return data, picture.width, picture.height
    # Pure noise may stay too large; a quarter of the pixels never does.
    picture.thumbnail(_LAST_RESORT)
    return _jpeg(picture, _THUMBNAIL_QUALITIES[-1]), picture.width, picture.height


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
