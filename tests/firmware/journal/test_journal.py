"""What a journal keeps over an end and a new start, and what readers see of it."""

import json
import sqlite3
import stat
from pathlib import Path

import pytest

from firmware.journal import Commit, Journal
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.stored import GENESIS
from tests.firmware.journal.rig import Rig, everything, undelivered


def kinds(journal: Journal) -> list[str]:
    return [json.loads(r.header)["kind"] for r in everything(journal)]


def test_the_first_record_says_that_a_journal_begins(rig: Rig) -> None:
    journal = rig.open()
    first = everything(journal)[0]
    assert json.loads(first.header)["kind"] == "journal.begun"
    assert json.loads(first.header)["prev"] == GENESIS
    assert json.loads(first.payload or b"null")["reason"] == "first"
    assert (journal.restored.state, journal.restored.cause, journal.restored.session) == (None, "first", 1)
    assert journal.storage_trouble == ""
    assert stat.S_IMODE(rig.main.stat().st_mode) == 0o600
    assert (rig.data / "ballast").stat().st_size == 256 * 1024
    journal.close()


def test_a_restart_gives_back_the_state_and_goes_on_with_the_chain(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed")])
    mark = journal.mark()
    del journal
    rig.clock.turn(500)
    again = rig.open()
    assert again.mark() == mark
    assert again.restored.state == b"armed"
    assert (again.restored.cause, again.restored.session, again.restored.proof) == ("restart", 2, "proven")
    again.commit([rig.commit()])
    assert kinds(again)[-3:] == ["area.armed", "journal.checkpoint", "zone.bypassed"]
    again.close()
    assert rig.verify().sound


def test_another_boot_is_a_power_up_with_the_moment_of_the_last_tick(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.entry-started", "entry delay")])
    rig.clock.turn(9_000)
    journal.tick(None)
    ticked, boot = rig.clock.now_ms, rig.clock.boot()
    rig.clock.reboot(60_000)
    again = rig.open()
    assert (again.restored.cause, again.restored.state) == ("power-up", b"entry delay")
    assert (again.restored.boot, again.restored.monotonic_ms) == (boot, ticked)
    assert rig.verify().sound


def test_a_crash_before_the_first_commit_of_a_boot_keeps_the_old_moment(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.entry-started", "entry delay")])
    before = journal.mark()
    journal.close()
    old = rig.open().restored
    rig.clock.reboot()
    second = rig.open()
    second.close()
    third = rig.open()
    assert third.mark().seq > before.seq
    assert (third.restored.boot, third.restored.monotonic_ms) == (old.boot, old.monotonic_ms)


def test_records_that_change_no_state_still_move_the_moment(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed")])
    journal.commit([rig.commit()])
    at = rig.clock.now_ms
    assert rig.open().restored.monotonic_ms == at
    assert rig.verify().sound


def test_a_state_without_a_record_is_kept_and_proven_by_the_tick(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([Commit((), "quiet change")])
    assert rig.open().restored.state == b"quiet change"
    journal = rig.open()
    journal.commit([rig.commit()])
    assert json.loads(everything(journal)[-1].header)["state_hash"] == sha256_hex(b"quiet change")
    assert rig.verify().sound


def test_an_impossible_draft_writes_nothing(rig: Rig) -> None:
    journal = rig.open()
    before = journal.mark()
    with pytest.raises(TypeError):
        journal.commit([rig.commit(), rig.commit(bad=object())])
    assert journal.mark() == before
    journal.commit([rig.commit()])
    assert journal.mark().seq == before.seq + 1


def test_readers_get_what_is_undelivered_in_order_and_within_limits(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit("alarm.intruder", n=n) for n in range(1, 11)])
    reader, name = journal.reader(), journal.mark().journal
    journal.mark_delivered(name, "alarm", [(3, 4), (7, 7)])
    records, go_on = reader.pull(name, "alarm", 1, 10)
    assert ([r.lane_seq for r in records], go_on) == ([1, 2, 5, 6, 8, 9, 10], 11)
    records, go_on = reader.pull(name, "alarm", 2, 10, limit=3)
    assert ([r.lane_seq for r in records], go_on) == ([2, 5, 6], 7)
    records, go_on = reader.pull(name, "alarm", 1, 10, max_bytes=1)
    assert ([r.lane_seq for r in records], go_on) == ([1], 2)
    records, go_on = reader.pull(name, "alarm", 1, 6, max_bytes=1200)
    assert ([r.lane_seq for r in records], go_on) == ([1], 2)
    assert reader.pull(name, "alarm", 9, 99)[1] == 11, "records to come must not be skipped"
    assert reader.pull("nobody", "alarm", 1, 5) == ([], 6)
    assert reader.pull(name, "nolane", 1, 5) == ([], 6)
    assert reader.hash_of(name, "alarm", 10) == journal.mark().hash
    assert reader.hash_of(name, "alarm", 11) is None
    head = reader.heads()[-1]
    assert (head.last["alarm"], head.first_undelivered["alarm"], head.first_undelivered["evidence"]) == (10, 1, 1)
    journal.mark_delivered(name, "alarm", [(1, 2)])
    assert reader.heads()[-1].first_undelivered["alarm"] == 5
    reader.close()


def test_delivery_and_receipts_survive_and_never_reach_beyond_the_records(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder") for _ in range(5)])
    journal.mark_delivered(name, "alarm", [(1, 3), (5, 900)])
    journal.keep_receipt(name, "alarm", "what-the-center-signed")
    journal.mark_delivered("someone-else", "alarm", [(1, 9)])
    rig.clock.turn(1_000)
    journal.tend()
    again = rig.open()
    assert [n for _, lane, n, _ in undelivered(again) if lane == "alarm"] == [4]
    again.commit([rig.commit("alarm.intruder")])
    assert [n for _, lane, n, _ in undelivered(again) if lane == "alarm"] == [4, 6]
    assert rig.verify().sound


def test_delivery_rides_on_the_next_commit(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.mark_delivered(name, "status", [(1, 2)])
    journal.commit([rig.commit("alarm.intruder")])
    assert [lane for _, lane, _, _ in undelivered(rig.open())] == ["alarm"]


def test_checkpoints_come_hourly_and_at_the_end(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit()])
    rig.clock.turn(3_599_000)
    journal.tend()
    assert kinds(journal)[-1] == "zone.bypassed"
    rig.clock.turn(1_000)
    journal.tend()
    assert kinds(journal)[-1] == "journal.checkpoint"
    journal.commit([rig.commit()])
    journal.close()
    assert kinds(rig.open())[-1] == "journal.checkpoint"


def test_a_snapshot_is_the_whole_journal(rig: Rig, tmp_path: Path) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed")])
    journal.snapshot(tmp_path / "copy.sqlite")
    journal.commit([rig.commit()])
    report = rig.verify(tmp_path / "copy.sqlite")
    assert (report.sound, report.records) == (True, 4)
    assert not (tmp_path / "copy.sqlite-wal").exists()


@pytest.mark.clause("GB 12663 250 events", "EN 50131-1 log 500 events")
def test_opening_costs_the_same_for_any_number_of_records(rig: Rig) -> None:
    """Counted in steps of SQLite's virtual machine, not in time."""
    from firmware.journal.schema import connect

    def steps() -> int:
        count = 0

        def counting(uri: str) -> sqlite3.Connection:
            connection = connect(uri)

            def tick() -> int:
                nonlocal count
                count += 1
                return 0

            connection.set_progress_handler(tick, 1)
            return connection

        rig.open(connect=counting)
        return count

    journal = rig.open()
    journal.commit([rig.commit("alarm.intruder") for _ in range(200)])
    few = steps()
    for _ in range(40):
        journal = rig.open()
        journal.commit([rig.commit("alarm.intruder") for _ in range(500)])
    assert journal.mark().seq > 20_000
    assert 0 < steps() <= few * 1.05
