"""The debounce: what stood long enough is always reported, what did not never is, chatter costs no more than that."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.debounce import Debouncer

DEBOUNCE = 50


@dataclass(frozen=True)
class Report:
    reading: str
    at_ms: int


def play(
    levels: Iterable[tuple[str, int]], debouncer: Debouncer[str], start_ms: int = 0, polls: Iterable[int] = ()
) -> Iterator[Report]:
    """Feed each level (and how long it lasts) at its edge, at the polls, and whenever the debouncer asks: a driver."""
    now = start_ms
    for level, lasts in levels:
        end = now + lasts
        yield from (Report(r, now) for r in debouncer.feed(level, now, now))
        looks = [p for p in sorted(polls) if now < p < end]
        while True:
            again = debouncer.again_ms
            assert again is None or again > now, "asked to look again in the past"
            coming = [at for at in (again, *looks) if at is not None and now < at < end]
            if not coming:
                break
            now = min(coming)
            yield from (Report(r, now) for r in debouncer.feed(level, now))
        now = end


def merged(levels: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Neighbours with the same level are one level."""
    out: list[tuple[str, int]] = []
    for level, lasts in levels:
        if out and out[-1][0] == level:
            out[-1] = (level, out[-1][1] + lasts)
        else:
            out.append((level, lasts))
    return out


LEVELS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3 * DEBOUNCE)), min_size=1, max_size=30).map(merged)


@pytest.mark.clause("EN 50131-1 signals 400 ms")
@given(LEVELS)
def test_what_stands_is_reported_and_what_does_not_never_is(levels: list[tuple[str, int]]) -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    # The last level is followed by another, so that each level's end is seen.
    reports = list(play([*levels, ("end", 1)], debouncer))
    expected: list[Report] = []
    now = 0
    for level, lasts in levels:
        if lasts >= DEBOUNCE and (not expected or expected[-1].reading != level):
            expected.append(Report(level, now + DEBOUNCE))
        now += lasts
    assert reports == expected


@given(LEVELS, st.lists(st.integers(0, 3000), max_size=40))
def test_polls_between_change_nothing(levels: list[tuple[str, int]], polls: list[int]) -> None:
    quiet: Debouncer[str] = Debouncer(DEBOUNCE)
    polled: Debouncer[str] = Debouncer(DEBOUNCE)
    assert list(play(levels, polled, polls=polls)) == list(play(levels, quiet))
    assert polled.short_pulses == quiet.short_pulses


@given(st.lists(st.integers(1, DEBOUNCE - 1), min_size=1, max_size=200))
def test_chatter_never_delays_beyond_its_end(pulses: list[int]) -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    list(play([("closed", 1000)], debouncer))
    chatter = [("open" if i % 2 == 0 else "closed", lasts) for i, lasts in enumerate(pulses)]
    during = list(play(chatter, debouncer, 1000))
    assert during == []
    end = 1000 + sum(pulses)
    final = "open" if chatter[-1][0] == "closed" else "closed"
    after = list(play([(final, 10 * DEBOUNCE)], debouncer, end))
    assert after == ([Report("open", end + DEBOUNCE)] if final == "open" else [])


def test_short_pulses_are_counted() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    levels = [
        ("closed", 100),
        ("open", 10),
        ("closed", 100),
        ("open", 49),
        ("closed", 100),
        ("open", 50),
        ("closed", 9),
    ]
    reports = list(play(levels, debouncer))
    assert reports == [Report("closed", 50), Report("open", 409)]
    assert debouncer.short_pulses == 2
    debouncer.pulses_unseen(3)
    assert debouncer.short_pulses == 5


def test_the_travel_of_a_changeover_contact_is_no_pulse() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    reports = list(play([("normal", 100), ("both high", 7), ("active", 100)], debouncer))
    assert reports == [Report("normal", 50), Report("active", 157)]
    assert debouncer.short_pulses == 0


def test_a_press_that_ended_before_the_host_came_counts_by_its_edges() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    list(play([("up", 100)], debouncer))
    assert debouncer.feed("down", 100, 100) == ()
    # The host sleeps too long: at 300 the button is up again, and the edge tells that it was let go at 160.
    assert debouncer.feed("up", 300, 160) == ("down", "up")


def test_a_pulse_shorter_than_the_hosts_delay_does_not_count() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    list(play([("up", 100)], debouncer))
    assert debouncer.feed("down", 100, 100) == ()
    assert debouncer.feed("up", 300, 103) == ()
    assert debouncer.short_pulses == 1


def test_an_edge_without_a_change_of_level_starts_the_wait_again() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    assert debouncer.feed("a", 0) == ()
    assert debouncer.feed("a", 40, 30) == ()
    assert debouncer.again_ms == 80
    assert debouncer.feed("a", 79) == ()
    assert debouncer.feed("a", 80) == ("a",)
    assert debouncer.again_ms is None


def test_restlessness_is_measured_from_the_first_departure() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    list(play([("a", 100)], debouncer))
    assert debouncer.restless_ms(100) == 0
    list(play([("b", 20), ("a", 20)] * 10, debouncer, 100))
    assert debouncer.restless_ms(500) == 400
    list(play([("b", 60)], debouncer, 500))
    assert debouncer.restless_ms(560) == 0


def test_after_distrust_the_same_reading_is_reported_again() -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    list(play([("a", 100), ("b", 10)], debouncer))
    debouncer.distrust()
    assert list(play([("a", 100)], debouncer, 110)) == [Report("a", 160)]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-1000, 1000), st.none() | st.integers(-1000, 1000))))
def test_no_moments_however_wild_hurt(feeds: list[tuple[str, int, int | None]]) -> None:
    debouncer: Debouncer[str] = Debouncer(DEBOUNCE)
    last: str | None = None
    for reading, now, edge in feeds:
        for report in debouncer.feed(reading, now, edge):
            assert report != last
            last = report
    assert debouncer.settled == last


def test_a_debounce_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="debounce_ms is 0"):
        Debouncer(0)
