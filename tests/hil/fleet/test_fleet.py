"""A small fleet on a real Mosquitto: it powers up at once, lives, is cut at once, comes back; nothing is missing."""

from pathlib import Path

import pytest

from hil.fleet.play import play
from hil.fleet.report import Report, Rush, Terms, most_in
from hil.fleet.tally import per_bin
from hil.fleet.wire import Way

PANELS = 100


def test_a_fleet_lives_is_cut_at_once_and_comes_back_whole_and_without_a_storm(tmp_path: Path) -> None:
    """TLS with a certificate and an ACL for each panel. One run, as it takes its time."""
    terms = Terms(PANELS, seconds=5, cut="network", dark_s=2, alarms_per_s=10, statuses_per_s=20, tls=True)
    report = play(terms, tmp_path)
    holds_all_once(report)
    assert report.power_up.attempts == PANELS
    assert spread_out(report.power_up)
    assert report.return_ is not None
    came_back(report.return_)
    assert set(report.costs) == {"panels", "broker", "center"}
    assert all(cost.rss_mib > 0 and cost.cpu_percent >= 0 for cost in report.costs.values())
    assert report.alarm_ms["count"] > 20


def holds_all_once(report: Report) -> None:
    """Every record stands at the center, in its place, and nothing was refused on either side."""
    assert report.records > 150
    assert report.problems == []
    assert report.center["record"] == report.records
    assert report.receipts_refused == {}
    # While it was dark some heartbeats waited, and of those the newest counts.
    assert PANELS < report.center["heartbeat"] <= report.publishes["heartbeat"]
    assert not [name for name in report.center if name.startswith(("garbage", "finding", "rival"))]


def came_back(back: Rush) -> None:
    """The dark costs tries, at growing pauses: 0 to 2, 4 and 8 s, as none of the connections had lasted a minute."""
    assert sum(back.opens_per_bin) == PANELS
    assert PANELS < back.attempts < 4 * PANELS
    assert back.most_attempts_in_1_s < 1.5 * PANELS
    assert spread_out(back)


def spread_out(rush: Rush) -> bool:
    """No tenth of a second gets much more than its share; a busy machine may gather some."""
    return max(rush.attempts_per_bin) < PANELS / 2


def test_a_fleet_that_does_not_come_up_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.fleet.play.UP_WITHIN_S", 1.0)
    monkeypatch.setattr("hil.fleet.broker.FleetBroker.way", lambda *_: Way("127.0.0.1", 1))
    with pytest.raises(TimeoutError, match="2 panels not connected"):
        play(Terms(2, 1), tmp_path)


def test_the_most_in_a_window() -> None:
    assert most_in([0, 10, 20, 1000, 1005, 1015], 20) == 3
    assert most_in([], 20) == 0


def test_what_falls_into_each_bin() -> None:
    assert per_bin([5, 10, 19, 20, 34, 35], 10, 35, 10) == [2, 1, 1]
