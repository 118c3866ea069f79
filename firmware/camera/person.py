"""Is there a person in this picture: two small models, the cheap one first, and their mean as the score.

It annotates and never decides: whatever is missing or broken (runtime, model, picture) gives a look without a score
and a text that says why, never an exception. One picture is looked at at a time, on one thread.
"""

import hashlib
import logging
import threading
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firmware.camera.anchors import anchors, corners, distinct
from firmware.camera.outlines import Region
from firmware.protocol.messages import Box, ModelScore

log = logging.getLogger("fenghuo.camera.person")

MODELS = Path(__file__).parent / "models"
WHOLE = "person-vww-int8.tflite"
BOXED = "person-ssdlite-f16.tflite"
RUNTIMES = ("tflite_runtime.interpreter", "ai_edge_litert.interpreter")
"""The second is the maintained successor of the first, with the same calls; the first that loads a model is used."""
NOT_INSTALLED = "tflite-runtime or ai-edge-litert is not installed"
BOX_FLOOR = 0.3
"""A box is told from this score on (models/README.md: 30 of 34 people found, 1 of 45 empty pictures taken for one)."""
MAX_BOXES = 4
_NAME_ROOM = 80


@dataclass(frozen=True)
class Look:
    """What the models say of one picture. `score` is 0 to 1000, None when no model ran; `why` says then why.

    `models`: those that ran, each with its own score, from which `score` follows.
    """

    score: int | None
    boxes: tuple[Box, ...] = ()
    why: str = ""
    models: tuple[ModelScore, ...] = ()


@dataclass(frozen=True)
class Used:
    """What looks: the runtime with its version, and each model that runs with its SHA-256."""

    runtime: str
    models: tuple[tuple[str, str], ...]


