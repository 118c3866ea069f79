"""The report of a run: JUnit XML for the CI system, one self-contained page for people."""

from collections.abc import Sequence
from pathlib import Path

from hil.rigs.report.junit import junit
from hil.rigs.report.page import page
from hil.rigs.result import Result


def write_report(results: Sequence[Result], folder: Path) -> None:
    """`junit.xml` and `index.html` of these results in `folder`; each whole, or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("junit.xml", junit(results)), ("index.html", page(results))):
        aside = folder / f"{name}.new"
        aside.write_text(text, encoding="utf-8")
        aside.replace(folder / name)
