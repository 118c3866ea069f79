"""Which path carries which lane: failover, fail-back, escalation, and what holds whatever the paths do."""

from hypothesis import given
from hypothesis import strategies as st

from firmware.protocol.messages import Delivered, Head, JournalHead
from firmware.uplink.records_out import ALL_LANES
from firmware.uplink.routing import Route, Routing, Terms
from firmware.uplink.waiting import MAX_SPANS, Waiting

JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
RECEIVER = frozenset({"alarm", "status"})
TERMS = Terms(escalate_ms=30_000, failover_ms=10_000, failback_ms=30_000)
ALARM, NONE = frozenset({"alarm"}), frozenset[str]()


def routing(*routes: Route, terms: Terms = TERMS) -> Routing:
    return Routing(routes or (Route("a", ALL_LANES), Route("b", ALL_LANES)), terms, 0)


def head(last: int, first_undelivered: int = 1) -> Head:
    alarm = {"alarm": last, "status": 0, "evidence": 0}
    waits = {"alarm": first_undelivered, "status": 1, "evidence": 1}
    return Head(journals=[JournalHead(journal=JOURNAL, last=alarm, first_undelivered=waits)])


def test_the_first_path_carries_all_and_the_second_is_only_supervised() -> None:
    its = routing()
    assert its.duties({"a": False, "b": True}, 100) == {"a": ALL_LANES, "b": ALARM}, "alarms wait for nobody"
    assert its.duties({"a": True, "b": True}, 200) == {"a": ALL_LANES, "b": NONE}
    assert its.duties({"a": True, "b": True}, 10**9) == {"a": ALL_LANES, "b": NONE}


def test_the_second_takes_over_after_the_failover_time_and_gives_back_after_the_failback_time() -> None:
    its = routing()
    its.duties({"a": True, "b": True}, 0)
    assert its.duties({"a": False, "b": True}, 100_000) == {"a": ALL_LANES, "b": ALARM}
    assert its.next_deadline(100_000) == 110_000
    assert its.duties({"a": False, "b": True}, 109_999)["a"] == ALL_LANES
    assert its.duties({"a": False, "b": True}, 110_000) == {"a": NONE, "b": ALL_LANES}
    assert its.duties({"a": True, "b": True}, 200_000) == {"a": ALARM, "b": ALL_LANES}
    assert its.next_deadline(200_000) == 230_000
    assert its.duties({"a": True, "b": True}, 230_000) == {"a": ALL_LANES, "b": NONE}


def test_a_short_break_moves_nothing_but_alarms() -> None:
    its = routing()
    its.duties({"a": True, "b": True}, 0)
    assert its.duties({"a": False, "b": True}, 50_000)["b"] == ALARM
    assert its.duties({"a": True, "b": True}, 52_000) == {"a": ALL_LANES, "b": NONE}


def test_an_unreceipted_alarm_escalates_path_by_path_until_it_is_receipted() -> None:
    its = routing(Route("a", ALL_LANES), Route("b", ALL_LANES), Route("c", RECEIVER))
    works = {"a": True, "b": True, "c": True}
    its.duties(works, 0)
    its.head(head(1), 40_000)
    assert its.duties(works, 69_999) == {"a": ALL_LANES, "b": NONE, "c": NONE}
    assert its.next_deadline(69_999) == 70_000
    assert its.duties(works, 70_000) == {"a": ALL_LANES, "b": ALARM, "c": NONE}
    assert its.duties(works, 100_000) == {"a": ALL_LANES, "b": ALARM, "c": ALARM}
    its.delivered(Delivered(journal=JOURNAL, lane="alarm", ranges=[(1, 1)]))
    assert its.duties(works, 100_001) == {"a": ALL_LANES, "b": NONE, "c": NONE}


def test_escalation_skips_a_path_that_does_not_work() -> None:
    its = routing(Route("a", ALL_LANES), Route("b", ALL_LANES), Route("c", RECEIVER))
    works = {"a": True, "b": False, "c": True}
    its.duties(works, 0)
    its.head(head(1), 40_000)
    assert its.duties(works, 70_000)["c"] == ALARM


def test_alarms_on_all_paths_at_once() -> None:
    its = routing(terms=Terms(alarms_on_all=True))
    assert its.duties({"a": True, "b": True}, 0) == {"a": ALL_LANES, "b": ALARM}
    assert its.duties({"a": True, "b": False}, 1) == {"a": ALL_LANES, "b": NONE}


def test_a_path_that_is_tried_leads_the_status_lane_alone_for_its_while_and_only_if_it_works() -> None:
    its, status = routing(), frozenset({"status"})
    works = {"a": True, "b": True}
    its.duties(works, 0)
    its.tried("b", 5_000)
    assert its.duties(works, 1_000) == {"a": ALL_LANES - status, "b": status}
    assert its.next_deadline(4_000) == 5_000
    assert its.duties({"a": True, "b": False}, 2_000) == {"a": ALL_LANES, "b": NONE}
    assert its.duties(works, 4_999)["b"] == status
    assert its.duties(works, 5_000) == {"a": ALL_LANES, "b": NONE}
    its.tried("nobody", 9_000)
    assert its.duties(works, 6_000) == {"a": ALL_LANES, "b": NONE}


