"""A human figure, drawn: rounded limbs with light and shadow, enough of a person for a person model.

Each limb is a cone with round ends, seen from the front; where limbs overlap, the nearer one shows. Lengths are in
body heights, x to the right of the middle, y down from the crown.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Colour: TypeAlias = tuple[int, int, int]
Grid: TypeAlias = NDArray[np.float32]

SKIN: Colour = (205, 160, 130)
HAIR: Colour = (38, 28, 24)
COAT: Colour = (52, 84, 140)
TROUSERS: Colour = (48, 52, 70)
SHOES: Colour = (30, 28, 30)
COLLAR: Colour = (200, 200, 205)

WIDTH = 0.56
"""Width of the drawing in body heights."""
_LIGHT = (-0.35, -0.55, 0.76)
_NOWHERE = np.float32(-9.0)


class Limb(NamedTuple):
    """From (x0, y0) with radius r0 to (x1, y1) with radius r1; `near` lifts it towards the eye."""

    x0: float
    y0: float
    r0: float
    x1: float
    y1: float
    r1: float
    colour: Colour
    near: float = 0.0


_TRUNK = (
    Limb(-0.085, 0.215, 0.045, 0.085, 0.215, 0.045, COAT),
    Limb(-0.05, 0.25, 0.075, -0.04, 0.48, 0.065, COAT, 0.01),
    Limb(0.05, 0.25, 0.075, 0.04, 0.48, 0.065, COAT, 0.01),
    Limb(0, 0.22, 0.08, 0, 0.50, 0.08, COAT),
    Limb(-0.03, 0.52, 0.06, 0.03, 0.52, 0.06, COAT),
    Limb(0, 0.18, 0.018, 0, 0.20, 0.020, COLLAR, 0.055),
    Limb(0, 0.13, 0.034, 0, 0.18, 0.036, SKIN, 0.01),
)
_HEAD = (
    Limb(0, 0.062, 0.054, 0, 0.085, 0.047, SKIN, 0.03),
    Limb(0, 0.098, 0.036, 0, 0.112, 0.028, SKIN, 0.035),
    Limb(-0.012, 0.042, 0.052, 0.012, 0.042, 0.052, HAIR, 0.022),
    Limb(-0.052, 0.078, 0.010, -0.052, 0.09, 0.008, SKIN, 0.02),
    Limb(0.052, 0.078, 0.010, 0.052, 0.09, 0.008, SKIN, 0.02),
)


def _legs(stride: float) -> list[Limb]:
    limbs = []
    for side, phase in ((-1, stride), (1, -stride)):
        knee = side * 0.055 + phase * 0.03
        ankle = side * 0.06 + phase * 0.07
        limbs += [
            Limb(side * 0.048, 0.50, 0.062, knee, 0.735, 0.043, TROUSERS, -0.01),
            Limb(knee, 0.735, 0.043, ankle, 0.945, 0.030, TROUSERS, -0.01),
            Limb(ankle, 0.965, 0.026, ankle + side * 0.03, 0.978, 0.022, SHOES),
        ]
    return limbs


def _arms(stride: float) -> list[Limb]:
    limbs = []
    for side, phase in ((-1, -stride), (1, stride)):
        elbow = side * 0.158 + phase * 0.01
        hand = side * 0.150 + phase * 0.06
        limbs += [
            Limb(side * 0.125, 0.225, 0.042, elbow, 0.375, 0.034, COAT, 0.02),
            Limb(elbow, 0.375, 0.034, hand, 0.50, 0.026, COAT, 0.03),
            Limb(hand, 0.515, 0.022, hand - side * 0.004, 0.545, 0.018, SKIN, 0.03),
        ]
    return limbs


def soft_noise(rng: np.random.Generator, height: int, width: int, cell: int) -> Grid:
    """Smooth noise of about ±1 with features of `cell` pixels."""
    coarse = rng.normal(0, 1, (height // cell + 2, width // cell + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def figure(height: int, stride: float, rng: np.random.Generator) -> Image.Image:
    """A standing (`stride` 0) or walking (up to ±1) person, `height` pixels tall, on a transparent ground."""
    width = int(height * WIDTH)
    depth = np.full((height, width), _NOWHERE, np.float32)
    colours = np.zeros((height, width, 3), np.float32)
    for limb in (*_legs(stride), *_TRUNK, *_HEAD, *_arms(stride)):
        _lay(limb, depth, colours)
    covered = depth > _NOWHERE
    relief = np.where(covered, depth, 0) + 0.004 * covered * soft_noise(rng, height, width, max(height // 28, 2))
    shaded = colours * _lit(relief * height)[..., None]
    shaded *= 1 + 0.03 * soft_noise(rng, height, width, 3)[..., None]
    image = Image.fromarray(np.clip(shaded, 0, 255).astype(np.uint8))
    _face(image, width / 2, height)
    outline = Image.fromarray((covered * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    image.putalpha(outline)
    return image


def _lay(limb: Limb, depth: Grid, colours: Grid) -> None:
    height, width = depth.shape
    x = ((np.arange(width, dtype=np.float32) - width / 2) / height)[None, :]
    y = (np.arange(height, dtype=np.float32) / height)[:, None]
    dx, dy = limb.x1 - limb.x0, limb.y1 - limb.y0
    along = np.clip(((x - limb.x0) * dx + (y - limb.y0) * dy) / max(dx * dx + dy * dy, 1e-9), 0, 1)
    radius = limb.r0 + (limb.r1 - limb.r0) * along
    apart = (x - limb.x0 - along * dx) ** 2 + (y - limb.y0 - along * dy) ** 2
    surface = np.where(apart < radius**2, np.sqrt(np.maximum(radius**2 - apart, 0)) + limb.near, _NOWHERE)
    nearer = surface > depth
    depth[nearer] = surface[nearer]
    colours[nearer] = limb.colour


def _lit(relief: Grid) -> Grid:
    down, right = np.gradient(relief)
    steep = 1 / np.sqrt(down**2 + right**2 + 1)
    facing = np.clip((-right * _LIGHT[0] - down * _LIGHT[1] + _LIGHT[2]) * steep, 0, 1)
    return np.asarray(0.35 + 0.75 * facing, np.float32)


def _face(image: Image.Image, middle: float, height: int) -> None:
    draw = ImageDraw.Draw(image, "RGBA")

    def spot(x: float, y: float, rx: float, ry: float, fill: tuple[int, int, int, int]) -> None:
        left, top = middle + (x - rx) * height, (y - ry) * height
        draw.ellipse([left, top, left + 2 * rx * height, top + 2 * ry * height], fill=fill)

    for side in (-0.020, 0.020):
        spot(side, 0.074, 0.012, 0.007, (90, 60, 50, 130))
        spot(side, 0.075, 0.008, 0.004, (235, 230, 225, 255))
        spot(side, 0.075, 0.0042, 0.0042, (25, 20, 20, 255))
        spot(side, 0.063, 0.012, 0.003, (30, 22, 20, 230))
    spot(0.002, 0.095, 0.009, 0.004, (120, 80, 65, 160))
    spot(0, 0.110, 0.016, 0.0045, (140, 70, 65, 220))
    draw.line([middle, 0.24 * height, middle, 0.55 * height], fill=(20, 25, 40, 160), width=max(height // 200, 1))