class Model:
    """One TFLite file in an interpreter with a single thread. Raises whatever the runtime raises."""

    def __init__(self, path: Path, runtime: Any) -> None:
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.file = path.name
        self.name = f"{path.name} {self.sha256[:8]}"
        # By its path: the runtime maps the file, where content given in bytes is held twice.
        self._interpreter = runtime.Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        entry = self._interpreter.get_input_details()[0]
        self.side = int(entry["shape"][1])
        self._entry = entry["index"]
        self._exits = [detail["index"] for detail in self._interpreter.get_output_details()]

    def run(self, pixels: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs for one picture of `side` by `side`, without their batch dimension."""
        self._interpreter.set_tensor(self._entry, pixels[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._exits]


class PersonCheck:
    """Both models, loaded at the first look. `model` names what runs, or says why nothing does."""

    def __init__(self, folder: Path = MODELS) -> None:
        self.model = "not loaded yet"
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded = False
        self._whole: Model | None = None
        self._boxed: Model | None = None
        self._runtime = ""
        self._anchors = anchors()

    @property
    def used(self) -> Used:
        """The runtime and the models, once they are loaded."""
        models = [model for model in (self._whole, self._boxed) if model]
        return Used(self._runtime, tuple((model.file, model.sha256) for model in models))

    @property
    def ready(self) -> bool:
        """Whether at least one model is loaded."""
        return bool(self.used.models)

    def load(self) -> None:
        """Load the models now, once; they cost about 20 MiB."""
        with self._lock:
            self._load()

    def look(self, picture: Image.Image, region: Region | None = None) -> Look:
        """The score and the boxes of an RGB picture; with a region, only of persons in it.

        The score is the mean of the models that ran. Only the second one says where a person is: where a region is
        asked for and it sees nobody there, the first one's word does not count.
        """
        with self._lock:
            self._load()
            if self._whole is None and self._boxed is None:
                return Look(None, why=self.model)
            try:
                return self._look(picture, region)
            except Exception as error:
                # The runtime is C++ with exceptions of its own; a verdict is never worth the process.
                log.error("person check failed: %s", type(error).__name__)
                return Look(None, why=_cut(f"none: {type(error).__name__}"))

    def _look(self, picture: Image.Image, region: Region | None) -> Look:
        seen = region.cut(picture) if region else picture
        models: list[ModelScore] = []
        boxes: tuple[Box, ...] = ()
        if self._whole is not None:
            models.append(_told(self._whole, self._whole_score(self._whole, seen)))
        if self._boxed is not None:
            score, boxes = self._boxed_score(self._boxed, seen, region)
            models.append(_told(self._boxed, score))
        counted = models[-1:] if region and self._boxed and not boxes else models
        return Look(round(sum(m.score for m in counted) / len(counted)), boxes, models=tuple(models))

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        why = NOT_INSTALLED
        for name in RUNTIMES:
            runtime, failed = _imported(name)
            if runtime is not None:
                self._whole, failed_whole = _model(self._folder / WHOLE, runtime)
                self._boxed, failed_boxed = _model(self._folder / BOXED, runtime)
                failed = failed_whole or failed_boxed
            if self.ready:
                self._runtime = _name_of(name)
                self.model = _cut(" + ".join(model.name for model in (self._whole, self._boxed) if model))
                return
            why = failed or why
        self.model = _cut(f"none: {why}")
        log.error("no person check: %s", why)

    @staticmethod
    def _whole_score(model: Model, picture: Image.Image) -> float:
        """The whole picture at once, values 0 to 255: column 0 is person."""
        return float(model.run(_pixels(picture, model.side))[0][0])

    def _boxed_score(self, model: Model, picture: Image.Image, region: Region | None) -> tuple[float, tuple[Box, ...]]:
        """The best box's score and the boxes from `BOX_FLOOR` on; values -1 to 1. With a region only what is in it."""
        pixels = _pixels(picture, model.side)
        pixels *= np.float32(1 / 127.5)
        pixels -= np.float32(1)
        outputs = sorted(model.run(pixels), key=lambda output: -output.size)
        codes, logits = outputs[0].reshape(-1, 4), outputs[1].reshape(-1, 2)[:, 1]
        found = np.flatnonzero(logits >= np.log(BOX_FLOOR / (1 - BOX_FLOOR)))
        scores = 1 / (1 + np.exp(-logits[found]))
        places = corners(codes[found], self._anchors[found])
        if region is None:
            best = 1 / (1 + np.exp(-logits.max()))
            return float(best), tuple(_box(places[i], scores[i]) for i in distinct(places, scores, MAX_BOXES))
        boxes = [region.placed(_box(place, score)) for place, score in zip(places, scores, strict=True)]
        inside = [i for i, box in enumerate(boxes) if region.counts(box)]
        kept = distinct(places[inside], scores[inside], MAX_BOXES)
        return float(max(scores[inside], default=0.0)), tuple(boxes[inside[i]] for i in kept)


def _told(model: Model, score: float) -> ModelScore:
    return ModelScore(file=model.file, sha256=model.sha256, score=_thousandths(score))


def _pixels(picture: Image.Image, side: int) -> NDArray[np.float32]:
    # The gap lets Pillow halve a large picture by whole steps first: scores stay within 0.03.
    small = picture.resize((side, side), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(small, np.float32)


def _box(place: NDArray[np.float32], score: float) -> Box:
    left, top, right, bottom = (_thousandths(float(part)) for part in place)
    return Box(left=left, top=top, right=right, bottom=bottom, score=_thousandths(float(score)))


def _thousandths(part: float) -> int:
    return round(1000 * min(max(part, 0.0), 1.0)) if part == part else 0  # NaN is not equal to itself


def _imported(name: str) -> tuple[Any, str]:
    """The runtime, or None and why; the text is empty where it is just not installed."""
    try:
        return import_module(name), ""
    except ImportError:
        return None, ""
    except Exception as error:
        # Built for another numpy, the module dies at import in ways of its own.
        return None, f"{name.split('.')[0]}: {type(error).__name__}"


def _name_of(runtime: str) -> str:
    """The runtime's package and its version."""
    package = runtime.split(".")[0].replace("_", "-")
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return package


def _model(path: Path, runtime: Any) -> tuple[Model | None, str]:
    try:
        return Model(path, runtime), ""
    except FileNotFoundError:
        why = f"{path.name} is missing"
    except Exception as error:
        # tflite-runtime 2.14 with numpy 2 imports, and raises only here.
        why = f"{path.name}: {type(error).__name__} (numpy {np.__version__})"
    log.error("person model not loaded: %s", why)
    return None, why


def _cut(text: str) -> str:
    return text[:_NAME_ROOM]
