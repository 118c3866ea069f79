"""One scenario drawn as a logic analyser draws it, in SVG: a line for each input, output and area, ticks for the rest.

Time runs to the right, from the moment at which the panel stood ready. Levels are drawn as steps, states as boxes with
their name, records, receipts and deeds as ticks with a number; the table below the drawing says what each number was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from hil.rigs.protocol import Mark, Track

WIDTH, LEFT, ROW, TOP = 1180, 130, 26, 34
HIGH, LOW = 5, 19
MAX_ROWS = 40
_ORDER: tuple[Track, ...] = ("power", "network", "process", "code", "input", "output", "area", "trouble")
_QUIET = ("journal.checkpoint", "journal.begun", "config.installed", "user.set")
_STEPS_MS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000)
_REST = ("close", "normal", False, None)


@dataclass(frozen=True)
class Row:
    """One line of the drawing: a signal of a track, and its marks in order of time."""

    track: Track
    name: str
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Scale:
    """From boot clock to pixels."""

    first: int
    last: int

    def x(self, ms: int) -> float:
        """Where a moment is; what was before the first is at the edge."""
        part = (min(max(ms, self.first), self.last) - self.first) / max(1, self.last - self.first)
        return round(LEFT + part * (WIDTH - LEFT - 12), 1)


def rows_of(marks: Sequence[Mark]) -> list[Row]:
    """The lines in the order in which they are drawn: what was done, then what was seen."""
    found: dict[tuple[Track, str], list[Mark]] = {}
    for mark in marks:
        if mark.track in _ORDER:
            name = "keypad" if mark.track == "code" else mark.name
            found.setdefault((mark.track, name), []).append(mark)
    rows = [Row(track, name, own) for (track, name), own in found.items() if _tells(track, own)]
    rows.sort(key=lambda row: (_ORDER.index(row.track), row.marks[0].ms))
    return rows[:MAX_ROWS]


def _tells(track: Track, marks: Sequence[Mark]) -> bool:
    """An output that was never on is no line of its own."""
    return track not in ("output", "trouble") or any(mark.value not in _REST for mark in marks)


def told(marks: Sequence[Mark]) -> list[Mark]:
    """Records of the run that get a numbered tick."""
    return [mark for mark in marks if mark.track == "record" and mark.name not in _QUIET]


def drawing(marks: Sequence[Mark]) -> str:
    """The SVG element. `marks` in order of time; without any, an empty drawing."""
    rows, records = rows_of(marks), told(marks)
    receipts = [mark for mark in marks if mark.track == "receipt"]
    seen = [mark.ms for mark in marks if mark.track != "output" or mark.value]
    scale = Scale(min(seen, default=0), max(seen, default=1) + 200)
    height = TOP + ROW * (len(rows) + 2) + 30
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" class="timeline" role="img" xmlns="http://www.w3.org/2000/svg">',
        *_axis(scale, height),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, scale, TOP + ROW * number)
    parts += _ticks("records 记录", records, scale, TOP + ROW * len(rows), numbered=True)
    parts += _ticks("receipts 回执", receipts, scale, TOP + ROW * (len(rows) + 1), numbered=False)
    parts += _steps([mark for mark in marks if mark.track == "step"], scale, height)
    return "\n".join([*parts, "</svg>"])


def _axis(scale: Scale, height: int) -> Iterator[str]:
    span = scale.last - scale.first
    step = next((step for step in _STEPS_MS if span / step <= 16), _STEPS_MS[-1])
    for ms in range(0, span + 1, step):
        x = scale.x(scale.first + ms)
        yield f'<line class="grid" x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{height - 18}"/>'
        yield f'<text class="axis" x="{x}" y="{TOP - 14}">{ms / 1000:g} s</text>'


def _row(row: Row, scale: Scale, y: int) -> Iterator[str]:
    yield f'<g class="{row.track}"><text class="name" x="{LEFT - 8}" y="{y + 16}">{escape(row.name)}</text>'
    yield f'<line class="base" x1="{LEFT}" y1="{y + LOW}" x2="{WIDTH - 12}" y2="{y + LOW}"/>'
    if row.track == "code" or (row.track == "process" and row.name != "lens"):
        yield from _deeds(row, scale, y)
    elif all(isinstance(mark.value, bool) for mark in row.marks):
        yield from _levels(row, scale, y)
    else:
        yield from _states(row, scale, y)
    yield "</g>"


def _levels(row: Row, scale: Scale, y: int) -> Iterator[str]:
    """Steps between low and high. A supply or a line is high before anything happens to it."""
    level = row.track in ("power", "network")
    path = [f"M{scale.x(scale.first)} {y + (HIGH if level else LOW)}"]
    for mark in row.marks:
        x = scale.x(mark.ms)
        path.append(f"H{x}V{y + (HIGH if mark.value else LOW)}")
    path.append(f"H{scale.x(scale.last)}")
    yield f'<path class="level" d="{"".join(path)}"/>'
    for on, off in _spans(row.marks, scale.last):
        width = max(1.0, scale.x(off) - scale.x(on))
        yield f'<rect class="on" x="{scale.x(on)}" y="{y + HIGH}" width="{width:.1f}" height="{LOW - HIGH}"/>'


def _spans(marks: Sequence[Mark], last: int) -> Iterator[tuple[int, int]]:
    since: int | None = None
    for mark in marks:
        if mark.value and since is None:
            since = mark.ms
        elif not mark.value and since is not None:
            yield since, mark.ms
            since = None
    if since is not None:
        yield since, last


def _states(row: Row, scale: Scale, y: int) -> Iterator[str]:
    """A box for each state that is not rest, with its name where there is room."""
    ends = [*(mark.ms for mark in row.marks[1:]), scale.last]
    for mark, end in zip(row.marks, ends, strict=True):
        if mark.value in _REST:
            continue
        x, width = scale.x(mark.ms), max(2.0, scale.x(end) - scale.x(mark.ms))
        word = escape(str(mark.value))
        yield f'<rect class="state s-{word}" x="{x}" y="{y + 4}" width="{width:.1f}" height="16"><title>{word}</title>'
        yield "</rect>"
        if width > 7 * len(word):
            yield f'<text class="word" x="{x + 4}" y="{y + 16}">{word}</text>'


def _deeds(row: Row, scale: Scale, y: int) -> Iterator[str]:
    """A stroke and a word for each; words that would run into each other are left to the tooltip."""
    free = 0.0
    for mark in row.marks:
        x = scale.x(mark.ms)
        word = escape(f"{mark.name} ({mark.value})" if row.track == "code" else str(mark.value))
        yield f'<line class="deed" x1="{x}" y1="{y + 3}" x2="{x}" y2="{y + 21}"><title>{word}</title></line>'
        if x >= free:
            yield f'<text class="word" x="{x + 3}" y="{y + 14}">{word}</text>'
            free = x + 3 + 6.2 * len(word)


def _ticks(name: str, marks: Sequence[Mark], scale: Scale, y: int, numbered: bool) -> Iterator[str]:
    yield f'<g class="{name.split()[0]}"><text class="name" x="{LEFT - 8}" y="{y + 16}">{name}</text>'
    free = 0.0
    for number, mark in enumerate(marks, 1):
        x = scale.x(mark.ms)
        kind = "alarm" if mark.name.startswith("alarm") else "other"
        label = escape(f"{number} {mark.name}" if numbered else f"{mark.name} {mark.value}")
        yield f'<line class="tick {kind}" x1="{x}" y1="{y + 4}" x2="{x}" y2="{y + 20}"><title>{label}</title></line>'
        if numbered and x >= free:
            yield f'<text class="number" x="{x + 2}" y="{y + 11}">{number}</text>'
            free = x + 6 + 6 * len(str(number))
    yield "</g>"


def _steps(marks: Sequence[Mark], scale: Scale, height: int) -> Iterator[str]:
    for mark in marks:
        x = scale.x(mark.ms)
        yield f'<line class="step" x1="{x}" y1="{TOP - 8}" x2="{x}" y2="{height - 18}"/>'
        yield f'<text class="step" x="{x + 3}" y="{height - 8}">{escape(mark.name)}</text>'
