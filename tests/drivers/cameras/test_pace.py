"""Which packets are decoded: thinned where key frames are many, whole where they are few, key frames when late."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from drivers.cameras.pace import JUMP_S, LATE_S, Pace


def stream(seconds: float, rate: int, keys_each: int, begin: float = 0.0) -> Iterator[tuple[bool, float]]:
    for number in range(int(seconds * rate)):
        yield number % keys_each == 0, begin + number / rate


def decoded(pace: Pace, packets: Iterator[tuple[bool, float]], behind_s: float = 0.0) -> list[tuple[bool, float]]:
    return [(key, at) for key, at in packets if pace.worth(key, at, int((100 + at + behind_s) * 1000))]


def test_all_key_frames_are_thinned_to_what_is_wanted() -> None:
    taken = decoded(Pace(2), stream(20, 25, 1))
    assert 38 <= len(taken) <= 48


def test_key_frames_each_half_second_are_enough() -> None:
    pace = Pace(2)
    decoded(pace, stream(5, 20, 10))
    taken = decoded(pace, stream(10, 20, 10, begin=5.0))
    assert [key for key, _ in taken] == [True] * 20


def test_with_a_key_frame_each_two_seconds_everything_is_decoded() -> None:
    assert len(decoded(Pace(2), stream(20, 20, 40))) == 400


def test_who_is_late_skips_to_key_frames_and_comes_back_at_one() -> None:
    pace = Pace(2)
    decoded(pace, stream(4, 10, 40))
    late = decoded(pace, stream(8, 10, 40, begin=4.0), behind_s=LATE_S + 0.5)
    assert [key for key, _ in late] == [True, True]
    caught_up = decoded(pace, stream(4, 10, 40, begin=11.9))
    assert caught_up, "on time again"
    half = Pace(2)
    decoded(half, stream(4, 10, 40))
    assert not half.worth(False, 4.1, int((104.1 + LATE_S + 0.5) * 1000))
    assert not half.worth(False, 4.2, 104_200), "what it builds on was left out"
    assert half.worth(True, 8.0, 108_000)
    assert half.worth(False, 8.1, 108_100)


def test_a_camera_that_sets_its_clock_is_not_late() -> None:
    pace = Pace(2)
    decoded(pace, stream(4, 10, 40, begin=1000.0))
    assert pace.worth(True, 2.0, 1_104_000 + int(JUMP_S * 1000))
    assert pace.worth(False, 2.1, 1_104_100 + int(JUMP_S * 1000))


def test_clocks_that_drift_apart_are_no_delay() -> None:
    pace = Pace(2)
    # A day in which the camera loses 20 s.
    for number in range(24 * 3600):
        assert pace.worth(number % 4 == 0, number * (1 - 20 / 86400), number * 1000), number


@given(st.lists(st.tuples(st.booleans(), st.none() | st.floats(-1e9, 1e9), st.integers(0, 2**40)), max_size=40))
def test_whatever_the_times_a_non_key_frame_follows_what_it_builds_on(packets: list[tuple[bool, float, int]]) -> None:
    pace, whole = Pace(2), True
    for key, seconds, now in packets:
        worth = pace.worth(key, seconds, now)
        if worth and not key and seconds is not None:
            assert whole
        if seconds is not None:
            whole = worth
