"""Old records leave only from the front, only delivered, behind a signed base."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.firmware.journal.rig import Rig, everything

FAR = "2099-01-01T00:00:00.000Z"


@pytest.mark.clause("EN 50131-1 log oldest first", "Retention panel 400 d")
def test_only_delivered_records_leave_and_the_rest_verifies(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(200)])
    assert journal.prune(FAR) == 0, "nothing is delivered"
    journal.mark_delivered(name, "status", [(1, 2)])
    journal.mark_delivered(name, "alarm", [(1, 50)])
    assert journal.prune("2000-01-01T00:00:00.000Z") == 0, "nothing is old"
    assert journal.prune(FAR) == 52
    first, last = everything(journal)[0], everything(journal)[-1]
    assert (first.seq, first.lane_seq) == (53, 51)
    assert json.loads(last.header)["kind"] == "journal.base"
    journal.commit([rig.commit()])
    journal.close()
    report = rig.verify()
    assert (report.findings, report.first) == ([], 53)


def test_a_lane_that_is_empty_after_it_goes_on_counting(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder") for _ in range(5)])
    journal.commit([rig.commit() for _ in range(100)])
    journal.mark_delivered(name, "alarm", [(1, 5)])
    journal.mark_delivered(name, "status", [(1, 102)])
    assert journal.prune(FAR) > 7
    assert journal.prune(FAR, limit=3) == 1, "the record of the base is new, and one more became old enough"
    journal.close()
    again = rig.open()
    assert again.mark().lanes["alarm"] == 5
    again.commit([rig.commit("alarm.intruder")])
    assert again.mark().lanes["alarm"] == 6
    assert rig.verify().findings == []
    assert again.reader().heads()[-1].first_undelivered["alarm"] == 6


def test_an_older_journal_goes_when_all_of_it_is_delivered_and_old(rig: Rig) -> None:
    journal = rig.open()
    first = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(5)])
    journal.close()
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        connection.execute("UPDATE state SET state = x'00'")
    journal = rig.open()
    (old,) = rig.data.glob(f"journal-{first}.sqlite")
    last = journal.reader().heads()[0].last
    journal.prune(FAR)
    assert old.exists(), "nothing of it is delivered"
    for lane, number in last.items():
        if number:
            journal.mark_delivered(first, lane, [(1, number)])
    journal.prune("2000-01-01T00:00:00.000Z")
    assert old.exists(), "nothing of it is old"
    journal.prune(FAR)
    assert not old.exists()
    told = json.loads(everything(journal)[-1].payload or b"null")
    assert (told["journal"], told["seq"]) == (first, sum(last.values()))
    journal.prune(FAR)
    journal.close()
    assert rig.verify().sound
    assert [json.loads(r.header)["kind"] for r in everything(rig.open())].count("journal.removed") == 1
