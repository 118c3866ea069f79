"""Whether the `mask` and `region` of a [[camera]] are outlines of something: pairs of numbers, an area, no crossing.

A mask whose line crosses itself would leave a part of what it surrounds in sight, so it is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise

from firmware.config.base import MAX_OUTLINE, MAX_OUTLINES, MIN_OUTLINE
from firmware.config.mistakes import Finding, Loc, show
from firmware.config.rows import Document
from firmware.language import Text

Point = tuple[int, int]
Edge = tuple[Point, Point]

_EXPECTED: Text = (
    "corners x, y, x, y … in thousandths, in order around it",
    "按顺序排列的角点 x, y, x, y …（千分比坐标）",
)
_UNEVEN: Text = ("a number is missing: they come in pairs", "坐标须成对，缺少一个数")
_FLAT: Text = ("it surrounds nothing", "未围成任何区域")
_CROSSED: Text = (
    "its line crosses or touches itself: part of the inside would not count as inside",
    "轮廓自相交或自相接：内部将有部分不计入",
)


def _outlines(document: Document) -> Iterator[Finding]:
    for camera in document.rows("camera"):
        for key in ("mask", "region"):
            rows = camera.values.get(key)
            for i, outline in enumerate(rows[:MAX_OUTLINES] if isinstance(rows, list) else []):
                if _whole(outline):
                    yield from _outline(camera.at(key, i), outline)


def _whole(outline: object) -> bool:
    """Whether it is worth a look: what is no list of whole numbers, too short or too long is told by its shape."""
    return (
        isinstance(outline, list)
        and MIN_OUTLINE <= len(outline) <= MAX_OUTLINE
        and all(type(number) is int for number in outline)
    )


def _outline(loc: Loc, numbers: Sequence[int]) -> Iterator[Finding]:
    text = _UNEVEN if len(numbers) % 2 else _fault(list(zip(numbers[::2], numbers[1::2], strict=True)))
    if text is not None:
        yield Finding(loc, show(numbers), _EXPECTED, text)


def _fault(corners: list[Point]) -> Text | None:
    points = [b for a, b in pairwise([corners[-1], *corners]) if a != b]
    edges = list(pairwise([*points, points[0]])) if points else []
    if sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in edges) == 0:
        return _FLAT
    return _CROSSED if any(_meet(a, b) for a, b in _apart(edges)) else None


def _apart(edges: list[Edge]) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of edges that do not follow each other."""
    last = len(edges) - 1
    for (i, a), (j, b) in combinations(enumerate(edges), 2):
        if j - i > 1 and (i, j) != (0, last):
            yield a, b


def _meet(a: Edge, b: Edge) -> bool:
    sides = _side(a, b[0]), _side(a, b[1]), _side(b, a[0]), _side(b, a[1])
    if sides[0] != sides[1] and sides[2] != sides[3] and 0 not in sides:
        return True
    ends = ((a, b[0]), (a, b[1]), (b, a[0]), (b, a[1]))
    return any(side == 0 and _between(edge, point) for side, (edge, point) in zip(sides, ends, strict=True))


def _side(edge: Edge, point: Point) -> int:
    """On which side of the edge's line the point lies: -1, 0 on it, 1."""
    (x0, y0), (x1, y1) = edge
    cross = (x1 - x0) * (point[1] - y0) - (y1 - y0) * (point[0] - x0)
    return (cross > 0) - (cross < 0)


def _between(edge: Edge, point: Point) -> bool:
    (x0, y0), (x1, y1) = edge
    return min(x0, x1) <= point[0] <= max(x0, x1) and min(y0, y1) <= point[1] <= max(y0, y1)


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_outlines,)
