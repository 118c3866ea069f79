"""The drawn scene: it follows the world file, and shows somebody while someone is inside."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.cameras import Camera, CameraError, Plan, make
from drivers.cameras.drawn import LINGERS_MS


class Desk:
    """The world file and the moment, as the desk and the clock would set them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "desk.json"
        self.now_ms = 50_000
        self.utc = 1_800_000_000.0

    def set(self, **positions: str) -> None:
        self.file.write_text(json.dumps({"positions": positions, "mains": True}))

    def camera(self, **values: Any) -> Camera:
        plan = Plan("lobby", "drawn", world=self.file, zones=("door", "pir"), doors=("door",), **values)
        camera = make(plan, lambda: self.now_ms, lambda: self.utc)
        camera.open()
        return camera


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def blue(camera: Camera) -> int:
    """Pixels of the figure's coat in the middle of the room."""
    rgb = camera.frame().rgb[:, 230:420].astype(int)
    return int(((rgb[..., 2] > rgb[..., 0] + 40) & (rgb[..., 2] > rgb[..., 1] + 20)).sum())


def door_light(camera: Camera) -> float:
    return float(camera.frame().rgb[100:220, 105:145].mean())


def test_nobody_is_inside_while_all_zones_rest(desk: Desk) -> None:
    desk.set(door="close", pir="close", vault="open")
    assert blue(desk.camera()) < 200


@pytest.mark.parametrize("zone", ["door", "pir"])
def test_somebody_is_inside_while_a_watched_zone_is_tripped(desk: Desk, zone: str) -> None:
    desk.set(**{zone: "open"})
    assert blue(desk.camera()) > 3000


def test_somebody_stays_for_ten_seconds(desk: Desk) -> None:
    camera = desk.camera()
    desk.set(pir="open")
    assert blue(camera) > 3000
    desk.set(pir="close")
    desk.now_ms += LINGERS_MS
    assert blue(camera) > 3000
    desk.now_ms += 1
    assert blue(camera) < 200


def test_only_a_door_zone_opens_the_door(desk: Desk) -> None:
    camera = desk.camera()
    desk.set(pir="open")
    shut = door_light(camera)
    desk.set(door="open")
    assert door_light(camera) < shut - 20


@pytest.mark.parametrize("position", ["cut", "short", "close"])
def test_a_harmed_line_is_not_a_person(desk: Desk, position: str) -> None:
    desk.set(pir=position)
    assert blue(desk.camera()) < 200


def test_size_stamp_and_clock(desk: Desk) -> None:
    camera = desk.camera(width=320, height=200)
    frame = camera.frame()
    assert frame.rgb.shape == (200, 320, 3)
    assert frame.rgb.dtype == np.uint8
    assert frame.monotonic_ms == 50_000
    large = desk.camera()
    before = large.frame().rgb[0:17, 0:250].astype(int)
    desk.utc += 11
    changed = np.abs(large.frame().rgb[0:17, 0:250].astype(int) - before) > 100
    assert changed.sum() > 5
    assert changed[:, :60].sum() == 0, "the camera's name does not change"


def test_without_a_simulated_site_the_error_says_what_is_needed() -> None:
    with pytest.raises(CameraError, match="simulated"):
        make(Plan("lobby", "drawn"), lambda: 0, lambda: 0.0).open()


def test_an_absent_world_is_an_empty_room(desk: Desk) -> None:
    assert blue(desk.camera()) < 200


@settings(max_examples=60, deadline=None)
@given(
    world=st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["positions", "pir"]), inner),
            max_leaves=5,
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_world_file_gives_a_frame(tmp_path_factory: pytest.TempPathFactory, world: bytes) -> None:
    desk = _shared(tmp_path_factory)
    desk.file.write_bytes(world)
    assert _camera(desk).frame().rgb.shape == (480, 640, 3)


_desks: list[Desk] = []
_cameras: list[Camera] = []


def _shared(factory: pytest.TempPathFactory) -> Desk:
    if not _desks:
        _desks.append(Desk(factory.mktemp("world")))
    return _desks[0]


def _camera(desk: Desk) -> Camera:
    if not _cameras:
        _cameras.append(desk.camera())
    return _cameras[0]
