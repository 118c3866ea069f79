"""What the rest resistance of each loop is, kept over restarts in a small file beside the journal.

Losing it costs precision and no safety: without it the nominal values count until the loops are learned again. So a
bad file is told of and begun anew. Writing happens on a thread of its own: a slow card must not stop the readings.
"""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from drivers.loop_plan import LEARNED_PART
from drivers.pins import Text

FILE = "loops.json"
MAX_BYTES = 64 * 1024
GATHER_S = 2.0
"""So long a write waits for further loops that were learned at the same time."""
REWRITE_MS = 3_600_000
"""A card wears out: values that merely follow are written at most once in so long."""

_log = logging.getLogger(__name__)


class Baseline:
    """Learned rest resistances by zone; used from the threads of several drivers.

    `on_problem(text)` hears in English why the file is not used, or can't be written, and "" when it is well again.
    """

    def __init__(self, path: Path | None, on_problem: Callable[[str], None] = lambda _text: None) -> None:
        """Read the file; raises nothing. `path` None keeps nothing."""
        self._path = path
        self._on_problem = on_problem
        self._lock = Lock()
        self._closed = Event()
        self._writer: Thread | None = None
        self._dirty = False
        self._wrote_ms: int | None = None
        self._problem = ""
        self._known: dict[str, tuple[float, float]] = {}
        if path is not None:
            self._known, text = _read(path)
            if text is not None:
                _log.warning("%s", text[0])
                self._problem = text[0]

    def start(self) -> None:
        """Tell of a bad file, or that all is well, now that somebody listens."""
        self._on_problem(self._problem)

    def rest_ohm(self, zone: str, nominal_ohm: float) -> float | None:
        """What was learned for this zone with this very nominal value; None else."""
        with self._lock:
            nominal, rest = self._known.get(zone, (0.0, 0.0))
        return rest if nominal == nominal_ohm else None

    def learn(self, zone: str, nominal_ohm: float, rest_ohm: float, now_ms: int) -> None:
        """Keep this; a new loop is written soon, one that merely moved when the last write is long ago."""
        with self._lock:
            new = self._known.get(zone, (0.0, 0.0))[0] != nominal_ohm
            self._known[zone] = (nominal_ohm, rest_ohm)
            self._dirty = True
            due = new or self._wrote_ms is None or now_ms - self._wrote_ms >= REWRITE_MS
            if not due or self._path is None or self._writer is not None or self._closed.is_set():
                return
            self._wrote_ms = now_ms
            self._writer = Thread(target=self._write_soon, name="loops", daemon=True)
            self._writer.start()

    def close(self) -> None:
        """Write what waits."""
        self._closed.set()
        writer = self._writer
        if writer is not None:
            writer.join(timeout=10)
        if self._dirty:
            self._write()

    def _write_soon(self) -> None:
        self._closed.wait(GATHER_S)
        self._write()
        self._writer = None

    def _write(self) -> None:
        if self._path is None:
            return
        with self._lock:
            zones = {z: {"nominal_ohm": n, "rest_ohm": round(r, 1)} for z, (n, r) in self._known.items()}
            self._dirty = False
        try:
            _replace(self._path, json.dumps({"zones": zones}, indent=1).encode() + b"\n")
        except OSError as error:
            self._say(f"{self._path} can't be written: {error}")
        else:
            self._say("")

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.part")
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.chmod(0o600)
    aside.replace(path)


def _read(path: Path) -> tuple[dict[str, tuple[float, float]], Text | None]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return {}, _bad(path, f"more than {MAX_BYTES} bytes")
        return _parse(json.loads(data)), None
    except FileNotFoundError:
        return {}, None
    except OSError as error:
        return {}, _bad(path, str(error))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        return {}, _bad(path, f"{type(error).__name__}: {str(error)[:80]}")


def _parse(body: Any) -> dict[str, tuple[float, float]]:
    found = {}
    for zone, entry in body["zones"].items():
        nominal, rest = entry["nominal_ohm"], entry["rest_ohm"]
        if not all(isinstance(n, int | float) and not isinstance(n, bool) for n in (nominal, rest)):
            raise ValueError(f"zone {zone}: not numbers")
        if not (0 < nominal <= 10**6 and abs(rest / nominal - 1) <= LEARNED_PART + 0.001):
            raise ValueError(f"zone {zone}: {rest} ohm is not within 15 % of {nominal}")
        found[str(zone)] = (float(nominal), float(rest))
    return found


def _bad(path: Path, found: str) -> Text:
    return (
        f"{path}: found {found}, expected learned loop resistances; until they are learned anew nominal values count",
        f"{path}：{found}，应为已学习的回路电阻；重新学习之前使用标称值",
    )
