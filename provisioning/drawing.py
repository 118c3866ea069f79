"""The cabinet as an SVG drawing: the header pin by pin, beside it converters, modules and reader buses.

Plain SVG without scripts, fonts or links, so that it prints from any browser. Texts are cut to the room that they have:
a wide character (Chinese) takes two cells.
"""

from collections.abc import Iterator, Sequence
from html import escape
from unicodedata import east_asian_width

from provisioning.terminals import Block, Terminal

WIDTH = 1100
_ROW, _PIN, _CELL = 24, 20, 7.3
"""Pixels: height of a row, side of a pin, width of a cell of text (size 12)."""
_MARGIN, _GAP, _TITLE = 16, 24, 30
_MIDDLE = WIDTH / 2
_MARK_CELLS = 12
_COLUMN = (WIDTH - 2 * _MARGIN - _GAP) / 2
COLOURS = {"supply": "#b8b8b8", "input": "#bcd8f5", "output": "#f7c9a3", "bus": "#cfe8c4", "free": "#ffffff"}
FONT = "'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif"


def drawing(blocks: Sequence[Block]) -> str:
    """The SVG of these blocks; the first is the header."""
    header, *others = blocks
    parts, bottom = _header(header)
    body, height = _columns(others, bottom + _GAP)
    style = f'font-family="{FONT}" font-size="12"'
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    background = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>', background, *parts, *body, "</svg>"])


def cells(text: str) -> int:
    """How wide a text is, in cells."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def cut(text: str, most: int) -> str:
    """The text in at most so many cells, its end replaced by … where it is too long."""
    if cells(text) <= most:
        return text
    while text and cells(text) > most - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _header(block: Block) -> tuple[list[str], int]:
    """Two columns of pins, odd at the left, as they stand on the board; returns its lower edge too."""
    parts = [_text(_MARGIN, _MARGIN + 14, block.title, bold=True)]
    top = _MARGIN + _TITLE
    room = int((_MIDDLE - _PIN - 8 - _MARGIN) / _CELL)
    for index, terminal in enumerate(block.terminals):
        right, y = index % 2, top + index // 2 * _ROW
        x = _MIDDLE + 2 if right else _MIDDLE - 2 - _PIN
        number, _, name = terminal.mark.partition(" ")
        parts.append(_pin(x, y, number, terminal))
        said = cut(" · ".join(part for part in (name, terminal.to, terminal.how) if part), room)
        edge = x + _PIN + 6 if right else x - 6
        parts.append(_text(edge, y + 14, said, anchor="start" if right else "end", grey=not terminal.to))
    return parts, top + (len(block.terminals) + 1) // 2 * _ROW


def _pin(x: float, y: float, number: str, terminal: Terminal) -> str:
    box = f'<rect x="{x:g}" y="{y:g}" width="{_PIN}" height="{_PIN}" fill="{COLOURS[terminal.use]}" stroke="#333"/>'
    return box + _text(x + _PIN / 2, y + 14, number, anchor="middle", size=10)


def _columns(blocks: Sequence[Block], top: int) -> tuple[list[str], int]:
    """The other blocks in two columns, each put where there is more room left."""
    parts: list[str] = []
    ends = [top, top]
    for block in blocks:
        column = ends.index(min(ends))
        x = _MARGIN + column * (_COLUMN + _GAP)
        parts.extend(_block(block, x, ends[column]))
        ends[column] += _TITLE + len(block.terminals) * _ROW + _GAP
    return parts, max(ends)


def _block(block: Block, x: float, y: int) -> Iterator[str]:
    room = int(_COLUMN / _CELL)
    yield _text(x, y + 16, cut(block.title, room), bold=True)
    for index, terminal in enumerate(block.terminals):
        at, mark = y + _TITLE + index * _ROW, _MARK_CELLS * _CELL
        fill = COLOURS[terminal.use]
        yield f'<rect x="{x:g}" y="{at}" width="{mark:g}" height="{_ROW - 4}" fill="{fill}" stroke="#333"/>'
        yield _text(x + 4, at + 14, cut(terminal.mark, _MARK_CELLS - 1))
        said = cut(" · ".join(part for part in (terminal.to, terminal.how) if part), room - _MARK_CELLS - 2)
        yield _text(x + mark + 6, at + 14, said or "–", grey=not terminal.to)


def _text(
    x: float, y: float, text: str, anchor: str = "start", size: int = 12, bold: bool = False, grey: bool = False
) -> str:
    more = (' font-weight="bold"' if bold else "") + (' fill="#888"' if grey else "")
    sized = "" if size == 12 else f' font-size="{size}"'
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{sized}{more}>{escape(text)}</text>'
