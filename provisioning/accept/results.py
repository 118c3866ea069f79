"""What became of an acceptance run, as it lies in the working folder: results, samples, pictures, what was delivered.

Each step is stored as a whole when it is done, so that a run that was stopped, or a machine that lost its power, goes
on with the next one.
"""

import os
from dataclasses import field
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from firmware.language import Text, pick
from provisioning.site_text import write_whole

STRICT = ConfigDict(strict=True, extra="forbid")
NAME = "run.json"
MAX_BYTES = 32 * 1024 * 1024
MAX_SAMPLES = 1_000
Outcome = Literal["passed", "failed", "waived"]
MAX_WORD = 400
Word = Annotated[str, Field(max_length=MAX_WORD)]
Figure = Annotated[int | float | Word, Field()]

_BROKEN: Text = (
    "{file}: can't be used: {why}; begin anew with --new",
    "{file}：无法使用：{why}；请用 --new 重新开始",
)


class Broken(Exception):
    """The file of a run can't be used. The text is for the technician."""


@dataclass(frozen=True, config=STRICT)
class Place:
    """A record: its journal, number, hash and kind."""

    journal: Word
    seq: int
    hash: Word
    kind: Word
    time: Word


@dataclass(frozen=True, config=STRICT)
class Result:
    """What a step gave. `by`: who tested; `why`: a name of `texts.WHY`; `reason`: what a person said.

    `figures` by their names, with units.
    """

    step: Word
    outcome: Outcome
    time: Word
    by: Word
    why: Word = ""
    reason: Word = ""
    figures: dict[Word, Figure] = field(default_factory=dict)
    record: Place | None = None
    attempts: int = 1


@dataclass(frozen=True, config=STRICT)
class Sample:
    """One reaction, in ms from the moment the input began: to the output or the record, and to the verified receipt.

    `at`: the output that was switched, or `record`. `basis`: `edge`, the input's own moment, or `debounce`, the
    record's moment less the zone's debounce. `center_ms` -1: no receipt came.
    """

    zone: Word
    seq: int
    local_ms: int
    at: Word
    center_ms: int
    path: Word
    basis: Literal["edge", "debounce"]


@dataclass(frozen=True, config=STRICT)
class PictureOf:
    """A picture of a camera in the run's folder `pictures`."""

    camera: Word
    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,79}$")]
    sha256: Word
    width: int
    height: int
    time: Word
    verdict: Word


@dataclass(frozen=True, config=STRICT)
class Run:
    """A run, as far as it has come. `begun`: the record of each sitting; `receipts`: `seq` to (path, ms) of records."""

    panel: Word
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    file: Word
    begun: tuple[Place, ...] = ()
    ended: Place | None = None
    results: tuple[Result, ...] = ()
    samples: Annotated[tuple[Sample, ...], Field(max_length=MAX_SAMPLES)] = ()
    pictures: tuple[PictureOf, ...] = ()
    made: int = 0
    receipted: int = 0
    missing: tuple[int, ...] = ()

    def of(self, step: str) -> Result | None:
        """The result of a step, None while it is not done."""
        return next((result for result in self.results if result.step == step), None)

    def count(self, outcome: Outcome) -> int:
        """How many steps came out so."""
        return sum(result.outcome == outcome for result in self.results)


_RUN = TypeAdapter(Run)


def load_run(folder: Path) -> Run | None:
    """The run of this folder, None where there is none. Raises `Broken`, `OSError`."""
    return read(folder / NAME, _RUN)


def save_run(folder: Path, run: Run) -> None:
    """Store it whole, readable by its owner alone. Raises `OSError`; the file before stays then."""
    write(folder / NAME, _RUN.dump_json(run, indent=1))


T = TypeVar("T")


def read(file: Path, shape: TypeAdapter[T]) -> T | None:
    """What lies there; None where there is nothing. Raises `Broken`, `OSError`."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise Broken(pick(_BROKEN, file=file, why=f"{file.stat().st_size} bytes"))
        return shape.validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        why = f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
        raise Broken(pick(_BROKEN, file=file, why=why)) from None


def write(file: Path, data: bytes) -> None:
    """Put it there whole, readable by its owner alone. Raises `OSError`; the file before stays then."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = os.umask(0o077)
    try:
        write_whole(file, data.decode())
    finally:
        os.umask(before)
