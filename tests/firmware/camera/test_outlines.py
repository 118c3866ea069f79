"""Masks and regions: every pixel of a mask is black whatever its shape, and a person counts by feet or middle."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.cameras import Frame
from firmware.camera.outlines import Region, blacken
from firmware.camera.person import PersonCheck
from firmware.camera.pictures import decode, encode
from firmware.protocol.messages import Box
from tests.firmware.camera.photos import photo

LEFT_HALF = [0, 0, 500, 0, 500, 1000, 0, 1000]


def box(left: int, top: int, right: int, bottom: int) -> Box:
    return Box(left=left, top=top, right=right, bottom=bottom, score=900)


def inside(outline: list[int], x: float, y: float) -> bool:
    """Even-odd, by counting the edges to the right: written apart from what is tested."""
    corners = list(zip(outline[::2], outline[1::2], strict=True))
    odd = False
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            odd = not odd
    return odd


thousandths = st.integers(0, 1000)


@given(st.tuples(*[thousandths] * 6), st.integers(3, 60), st.integers(3, 60))
def test_every_pixel_of_a_mask_is_black(corners: tuple[int, ...], width: int, height: int) -> None:
    outline = list(corners)
    pixels = np.asarray(blacken(Image.new("RGB", (width, height), (200, 200, 200)), [outline]))
    for y in range(height):
        for x in range(width):
            if inside(outline, (x + 0.5) * 1000 / width, (y + 0.5) * 1000 / height):
                assert not pixels[y, x].any(), (x, y)


def test_what_is_not_masked_is_as_it_was() -> None:
    scene = photo("coffee.png")
    hidden = np.asarray(blacken(scene, [LEFT_HALF]))
    assert not hidden[:, : scene.width // 2].any()
    assert (hidden[:, scene.width // 2 + 3 :] == np.asarray(scene)[:, scene.width // 2 + 3 :]).all()
    assert blacken(scene, []) is scene
    assert np.asarray(scene)[:, : scene.width // 2].any(), "the picture that was given stays as it is"


def test_every_outline_of_a_mask_counts() -> None:
    corners = [[0, 0, 100, 0, 100, 100, 0, 100], [900, 900, 1000, 900, 1000, 1000, 900, 1000]]
    pixels = np.asarray(blacken(Image.new("RGB", (100, 100), (200, 200, 200)), corners))
    assert not pixels[:10, :10].any()
    assert not pixels[90:, 90:].any()
    assert pixels[20:80, 20:80].all()


def test_the_frame_of_the_camera_is_left_alone() -> None:
    pixels = np.full((40, 60, 3), 200, np.uint8)
    jpeg = encode(Frame(pixels, 0), [LEFT_HALF])
    assert (pixels == 200).all(), "the tampers are looked for in what the camera sees"
    assert np.asarray(decode(jpeg))[:, :24].max() <= 8


def test_a_masked_person_is_not_found_and_one_beside_is() -> None:
    check = PersonCheck()
    scene = Image.new("RGB", (640, 480), (120, 118, 110))
    scene.paste(photo("astronaut.png").resize((300, 300)), (0, 180))
    pixels = np.asarray(scene)
    open_, masked = (check.look(decode(encode(Frame(pixels, 0), mask))).score or 0 for mask in ([], [LEFT_HALF]))
    beside = check.look(decode(encode(Frame(pixels[:, ::-1].copy(), 0), [LEFT_HALF]))).score or 0
    assert open_ > 500
    assert masked < 200
    assert beside > 500


@pytest.mark.parametrize(
    ("place", "counts"),
    [
        (box(100, 100, 300, 900), True),
        (box(600, 100, 900, 900), False),
        (box(400, 100, 700, 900), False),
        (box(300, 100, 600, 900), True),
    ],
)
def test_a_person_counts_by_where_it_stands(place: Box, counts: bool) -> None:
    assert Region([LEFT_HALF]).counts(place) == counts


def test_a_person_behind_a_desk_counts_by_the_middle() -> None:
    upper = Region([[0, 0, 1000, 0, 1000, 600, 0, 600]])
    assert upper.counts(box(400, 300, 600, 800)), "the feet are below the region, the middle is not"
    assert not upper.counts(box(400, 500, 600, 900))


def test_one_of_several_outlines_is_enough() -> None:
    region = Region([LEFT_HALF, [900, 0, 1000, 0, 1000, 1000, 900, 1000]])
    assert [region.counts(box(x, 500, x + 40, 900)) for x in (100, 700, 940)] == [True, False, True]


def test_boxes_of_the_cut_are_told_on_the_whole_picture() -> None:
    region = Region([[600, 500, 800, 500, 800, 900, 600, 900]])
    assert region.around == (500, 250, 900, 1000)
    assert region.cut(Image.new("RGB", (640, 480))).size == (256, 360)
    assert region.placed(box(0, 0, 1000, 1000)) == box(500, 250, 900, 1000)
    assert region.placed(box(500, 0, 1000, 500)) == box(700, 250, 900, 625)


@given(st.tuples(*[thousandths] * 6), st.integers(1, 64), st.integers(1, 64))
def test_a_cut_is_never_empty(corners: tuple[int, ...], width: int, height: int) -> None:
    cut = Region([list(corners)]).cut(Image.new("RGB", (width, height)))
    assert cut.width >= 1
    assert cut.height >= 1


def two_people() -> Image.Image:
    scene = Image.new("RGB", (640, 480), (120, 118, 110))
    for left in (0, 340):
        scene.paste(photo("astronaut.png").resize((300, 300)), (left, 100))
    return scene


def test_of_two_people_that_the_models_see_only_the_one_in_the_region_counts() -> None:
    """The corner makes the cut the whole picture, so both are seen."""
    region = Region([[0, 0, 10, 0, 10, 10, 0, 10], [520, 0, 1000, 0, 1000, 1000, 520, 1000]])
    assert region.around == (0, 0, 1000, 1000)
    check = PersonCheck()
    assert len(check.look(two_people()).boxes) == 2
    [one] = check.look(two_people(), region).boxes
    assert one.left > 450


def test_the_box_of_a_cut_lies_where_it_does_without_a_region() -> None:
    check = PersonCheck()
    region = Region([[550, 200, 1000, 200, 1000, 1000, 550, 1000]])
    assert region.around != (0, 0, 1000, 1000)
    [cut] = check.look(two_people(), region).boxes
    [whole] = [box for box in check.look(two_people()).boxes if box.left > 450]
    for edge in ("left", "top", "right", "bottom"):
        assert abs(getattr(cut, edge) - getattr(whole, edge)) <= 60, edge


def test_in_a_region_the_whole_picture_model_alone_says_nothing() -> None:
    """Somebody in the cut but beside the region: the first model sees a person, the box is elsewhere."""
    check = PersonCheck()
    scene = photo("astronaut.png").resize((640, 480))
    corner = Region([[0, 0, 80, 0, 80, 80, 0, 80]])
    look = check.look(scene, corner)
    assert look.boxes == ()
    assert look.score == 0
    assert look.models[0].score > 0
    assert (check.look(scene).score or 0) > 800
