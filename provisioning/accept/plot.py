"""Small plots as SVG: dots against a limit, bars for each day, spans of what stood when. No scripts, no libraries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from provisioning.accept.paper import FONT
from provisioning.drawing import cells, cut

WIDTH, LEFT, RIGHT, TOP, FOOT = 720, 64, 16, 14, 34
GOOD, BAD, GREY = "#2166ac", "#b2182b", "#666"
_CELL = 6.2
"""Pixels of a cell of text at size 11."""


@dataclass(frozen=True)
class Series:
    """Values of one colour, with its name."""

    name: str
    values: Sequence[float]
    colour: str = GOOD


def dots(series: Sequence[Series], limit: float, unit: str, height: int = 190) -> str:
    """One dot for each value, in order; a line at the limit. The scale takes in the limit and the greatest value."""
    top = _nice(max([limit, *(value for one in series for value in one.values)]))
    most = max((len(one.values) for one in series), default=1)
    scale = _Scale(top, height)
    parts = [*scale.grid(unit)]
    for one in series:
        for n, value in enumerate(one.values):
            x = LEFT + (n + 0.5) * (WIDTH - LEFT - RIGHT) / max(most, 1)
            colour = BAD if value > limit else one.colour
            parts.append(f'<circle cx="{x:.1f}" cy="{scale.y(value):.1f}" r="3" fill="{colour}"/>')
    y = scale.y(limit)
    parts.append(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{BAD}" stroke-dasharray="5 3"/>'
    )
    return _svg(height, [*parts, *_legend(series, height)])


def bars(days: Sequence[str], series: Sequence[Series], unit: str, height: int = 170) -> str:
    """For each day one stacked bar of the series' values."""
    sums = [sum(one.values[n] for one in series) for n in range(len(days))]
    scale = _Scale(_nice(max([1.0, *sums])), height)
    room = (WIDTH - LEFT - RIGHT) / max(len(days), 1)
    parts = [*scale.grid(unit)]
    for n in range(len(days)):
        base = 0.0
        for one in series:
            low, base = base, base + one.values[n]
            if one.values[n]:
                y, bottom = scale.y(base), scale.y(low)
                x = LEFT + n * room + room * 0.15
                box = f'x="{x:.1f}" y="{y:.1f}" width="{room * 0.7:.1f}" height="{bottom - y:.1f}"'
                parts.append(f'<rect {box} fill="{one.colour}"/>')
    return _svg(height, [*parts, *_days(days, height), *_legend(series, height)])


def spans(names: Sequence[str], found: Sequence[Sequence[tuple[float, float]]], days: Sequence[str]) -> str:
    """For each name a line over the whole time (0 to 1), and in red the parts of it in which it was down."""
    height = TOP + 24 * len(names) + FOOT
    wide = WIDTH - LEFT - 60 - RIGHT
    left = LEFT + 60
    parts: list[str] = []
    for n, (name, downs) in enumerate(zip(names, found, strict=True)):
        y = TOP + 24 * n
        parts.append(_text(left - 6, y + 12, cut(name, int((left - 8) / _CELL)), "end"))
        parts.append(f'<rect x="{left}" y="{y}" width="{wide}" height="16" fill="#a6d3a0"/>')
        for low, high in downs:
            width = max(1.0, (high - low) * wide)
            parts.append(f'<rect x="{left + low * wide:.1f}" y="{y}" width="{width:.1f}" height="16" fill="{BAD}"/>')
    return _svg(height, [*parts, *_days(days, height, left)])


class _Scale:
    """Values to heights."""

    def __init__(self, top: float, height: int) -> None:
        self._top = top
        self._foot = height - FOOT

    def y(self, value: float) -> float:
        return self._foot - (self._foot - TOP) * min(value, self._top) / self._top

    def grid(self, unit: str) -> Iterator[str]:
        for n in range(5):
            value = self._top * n / 4
            y = self.y(value)
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            yield _text(LEFT - 6, y + 4, f"{value:g} {unit}".strip(), "end")


def _nice(value: float) -> float:
    """The next round number above, divisible by four."""
    step = 4.0
    while step < value:
        for factor in (2, 2.5, 2):
            if step >= value:
                break
            step *= factor
    return step


def _days(days: Sequence[str], height: int, left: float = LEFT) -> Iterator[str]:
    """A few of the days below the plot, so that they don't run into each other."""
    if not days:
        return
    room = (WIDTH - left - RIGHT) / len(days)
    every = max(1, round(len(days) / 8))
    for n in range(0, len(days), every):
        yield _text(left + (n + 0.5) * room, height - FOOT + 14, days[n][5:], "middle")


def _legend(series: Sequence[Series], height: int) -> Iterator[str]:
    x = float(LEFT)
    for one in series:
        yield f'<rect x="{x:.1f}" y="{height - 13}" width="9" height="9" fill="{one.colour}"/>'
        yield _text(x + 13, height - 4, one.name)
        x += 13 + cells(one.name) * _CELL + 22


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{GREY}">{escape(text)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="{FONT}" font-size="11"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head}>' + "".join(parts) + "</svg>"
