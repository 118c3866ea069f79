"""The drawn scene of the desk: a bank lobby at night, as a camera would see the simulated site.

It reads the world file that the desk writes. While a zone that this camera watches is tripped, and for ten seconds
after, somebody is inside; the door stands open while a door zone is open. Everything is drawn by ourselves.
"""

import json
import math
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from drivers.cameras.figure import figure, soft_noise
from drivers.cameras.protocol import CameraError, Frame, Plan

SIZE = (640, 480)
LINGERS_MS = 10_000
"""How long somebody stays in view after the last zone came to rest."""
MAX_WORLD_BYTES = 1024 * 1024
_HORIZON = 250
_STRIDES = (0.0, 0.5, 1.0, 0.5, 0.0, -0.5, -1.0, -0.5)
_TALL = 340
_GRAIN = 5.0


class DrawnCamera:
    """Draws what `plan.zones` of the world file say. Without a world file the lobby is empty."""

    def __init__(self, plan: Plan, now_ms: Callable[[], int], utc: Callable[[], float]) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self._utc = utc
        self._seen_ms: int | None = None
        self._frames = 0
        self._rooms: tuple[Image.Image, Image.Image] | None = None
        self._figures: dict[float, Image.Image] = {}

    def open(self) -> None:
        """Draw what stays the same: the room with its door shut and open, the figure, the grain."""
        if self._plan.world is None:
            raise CameraError(f'camera {self._plan.id}: the drawn scene needs the simulated site (pins = "simulated")')
        rng = np.random.default_rng(zlib.crc32(self._plan.id.encode()))
        self._rooms = (lobby(False, rng), lobby(True, rng))
        self._figures = {stride: figure(_TALL, stride, rng) for stride in set(_STRIDES)}
        rows = [rng.normal(0, _GRAIN, 2 * SIZE[0]).astype(np.int8) for _ in range(2 * SIZE[1])]
        self._grain = np.array(rows)
        self._rng = rng

    def frame(self) -> Frame:
        """The scene as the world file has it now."""
        if self._rooms is None:
            raise CameraError("the drawn scene is not open")
        now = self._now_ms()
        tripped = self._tripped()
        if tripped:
            self._seen_ms = now
        inside = self._seen_ms is not None and now - self._seen_ms <= LINGERS_MS
        image = self._rooms[bool(tripped & set(self._plan.doors))].copy()
        if inside:
            self._enter(image)
        self._frames += 1
        self._write(image)
        return Frame(self._grained(image), now)

    def still(self) -> Frame | None:
        """None: a drawing has no more than its frames."""
        return None

    def close(self) -> None:
        """Let go of the drawings."""
        self._rooms = None
        self._figures = {}

    def _tripped(self) -> set[str]:
        """Zones of this camera that are open; a file that is absent, half or not ours reads as all closed."""
        world = self._plan.world
        try:
            if world is None or world.stat().st_size > MAX_WORLD_BYTES:
                return set()
            positions = json.loads(world.read_bytes())["positions"]
            return {zone for zone in self._plan.zones if positions.get(zone) == "open"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return set()

    def _enter(self, image: Image.Image) -> None:
        step = self._frames
        person = self._figures[_STRIDES[step % len(_STRIDES)]]
        x = int(320 + 75 * math.sin(step / 5))
        y = int(445 + 8 * math.sin(step / 7))
        shadow = Image.new("L", image.size, 0)
        ImageDraw.Draw(shadow).ellipse([x - 68, y - 14, x + 95, y + 10], fill=150)
        image.paste((20, 18, 16), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))
        image.paste(person, (x - person.width // 2, y - person.height), person)

    def _write(self, image: Image.Image) -> None:
        moment = datetime.fromtimestamp(self._utc(), UTC)
        draw = ImageDraw.Draw(image)
        draw.rectangle([0, 0, 250, 17], fill=(0, 0, 0))
        draw.text((4, 3), f"{self._plan.id[:16]}  {moment:%Y-%m-%d %H:%M:%S}Z", fill=(220, 220, 220))

    def _grained(self, image: Image.Image) -> NDArray[np.uint8]:
        row, column = self._rng.integers(0, SIZE[1]), self._rng.integers(0, SIZE[0])
        grain = self._grain[row : row + SIZE[1], column : column + SIZE[0]]
        bright = np.asarray(image).astype(np.int16)
        bright += grain[..., None]
        seen = Image.fromarray(np.clip(bright, 0, 255, out=bright).astype(np.uint8))
        size = (self._plan.width, self._plan.height)
        if size != SIZE:
            seen = seen.resize(size, Image.Resampling.BILINEAR)
        return np.asarray(seen)


def lobby(door_open: bool, rng: np.random.Generator) -> Image.Image:
    """The empty room, 640 by 480: a door at the left, the counter at the right, tiles, night light."""
    image = Image.new("RGB", SIZE)
    draw = ImageDraw.Draw(image)
    _walls(draw)
    _door(draw, door_open)
    _counter(draw)
    rows, columns = np.ogrid[0 : SIZE[1], 0 : SIZE[0]]
    light = np.clip(1 - 0.45 * (((columns - 320) / 400) ** 2 + ((rows - 220) / 330) ** 2), 0.3, 1)
    stained = np.asarray(image) * light.astype(np.float32)[..., None]
    stained += 3 * soft_noise(rng, SIZE[1], SIZE[0], 40)[..., None]
    return Image.fromarray(np.clip(stained, 0, 255).astype(np.uint8))


def _walls(draw: ImageDraw.ImageDraw) -> None:
    width, height = SIZE
    for y in range(height):
        grey = 95 + 25 * y / _HORIZON if y < _HORIZON else 70 + 50 * (y - _HORIZON) / (height - _HORIZON)
        draw.line([0, y, width, y], fill=(int(grey), int(grey * 0.98), int(grey * 0.93)))
    for k in range(-12, 13):
        draw.line([320 + k * 40, _HORIZON, 320 + k * 170, height], fill=(72, 70, 66))
    for k in range(8):
        y = int(_HORIZON + (height - _HORIZON) * (k / 8) ** 1.6)
        draw.line([0, y, width, y], fill=(72, 70, 66))
    draw.rectangle([0, _HORIZON - 8, width, _HORIZON], fill=(60, 58, 54))


def _door(draw: ImageDraw.ImageDraw, is_open: bool) -> None:
    frame, glass, steel = (50, 48, 46), (70, 86, 98), (190, 190, 190)
    draw.rectangle([90, 70, 220, _HORIZON], fill=frame)
    if is_open:
        draw.rectangle([98, 78, 212, _HORIZON], fill=(14, 20, 38))
        draw.polygon([(98, 78), (98, _HORIZON), (60, _HORIZON + 34), (60, 60)], fill=(96, 110, 120), outline=frame)
        return
    for left, handle in ((98, 148), (157, 162)):
        draw.rectangle([left, 78, left + 55, _HORIZON - 6], fill=glass)
        draw.line([handle, 150, handle, 190], fill=steel, width=3)


def _counter(draw: ImageDraw.ImageDraw) -> None:
    draw.polygon([(430, 200), (640, 200), (640, 380), (430, 300)], fill=(96, 70, 48))
    draw.polygon([(420, 192), (640, 192), (640, 214), (430, 204)], fill=(140, 110, 80))
    draw.rectangle([450, 100, 630, 192], fill=(78, 92, 100))
    for x in (450, 510, 570, 630):
        draw.line([x, 100, x, 192], fill=(150, 150, 150), width=3)
