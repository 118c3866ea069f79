"""The account of a trial run: what `trial.json` of its report holds, and from which its pages are made."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from provisioning.accept.account import Software, Who
from provisioning.accept.results import STRICT, Place, Word

FORMAT: Literal["fenghuo.trial.v1"] = "fenghuo.trial.v1"
Share = Annotated[float, Field(ge=0.0, le=1.0)]


@dataclass(frozen=True, config=STRICT)
class RestartRow:
    """Starts of the panel of one cause."""

    cause: Word
    count: int


@dataclass(frozen=True, config=STRICT)
class AlarmRow:
    """An alarm. `sort`: confirmed, unconfirmed, cancelled or test (`trial_figures`). `says`: what a person marked it,
    true or false, empty where nobody did; `cause` and `by` (name and user): of the mark.
    """

    time: Word
    kind: Word
    zone: Word
    sort: Word
    seq: int = 0
    says: Word = ""
    cause: Word = ""
    by: Word = ""


@dataclass(frozen=True, config=STRICT)
class TroubleRow:
    """A trouble of one subject: how often, how long in all and at most, and whether it stands at the end."""

    trouble: Word
    subject: Word
    count: int
    total_s: float
    longest_s: float
    open: bool


@dataclass(frozen=True, config=STRICT)
class PathRow:
    """A path: how often and how long it was down; `spans` of the whole time, 0 to 1."""

    path: Word
    outages: int
    down_s: float
    longest_s: float
    available: float
    spans: tuple[tuple[Share, Share], ...]


@dataclass(frozen=True, config=STRICT)
class LatencyRow:
    """Receipts in ms. `exact`: from records one by one; else upper bounds of the windows that were told."""

    path: Word
    lane: Word
    count: int
    p50_ms: int
    p95_ms: int
    p99_ms: int
    worst_ms: int
    exact: bool


@dataclass(frozen=True, config=STRICT)
class CheckRow:
    """A figure against its limit; `clause` is a name of `clauses.CLAUSES`."""

    name: Word
    clause: Word
    found: Word
    limit: Word
    ok: bool


@dataclass(frozen=True, config=STRICT)
class Figures:
    """All figures of a period."""

    days: float
    records: int
    expired: int
    lost: int
    unsure: int
    dark_s: float
    dark_unknown: int
    available: float
    restarts: tuple[RestartRow, ...]
    classes: dict[Word, int]
    kinds: dict[Word, int]
    alarms: tuple[AlarmRow, ...]
    alarms_by_day: dict[Word, tuple[int, ...]]
    troubles: tuple[TroubleRow, ...]
    troubles_by_day: tuple[int, ...]
    paths: tuple[PathRow, ...]
    latencies: tuple[LatencyRow, ...]
    clock_sets: int
    clock_worst_ms: int
    pictures: int
    pictures_deleted: int
    pictures_deleted_early: int
    aborted: int = 0
    marked: dict[Word, int] = field(default_factory=dict)
    """Alarms that are no tests, by what people marked them: true, false, open."""


@dataclass(frozen=True, config=STRICT)
class Trial:
    """A trial run."""

    format: Literal["fenghuo.trial.v1"]
    panel: Word
    name: Word
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    made: Word
    by: Word
    who: Who
    software: Software
    file: Word
    first: Place
    last: Place
    begin: Word
    end: Word
    days: tuple[Word, ...]
    verdict: Literal["passed", "failed"]
    checks: tuple[CheckRow, ...]
    figures: Figures


TRIAL = TypeAdapter(Trial)
