"""The event vocabulary as a table in a page: `python -m firmware.protocol.vocabulary_table docs/alarm-center.md`.

It stands between two markers and is made from `rules.vocabulary`; a test fails when page and table drift apart.
"""

import sys
from pathlib import Path

from firmware.places import places
from rules.vocabulary import KINDS, Kind

BEGIN = "<!-- vocabulary -->\n"
END = "<!-- end of vocabulary -->\n"


def table() -> str:
    """The table, in the order of the vocabulary."""
    head = (
        "| kind | lane | Contact ID | SIA | priority | silent | English | 中文 |\n|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_row(kind) for kind in KINDS.values())


def _row(kind: Kind) -> str:
    cid = f"{kind.cid // 1000} {kind.cid % 1000:03d}" if kind.cid else "–"
    silent = "silent" if kind.silent else ""
    cells = (f"`{kind.name}`", kind.lane, cid, kind.sia or "–", kind.priority, silent, kind.en, kind.zh)
    return f"| {' | '.join(str(cell) for cell in cells)} |\n"


def filled(page: str) -> str:
    """The page with its table made anew; `ValueError` when it does not have the two markers."""
    before, found, rest = page.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"expected {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main(path: Path) -> None:
    """Write the table into the page."""
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    for place in places(sys.argv[1:], __doc__):
        main(place)
