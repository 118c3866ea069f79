"""The account of an acceptance: what a report tells, in one file `acceptance.json` from which its pages are made.

It holds all that the pages show, in both languages where the words differ, so that whoever checks a report needs
nothing but the report.
"""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

import firmware
from firmware.clock import utc_text
from firmware.config import Loaded
from firmware.language import Language, pick, speaking
from firmware.version import VERSION
from provisioning.accept.plan import Step, plan
from provisioning.accept.results import STRICT, PictureOf, Place, Result, Run, Sample, Word
from provisioning.drawing import COLOURS
from provisioning.site_words import WORDS
from provisioning.terminals import Block, Terminal, blocks

FORMAT: Literal["fenghuo.acceptance.v1"] = "fenghuo.acceptance.v1"
ROOT_HASH = Path("/run/fenghuo-boot/root-hash")
"""The verity hash of a read-only root, where the image tells it."""
ROOMS = ("rules", "drivers", "firmware", "provisioning")
Long = Annotated[str, Field(max_length=2_000)]


@dataclass(frozen=True, config=STRICT)
class Who:
    """Names for the signature lines; empty ones are written by hand."""

    user: Word = ""
    installer: Word = ""
    acceptor: Word = ""


@dataclass(frozen=True, config=STRICT)
class Software:
    """What runs: the version, SHA-256 over the program's files, and of the read-only root where there is one."""

    version: Word
    tree: Word
    root: Word = ""


@dataclass(frozen=True, config=STRICT)
class Row:
    """A terminal, or a zone: its cells as they are printed."""

    use: Word
    cells: tuple[Long, ...]


@dataclass(frozen=True, config=STRICT)
class Table:
    """A block of the wiring, with its notes."""

    title: Word
    notes: tuple[Long, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, config=STRICT)
class Did:
    """A step with its result."""

    step: Step
    result: Result | None


@dataclass(frozen=True, config=STRICT)
class Account:
    """Everything of an acceptance run."""

    format: Literal["fenghuo.acceptance.v1"]
    panel: Word
    name: Word
    profile: Word
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    made: Word
    by: Word
    who: Who
    software: Software
    file: Word
    begun: tuple[Place, ...]
    ended: Place
    verdict: Literal["passed", "failed"]
    steps: tuple[Did, ...]
    samples: tuple[Sample, ...]
    pictures: tuple[PictureOf, ...]
    records: int
    receipted: int
    wiring: dict[Literal["zh", "en"], tuple[Table, ...]]
    zones: dict[Literal["zh", "en"], tuple[Row, ...]]


ACCOUNT = TypeAdapter(Account)


def account(loaded: Loaded, run: Run, ended: Place, by: str, who: Who, made: float) -> Account:
    """Everything that is known of a run that has ended."""
    steps = tuple(Did(step, run.of(step.id)) for step in plan(loaded.file))
    failed = any(did.result is None or did.result.outcome == "failed" for did in steps)
    panel = loaded.file.panel
    return Account(
        FORMAT,
        panel.id,
        panel.name,
        panel.profile,
        run.run,
        utc_text(made),
        by,
        who,
        software(),
        loaded.sha256,
        run.begun,
        ended,
        "failed" if failed else "passed",
        steps,
        run.samples,
        run.pictures,
        run.made,
        run.receipted,
        {lang: _wiring(loaded, lang) for lang in ("zh", "en")},
        {lang: _zones(loaded, lang) for lang in ("zh", "en")},
    )


@lru_cache(maxsize=1)
def software() -> Software:
    """The program that runs here."""
    root = ""
    with suppress(OSError):
        root = ROOT_HASH.read_text(encoding="ascii").strip()[:64]
    return Software(VERSION, tree(Path(firmware.__file__).parents[1]), root)


def tree(folder: Path) -> str:
    """SHA-256 over names and hashes of the program's files, in the order of their names."""
    whole = hashlib.sha256()
    for path in _files(folder):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{digest}  {path.relative_to(folder)}\n".encode())
    return whole.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for room in ROOMS:
        found = (path for path in (folder / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        yield from sorted(found)


def _wiring(loaded: Loaded, lang: Language) -> tuple[Table, ...]:
    with speaking(lang):
        return tuple(
            Table(
                block.title,
                tuple(block.notes),
                tuple(Row(terminal.use, (terminal.mark, terminal.to, terminal.how)) for terminal in block.terminals),
            )
            for block in blocks(loaded.file)
        )


def _zones(loaded: Loaded, lang: Language) -> tuple[Row, ...]:
    with speaking(lang):
        return tuple(
            Row("", (str(z.number), z.id, z.name, pick(WORDS[z.type]), ", ".join(z.areas))) for z in loaded.file.zone
        )


def as_blocks(tables: tuple[Table, ...]) -> list[Block]:
    """The wiring as the drawing takes it."""
    return [Block("", table.title, tuple(_terminal(row) for row in table.rows), table.notes) for table in tables]


def _terminal(row: Row) -> Terminal:
    mark, to, how = (*row.cells, "", "", "")[:3]
    return Terminal(mark, to, how, row.use if row.use in COLOURS else "free")
