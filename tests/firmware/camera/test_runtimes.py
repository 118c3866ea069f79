"""Both runtimes say the same of the same pictures, within a stated tolerance; the first that works is used."""

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import Any

import pytest

from firmware.camera.person import BOXED, RUNTIMES, WHOLE
from tests.firmware.camera.photos import WITH_A_PERSON, WITHOUT, photo_path

TOLERANCE = 30
"""Thousandths, of the score that the panel goes by (docs/cameras.md)."""
MODEL_TOLERANCE = 60
"""Thousandths, of one model's own score: the small one is quantised, and each runtime rounds in its own way."""
BOX_TOLERANCE = 20
THRESHOLD = 400
Looks = dict[str, dict[str, Any]]

# A process for each: two of these libraries in one would share their symbols.
LOOK = """
import json, sys
from pathlib import Path
from PIL import Image
without, *photos = sys.argv[1:]
for name in without.split(","):
    sys.modules[name] = None
from firmware.camera.person import PersonCheck
check = PersonCheck()
looks = {}
for path in photos:
    look = check.look(Image.open(path).convert("RGB"))
    models = {model.file: model.score for model in look.models}
    looks[Path(path).name] = {"score": look.score, "models": models, "boxes": [b.model_dump() for b in look.boxes]}
print(json.dumps({"runtime": check.used.runtime, "model": check.model, "looks": looks}))
"""
PHOTOS = [str(photo_path(name)) for name in (*WITH_A_PERSON, *WITHOUT)]


def looks(without: str, *photos: str) -> dict[str, Any]:
    command = [sys.executable, "-c", LOOK, without, *photos]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def both() -> list[Looks]:
    packages = [name.split(".")[0] for name in RUNTIMES]
    if absent := [name for name in packages if find_spec(name) is None]:
        pytest.skip(f"no wheel of {', '.join(absent)} for this Python")
    found = [looks(other, *PHOTOS) for other in reversed(packages)]
    names = [one["runtime"] for one in found]
    assert len(names) == 2
    for name, package in zip(names, packages, strict=True):
        assert str(name).startswith(package.replace("_", "-") + " "), "each in turn"
    return [one["looks"] for one in found]


def test_the_scores_are_the_same_within_the_tolerance(both: list[Looks]) -> None:
    one, other = both
    assert set(one) == set(other)
    assert len(one) == len(PHOTOS)
    for name, look in one.items():
        assert abs(look["score"] - other[name]["score"]) <= TOLERANCE, name
        for model in (WHOLE, BOXED):
            assert abs(look["models"][model] - other[name]["models"][model]) <= MODEL_TOLERANCE, (name, model)


def test_the_verdicts_and_boxes_are_the_same(both: list[Looks]) -> None:
    for name in both[0]:
        one, other = both[0][name], both[1][name]
        person = name in WITH_A_PERSON
        assert (one["score"] >= THRESHOLD, other["score"] >= THRESHOLD) == (person, person)
        assert len(one["boxes"]) == len(other["boxes"])
        for box, there in zip(one["boxes"], other["boxes"], strict=True):
            assert all(abs(box[edge] - there[edge]) <= BOX_TOLERANCE for edge in ("left", "top", "right", "bottom"))


BROKEN_FIRST = """
import sys, types
broken = types.ModuleType("tflite_runtime.interpreter")
class Interpreter:
    def __init__(self, **_: object) -> None:
        raise AttributeError("_ARRAY_API not found")
broken.Interpreter = Interpreter
sys.modules["tflite_runtime"] = types.ModuleType("tflite_runtime")
sys.modules["tflite_runtime.interpreter"] = broken
"""


def test_a_runtime_that_breaks_with_this_numpy_is_passed_over() -> None:
    """tflite-runtime 2.14 with numpy 2 imports, and raises only when it is to load a model."""
    command = [sys.executable, "-c", BROKEN_FIRST + LOOK, "none", PHOTOS[0]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = json.loads(done.stdout)
    assert found["runtime"].startswith("ai-edge-litert ")
    assert found["looks"]["astronaut.png"]["score"] > 800


def test_when_every_runtime_breaks_the_text_says_how() -> None:
    found = subprocess.run(
        [sys.executable, "-c", BROKEN_FIRST + LOOK, "ai_edge_litert", PHOTOS[0]],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told = json.loads(found.stdout)
    assert told["looks"]["astronaut.png"]["score"] is None
    assert told["model"].startswith(f"none: {WHOLE}: AttributeError (numpy ")
