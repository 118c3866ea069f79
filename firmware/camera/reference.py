"""What a camera should see: learned from a minute of quiet pictures, kept on disk, and learned anew only by order.

It never adapts by itself: who turns a camera slowly would be learned along, and one who turns it while the process is
down would find his picture taken for the right one. Light may change; furniture may, as long as most of the room stays.
"""

import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from firmware.camera.sight import FINE, Field, Sight, place

log = logging.getLogger("fenghuo.camera.reference")

LOOKS = 30
"""Looks that make a reference: with one every two seconds a minute, so that who walks by is washed out."""
AGREE = 0.4
"""Each must lie where the ones before do; people in the picture leave more [60 % hidden: 0.33 to 0.61]."""
LEAST_STRUCTURE = 0.02
LEAST_MEAN, MOST_BURNT = 25.0, 0.2
"""A picture to learn from has edges on a fiftieth of it, and is neither dark nor dazzled."""
_SHAPE = (FINE[1] // 2, FINE[0] // 2)
_BYTES = _SHAPE[0] * _SHAPE[1] * 2
_MAX_FILE = _BYTES + 4096


@dataclass(frozen=True)
class Reference:
    """A `Sight` averaged over a minute; see there."""

    mean: float
    structure: float
    sharpness: float
    edges: Field


class Learning:
    """Looks on their way to a reference."""

    def __init__(self) -> None:
        self._looks: list[Sight] = []
        self._sum: Field | None = None

    def add(self, sight: Sight) -> Reference | None:
        """Take a look in; the reference when there are enough that agree."""
        if sight.structure < LEAST_STRUCTURE or sight.mean < LEAST_MEAN or sight.burnt > MOST_BURNT:
            self._begin_anew()
            return None
        if self._sum is not None and place(self._sum, sight.edges).here < AGREE:
            self._begin_anew()
        self._sum = sight.edges if self._sum is None else self._sum + sight.edges
        self._looks.append(sight)
        if len(self._looks) < LOOKS:
            return None
        looks, total = self._looks, self._sum
        self._begin_anew()
        return Reference(
            mean=median(look.mean for look in looks),
            structure=median(look.structure for look in looks),
            sharpness=median(look.sharpness for look in looks),
            edges=np.asarray(total / len(looks), np.complex64),
        )

    def _begin_anew(self) -> None:
        self._looks, self._sum = [], None


class Kept:
    """The file of one camera's reference. `of`: what camera it is; another one's reference does not count."""

    def __init__(self, folder: Path, camera: str, of: str) -> None:
        self._path = folder / f"{camera}.ref"
        self._of = hashlib.sha256(of.encode()).hexdigest()

    def load(self) -> Reference | None:
        """What is kept; None where there is none, or none that counts. Never raises."""
        try:
            with self._path.open("rb") as file:
                return unpacked(file.read(_MAX_FILE + 1), self._of)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s does not count: %s", self._path.name, error)
            return None

    def save(self, reference: Reference) -> None:
        """Keep it durably; raises `OSError`."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(packed(reference, self._of))
            file.flush()
            os.fsync(number)
        part.replace(self._path)

    def forget(self) -> None:
        """It is to be learned anew; raises `OSError`."""
        self._path.unlink(missing_ok=True)


def packed(reference: Reference, of: str) -> bytes:
    """A line of JSON, and the edges as pairs of signed bytes."""
    parts = np.stack([reference.edges.real, reference.edges.imag], axis=-1)
    body: bytes = np.clip(np.rint(parts * 127), -127, 127).astype(np.int8).tobytes()
    figures = {"mean": reference.mean, "structure": reference.structure, "sharpness": reference.sharpness}
    head = {"reference": 1, "of": of, "sha256": hashlib.sha256(body).hexdigest(), **figures}
    return json.dumps(head).encode() + b"\n" + body


def unpacked(data: bytes, of: str) -> Reference:
    """The reference in a file's bytes; raises `ValueError` for what is none, broken, or of another camera."""
    head, newline, body = data.partition(b"\n")
    try:
        known = json.loads(head) if newline and len(body) == _BYTES else None
    except RecursionError:
        known = None
    if not isinstance(known, dict) or known.get("reference") != 1:
        raise ValueError(f"found {len(data)} bytes that are no reference")
    if known.get("of") != of:
        raise ValueError("it is of a camera with another source or size")
    if known.get("sha256") != hashlib.sha256(body).hexdigest():
        raise ValueError("its bytes were changed")
    figures = [known.get(name) for name in ("mean", "structure", "sharpness")]
    if not all(isinstance(figure, float) and 0 <= figure < 1e6 for figure in figures) or not figures[1]:
        raise ValueError("its figures are none")
    parts = np.frombuffer(body, np.int8).reshape(*_SHAPE, 2).astype(np.float32) / 127
    edges = np.asarray(parts[..., 0] + 1j * parts[..., 1], np.complex64)
    mean, structure, sharpness = (float(str(figure)) for figure in figures)
    return Reference(mean, structure, sharpness, edges)
