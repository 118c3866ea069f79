"""The boxes of the SSDLite model: its anchors, what its numbers mean against them, and non-maximum suppression.

The model answers with offsets from 1917 anchors, laid over feature maps of 19, 10, 5, 3, 2 and 1 cells a side; the
layout is the one of the TensorFlow object detection API with a reduced lowest layer (models/README.md).
"""

import numpy as np
from numpy.typing import NDArray

MAPS = (19, 10, 5, 3, 2, 1)
SCALES = (0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0)
"""One a map, and the one behind the last, for its geometric mean."""
CODE_SCALES = (10.0, 10.0, 5.0, 5.0)
OVERLAP = 0.5
"""Two boxes that share more of their union than this are one person."""

Floats = NDArray[np.float32]


def anchors() -> Floats:
    """(1917, 4): centre y, centre x, height, width in parts of the picture, in the order of the model's output."""
    rows = []
    for number, cells in enumerate(MAPS):
        shapes = _shapes(number)
        for y in range(cells):
            for x in range(cells):
                for scale, ratio in shapes:
                    rows.append(((y + 0.5) / cells, (x + 0.5) / cells, scale / ratio**0.5, scale * ratio**0.5))
    return np.array(rows, np.float32)


def _shapes(number: int) -> tuple[tuple[float, float], ...]:
    """Scale and width:height of the anchors in one cell of a map."""
    scale = SCALES[number]
    if number == 0:
        return (0.1, 1.0), (scale, 2.0), (scale, 0.5)
    between = (scale * SCALES[number + 1]) ** 0.5
    return (scale, 1.0), (scale, 2.0), (scale, 0.5), (scale, 3.0), (scale, 1 / 3), (between, 1.0)


def corners(codes: Floats, anchor: Floats) -> Floats:
    """(n, 4): left, top, right, bottom in parts of the picture, from box codes and the anchors they belong to."""
    y = codes[:, 0] / CODE_SCALES[0] * anchor[:, 2] + anchor[:, 0]
    x = codes[:, 1] / CODE_SCALES[1] * anchor[:, 3] + anchor[:, 1]
    height = np.exp(codes[:, 2] / CODE_SCALES[2]) * anchor[:, 2]
    width = np.exp(codes[:, 3] / CODE_SCALES[3]) * anchor[:, 3]
    return np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)


def distinct(boxes: Floats, scores: Floats, limit: int) -> list[int]:
    """Which boxes to keep, best first, at most `limit`; one that overlaps a better one by more than `OVERLAP` goes."""
    kept: list[int] = []
    left = list(np.argsort(-scores, kind="stable"))
    while left and len(kept) < limit:
        best = int(left.pop(0))
        kept.append(best)
        left = [other for other in left if overlap(boxes[best], boxes[other]) <= OVERLAP]
    return kept


def overlap(a: Floats, b: Floats) -> float:
    """Shared area over joint area, 0 to 1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    joint = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return float(shared / joint) if joint > 0 else 0.0
