"""What may happen before a camera: real photos and the drawn lobby, in other light, with people, and tampered with."""

import io
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from drivers.cameras.drawn import lobby
from drivers.cameras.figure import figure
from tests.firmware.camera.photos import photo

PHOTOS = ("coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "astronaut.png", "camera.png")
SCENES = (*PHOTOS, "lobby")
SIZE = (640, 480)
_MARGIN = (60, 45)

Rgb = NDArray[np.uint8]
Bright = NDArray[np.float32]
Shot = Callable[[], Rgb]


@cache
def wide(name: str) -> Image.Image:
    """The scene with a margin around it, into which the camera may turn."""
    if name == "lobby":
        return lobby(False, np.random.default_rng(1)).resize((760, 570))
    whole = photo(name)
    width, height = min(whole.width, whole.height * 4 // 3), min(whole.height, whole.width * 3 // 4)
    left, top = (whole.width - width) // 2, (whole.height - height) // 2
    return whole.crop((left, top, left + width, top + height)).resize((760, 570), Image.Resampling.LANCZOS)


class Scene:
    """One place; each picture has noise of its own. `brightness` of float pixels, before noise and clipping."""

    def __init__(self, name: str, seed: int = 3) -> None:
        self.name = name
        self._rng = np.random.default_rng(seed)
        self._grain = self._rng.normal(0, 1, (2 * SIZE[1], 2 * SIZE[0], 3)).astype(np.float32)
        self.picture = self.seen()
        self.plain = np.asarray(self.picture, np.float32)

    def seen(self, right: int = 0, down: int = 0, turned: float = 0.0) -> Image.Image:
        """The view, moved by pixels of the picture, or turned by degrees."""
        whole = wide(self.name).rotate(turned, Image.Resampling.BICUBIC)
        left, top = _MARGIN[0] + right, _MARGIN[1] + down
        return whole.crop((left, top, left + SIZE[0], top + SIZE[1]))

    def shot(self, bright: Bright | Rgb | Image.Image, noise: float = 3.0) -> Rgb:
        """As the sensor gives it."""
        pixels = np.asarray(bright, np.float32)
        row, column = self._rng.integers(0, SIZE[1]), self._rng.integers(0, SIZE[0])
        noisy = pixels + noise * self._grain[row : row + SIZE[1], column : column + SIZE[0]]
        return np.asarray(np.clip(noisy, 0, 255), np.uint8)

    def usual(self) -> Rgb:
        return self.shot(self.plain)

    def innocent(self) -> dict[str, Shot]:
        """What is no tamper, however long it lasts."""
        plain = self.plain
        return {
            "dimmed": lambda: self.shot(plain * 0.4, 4),
            "dusk": lambda: self.shot(plain * 0.25, 5),
            "harsh light": lambda: self.shot(255 * (plain / 255) ** 2, 4),
            "flat light": lambda: self.shot(255 * (plain / 255) ** 0.5),
            "lamp at the left": lambda: self.shot(plain * _lamp(120, 150), 5),
            "lamp at the right": lambda: self.shot(plain * _lamp(500, 350), 5),
            "over-exposed": lambda: self.shot(plain * 2.5),
            "badly compressed": lambda: _jpeg(self.usual(), 20),
            "a person": lambda: self.shot(self.with_person(220)),
            "a person at the side": lambda: self.shot(self.with_person(20)),
            "a shaken mount": lambda: self.shot(self.seen(right=5, down=3)),
            "headlights": lambda: self.shot(plain * 0.5 + 260 * _glow(160)[..., None]),
        }

    def with_person(self, x: int) -> Image.Image:
        person = figure(400, 0.5, np.random.default_rng(2))
        picture = self.picture.copy()
        picture.paste(person, (x, 60), person)
        return picture

    def tampered(self) -> dict[str, tuple[str, Shot]]:
        """Each with the kind that it is."""
        plain = self.plain
        flat = np.zeros_like(plain)
        return {
            "cap": ("black", lambda: self.shot(flat + 2, 2)),
            "dark with noise": ("black", lambda: self.shot(flat + 12, 6)),
            "white": ("bright", lambda: self.shot(flat + 254, 2)),
            "torch": ("bright", lambda: self.shot(plain * 0.2 + 600 * _glow(260)[..., None])),
            "paper": ("covered", lambda: self.shot(flat + 200 - 20 * _glow(300)[..., None])),
            "cloth": ("covered", lambda: self.shot(flat + 60 + 10 * _glow(300)[..., None], 5)),
            "hand": ("covered", lambda: self.shot(_hand())),
            "out of focus": ("blurred", lambda: self.shot(self.picture.filter(ImageFilter.GaussianBlur(2.5)))),
            "grease": ("blurred", lambda: self.shot(self.picture.filter(ImageFilter.GaussianBlur(5)))),
            "pushed aside": ("moved", lambda: self.shot(self.seen(right=40))),
            "pushed up": ("moved", lambda: self.shot(self.seen(down=-35))),
            "turned": ("moved", lambda: self.shot(self.seen(turned=6))),
            "upside down": ("moved", lambda: self.shot(self.picture.rotate(180))),
            "a poster": (
                "moved",
                lambda: self.shot(Scene("coffee.png" if self.name == "chelsea.png" else "chelsea.png").plain),
            ),
        }


@cache
def _glow(radius: float) -> Bright:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    return np.asarray(np.exp(-((columns - 320) ** 2 + (rows - 240) ** 2) / (2 * radius**2)), np.float32)


@cache
def _lamp(x: int, y: int) -> Bright:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]].astype(np.float32)
    light = 0.05 + np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 150.0**2))
    return np.asarray(light[..., None], np.float32)


def _hand() -> Bright:
    columns = np.arange(SIZE[0], dtype=np.float32)
    shade = (0.6 + 0.4 * np.sin(columns / 200))[None, :, None]
    return np.broadcast_to(np.array([120, 80, 60], np.float32) * shade, (SIZE[1], SIZE[0], 3)).astype(np.float32)


def _jpeg(rgb: Rgb, quality: int) -> Rgb:
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))
