"""`fenghuo evidence evaluate` as a technician calls it, on real photos: the table, the JSON and the page."""

import base64
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from firmware.camera.person import BOXED, MODELS, WHOLE
from firmware.protocol.canonical import sha256_hex
from provisioning.evidence import main
from tests.firmware.camera.photos import WITH_A_PERSON, WITHOUT, photo, photo_path
from tests.provisioning.calling import Done, call

NASTY = '"><script>alert(1)</script>.png'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People, emptiness, people in the dark, something else, and files that are no pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for group, names in (("person", WITH_A_PERSON), ("empty", WITHOUT), ("animals", ("chelsea.png",))):
        (folder / group).mkdir()
        for name in names:
            shutil.copy(photo_path(name), folder / group / name)
    (folder / "person-night").mkdir()
    Image.new("RGB", (320, 240), (9, 9, 12)).save(folder / "person-night" / NASTY.replace("/", "∕"))
    (folder / "empty" / "torn.jpg").write_bytes(photo_path("rocket.jpg").read_bytes()[:2000])
    (folder / "empty" / "text.png").write_bytes(b"no picture")
    (folder / "empty" / "notes.txt").write_text("not looked at, not told")
    return folder


def evaluated(*words: str | Path) -> dict[str, Any]:
    done = call(main, "evaluate", *map(str, words), "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found(folder: Path) -> dict[str, Any]:
    return evaluated(folder)


def row(found: dict[str, Any], model: str, threshold: int) -> dict[str, Any]:
    [table] = [table for table in found["table"] if table["model"] == model]
    [row] = [row for row in table["counts"] if row["threshold"] == threshold]
    return dict(row)


def test_recall_and_false_positives_of_both_models_and_their_mean(found: dict[str, Any]) -> None:
    assert [table["model"] for table in found["table"]] == [WHOLE, BOXED, "mean"]
    mean = row(found, "mean", 400)
    assert (mean["found"], mean["people"], mean["mistaken"], mean["empty"]) == (3, 4, 0, 7)
    assert (mean["recall"], mean["false_positives"]) == (0.75, 0.0)
    assert row(found, WHOLE, 200)["mistaken"] >= 1, "the motorcycle: why the small model alone won't do"
    assert all(0.7 < table["auc"] <= 1 for table in found["table"])
    for table in found["table"]:
        parts = [counts["recall"] for counts in table["counts"]]
        assert parts == sorted(parts, reverse=True), "a higher threshold never finds more"


def test_the_models_are_named_by_their_whole_hash(found: dict[str, Any]) -> None:
    assert [model["file"] for model in found["models"]] == [WHOLE, BOXED]
    for model in found["models"]:
        assert model["sha256"] == sha256_hex((MODELS / model["file"]).read_bytes())
    assert re.fullmatch(r"(tflite-runtime|ai-edge-litert) [0-9.]+", found["runtime"])


def test_each_picture_has_its_scores_and_boxes(found: dict[str, Any]) -> None:
    by_name = {Path(picture["file"]).name: picture for picture in found["pictures"]}
    astronaut = by_name["astronaut.png"]
    assert astronaut["truth"] == "person"
    assert astronaut["scores"]["mean"] == round((astronaut["scores"][WHOLE] + astronaut["scores"][BOXED]) / 2)
    assert astronaut["boxes"]
    assert len(found["pictures"]) == 3 + 7 + 1 + 1


def test_what_is_neither_is_shown_and_not_counted(found: dict[str, Any]) -> None:
    groups = {group["folder"]: (group["holds"], group["pictures"]) for group in found["groups"]}
    assert groups == {
        "animals": ("not counted", 1),
        "empty": ("empty", 7),
        "person": ("with a person", 3),
        "person-night": ("with a person", 1),
    }


def test_broken_pictures_are_told_and_stop_nothing(found: dict[str, Any]) -> None:
    assert [Path(unread["file"]).name for unread in found["unread"]] == ["text.png", "torn.jpg"]


def test_the_table_on_the_terminal(folder: Path) -> None:
    done = call(main, "evaluate", str(folder), "--threshold", "450")
    assert done.returncode == 0
    assert "3/4 75 %" in done.stdout
    assert "450" in done.stdout, "the one that was asked for, beside the usual ones"
    assert "never nobody" in done.stdout
    assert "empty/torn.jpg" in done.stderr
    assert "阈值" in call(main, "evaluate", str(folder), lang="zh").stdout


class Page(HTMLParser):
    """Reads the page: which pictures stand under which heading, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.sort = ""
        self.shown: dict[str, list[str]] = {}
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.boxes: dict[str, int] = {}
        self._last = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if "shots" in values.get("class", ""):
            self.sort = values["class"].split()[1]
            self.shown[self.sort] = []
        if tag == "img":
            self._last = values["alt"]
            self.shown[self.sort].append(self._last)
            self.sources.append(values["src"])
        if values.get("class") == "box":
            self.boxes[self._last] = self.boxes.get(self._last, 0) + 1


def read_page(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_the_page_shows_hits_and_misses_and_loads_nothing(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = call(main, "evaluate", str(folder), "--out", str(out))
    assert done.returncode == 0
    assert str(out) in done.stdout
    assert out.stat().st_mode & 0o777 == 0o600, "it holds pictures of people"
    page = read_page(out)
    assert {sort: len(names) for sort, names in page.shown.items()} == {
        "missed": 1,
        "mistaken": 0,
        "found": 3,
        "calm": 7,
        "other": 1,
    }
    assert page.shown["missed"][0].startswith("person-night/")
    assert page.boxes["person/astronaut.png"] == 1
    assert "script" not in page.tags, "a file's name is text"
    assert not {"link", "iframe", "a"} & set(page.tags)
    text = out.read_text(encoding="utf-8")
    assert "http://" not in text
    assert "https://" not in text
    for source in page.sources:
        kind, data = source.split(",", 1)
        assert kind == "data:image/jpeg;base64"
        assert max(Image.open(io.BytesIO(base64.b64decode(data))).size) <= 280
    assert "People found" in text or "people found" in text
    assert "识别出人员" in text
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"], "nothing half done is left"


def test_with_a_high_threshold_the_found_become_missed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    call(main, "evaluate", str(folder), "--out", str(out), "--threshold", "1000")
    page = read_page(out)
    assert (len(page.shown["missed"]), len(page.shown["found"])) == (4, 0)


CAMERA = """
[panel]
id = "bench-1"
name = "Bench"
pins = "simulated"
[[area]]
id = "hall"
number = 1
name = "Hall"
[[zone]]
id = "pir"
number = 1
name = "PIR"
type = "instant"
sensor = "pir"
areas = ["hall"]
input = { line = 4 }
cameras = ["lobby"]
[[camera]]
id = "lobby"
name = "Lobby"
maker = "drawn"
threshold = 350
"""


def with_camera(folder: Path, more: str) -> tuple[str, str, str, str]:
    (folder / "panel.toml").write_text(CAMERA + more)
    return "--config", str(folder / "panel.toml"), "--camera", "lobby"


def test_a_cameras_mask_region_and_threshold(folder: Path, tmp_path: Path) -> None:
    """Everything masked: nobody is found, and the page's pictures are black too."""
    out = tmp_path / "page.html"
    words = with_camera(tmp_path, "mask = [[0, 0, 1000, 0, 1000, 1000, 0, 1000]]\n")
    found = evaluated(folder, *words, "--out", str(out))
    assert found["threshold"] == 350
    assert row(found, "mean", 350)["found"] == 0
    for source in read_page(out).sources:
        picture = Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1])))
        assert np.asarray(picture).max() <= 8
    words = with_camera(tmp_path, "region = [[0, 0, 60, 0, 60, 60, 0, 60]]\n")
    assert row(evaluated(folder, *words), "mean", 350)["found"] == 0
    assert row(evaluated(folder, *with_camera(tmp_path, "")), "mean", 350)["found"] == 3


