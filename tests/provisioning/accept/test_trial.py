"""The figures of a trial run against what truly happened in thirty simulated days, and small cases by hand."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest

from firmware.language import speaking
from hil.fuzz import reports
from hil.life.lived_trial import BEGIN, LivedRecord, Truth, lived, text
from provisioning.accept.account import Who, software
from provisioning.accept.checking import rows_of
from provisioning.accept.trial_account import FORMAT, TRIAL, Trial
from provisioning.accept.trial_figures import DAY_S, Period, checks, days_of, figures
from provisioning.accept.trial_page import page, rows

DAYS = 30
PERIOD = Period(BEGIN.timestamp(), BEGIN.timestamp() + DAYS * DAY_S)
DAY_MS = int(DAY_S * 1000)
End = tuple[list[LivedRecord], Truth]


@pytest.fixture(scope="module")
def life() -> End:
    return lived("bank", 7, DAYS)


@pytest.mark.clause("GB 55029 4.0.7")
def test_availability_is_what_the_world_knows_of_the_dark(life: End) -> None:
    records, truth = life
    found = figures(records, PERIOD, ["center-1"])
    dark_s = sum(high - low for low, high in truth.dark) / 1000
    assert len(truth.dark) >= 5
    # The panel knows when it last wrote, not when it died: it can only tell more than the truth, by minutes at most.
    assert dark_s - 1 <= found.dark_s <= dark_s + 3_600 * len(truth.dark)
    assert found.available == pytest.approx(1 - found.dark_s / PERIOD.seconds, abs=1e-6)
    starts = Counter(str(r.payload["cause"]) for r in records if r.header["kind"] == "panel.started" and r.payload)
    assert {row.cause: row.count for row in found.restarts} == dict(starts)


def test_each_path_was_down_as_long_as_the_world_had_it_down(life: End) -> None:
    records, truth = life
    [path] = figures(records, PERIOD, ["center-1"]).paths
    spans: list[tuple[int, int]] = []
    since = -1
    for told in truth.troubles:
        if (told.trouble, told.subject) == ("path", "center-1"):
            if told.present and since < 0:
                since = told.at
            elif not told.present and since >= 0:
                spans.append((since, told.at))
                since = -1
    down_s = sum(min(high, DAYS * DAY_MS) - low for low, high in spans if low < DAYS * DAY_MS) / 1000
    assert spans
    assert path.outages == len(spans)
    assert path.down_s == pytest.approx(down_s, abs=60)
    assert path.available == pytest.approx(1 - path.down_s / PERIOD.seconds, abs=1e-6)


def test_alarms_are_counted_and_told_apart(life: End) -> None:
    records, _ = life
    inside = [r for r in records if str(r.header["time"]) <= text(DAYS * DAY_MS)]
    kinds = Counter(str(r.header["kind"]) for r in inside)
    found = figures(records, PERIOD, [])
    alarms = {k: n for k, n in kinds.items() if k.startswith("alarm.") and "confirmed" not in k}
    assert found.kinds == alarms
    assert sum(found.classes.values()) == sum(alarms.values()) == sum(map(sum, found.alarms_by_day.values()))
    cancelled = {
        i for r in inside if r.header["kind"] == "area.alarm-cancelled" for i in (r.payload or {})["incidents"]
    }
    sure = [(_ms(r), z) for r in inside if r.header["kind"] == "alarm.confirmed" for z in (r.payload or {})["zones"]]
    of_sure = [
        r
        for r in inside
        if r.header["kind"] in alarms
        and any((r.payload or {}).get("zone") == z and at >= _ms(r) > at - 3.6e6 for at, z in sure)
    ]
    assert cancelled
    assert found.classes["confirmed"] == len(of_sure) > 0
    of_cancelled = [r for r in inside if r.header["kind"] in alarms and (r.payload or {}).get("incident") in cancelled]
    assert found.classes["cancelled"] == len([r for r in of_cancelled if r not in of_sure]) > 0
    assert len(found.alarms_by_day["cancelled"]) == len(days_of(PERIOD))


def _ms(told: LivedRecord) -> float:
    return datetime.fromisoformat(str(told.header["time"])).timestamp() * 1000


def record(day: float, kind: str, **payload: object) -> LivedRecord:
    return LivedRecord({"kind": kind, "time": text(int(day * DAY_MS)), "clock": "synchronised"}, payload)


def test_a_trouble_that_stands_counts_to_the_end_and_one_from_before_only_inside() -> None:
    told = [
        record(-2, "trouble.battery", subject=""),
        record(1, "trouble.battery-ended", subject=""),
        record(29, "trouble.path", subject="center-1"),
        record(29.5, "trouble.path", subject="center-1"),
    ]
    found = figures(told, PERIOD, ["center-1", "center-2"])
    battery, path = found.troubles
    assert (battery.total_s, battery.open, path.total_s, path.open, path.count) == (DAY_S, False, DAY_S, True, 1)
    assert [(p.outages, p.available) for p in found.paths] == [(1, pytest.approx(29 / 30, abs=1e-5)), (0, 1.0)]
    [(low, high)] = found.paths[0].spans
    assert low == pytest.approx(29 / 30, abs=1e-5)
    assert high == 1.0


def test_alarms_of_a_test_a_person_and_a_cancellation_are_classes_of_their_own() -> None:
    told = [
        record(1, "test.walk-started"),
        record(1.1, "alarm.tamper", zone="box", areas=["hall"], incident=1),
        record(1.2, "test.walk-ended"),
        record(1.3, "acceptance.begun"),
        record(1.31, "test.walk-started"),
        record(1.32, "test.walk-ended"),
        record(1.33, "alarm.tamper", zone="box", areas=["hall"], incident=9),
        record(1.4, "installer.left"),
        record(2, "alarm.intruder", zone="door", areas=["hall"], incident=2),
        record(2.1, "camera.person", incident=2),
        record(3, "alarm.intruder", zone="door", areas=["hall"], incident=3),
        record(3.1, "area.alarm-cancelled", areas=["hall"], incidents=[3]),
        record(4, "alarm.intruder", zone="door", areas=["hall"], incident=4),
    ]
    found = figures(told, PERIOD, [])
    assert found.classes == {"test": 2, "confirmed": 1, "cancelled": 1, "unconfirmed": 1}
    assert [row.sort for row in found.alarms] == ["test", "test", "confirmed", "cancelled", "unconfirmed"]


def says(seq: int, what: str, reason: str) -> LivedRecord:
    """Somebody marks the alarm of this record."""
    said = {"journal": "j", "seq": seq, "says": what, "reason": reason, "by": "王工", "user": "fitter"}
    return record(28, "acceptance.alarm-marked", **said)


def test_what_people_marked_stands_beside_what_the_journal_tells_and_is_counted() -> None:
    told = [
        record(1, "acceptance.begun"),
        record(1.1, "alarm.tamper", zone="box", areas=["hall"], incident=1),
        record(1.2, "acceptance.ended"),
        *(record(n, "alarm.intruder", zone="door", areas=["hall"], incident=n) for n in (2, 3, 4)),
        record(4.1, "area.alarm-cancelled", areas=["hall"], incidents=[4]),
        record(5, "area.alarm-aborted", areas=["hall"], incidents=[5, 6]),
        says(4, "false", "a <spider>"),
        says(5, "false", "the wind"),
        says(6, "false", "nobody looked"),
        says(99, "false", "of no alarm"),
        # The newest counts, also when it takes back what was said.
        says(6, "true", ""),
        says(5, "open", ""),
        record(29, "acceptance.alarm-marked", journal="j", seq="5", says="maybe"),
    ]
    told = [LivedRecord({**one.header, "journal": "j", "seq": n}, one.payload) for n, one in enumerate(told, 1)]
    found = figures(told, PERIOD, [])
    assert found.marked == {"true": 1, "false": 1, "open": 1}
    assert (found.aborted, found.classes) == (2, {"test": 1, "unconfirmed": 2, "cancelled": 1})
    assert [(row.seq, row.says, row.by) for row in found.alarms] == [
        (2, "", ""),
        (4, "false", "王工 [fitter]"),
        (5, "", ""),
        (6, "true", "王工 [fitter]"),
    ]
    made = replace(trial((told, Truth())), figures=found)
    for lang, said in (("en", "false: a <spider> (王工 [fitter])"), ("zh", "误报：a <spider>（王工 [fitter]）")):
        with speaking(lang):  # type: ignore[arg-type]
            shown, expected = rows_of(page(made, lang)), rows(made)  # type: ignore[arg-type]
        assert shown == expected
        assert shown["a-1"][4] == said
        assert shown["f-false"][1] == "1"


def test_pictures_that_went_too_early_lost_records_and_a_short_trial_do_not_meet_the_limits() -> None:
    told = [
        record(20, "evidence.deleted", folders=["2026-03-01/000001-lobby", "2026-01-01/000002-lobby"]),
        record(21, "journal.lost", count=3),
    ]
    found = figures(told, PERIOD, [])
    assert (found.pictures_deleted, found.pictures_deleted_early, found.lost) == (2, 1, 1)
    assert {row.name for row in checks(found, 2, 20) if not row.ok} == {"chain", "lost", "early", "kept"}
    short = figures([], Period(PERIOD.begin, PERIOD.begin + 29 * DAY_S), [])
    assert {row.name for row in checks(short, 0, 30) if not row.ok} == {"days"}


def test_receipts_one_by_one_are_exact_and_windows_are_bounds() -> None:
    took = [{"record": "x", "sent_ms": 10, "receipted_ms": n} for n in range(1, 101)]
    window = {"count": 500, "half_ms": 64, "most_ms": 256, "worst_ms": 900}
    item = {"path": "center-1", "lane": "alarm", "sent_to_receipted": window, "records": took}
    exact, bound = figures([], PERIOD, [], [item]).latencies
    assert (exact.p50_ms, exact.p95_ms, exact.p99_ms, exact.worst_ms, exact.exact) == (60, 105, 109, 110, True)
    assert (bound.count, bound.p50_ms, bound.p95_ms, bound.worst_ms, bound.exact) == (500, 64, 256, 900, False)


def trial(life: End) -> Trial:
    found = figures(life[0], PERIOD, ["center-1", "center-2"])
    rows_ = checks(found, 0, 30)
    first, last = reports.place(1, "panel.started"), reports.place(1706, "test.report")
    ok = "passed" if all(row.ok for row in rows_) else "failed"
    return Trial(
        FORMAT,
        "bank-demo",
        "Sunrise Bank 日出银行",
        reports.RUN,
        reports.TIME,
        "王工",
        Who("李伟"),
        software(),
        "f" * 64,
        first,
        last,
        text(0),
        text(DAYS * DAY_MS),
        tuple(days_of(PERIOD)),
        ok,  # type: ignore[arg-type]
        rows_,
        found,
    )


def test_the_page_tells_what_the_data_tell_and_the_data_survive_their_file(life: End) -> None:
    made = trial(life)
    assert TRIAL.validate_json(TRIAL.dump_json(made)) == made
    for lang, word in (("zh", "试运行报告"), ("en", "Trial-run report")):
        html = page(made, lang)  # type: ignore[arg-type]
        assert word in html
        told = rows_of(html)
        with speaking(lang):  # type: ignore[arg-type]
            assert told == rows(made)
        assert html.count("<svg") == 3