def test_a_lane_goes_by_a_path_that_can_carry_it() -> None:
    its = routing(Route("dc09", RECEIVER), Route("mqtt", ALL_LANES))
    duties = its.duties({"dc09": True, "mqtt": True}, 0)
    assert duties == {"dc09": RECEIVER, "mqtt": ALL_LANES - RECEIVER}


def test_a_path_that_delivers_nothing_leads_only_where_no_other_works() -> None:
    its = routing(Route("dc09", RECEIVER, final=False), Route("mqtt", ALL_LANES))
    assert its.duties({"dc09": True, "mqtt": True}, 0) == {"dc09": NONE, "mqtt": ALL_LANES}
    its.duties({"dc09": True, "mqtt": False}, 50_000)
    assert its.duties({"dc09": True, "mqtt": False}, 60_000)["dc09"] == RECEIVER


@given(
    st.lists(st.tuples(st.lists(st.booleans(), min_size=3, max_size=3), st.integers(1, 40_000)), max_size=40),
    st.booleans(),
)
def test_whatever_the_paths_do(steps: list[tuple[list[bool], int]], on_all: bool) -> None:
    """Every lane has a path; alarms go by a working one where there is one; the rest too once the time has come."""
    terms = Terms(failover_ms=10_000, alarms_on_all=on_all)
    its = routing(Route("a", ALL_LANES), Route("b", ALL_LANES), Route("c", ALL_LANES), terms=terms)
    now, since = 0, {"a": 0, "b": 0, "c": 0}
    works = {"a": False, "b": False, "c": False}
    for states, pause in steps:
        now += pause
        for path, working in zip("abc", states, strict=True):
            if works[path] is not working:
                works[path], since[path] = working, now
        duties = its.duties(works, now)
        for lane in ALL_LANES:
            assert any(lane in lanes for lanes in duties.values())
        if any(states):
            assert any("alarm" in duties[path] for path in "abc" if works[path])
        lead = next(path for path in "abc" if "status" in duties[path])
        if any(states) and not works[lead]:
            assert now < since[lead] + 10_000
        assert sum("status" in lanes for lanes in duties.values()) == 1
        deadline = its.next_deadline(now)
        assert deadline is None or deadline > now


@given(st.lists(st.one_of(st.integers(1, 5), st.tuples(st.integers(1, 60), st.integers(0, 9))), max_size=80))
def test_the_oldest_that_waits_is_never_thought_younger_than_it_is(steps: list[int | tuple[int, int]]) -> None:
    its, model, last, now = Waiting(), dict[int, int](), 0, 0
    for step in steps:
        now += 1_000
        if isinstance(step, int):
            model |= dict.fromkeys(range(last + 1, last + step + 1), now)
            last += step
        else:
            first, size = step
            for number in range(first, min(first + size, last) + 1):
                model.pop(number, None)
            if first <= last:
                ranges = [(first, min(first + size, last))]
                its.delivered(Delivered(journal=JOURNAL, lane="alarm", ranges=ranges))
        its.head(head(last, min(model, default=last + 1)), now)
        since = its.since()
        assert (since is None) <= (not model), "something waits that it forgot"
        assert since is None or not model or since <= min(model.values())
        if not model:
            assert since is None, "nothing waits"


def test_spans_are_bounded() -> None:
    its = Waiting()
    for number in range(1, 10 * MAX_SPANS):
        its.head(head(number), number)
    assert len(its._spans) == MAX_SPANS
    assert its.since() == 1
    its.delivered(Delivered(journal=JOURNAL, lane="alarm", ranges=[(1, 10 * MAX_SPANS)]))
    assert its.since() is None


def test_an_alarm_of_a_new_journal_is_watched_when_the_spans_are_full() -> None:
    its, other = Waiting(), "0a3c9d52-77e1-4c0e-8d35-9b1f2e6a4c11"
    older = [head(number) for number in range(1, MAX_SPANS + 1)]
    for now, heard in enumerate(older):
        its.head(heard, now)
    fresh = head(1).journals[0].model_copy(update={"journal": other})
    its.head(Head(journals=[*older[-1].journals, fresh]), 1_000)
    assert len(its._spans) == MAX_SPANS
    assert its.since() == 0
    its.delivered(Delivered(journal=JOURNAL, lane="alarm", ranges=[(1, MAX_SPANS)]))
    assert its.since() == 1_000
    its.delivered(Delivered(journal=other, lane="alarm", ranges=[(1, 1)]))
    assert its.since() is None
