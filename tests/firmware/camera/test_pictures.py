"""JPEG in and out: faithful enough for evidence, and a thumbnail that always fits the evidence lane."""

import io

import numpy as np
import pytest
from PIL import Image

from drivers.cameras import Frame
from firmware.camera.pictures import decode, encode, thumbnail
from firmware.protocol.envelope import MAX_THUMBNAIL_BYTES
from tests.firmware.camera.photos import photo


def frame(width: int, height: int, noise: bool = False) -> Frame:
    rng = np.random.default_rng(1)
    shape = (height, width, 3)
    rgb = rng.integers(0, 256, shape, np.uint8) if noise else np.full(shape, (200, 30, 60), np.uint8)
    return Frame(rgb, 0)


def test_colours_survive_in_their_order() -> None:
    picture = np.asarray(decode(encode(frame(64, 48))))
    assert np.abs(picture.astype(int) - (200, 30, 60)).max() <= 4


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 4), (48, 64, 1), (3,)])
def test_what_is_no_rgb_picture_is_refused_with_what_was_found(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected \\(height, width, 3\\)"):
        encode(Frame(np.zeros(shape, np.uint8), 0))


def test_a_thumbnail_of_a_photo() -> None:
    out = io.BytesIO()
    photo("astronaut.png").save(out, "JPEG", quality=95)
    data, width, height = thumbnail(out.getvalue())
    assert (width, height) == (240, 240)
    assert len(data) <= MAX_THUMBNAIL_BYTES
    small = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    expected = np.asarray(photo("astronaut.png").resize((240, 240))).astype(int)
    assert small.shape == (240, 240, 3)
    assert np.abs(small - expected).mean() < 8


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (480, 640), (160, 120), (4608, 120)])
def test_even_noise_fits(size: tuple[int, int]) -> None:
    data, width, height = thumbnail(encode(frame(*size, noise=True)))
    assert len(data) <= MAX_THUMBNAIL_BYTES
    assert width <= 320
    assert height <= 240
    assert Image.open(io.BytesIO(data)).size == (width, height)
