"""What can be said of one picture without knowing what is on it: light, structure, sharpness, and where the edges lie.

Pure functions over arrays. Edges are weighed against their surroundings and against the noise, so that a room looks
the same by day, by lamplight and at dusk; their direction counts, their polarity does not.
"""

import zlib
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grid: TypeAlias = NDArray[np.float32]
Field: TypeAlias = NDArray[np.complex64]

FINE = (320, 240)
"""Width and height at which sharpness is measured."""
EDGES = (FINE[0] // 2, FINE[1] // 2)
"""Width and height of the edge grid."""
BRIGHT = 250
"""A pixel from here on is burnt out (255 is white; cameras clip a little below)."""
EDGE_NOISE, EDGE_LEAST = 6.0, 3.0
"""An edge is so many times the noise, and so many grey steps from pixel to pixel at least."""
_AROUND = 8
_REACH = 24
"""Shifts are looked for up to so many pixels of the edge grid: 15 % of the picture's width."""
STEADY_SHIFT = 2
"""Within so many pixels of the edge grid (1.25 % of the width) it is in its place: mounts move in wind and heat."""


@dataclass(frozen=True)
class Sight:
    """`mean`: brightness, 0 to 255. `burnt`: share of burnt-out pixels. `noise`: of a pixel, grey steps.

    `structure`: share of the picture that has edges. `sharpness`: fine detail against coarse, noise taken off.
    `edges`: direction field (`place`). `print`: tells whether two pictures are bit by bit the same.
    """

    mean: float
    burnt: float
    noise: float
    structure: float
    sharpness: float
    edges: Field
    print: int


def see(rgb: NDArray[np.uint8], hidden: NDArray[np.bool_] | None = None) -> Sight:
    """Look at a picture of any size, (height, width, 3). `hidden`: cells of the edge grid that give no edge."""
    picture = Image.fromarray(rgb, "RGB").convert("L").resize(FINE, Image.Resampling.BOX)
    grey = np.asarray(picture, np.float32)
    noise = _noise(grey)
    half = grey.reshape(FINE[1] // 2, 2, FINE[0] // 2, 2).mean(axis=(1, 3))
    strength, edges = _edges(half, noise / 2)
    if hidden is not None:
        edges[hidden] = 0
    return Sight(
        mean=float(grey.mean()),
        burnt=float((grey >= BRIGHT).mean()),
        noise=noise,
        structure=float((strength > max(EDGE_NOISE * noise / 2, EDGE_LEAST)).mean()),
        sharpness=_sharpness(grey, half, noise),
        edges=edges,
        print=zlib.crc32(rgb.tobytes()),
    )


def _noise(grey: Grid) -> float:
    """Standard deviation of the noise (Immerkaer's operator, its median: edges are the few)."""
    inner = (
        grey[:-2, :-2]
        + grey[:-2, 2:]
        + grey[2:, :-2]
        + grey[2:, 2:]
        - 2 * (grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:])
        + 4 * grey[1:-1, 1:-1]
    )
    return float(np.median(np.abs(inner)) / (0.6745 * 6))


def _edges(grey: Grid, noise: float) -> tuple[Grid, Field]:
    across, down = np.zeros_like(grey), np.zeros_like(grey)
    across[:, 1:-1] = (grey[:, 2:] - grey[:, :-2]) / 2
    down[1:-1, :] = (grey[2:, :] - grey[:-2, :]) / 2
    strength = np.hypot(across, down)
    weight = strength / (strength + mean_around(strength, _AROUND) + EDGE_NOISE * noise + 1)
    # Doubled angles: light from the other side turns an edge round, and it is the same edge.
    turned = (across + 1j * down) ** 2 / np.maximum(strength**2, 1e-6)
    return strength, (weight * turned).astype(np.complex64)


def mean_around(grid: Grid, reach: int) -> Grid:
    """The mean in a square of 2·`reach`+1 pixels around each one."""
    padded = np.pad(grid, reach + 1, mode="edge").cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    side = 2 * reach + 1
    total = padded[side:, side:] - padded[:-side, side:] - padded[side:, :-side] + padded[:-side, :-side]
    return np.asarray(total[: grid.shape[0], : grid.shape[1]] / side**2, np.float32)


def _sharpness(grey: Grid, half: Grid, noise: float) -> float:
    fine = grey - mean_around(grey, 1)
    coarse = mean_around(half, 2) - mean_around(half, 8)
    detail = float((fine**2).mean()) - (8 / 9) * noise**2
    return float(np.sqrt(max(detail, 0.0) / max(float((coarse**2).mean()), 1.0)))


@dataclass(frozen=True)
class Place:
    """How well a picture's edges lie on a reference's: -1 to 1, in their place and, at best, anywhere else."""

    here: float
    elsewhere: float


def place(reference: Field, edges: Field) -> Place:
    """Where the edges are, against the reference's. Of one place, differently lit, `here` is far above `elsewhere`."""
    one, other = _centred(reference), _centred(edges)
    scale = float(np.sqrt((np.abs(one) ** 2).sum() * (np.abs(other) ** 2).sum()))
    if scale == 0:
        return Place(0.0, 0.0)
    shifted = np.fft.ifft2(np.fft.fft2(one) * np.conj(np.fft.fft2(other))).real / scale
    window = np.roll(shifted, (_REACH, _REACH), axis=(0, 1))[: 2 * _REACH + 1, : 2 * _REACH + 1].copy()
    middle = slice(_REACH - STEADY_SHIFT, _REACH + STEADY_SHIFT + 1)
    here = float(window[middle, middle].max())
    window[middle, middle] = -1
    return Place(here, float(window.max()))


def _centred(edges: Field) -> Field:
    return np.asarray(edges - edges.mean(), np.complex64)
