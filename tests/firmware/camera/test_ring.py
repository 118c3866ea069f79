"""The ring: never more frames or bytes than allowed, always the newest, in order, and it wakes who waits."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.camera.ring import MIN_FRAMES, Ring, frames_for


@pytest.mark.parametrize(("pre_s", "rate", "frames"), [(10, 2, 21), (0, 2, MIN_FRAMES), (60, 10, 601), (1, 1, 8)])
def test_it_holds_the_seconds_before_the_alarm(pre_s: int, rate: int, frames: int) -> None:
    assert frames_for(pre_s, rate) == frames


@given(st.integers(1, 20), st.integers(1, 500), st.lists(st.integers(1, 120), max_size=60))
def test_bounds_order_and_counts(frames: int, max_bytes: int, sizes: list[int]) -> None:
    ring = Ring(frames, max_bytes)
    for number, size in enumerate(sizes, 1):
        ring.add(bytes(size), number * 500, 4, 3)
        held = ring.after(0)
        assert len(held) == len(ring) <= frames
        assert ring.bytes == sum(len(shot.jpeg) for shot in held)
        assert ring.bytes <= max_bytes or len(held) == 1
        # The newest ones, without a gap.
        assert [shot.number for shot in held] == list(range(number - len(held) + 1, number + 1))
        # And as many as the bounds allow.
        older = number - len(held)
        if older and len(held) < frames:
            assert ring.bytes + sizes[older - 1] > max_bytes or ring.squeezed


def test_frames_that_leave_for_their_bytes_are_counted_those_that_are_old_are_not() -> None:
    ring = Ring(3, 100)
    for _ in range(5):
        ring.add(bytes(10), 0, 1, 1)
    assert ring.squeezed == 0
    ring.add(bytes(95), 0, 1, 1)
    assert ring.squeezed == 2
    assert len(ring) == 1


def test_since_takes_the_moment_itself() -> None:
    ring = Ring(10)
    for moment in (1000, 1500, 2000):
        ring.add(b"x", moment, 1, 1)
    assert [shot.monotonic_ms for shot in ring.since(1500)] == [1500, 2000]
    assert [shot.number for shot in ring.after(2)] == [3]


def test_wait_gives_what_is_there_without_waiting() -> None:
    ring = Ring(10)
    ring.add(b"x", 1, 1, 1)
    assert [shot.number for shot in ring.wait(0, 0.0)] == [1]
    assert ring.wait(1, 0.0) == []
    assert ring.wait(1, 0.01) == []


def test_wait_is_woken_by_the_next_frame() -> None:
    ring = Ring(10)
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.extend(shot.number for shot in ring.wait(0, 20.0)))
    thread.start()
    ring.add(b"x", 1, 1, 1)
    thread.join(10)
    assert got == [1]
