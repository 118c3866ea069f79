"""The camera process itself, as a real process, against the other side of its socket."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from firmware.camera.main import Process
from firmware.camera.sight import EDGES
from firmware.config import load
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.messages import from_camera
from firmware.stopping import StopFlag
from hil.rtsp import Film, RtspCamera
from tests.firmware.camera.fake_core import PATIENCE_S, CameraProcess, FakeCore, panel_file
from tests.firmware.camera.scenes import Scene

FAST = {"frames_per_s": 10, "pre_s": 2, "post_s": 2}


def pictures_in(folder: Path) -> Path:
    folder.mkdir()
    for number, colour in enumerate(["red", "green", "blue"]):
        Image.new("RGB", (320, 240), colour).save(folder / f"{number}.jpg")
    (folder / "1-broken.jpg").write_bytes(b"\xff\xd8 no picture")
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    pictures_in(tmp_path / "pictures")
    panel_file(
        tmp_path,
        {"id": "lobby", "maker": "folder", "source": "pictures", **FAST},
        {"id": "vault", "maker": "drawn", **FAST},
    )
    return tmp_path


def core_at(site: Path) -> FakeCore:
    return FakeCore(site / "run" / "camera.sock")


def check_files(site: Path, manifest: dict[str, Any]) -> int:
    """Every picture of the manifest is on disk with its hash, and the message is one that core takes."""
    from_camera.validate_python(manifest)
    listed = [*manifest["pictures"], *([manifest["thumbnail"]] if manifest["thumbnail"] else [])]
    for picture in listed:
        content = (site / "data" / "evidence" / picture["file"]).read_bytes()
        assert sha256_hex(content) == picture["sha256"]
        assert len(content) == picture["bytes"]
        assert content.startswith(b"\xff\xd8")
    return len(listed)


def first_jpeg(folder: Path, incident: int) -> None:
    """Until the first JPEG of the incident stands in the folder; how soon, bench_first_jpeg measures."""
    until = time.monotonic() + PATIENCE_S
    while not any(folder.rglob(f"{incident:06d}-*/*.jpg")):
        assert time.monotonic() < until, "no JPEG came"
        time.sleep(0.002)


def _last_picture_ms(message: dict[str, Any]) -> int:
    return max((picture["offset_ms"] for picture in message.get("pictures", [])), default=-1)


def test_order_to_files_whose_hashes_are_told(site: Path) -> None:
    with core_at(site) as core, CameraProcess(site, site / "panel.toml") as process:
        core.accept()
        for camera in ("lobby", "vault"):
            core.heard(type="camera", camera=camera, ok=True)
        core.seeing("lobby", "vault")
        core.order(7, "lobby", "vault", zone="pir")
        first_jpeg(site / "data", incident=7)
        manifests = core.manifests(7, "lobby", "vault", until_ms=1500)
        for camera in ("lobby", "vault"):
            assert sum(check_files(site, manifest) for manifest in manifests if manifest["camera"] == camera) >= 3
        assert {(m["camera"], m["incident"], m["zone"]) for m in manifests} == {
            ("lobby", 7, "pir"),
            ("vault", 7, "pir"),
        }
        assert all(m["verdict"] == "unverified" for m in manifests)
        assert process.stop() == 0
        assert core.closed()
    log = process.log.read_text()
    assert "Traceback" not in log
    assert ".jpg" not in log, "nothing of pictures in logs"


def test_the_person_in_the_drawn_lobby_is_found(tmp_path: Path) -> None:
    panel_file(tmp_path, {"id": "lobby", "maker": "drawn", "frames_per_s": 5, "pre_s": 5, "post_s": 1})
    with core_at(tmp_path) as core, CameraProcess(tmp_path, tmp_path / "panel.toml"):
        core.accept()
        core.seeing("lobby")
        core.order(1, "lobby")
        assert core.until(type="pictures", incident=1)["verdict"] == "unverified"
        (tmp_path / "run" / "desk.json").write_text(json.dumps({"positions": {"pir": "open"}, "mains": True}))
        core.order(2, "lobby")
        found = core.until(type="pictures", incident=2, verdict="person")
        assert found["score"] > 700
        assert found["model"] == "person-vww-int8.tflite 459a5c72 + person-ssdlite-f16.tflite d88f08bd"
        assert any(picture["boxes"] for picture in found["pictures"])


def test_what_the_mask_hides_is_in_no_file_and_no_verdict(tmp_path: Path) -> None:
    """The drawn person, with everything but the upper left corner masked: full pictures and thumbnails alike."""
    mask = [[0, 120, 1000, 120, 1000, 1000, 0, 1000]]
    panel_file(tmp_path, {"id": "lobby", "maker": "drawn", "frames_per_s": 5, "pre_s": 5, "post_s": 1, "mask": mask})
    (tmp_path / "run").mkdir(exist_ok=True)
    (tmp_path / "run" / "desk.json").write_text(json.dumps({"positions": {"pir": "open"}, "mains": True}))
    with core_at(tmp_path) as core, CameraProcess(tmp_path, tmp_path / "panel.toml"):
        core.accept()
        core.seeing("lobby")
        core.order(1, "lobby")
        manifests = core.manifests(1, "lobby", until_ms=200)
        assert {m["verdict"] for m in manifests} == {"unverified"}
        assert all(m["score"] < 300 and not p["boxes"] for m in manifests for p in m["pictures"])
        files = list((tmp_path / "data" / "evidence").rglob("*.jpg"))
        assert len(files) > 4
        assert any(path.name.startswith("thumbnail") for path in files)
        for path in files:
            picture = np.asarray(Image.open(path).convert("RGB"))
            hidden, seen = picture[int(len(picture) * 0.14) :], picture[: int(len(picture) * 0.1)]
            assert hidden.max() <= 8, "JPEG's own rounding, nothing else"
            assert seen.max() > 30


def test_core_restarts_and_hears_how_the_cameras_are(site: Path) -> None:
    with CameraProcess(site, site / "panel.toml") as process:
        with core_at(site) as core:
            core.accept(session=1)
            core.until(type="camera", camera="lobby", ok=True)
            core.order(1, "lobby")
            core.until(type="pictures", incident=1)
        # Core is away while the capture ends: its last part waits.
        with core_at(site) as core:
            core.accept(session=2)
            for manifest in core.manifests(1, "lobby", until_ms=1500):
                check_files(site, manifest)
            core.heard(type="camera", camera="vault", ok=True)
            core.order(2, "lobby")
            check_files(site, core.until(type="pictures", incident=2))
            assert process.stop() == 0


def test_garbage_from_core_changes_nothing(site: Path) -> None:
    with core_at(site) as core, CameraProcess(site, site / "panel.toml") as process:
        core.accept()
        for line in (b'{"type":"capture"}', b'{"type":"disarm"}', b'{"type":"capture","incident":"1; rm"}', b"{}"):
            core.send(line)
        core.order(1, "attic")
        core.order(2, "lobby")
        check_files(site, core.until(type="pictures", incident=2))
        for line in (b"\xff\xfe not json", b"[1,2]", b"x" * 300_000, b"[" * 100_000):
            core.send(line)
            assert core.closed()
            core.accept()
        core.order(3, "lobby")
        check_files(site, core.until(type="pictures", incident=3))
        assert process.process.poll() is None


def test_a_source_that_vanishes_is_told_and_found_again(site: Path) -> None:
    with core_at(site) as core, CameraProcess(site, site / "panel.toml"):
        core.accept()
        core.until(type="camera", camera="lobby", ok=True)
        (site / "pictures").rename(site / "away")
        gone = core.until(type="camera", camera="lobby", ok=False)
        assert gone["detail"].startswith("no frames: ")
        core.seeing("vault")
        (site / "away").rename(site / "pictures")
        core.until(type="camera", camera="lobby", ok=True)
        core.seeing("lobby")


def test_a_capture_runs_while_another_runs(site: Path) -> None:
    with core_at(site) as core, CameraProcess(site, site / "panel.toml"):
        core.accept()
        core.until(type="camera", camera="lobby", ok=True)
        for incident, zone in ((1, "door"), (1, "pir"), (2, "safe")):
            core.order(incident, "lobby", zone=zone)
        core.manifests(2, "lobby", until_ms=1500)
        while len({m["zone"] for m in core.said if _last_picture_ms(m) >= 1500}) < 3:
            core.until(type="pictures")
        told = [message for message in core.said if message["type"] == "pictures"]
        files = [picture["file"] for message in told for picture in message["pictures"]]
        assert len(files) == len(set(files)), "no file serves two captures"
        assert {file.split("/")[1] for file in files} == {"000001-lobby", "000001-lobby_2", "000002-lobby"}
        assert sum(check_files(site, message) for message in told) > len(files)


def test_a_store_that_fails_is_camera_trouble_and_then_well_again(site: Path) -> None:
    (site / "data").mkdir()
    (site / "data" / "evidence").write_text("a file where the folder should be")
    with core_at(site) as core, CameraProcess(site, site / "panel.toml"):
        core.accept()
        core.until(type="camera", camera="lobby", ok=True)
        core.order(1, "lobby")
        assert core.until(type="pictures", incident=1)["pictures"] == []
        assert "can't be saved" in core.until(type="camera", camera="lobby", ok=False)["detail"]
        (site / "data" / "evidence").unlink()
        core.order(2, "lobby")
        check_files(site, core.until(type="pictures", incident=2))
        core.until(type="camera", camera="lobby", ok=True)


def test_it_says_ready_and_feeds_the_watchdog(site: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as guard:
        guard.bind(str(site / "notify"))
        guard.settimeout(PATIENCE_S)
        with CameraProcess(site, site / "panel.toml", NOTIFY_SOCKET=str(site / "notify"), WATCHDOG_USEC="400000") as p:
            said = [guard.recv(100)]
            while said.count(b"WATCHDOG=1") < 3:
                said.append(guard.recv(100))
            assert said[0] == b"READY=1", "core's absence does not hold it up"
            assert p.stop() == 0
            while said[-1] != b"STOPPING=1":
                said.append(guard.recv(100))


def test_a_network_camera_is_seen_lost_and_found_again(tmp_path: Path) -> None:
    secret = tmp_path / "yard.secret"
    secret.write_text("admin:s3cret\n")
    secret.chmod(0o600)
    with RtspCamera(tmp_path, Film(size="1280x720"), "admin", "s3cret") as server:
        port = server.port
        about = {"id": "yard", "maker": "rtsp", "source": server.url, "secret_file": "yard.secret", "post_s": 6}
        panel_file(tmp_path, {**about, "still_width": 1920, "still_height": 1080})
        with core_at(tmp_path) as core, CameraProcess(tmp_path, tmp_path / "panel.toml") as process:
            core.accept()
            core.until(type="camera", camera="yard", ok=True)
            assert server.played.wait(PATIENCE_S)
            wait_for_frames(core)
            core.order(1, "yard")
            told = core.manifests(1, "yard", until_ms=2_000)
            sizes = {(p["width"], p["height"]) for manifest in told for p in manifest["pictures"]}
            assert sizes == {(640, 360), (1280, 720)}, "small frames, and full pictures of the same stream"
            assert sum(check_files(tmp_path, manifest) for manifest in told) >= 4
            # The bound of a camera of 640 by 480, and 12 bytes for each pixel that a full picture has more.
            assert process.resident_mib() <= 170
            server.__exit__(None, None, None)
            gone = core.until(type="camera", camera="yard", ok=False)
            assert gone["detail"].startswith("no frames: network camera 127.0.0.1: ")
            with RtspCamera(tmp_path, Film(size="1280x720"), "admin", "s3cret", port=port):
                core.until(type="camera", camera="yard", ok=True)
            assert process.stop() == 0
        log = process.log.read_text()
    assert "s3cret" not in log
    assert "Traceback" not in log


def wait_for_frames(core: FakeCore) -> None:
    """Orders, until one has a picture: a stream begins with a key frame that may be a second away."""
    for incident in range(1000, 1020):
        core.order(incident, "yard")
        if core.until(type="pictures", incident=incident)["pictures"]:
            return
    raise AssertionError("no frames came")


def test_a_process_that_takes_too_much_memory_ends_to_be_started_anew(tmp_path: Path) -> None:
    panel_file(tmp_path, {"id": "lobby", "maker": "drawn", "post_s": 1})
    with core_at(tmp_path) as core, CameraProcess(tmp_path, tmp_path / "panel.toml", **leaking(tmp_path)) as process:
        core.accept()
        core.until(type="camera", camera="lobby", ok=True)
        assert process.process.wait(PATIENCE_S) == 1
        assert "at most 150 are allowed" in process.log.read_text()


def leaking(folder: Path) -> dict[str, str]:
    """The environment of a process that leaks 100 MiB soon after its start."""
    (folder / "leak").mkdir()
    leak = "import threading\nkept = []\nthreading.Timer(4, lambda: kept.append(b'x' * 100 * 2**20)).start()\n"
    (folder / "leak" / "sitecustomize.py").write_text(leak)
    return {"PYTHONPATH": f"{folder / 'leak'}:{os.environ.get('PYTHONPATH', '')}"}


def test_memory_stays_within_its_bound(tmp_path: Path) -> None:
    panel_file(tmp_path, {"id": "lobby", "maker": "drawn", "frames_per_s": 10, "pre_s": 2, "post_s": 2})
    with core_at(tmp_path) as core, CameraProcess(tmp_path, tmp_path / "panel.toml") as process:
        core.accept()
        core.until(type="camera", camera="lobby", ok=True)
        core.order(1, "lobby")
        core.manifests(1, "lobby", until_ms=1500)
        assert process.resident_mib() <= 150


def test_the_lookout_of_a_masked_camera_keeps_nothing_from_behind_the_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor from behind another mask that the panel file has later: the camera's place is learned anew."""
    monkeypatch.setattr("firmware.camera.reference.LOOKS", 3)
    middle = EDGES[0] // 2
    for mask, masked, seen in (
        ([[0, 0, 500, 0, 500, 1000, 0, 1000]], slice(0, middle), slice(middle + 3, None)),
        ([[500, 0, 1000, 0, 1000, 1000, 500, 1000]], slice(middle, None), slice(0, middle - 3)),
    ):
        stop = StopFlag()
        process = Process(load(panel_file(tmp_path, {"id": "lobby", "maker": "drawn", "mask": mask})), stop)
        scene = Scene("coffee.png")
        for second in range(0, 40, 2):
            process._watches["lobby"].lookout.frame(scene.usual(), 1000.0 + second)
        stop.close()
        body = (tmp_path / "data" / "cameras" / "lobby.ref").read_bytes().partition(b"\n")[2]
        edges = np.frombuffer(body, np.int8).reshape(EDGES[1], EDGES[0], 2)
        assert not edges[:, masked].any()
        assert edges[:, seen].any()
