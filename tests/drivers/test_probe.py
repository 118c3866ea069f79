"""A voltage's readings in time: what is told of them, and when."""

from drivers.probe import TELL_MS, Probe, WatchedProbe


def test_once_a_second_the_middle_reading_is_told_and_the_next_second_begins_empty() -> None:
    probe = WatchedProbe(Probe("volts", 6), full=1000)
    disturbed = [500, 0, 501, 1000, 499]
    told = [(at, probe.feed(disturbed[at // 100 % 5], at)) for at in range(0, TELL_MS + 1, 100)]
    assert told[-1] == (TELL_MS, 0.5)
    assert {part for _, part in told[:-1]} == {None}
    assert probe.feed(900, 2 * TELL_MS - 1) is None
    assert probe.feed(900, 2 * TELL_MS) == 0.9


def test_what_was_read_before_a_restart_counts_no_more() -> None:
    probe = WatchedProbe(Probe("volts", 6), full=1000)
    assert probe.feed(100, 0) is None
    probe.restart()
    assert probe.feed(800, TELL_MS) is None
    assert probe.feed(800, 2 * TELL_MS) == 0.8
