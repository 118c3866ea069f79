"""The folder maker: real picture files in name order, with broken ones among them."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from drivers.cameras import CameraError, Frame, Plan, make
from drivers.cameras.folder import FolderCamera

COLOURS = {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}


def paint(path: Path, colour: str, size: tuple[int, int] = (64, 48)) -> None:
    Image.new("RGB", size, COLOURS[colour]).save(path)


def folder_camera(source: Path, **values: Any) -> FolderCamera:
    ticks = iter(range(1000, 100_000, 500))
    camera = make(Plan("rig", "folder", str(source), **values), lambda: next(ticks), lambda: 0.0)
    assert isinstance(camera, FolderCamera)
    return camera


def colour_of(frame: Frame) -> str:
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.ndim == 3
    mean = frame.rgb.reshape(-1, 3).mean(axis=0)
    return list(COLOURS)[int(mean.argmax())]


def test_name_order_and_round_again(tmp_path: Path) -> None:
    paint(tmp_path / "b.png", "green")
    paint(tmp_path / "a.jpg", "red")
    paint(tmp_path / "c.bmp", "blue")
    (tmp_path / "notes.txt").write_text("not a picture")
    camera = folder_camera(tmp_path)
    camera.open()
    frames = [camera.frame() for _ in range(5)]
    assert [colour_of(frame) for frame in frames] == ["red", "green", "blue", "red", "green"]
    assert [frame.monotonic_ms for frame in frames] == [1000, 1500, 2000, 2500, 3000]
    camera.close()


def test_frames_of_an_animation_count_as_pictures(tmp_path: Path) -> None:
    pages = [Image.new("RGB", (40, 30), COLOURS[name]) for name in ("red", "green", "blue")]
    pages[0].save(tmp_path / "walk.gif", save_all=True, append_images=pages[1:], duration=500)
    camera = folder_camera(tmp_path / "walk.gif")
    camera.open()
    assert [colour_of(camera.frame()) for _ in range(4)] == ["red", "green", "blue", "red"]


def test_large_pictures_are_made_to_fit_small_ones_stay(tmp_path: Path) -> None:
    paint(tmp_path / "1.jpg", "red", (1600, 900))
    paint(tmp_path / "2.png", "red", (100, 80))
    camera = folder_camera(tmp_path, width=640, height=480)
    camera.open()
    assert camera.frame().rgb.shape == (360, 640, 3)
    assert camera.frame().rgb.shape == (80, 100, 3)


def test_grey_and_transparent_pictures_come_as_rgb(tmp_path: Path) -> None:
    Image.new("L", (20, 20), 128).save(tmp_path / "1.png")
    Image.new("RGBA", (20, 20), (1, 2, 3, 4)).save(tmp_path / "2.png")
    Image.new("P", (20, 20)).save(tmp_path / "3.gif")
    camera = folder_camera(tmp_path)
    camera.open()
    assert [camera.frame().rgb.shape for _ in range(3)] == [(20, 20, 3)] * 3


def test_broken_files_are_skipped_and_counted(tmp_path: Path) -> None:
    paint(tmp_path / "1.jpg", "red")
    whole = (tmp_path / "1.jpg").read_bytes()
    (tmp_path / "2.jpg").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    (tmp_path / "4.webp").write_bytes(b"")
    paint(tmp_path / "5.png", "blue")
    camera = folder_camera(tmp_path)
    camera.open()
    assert [colour_of(camera.frame()) for _ in range(3)] == ["red", "blue", "red"]
    assert camera.skipped == 3


def test_only_broken_files_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"no picture")
    camera = folder_camera(tmp_path)
    camera.open()
    with pytest.raises(CameraError, match="none of the 1 files can be read"):
        camera.frame()


@pytest.mark.parametrize("make_it", [False, True])
def test_absent_or_empty_folder_is_an_error_that_names_it(tmp_path: Path, make_it: bool) -> None:
    folder = tmp_path / "pictures"
    if make_it:
        folder.mkdir()
    with pytest.raises(CameraError, match=r"rig: .*pictures"):
        folder_camera(folder).open()


def test_a_folder_that_vanishes_is_an_error_and_opens_again(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    paint(folder / "1.png", "red")
    camera = folder_camera(folder)
    camera.open()
    camera.frame()
    folder.rename(tmp_path / "away")
    with pytest.raises(CameraError):
        camera.frame()
    camera.close()
    (tmp_path / "away").rename(folder)
    camera.open()
    assert colour_of(camera.frame()) == "red"


def test_a_frame_before_open_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match="not open"):
        folder_camera(tmp_path).frame()


def test_an_unknown_maker_is_an_error() -> None:
    with pytest.raises(CameraError, match="found 'webcam', expected picamera2"):
        make(Plan("rig", "webcam"), lambda: 0, lambda: 0.0)


@settings(max_examples=60, deadline=None)
@given(suffix=st.sampled_from([".jpg", ".png", ".gif", ".webp", ".bmp"]), cut=st.integers(0, 400), noise=st.binary())
def test_no_bytes_in_a_file_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, cut: int, noise: bytes
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / f"1{suffix}"
    paint(path, "green", (24, 24))
    path.write_bytes(path.read_bytes()[:cut] + noise)
    camera = folder_camera(folder)
    camera.open()
    frame = None
    with contextlib.suppress(CameraError):
        frame = camera.frame()
    assert frame is None or (frame.rgb.shape[2:] == (3,) and frame.rgb.dtype == np.uint8)
