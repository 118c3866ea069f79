"""What one scenario left behind, as a file: verdict, reason, marks, logs. Workers write them, the report reads them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hil.rigs.protocol import Mark, Verdict

VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "rig-fault", "skipped")


@dataclass(frozen=True)
class Result:
    """One scenario on one rig. `why`: of a fail, a rig fault or a skip; `told`: the whole of it, as pytest tells it.

    `began_ms` and all marks are of the host's boot clock; `took_s` with the rig's start and end.
    """

    scenario: str
    file: str
    title: str
    rig: str
    verdict: Verdict
    why: str = ""
    told: str = ""
    began_utc: str = ""
    began_ms: int = 0
    took_s: float = 0.0
    marks: Sequence[Mark] = ()
    logs: dict[str, str] = field(default_factory=dict)
    dropped: int = 0

    def write(self, folder: Path) -> Path:
        """As JSON, in a file of the scenario's name; whole, or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / (re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{Path(self.file).stem}.{self.scenario}") + ".json")
        aside = file.with_suffix(".new")
        aside.write_text(json.dumps(asdict(self), ensure_ascii=False, default=str))
        aside.replace(file)
        return file


def read(file: Path) -> Result:
    """A file that `write` made. Raises `ValueError` and `TypeError` for another."""
    found: dict[str, Any] = json.loads(file.read_text())
    return Result(**{**found, "marks": [Mark(**mark) for mark in found["marks"]]})


def read_all(folder: Path) -> Iterator[Result]:
    """All of a run, by file and scenario."""
    for file in sorted(folder.glob("*.json")):
        yield read(file)