def refused(*words: str | Path) -> Done:
    done = call(main, "evaluate", *map(str, words))
    assert done.returncode == 2
    assert done.stdout == ""
    return done


def test_what_can_not_be_evaluated_is_told(folder: Path, tmp_path: Path) -> None:
    assert "no such folder" in refused(tmp_path / "none").stderr
    (tmp_path / "animals").mkdir()
    photo("chelsea.png").save(tmp_path / "animals" / "cat.png")
    assert "expected .bmp .gif .jpeg" in refused(tmp_path).stderr
    config = with_camera(tmp_path, "")
    assert "there is no camera attic; expected one of lobby" in refused(folder, *config[:3], "attic").stderr
    assert "--config" in refused(folder, "--camera", "lobby").stderr
    assert "nowhere.toml" in refused(folder, "--config", tmp_path / "nowhere.toml", "--camera", "lobby").stderr
    assert "can't be written" in refused(folder, "--out", tmp_path / "no" / "page.html").stderr


def test_without_models_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.camera.person.RUNTIMES", ("no_such.runtime",))
    assert "is not installed" in refused(folder).stderr


def test_a_page_that_breaks_off_leaves_nothing_and_the_last_one_stands(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "page.html"
    out.write_text("the last one")

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("provisioning.evidence.evaluate_page._small", full)
    assert "No space left" in refused(folder, "--out", out).stderr
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert out.read_text() == "the last one"


def test_limits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.evidence.scoring.MAX_PIXELS", 300 * 300)
    found = evaluated(folder)
    assert {Path(unread["file"]).name for unread in found["unread"]} >= {"astronaut.png", "coffee.png"}
    assert all("pixels" in u["why"] for u in found["unread"] if "astronaut" in u["file"])
    monkeypatch.setattr("provisioning.evidence.scoring.MAX_PIXELS", 10)
    assert "could be looked at" in refused(folder).stderr
    monkeypatch.setattr("provisioning.evidence.scoring.MAX_PICTURES", 5)
    assert "at most 5" in refused(folder).stderr


def test_a_picture_that_lies_on_its_side_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    (tmp_path / "person").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo("astronaut.png").rotate(90, expand=True).save(tmp_path / "person" / "turned.jpg", exif=exif, quality=95)
    photo("astronaut.png").save(tmp_path / "person" / "upright.jpg", quality=95)
    turned, upright = evaluated(tmp_path)["pictures"]
    assert abs(turned["scores"]["mean"] - upright["scores"]["mean"]) <= 20
    [box], [there] = turned["boxes"], upright["boxes"]
    assert abs(box["right"] - there["right"]) <= 10
