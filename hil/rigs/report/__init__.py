"""The report of a run: JUnit XML for the CI system, one page for people."""

from collections.abc import Sequence
from pathlib import Path

from hil.rigs.result import Result


def write_report(results: Sequence[Result], folder: Path) -> None:
    """`junit.xml` and `index.html` of these results in `folder`."""
