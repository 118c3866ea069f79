"""What the technician's commands share at the terminal: running a typer app as a function, and a console that fits."""

import sys
from collections.abc import Sequence

import typer
from rich.console import Console

PIPE_WIDTH = 150
"""Columns where no terminal says how many there are."""


def run(app: typer.Typer, words: Sequence[str], name: str) -> int:
    """Run the app with these words; returns its exit code instead of ending the process. 2: not understood."""
    try:
        app(args=list(words), prog_name=name)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def console() -> Console:
    """Standard output for tables; without colour and wide when it is not a terminal."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)
