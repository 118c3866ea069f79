"""How well the person models do on a folder of pictures: what each of them says, and what follows at each threshold.

The pictures are read and looked at as the camera process does, with the mask and the region of a camera where one is
named. Scores are in thousandths.
"""

import time
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps

from firmware.camera.outlines import Outline, Region, blacken
from firmware.camera.person import Look, PersonCheck
from firmware.language import pick
from firmware.protocol.messages import Box
from provisioning.evidence import evaluate_texts as texts

Truth = Literal["person", "empty", "other"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"})
MAX_PICTURES = 20_000
MAX_PIXELS = 50_000_000
"""Of one picture; a camera of 12 megapixels has a quarter of it."""
MEAN = "mean"
THRESHOLDS = (200, 300, 400, 500, 600, 700, 800)


class CantEvaluate(Exception):
    """Nothing could be counted; says why, for a person."""


@dataclass(frozen=True)
class Scored:
    """One picture. `scores`: by the file of the model, and `MEAN`, which the panel goes by. `took_ms`: both looks."""

    path: Path
    group: str
    truth: Truth
    scores: dict[str, int]
    boxes: tuple[Box, ...]
    took_ms: float


@dataclass(frozen=True)
class Unread:
    """A file that is no picture, or that the models could not look at."""

    path: Path
    why: str


@dataclass(frozen=True)
class Eye:
    """How pictures are looked at: the models, and what a camera of the panel file hides and where a person counts."""

    check: PersonCheck
    mask: Sequence[Outline] = ()
    region: Sequence[Outline] = ()


@dataclass(frozen=True)
class Count:
    """At one threshold: of `people` pictures with a person `found` are found, of `empty` without `mistaken` are not."""

    threshold: int
    found: int
    people: int
    mistaken: int
    empty: int

    @property
    def recall(self) -> float | None:
        """Part of the people found, None without any."""
        return self.found / self.people if self.people else None

    @property
    def false_positives(self) -> float | None:
        """Part of the empty pictures that are taken for a person, None without any."""
        return self.mistaken / self.empty if self.empty else None


def truth_of(group: str) -> Truth:
    """What the name of a folder says of its pictures: `person` and `person-…`, `empty` and `empty-…`, any other."""
    for truth in ("person", "empty"):
        if group == truth or group.startswith(f"{truth}-"):
            return "person" if truth == "person" else "empty"
    return "other"


def pictures(folder: Path) -> list[tuple[str, Path]]:
    """The pictures in the folders of this one, each with the name of its folder, in order.

    Raises `CantEvaluate` when none are of people or emptiness, or there are too many; `OSError`.
    """
    found = [
        (group.name, path)
        for group in sorted(folder.iterdir())
        if group.is_dir()
        for path in sorted(group.rglob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    if len(found) > MAX_PICTURES:
        raise CantEvaluate(pick(texts.TOO_MANY, folder=folder, count=len(found), limit=MAX_PICTURES))
    if not any(truth_of(group) != "other" for group, _ in found):
        raise CantEvaluate(pick(texts.NO_PICTURES, folder=folder, suffixes=" ".join(sorted(SUFFIXES))))
    return found


def scored(found: Sequence[tuple[str, Path]], eye: Eye) -> Iterator[Scored | Unread]:
    """Look at each picture, one after the other."""
    region = Region.of(eye.region)
    for group, path in found:
        try:
            picture = blacken(read(path), eye.mask)
            began = time.perf_counter()
            look = eye.check.look(picture, region)
            took = 1000 * (time.perf_counter() - began)
        except Exception as error:
            # Pillow's decoders raise what they like over broken files.
            yield Unread(path, f"{type(error).__name__}: {error}"[:200])
            continue
        if look.score is None:
            yield Unread(path, look.why)
        else:
            yield Scored(path, group, truth_of(group), scores_of(look, look.score), look.boxes, took)


def read(path: Path) -> Image.Image:
    """A picture as RGB, the right way up. Raises what Pillow raises, `ValueError` for one that is too large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(path)
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.width} x {picture.height}: more than {MAX_PIXELS} pixels")
    return ImageOps.exif_transpose(picture).convert("RGB")


def scores_of(look: Look, mean: int) -> dict[str, int]:
    """By model, and of all of them."""
    return {model.file: model.score for model in look.models} | {MEAN: mean}


def count(items: Sequence[Scored], model: str, threshold: int) -> Count:
    """What this model, or the mean, finds from this score on."""
    people = [item.scores[model] for item in items if item.truth == "person" and model in item.scores]
    empty = [item.scores[model] for item in items if item.truth == "empty" and model in item.scores]
    return Count(
        threshold,
        sum(score >= threshold for score in people),
        len(people),
        sum(score >= threshold for score in empty),
        len(empty),
    )


def auc(items: Sequence[Scored], model: str) -> float | None:
    """How often a picture with a person scores above one without, ties half; None when one sort is missing."""
    people = [item.scores[model] for item in items if item.truth == "person" and model in item.scores]
    empty = sorted(item.scores[model] for item in items if item.truth == "empty" and model in item.scores)
    if not people or not empty:
        return None
    above = sum(bisect_left(empty, score) + bisect_right(empty, score) for score in people)
    return above / 2 / (len(people) * len(empty))
