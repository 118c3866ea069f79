"""What the demo shows: a live timeline with a foot that always says what is waited for, or one JSON object per line.

The lines of the break-in and the end go to a console that only records, too: for the picture in the README.
"""

import json
import sys
import time
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text as RichText
from typing_extensions import override

from firmware.clock import utc_text
from firmware.language import Text, pick
from hil.timeline import Happening, Line

_STYLES = {"alarm": "bold red", "good": "green", "bad": "bold yellow", "step": "bold", "scene": "bold", "": ""}
_WHO_STYLES = {
    "center": "magenta",
    "core": "cyan",
    "siren": "bold red",
    "strobe": "red",
    "hand": "yellow",
    "keypad": "yellow",
    "camera": "blue",
    "armed": "green",
    "alarm": "red",
    "buzzer": "green",
    "chime": "green",
    "relay": "green",
    "demo": "bold",
    "uplink": "magenta",
}
_HELD: Text = ("center holds {n} records", "中心已存 {n} 条记录")
SVG_WIDTH = 118


class Screen(Protocol):
    """Where the demo shows itself."""

    def happening(self, happening: Happening, lines: Sequence[Line]) -> None:
        """Something happened, and these lines tell it."""
        ...

    def foot(self, doing: Text, remaining_s: float | None, held: int) -> None:
        """What is going on now, how long it still takes at most, and how many records the center holds."""
        ...

    def summary(self, tables: Sequence[RenderableType], verdict: dict[str, object]) -> None:
        """What came of it: tables for a person, members for a machine."""
        ...


class TerminalScreen(Screen):
    """Rich on a terminal; without a terminal plain lines, where the foot becomes a line whenever it changes."""

    def __init__(self, start_ms: int, svg: Path | None, live: bool) -> None:
        self._is_live = live
        self._start_ms = start_ms
        self._svg = svg
        self._console = Console(highlight=False, width=None if sys.stdout.isatty() else SVG_WIDTH)
        self._record = Console(
            record=True,
            width=SVG_WIDTH,
            file=StringIO(),
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
        )
        self._spinner = Spinner("dots")
        self._live = Live(self._spinner, console=self._console, transient=True, refresh_per_second=8)
        self._doing: Text | None = None
        self._in_picture = False

    def __enter__(self) -> "TerminalScreen":
        self._is_live = self._is_live and self._console.is_terminal
        if self._is_live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if self._svg:
            self._record.save_svg(str(self._svg), title="fenghuo demo")

    @override
    def happening(self, happening: Happening, lines: Sequence[Line]) -> None:
        for line in lines:
            row = self._row(line)
            self._console.print(row)
            if line.who == "demo":
                self._in_picture = line.tone == "scene"
            if self._in_picture:
                self._record.print(row)

    def _row(self, line: Line) -> RenderableType:
        who, what, after = line.say()
        if line.who == "demo":
            return RichText(f"\n{what}", style=_STYLES[line.tone])
        moment = f"{(line.ms - self._start_ms) / 1000:7.2f} s"
        text = RichText(what, style=_STYLES[line.tone])
        if after:
            text.append(f"  {after}", style="dim")
        row = Table.grid(padding=(0, 1), expand=False)
        row.add_column(width=9, justify="right", style="dim")
        row.add_column(width=9, style=_WHO_STYLES[line.who])
        row.add_column(overflow="fold")
        row.add_row(moment, who, text)
        return row

    @override
    def foot(self, doing: Text, remaining_s: float | None, held: int) -> None:
        if not self._is_live:
            if doing != self._doing:
                self._doing = doing
                self._console.print(f"            … {pick(doing)}")
            return
        text = pick(doing) + (f"  {remaining_s:.0f} s" if remaining_s is not None and remaining_s < 1e6 else "")
        self._spinner.update(text=RichText(f"{text}   ·   {pick(_HELD, n=held)}", style="bold"))

    @override
    def summary(self, tables: Sequence[RenderableType], verdict: dict[str, object]) -> None:
        for table in tables:
            self._console.print()
            self._console.print(table)
        for table in tables[-2:]:
            self._record.print()
            self._record.print(table)


class JsonScreen(Screen):
    """One JSON object per line on stdout: what happened, when, in which process."""

    def __init__(self, start_ms: int) -> None:
        # The boot clock told as UTC, as it is at the start: a clock that steps during the run bends no order.
        self._offset = time.time() - start_ms / 1000

    def __enter__(self) -> "JsonScreen":
        return self

    def __exit__(self, *_: object) -> None:
        return

    @override
    def happening(self, happening: Happening, lines: Sequence[Line]) -> None:
        body: dict[str, object] = {
            "t": utc_text(self._offset + happening.ms / 1000),
            "ms": happening.ms,
            "process": happening.process,
            "what": happening.what,
            "name": happening.name,
            "value": happening.value,
        }
        for line in lines:
            body |= {"text": line.text[0], "zh": line.text[1]} | ({"after_ms": line.after_ms} if line.after else {})
        self._print(body)

    @override
    def foot(self, doing: Text, remaining_s: float | None, held: int) -> None:
        return

    @override
    def summary(self, tables: Sequence[RenderableType], verdict: dict[str, object]) -> None:
        self._print({"t": utc_text(time.time()), "process": "demo", "what": "verdict", **verdict})

    def _print(self, body: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(body, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()
