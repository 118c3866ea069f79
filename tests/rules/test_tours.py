"""Guard tours (电子巡更), from the written rules: due, reached, missed, late, out of order, ended."""

from dataclasses import replace

import pytest

from rules import ClockTold, Effect, Stop, Tour
from tests.rules.branch import Panel, kinds, payload
from tests.rules.shop import FRIDAY, MINUTE_MS, NORMAL, SITE, TOUR_AT, clock, fresh, minutes

TOURS = {"tour.started", "tour.reached", "tour.missed", "tour.late", "tour.out-of-order", "tour.ended"}


def of_tours(effects: tuple[Effect, ...]) -> list[str]:
    return [kind for kind in kinds(effects) if kind in TOURS]


def on_tour(minute: int = 0) -> Panel:
    """The round began `minute` minutes ago: post-1 is due from 0 to 10, post-2 from 5 to 20."""
    panel = fresh()
    minutes(panel, TOUR_AT, TOUR_AT + minute)
    return panel


def at(panel: Panel, post: str) -> tuple[Effect, ...]:
    effects = panel.read(post)
    panel.read(post, NORMAL)
    return effects


def test_a_tour_starts_at_its_time_once() -> None:
    panel = fresh()
    assert of_tours(clock(panel, TOUR_AT - 1)) == []
    effects = clock(panel, TOUR_AT)
    assert payload(effects, "tour.started")["tour"] == "round"
    assert of_tours(clock(panel, TOUR_AT)) == []
    assert of_tours(clock(panel, TOUR_AT + 1)) == []


def test_it_starts_on_its_weekdays_only() -> None:
    assert of_tours(clock(fresh(), TOUR_AT, FRIDAY + 1)) == []
    assert of_tours(clock(fresh(), TOUR_AT, FRIDAY + 7)) == ["tour.started"]


def test_an_unsure_clock_starts_none() -> None:
    panel = fresh()
    assert of_tours(panel.play(ClockTold(FRIDAY, TOUR_AT, False))) == []
    assert of_tours(clock(panel, TOUR_AT + 1)) == ["tour.started"]


@pytest.mark.parametrize(
    ("late_min", "begun"),
    [
        (14, ["tour.started"]),
        (15, ["tour.started"]),
        (16, []),
    ],
)
def test_a_start_too_long_past_is_none(late_min: int, begun: list[str]) -> None:
    assert of_tours(clock(fresh(), TOUR_AT + late_min))[:1] == begun


def test_reached_in_its_window() -> None:
    effects = at(on_tour(2), "post-1")
    assert of_tours(effects) == ["tour.reached"]
    assert payload(effects, "tour.reached") == {
        "tour": "round",
        "zone": "post-1",
        "zone_number": SITE.zones["post-1"].number,
        "areas": ["hall"],
    }


def test_a_window_begins_at_its_minute() -> None:
    panel = on_tour(2)
    at(panel, "post-1")
    panel.wait(3 * MINUTE_MS)
    assert of_tours(at(panel, "post-2")) == ["tour.reached"]


def test_missed_at_the_end_of_its_window_at_once() -> None:
    panel = on_tour()
    assert of_tours(panel.wait(10 * MINUTE_MS - 1)) == []
    effects = panel.wait(1)
    assert of_tours(effects) == ["tour.missed"]
    assert payload(effects, "tour.missed")["zone"] == "post-1"


def test_reached_after_that_is_late() -> None:
    panel = on_tour()
    panel.wait(11 * MINUTE_MS)
    assert of_tours(at(panel, "post-1")) == ["tour.late"]


def test_before_its_window_is_out_of_order_and_does_not_count() -> None:
    panel = on_tour(1)
    at(panel, "post-1")
    assert of_tours(at(panel, "post-2")) == ["tour.out-of-order"]
    panel.wait(5 * MINUTE_MS)
    assert of_tours(at(panel, "post-2")) == ["tour.reached"]


def test_before_an_earlier_one_is_out_of_order_and_counts() -> None:
    panel = on_tour(6)
    assert of_tours(at(panel, "post-2")) == ["tour.out-of-order"]
    effects = panel.wait(15 * MINUTE_MS)
    assert of_tours(effects) == ["tour.missed", "tour.ended"]
    assert payload(effects, "tour.missed")["zone"] == "post-1"


def test_after_a_missed_one_the_next_is_in_order() -> None:
    panel = on_tour()
    panel.wait(11 * MINUTE_MS)
    assert of_tours(at(panel, "post-2")) == ["tour.reached"]


def test_the_end_tells_how_many_of_each() -> None:
    panel = on_tour(2)
    at(panel, "post-1")
    assert of_tours(panel.wait(18 * MINUTE_MS - 1)) == []
    effects = panel.wait(1)
    assert of_tours(effects) == ["tour.missed", "tour.ended"]
    assert payload(effects, "tour.ended") == {
        "tour": "round",
        "reached": 1,
        "missed": 1,
        "late": 0,
        "out_of_order": 0,
    }


def test_a_tour_still_under_way_at_its_next_start_ends_first() -> None:
    starts = ((4, TOUR_AT), (4, TOUR_AT + 15))
    panel = Panel(replace(SITE, tours={"round": Tour("round", "Round", (Stop("post-1", 0, 30),), starts)}), users=False)
    clock(panel, TOUR_AT)
    panel.wait(15 * MINUTE_MS)
    effects = clock(panel, TOUR_AT + 15)
    assert of_tours(effects) == ["tour.ended", "tour.started"]
    assert payload(effects, "tour.ended")["reached"] == 0
    assert of_tours(panel.wait(30 * MINUTE_MS)) == ["tour.missed", "tour.ended"]


def test_a_checkpoint_without_a_tour_means_nothing() -> None:
    panel = fresh()
    assert kinds(at(panel, "post-1")) == []
    assert panel.on() == set()
