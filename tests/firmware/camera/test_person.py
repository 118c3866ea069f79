"""The person check: the real models in the real runtime, on real photos and on the drawn scene."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from drivers.cameras import Camera, Plan, make
from firmware.camera.person import BOXED, MODELS, WHOLE, PersonCheck
from tests.firmware.camera.photos import WITH_A_PERSON, WITHOUT, photo

THRESHOLD = 300
BOTH = "person-vww-int8.tflite 459a5c72 + person-ssdlite-f16.tflite d88f08bd"


@pytest.fixture(scope="module")
def check() -> PersonCheck:
    return PersonCheck()


@pytest.mark.parametrize("name", WITH_A_PERSON)
def test_people_on_photos_are_found_with_a_box(check: PersonCheck, name: str) -> None:
    look = check.look(photo(name))
    assert look.score is not None
    assert look.score >= 800
    assert look.boxes
    assert check.model == BOTH


@pytest.mark.parametrize("name", WITHOUT)
def test_photos_without_people_score_low(check: PersonCheck, name: str) -> None:
    look = check.look(photo(name))
    assert look.score is not None
    assert look.score < THRESHOLD
    assert look.boxes == ()


def test_the_box_lies_where_the_person_is(check: PersonCheck) -> None:
    astronaut = photo("astronaut.png").resize((240, 240))
    for left in (0, 400):
        scene = Image.new("RGB", (640, 480), (120, 118, 110))
        scene.paste(astronaut, (left, 200))
        box = check.look(scene).boxes[0]
        middle = (box.left + box.right) / 2 * 640 / 1000
        assert left <= middle <= left + 240
        assert box.top >= 350
        assert box.left < box.right <= 1000


def test_two_people_are_two_boxes(check: PersonCheck) -> None:
    astronaut = photo("astronaut.png").resize((300, 300))
    scene = Image.new("RGB", (640, 480), (120, 118, 110))
    scene.paste(astronaut, (0, 100))
    scene.paste(astronaut, (340, 100))
    boxes = check.look(scene).boxes
    assert len(boxes) == 2
    assert {box.left > 450 for box in boxes} == {True, False}


@pytest.fixture
def lobby(tmp_path: Path) -> Iterator[tuple[Path, Camera]]:
    world = tmp_path / "desk.json"
    moments = iter(range(0, 10_000_000, 500))
    plan = Plan("lobby", "drawn", world=world, zones=("pir",))
    camera = make(plan, lambda: next(moments), lambda: 1_800_000_000.0)
    camera.open()
    yield world, camera
    camera.close()


def test_the_drawn_person_is_found_and_the_empty_lobby_is_not(check: PersonCheck, lobby: tuple[Path, Camera]) -> None:
    world, camera = lobby
    empty = [check.look(Image.fromarray(camera.frame().rgb)).score or 0 for _ in range(12)]
    world.write_text(json.dumps({"positions": {"pir": "open"}}))
    looks = [check.look(Image.fromarray(camera.frame().rgb)) for _ in range(24)]
    assert max(empty) < 100
    assert min(look.score or 0 for look in looks) > 700
    assert all(look.boxes for look in looks)


def test_without_models_nothing_is_verified_and_the_text_says_why(tmp_path: Path) -> None:
    check = PersonCheck(tmp_path)
    look = check.look(photo("astronaut.png"))
    assert (look.score, look.boxes) == (None, ())
    assert check.model == look.why == f"none: {WHOLE} is missing"


@pytest.mark.parametrize(("kept", "lost"), [(WHOLE, BOXED), (BOXED, WHOLE)])
def test_one_model_alone_gives_the_score(tmp_path: Path, kept: str, lost: str) -> None:
    shutil.copy(MODELS / kept, tmp_path / kept)
    (tmp_path / lost).write_bytes(b"not a model")
    check = PersonCheck(tmp_path)
    look = check.look(photo("astronaut.png"))
    assert look.score is not None
    assert look.score > 800
    assert check.model.startswith(kept)
    assert lost not in check.model
    assert bool(look.boxes) == (kept == BOXED)


def test_a_picture_that_breaks_the_check_gives_no_look_and_no_exception(check: PersonCheck) -> None:
    look = check.look(Image.new("L", (50, 50)))
    assert (look.score, look.why) == (None, "none: ValueError")
    assert check.look(photo("astronaut.png")).score, "the next picture is looked at again"
    assert check.model == BOTH


WITHOUT_RUNTIME = """
import sys
from PIL import Image
for name in ("tflite_runtime", "ai_edge_litert"):
    sys.modules[name] = None
from firmware.camera.person import PersonCheck
check = PersonCheck()
look = check.look(Image.new("RGB", (96, 96)))
print(look.score, check.model, sep="|")
"""


def test_without_a_runtime_nothing_is_verified() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_RUNTIME], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "None|none: tflite-runtime or ai-edge-litert is not installed"
