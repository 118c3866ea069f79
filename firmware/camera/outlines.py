"""Outlines on a camera's picture, `mask` and `region` of `[[camera]]`: what nobody may see, and where a person counts.

An outline is a list x, y, x, y … in thousandths of width and height, from the left and from the top. What a mask covers
is black before a frame becomes a JPEG, so that no ring, file, thumbnail or model ever holds it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from firmware.protocol.messages import Box

Outline = Sequence[int]

_BLACK = (0, 0, 0)
_EDGE = 3
"""Pixels: the line around a mask, so that rounding leaves nothing of its border."""
_CELLS = 500
"""A region is looked up on a grid of so many cells a side."""
_AROUND = (100, 250, 100, 100)
"""Thousandths left, above, right and below a region that the models see too: a person stands in it and is taller."""


def blacken(picture: Image.Image, mask: Sequence[Outline]) -> Image.Image:
    """The RGB picture with everything inside the outlines black; itself where there is no mask, else a copy."""
    if not mask:
        return picture
    hidden = picture.copy()
    draw = ImageDraw.Draw(hidden)
    for outline in mask:
        points = list(_points(outline, picture.width, picture.height))
        draw.polygon(points, fill=_BLACK)
        draw.line([*points, points[0]], fill=_BLACK, width=_EDGE)
    return hidden


def hidden(mask: Sequence[Outline], width: int, height: int) -> NDArray[np.bool_]:
    """(height, width): which cells of a grid over the picture a mask touches, and those beside them."""
    cells: NDArray[np.uint8] = np.asarray(blacken(Image.new("RGB", (width, height), (1, 1, 1)), mask))
    return np.asarray(cells[:, :, 0] == 0)


class Region:
    """Where a person counts: one or more outlines. Without any the whole picture does, and there is no `Region`."""

    def __init__(self, outlines: Sequence[Outline]) -> None:
        """At least one outline."""
        grid = Image.new("1", (_CELLS, _CELLS))
        draw = ImageDraw.Draw(grid)
        for outline in outlines:
            draw.polygon(list(_points(outline, _CELLS, _CELLS)), fill=1)
        self._grid: NDArray[np.bool_] = np.asarray(grid)
        xs = [x for outline in outlines for x in outline[::2]]
        ys = [y for outline in outlines for y in outline[1::2]]
        left, above, right, below = _AROUND
        self.around = (
            max(min(xs) - left, 0),
            max(min(ys) - above, 0),
            min(max(xs) + right, 1000),
            min(max(ys) + below, 1000),
        )
        """Left, top, right, bottom, in thousandths, of what the models look at."""

    @classmethod
    def of(cls, outlines: Sequence[Outline]) -> "Region | None":
        """The region of a `[[camera]]`, None where the whole picture counts."""
        return cls(outlines) if outlines else None

    def cut(self, picture: Image.Image) -> Image.Image:
        """The part of the picture that the models look at."""
        left, top, right, bottom = self.around
        size = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
        x0, y0, x1, y1 = (edge // 1000 for edge in size)
        return picture.crop((x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)))

    def placed(self, box: Box) -> Box:
        """A box of the cut as one of the whole picture."""
        left, top, right, bottom = self.around
        wide, high = right - left, bottom - top
        return Box(
            left=left + box.left * wide // 1000,
            top=top + box.top * high // 1000,
            right=left + box.right * wide // 1000,
            bottom=top + box.bottom * high // 1000,
            score=box.score,
        )

    def counts(self, box: Box) -> bool:
        """Whether the one in this box is inside: by where the feet are, or by the middle where something hides them."""
        middle = (box.left + box.right) // 2
        return self._holds(middle, box.bottom) or self._holds(middle, (box.top + box.bottom) // 2)

    def _holds(self, x: int, y: int) -> bool:
        last = _CELLS - 1
        return bool(self._grid[min(y * _CELLS // 1000, last), min(x * _CELLS // 1000, last)])


def _points(outline: Outline, width: int, height: int) -> Iterator[tuple[float, float]]:
    for x, y in zip(outline[::2], outline[1::2], strict=True):
        yield x * width / 1000, y * height / 1000
