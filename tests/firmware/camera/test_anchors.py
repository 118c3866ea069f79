"""The box decoding of the SSDLite model: anchors in their order, corners, and what suppression keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.camera.anchors import OVERLAP, anchors, corners, distinct, overlap


def test_there_are_1917_anchors_in_the_order_of_the_maps() -> None:
    table = anchors()
    assert table.shape == (1917, 4)
    # First cell of the first map: 1 of 19, and its three reduced anchors.
    assert table[0] == pytest.approx([0.5 / 19, 0.5 / 19, 0.1, 0.1])
    assert table[1] == pytest.approx([0.5 / 19, 0.5 / 19, 0.2 / 2**0.5, 0.2 * 2**0.5])
    assert table[2] == pytest.approx([0.5 / 19, 0.5 / 19, 0.2 * 2**0.5, 0.2 / 2**0.5])
    # x runs faster than y.
    assert table[3][:2] == pytest.approx([0.5 / 19, 1.5 / 19])
    # The second map begins behind 19 * 19 * 3, at the scale 0.35; its sixth is the mean with the next.
    assert table[1083] == pytest.approx([0.05, 0.05, 0.35, 0.35])
    assert table[1086] == pytest.approx([0.05, 0.05, 0.35 / 3**0.5, 0.35 * 3**0.5])
    assert table[1088] == pytest.approx([0.05, 0.05, (0.35 * 0.5) ** 0.5, (0.35 * 0.5) ** 0.5])
    # The last map is one cell over everything.
    assert table[1916] == pytest.approx([0.5, 0.5, 0.95**0.5, 0.95**0.5])


def test_corners_of_known_codes() -> None:
    anchor = np.array([[0.5, 0.4, 0.2, 0.1]], np.float32)
    assert corners(np.zeros((1, 4), np.float32), anchor)[0] == pytest.approx([0.35, 0.4, 0.45, 0.6])
    moved = np.array([[10.0, -10.0, 5 * np.log(2), 5 * np.log(3)]], np.float32)
    # Centre one anchor height down and one anchor width left, twice as high, three times as wide.
    assert corners(moved, anchor)[0] == pytest.approx([0.15, 0.5, 0.45, 0.9], abs=1e-6)


def test_overlap_of_known_boxes() -> None:
    one = np.array([0, 0, 2, 2], np.float32)
    assert overlap(one, one) == 1
    assert overlap(one, np.array([1, 0, 3, 2], np.float32)) == pytest.approx(1 / 3)
    assert overlap(one, np.array([2, 0, 4, 2], np.float32)) == 0
    assert overlap(one, np.array([1, 1, 1, 1], np.float32)) == 0


def test_the_better_of_two_that_overlap_stays() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], np.float32)
    assert distinct(boxes, np.array([0.5, 0.9, 0.4], np.float32), 10) == [1, 2]
    assert distinct(boxes, np.array([0.5, 0.9, 0.4], np.float32), 1) == [1]
    assert distinct(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), 4) == []


_part = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(_part, _part, _part, _part, _part), max_size=25), st.integers(0, 6))
def test_suppression_keeps_best_first_apart_and_covers_the_rest(
    rows: list[tuple[float, float, float, float, float]], limit: int
) -> None:
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d, _ in rows], np.float32)
    boxes = boxes.reshape(-1, 4)
    scores = np.array([row[4] for row in rows], np.float32)
    kept = distinct(boxes, scores, limit)
    assert len(kept) <= limit
    assert [scores[i] for i in kept] == sorted((scores[i] for i in kept), reverse=True)
    for place, i in enumerate(kept):
        assert all(overlap(boxes[i], boxes[j]) <= OVERLAP for j in kept[place + 1 :])
    if len(kept) < limit:
        for i in set(range(len(rows))) - set(kept):
            assert any(overlap(boxes[i], boxes[k]) > OVERLAP and scores[k] >= scores[i] for k in kept)
