"""A disk that runs full or read-only: nothing is lost, each record is in one journal, the panel comes back to it."""

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from firmware.journal import Journal
from hil.life.storage import failure
from tests.firmware.journal.rig import Rig, everything, remount, small_disk, undelivered


def fill(folder: Path) -> Path:
    """Use up the file system."""
    path = folder / "filler"
    with path.open("ab", buffering=0) as file:
        size = 65_536
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return path


def write_until(rig: Rig, journal: Journal, place: str, n: int = 0) -> int:
    """Commit alarms until the journal had to move there; the number of the last."""
    for folder in (rig.data, rig.run):
        (folder / "ballast").unlink(missing_ok=True)
    while journal.place != place:
        n += 1
        journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n, pad="x" * 500)])
        assert n < 5000
    return n


def numbers(journal: Journal) -> list[int]:
    """The `n` of all records that the uplink would get, from all journals, in their order."""
    payloads = [json.loads(p) for *_, p in undelivered(journal)]
    return [p["n"] for p in payloads if "n" in p]


def test_full_disk_gives_up_the_ballast_then_goes_on_beside_it_and_comes_back(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with small_disk(rig.data, "2m"):
        journal = rig.open()
        first_id = journal.mark().journal
        filler = fill(rig.data)
        n = 0
        while journal.place == "disk":
            n += 1
            journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n, pad="x" * 500)])
            assert n < 2000
        assert n > 20, "the ballast should have carried some records"
        assert not (rig.data / "ballast").exists()
        assert journal.storage_trouble.startswith("full")
        assert journal.place == "fallback"
        assert numbers(journal) == list(range(1, n + 1))
        begun = json.loads(everything(journal)[0].payload or b"null")
        assert (begun["reason"], begun["last"]["journal"]) == ("storage", first_id)
        spare_id = journal.mark().journal

        rig.clock.turn(60_000)
        journal.tend()
        assert journal.place == "fallback", "there is no room yet"
        filler.unlink()
        rig.clock.turn(600_000)
        journal.tend()
        assert (journal.place, journal.storage_trouble) == ("disk", "")
        assert journal.mark().journal == spare_id
        assert (rig.data / "ballast").exists()
        assert not (rig.run / "journal.sqlite").exists()
        journal.commit([rig.commit("alarm.intruder", "home again", n=n + 1)])
        assert numbers(journal) == list(range(1, n + 2))
        journal.close()
        assert rig.verify().sound
        assert rig.verify(rig.data / f"journal-{first_id}.sqlite").sound
        again = rig.open()
        assert again.restored.state == b"home again"
        assert numbers(again) == list(range(1, n + 2))
        again.close()


class Stumbling(sqlite3.Connection):
    """A connection that reports an error once: after a commit that did succeed, or instead of it."""

    fail = ""
    asked: list[str] = []

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if sql == "COMMIT" and Stumbling.fail:
            when, Stumbling.fail = Stumbling.fail, ""
            if when == "after":
                super().execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *values)


def stumbling(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, factory=Stumbling)
    if "vfs=unix-none" in uri:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    return connection


@pytest.mark.parametrize("when", ["after", "instead"])
def test_a_commit_of_unknown_outcome_is_written_exactly_once(tmp_path: Path, when: str) -> None:
    rig = Rig(tmp_path)
    journal = rig.open(connect=stumbling)
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", "one", n=1)])
    Stumbling.fail = when
    journal.commit([rig.commit("alarm.intruder", "two", n=2), rig.commit("area.armed", "three", n=3)])
    assert Stumbling.fail == "", "it did not stumble"
    journal.commit([rig.commit("alarm.intruder", "four", n=4)])
    assert (journal.place, journal.mark().journal) == ("disk", name)
    assert "I/O" in journal.storage_trouble
    assert sorted(numbers(journal)) == [1, 2, 3, 4]
    journal.tend()
    assert journal.storage_trouble == ""
    journal.close()
    assert rig.verify().findings == []
    assert rig.open().restored.state == b"four"


def asking(uri: str) -> sqlite3.Connection:
    """As `stumbling`, and what is asked of it is noted."""
    connection = stumbling(uri)
    connection.set_trace_callback(Stumbling.asked.append)
    return connection


@pytest.mark.parametrize("read", [False, True])
def test_a_commit_whose_sync_failed_is_believed_only_when_it_was_synced_anew(tmp_path: Path, read: bool) -> None:
    rig = Rig(tmp_path)
    journal = rig.open(connect=asking)
    journal.commit([rig.commit("alarm.intruder", "one", n=1)])
    with contextlib.closing(sqlite3.connect(rig.main, isolation_level=None)) as other:
        if read:  # a reader keeps the log from being moved
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM record").fetchone()
        Stumbling.fail = "after"
        Stumbling.asked.clear()
        journal.commit([rig.commit("alarm.intruder", "two", n=2), rig.commit("area.armed", "three", n=3)])
        assert "PRAGMA wal_checkpoint(TRUNCATE)" in Stumbling.asked
    assert journal.place == ("fallback" if read else "disk")
    assert sorted(numbers(journal)) == [1, 2, 3]
    rig.clock.turn(600_000)
    journal.tend()
    assert (journal.place, sorted(numbers(journal))) == ("disk", [1, 2, 3])
    journal.close()
    again = rig.open()
    assert (again.restored.state, sorted(numbers(again))) == (b"three", [1, 2, 3])


class Away:
    """A disk whose files can't be opened for a while."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.away = False

    def __call__(self, uri: str) -> sqlite3.Connection:
        if self.away and str(self.folder) in uri:
            raise failure("unable to open database file", "SQLITE_CANTOPEN", sqlite3.SQLITE_CANTOPEN)
        return stumbling(uri)


@pytest.mark.parametrize("restart", [False, True])
def test_a_commit_that_was_there_after_all_is_in_one_journal_only(tmp_path: Path, restart: bool) -> None:
    rig = Rig(tmp_path)
    disk = Away(rig.data)
    journal = rig.open(connect=disk)
    first = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", "one", n=1)])
    Stumbling.fail, disk.away = "after", True
    journal.commit([rig.commit("alarm.intruder", "two", n=2), rig.commit("area.disarmed", "three", n=3)])
    assert journal.place == "fallback"
    disk.away = False
    if restart:
        journal._store.close()
        journal = rig.open(connect=disk)
        assert (journal.place, journal.restored.state) == ("fallback", b"three")
        assert sorted(numbers(journal)) == [1, 2, 3]
    rig.clock.turn(600_000)
    journal.tend()
    assert (journal.place, sorted(numbers(journal))) == ("disk", [1, 2, 3])
    assert [name for name, _, _, payload in undelivered(journal) if b'"n":2' in payload] == [journal.mark().journal]
    journal.close()
    again = rig.open()
    assert (again.restored.state, sorted(numbers(again))) == (b"three", [1, 2, 3])
    assert first in {head.journal for head in again.reader().heads()}


def test_after_a_failed_flush_new_records_are_seen_by_delivery_at_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    journal = rig.open(connect=stumbling)
    for n in (1, 2):
        # The second time, the way back was tried a moment ago, and is not tried again at once.
        journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n)])
        journal.mark_delivered(journal.mark().journal, "alarm", [(n, n)])
        rig.clock.turn(2_000)
        Stumbling.fail = "instead"
        journal.tend()
        assert Stumbling.fail == "", "it did not stumble"
    assert journal.storage_trouble
    journal.commit([rig.commit("alarm.intruder", "state 3", n=3)])
    assert numbers(journal) == [3]


def test_a_restart_while_the_disk_fails_goes_on_from_the_run_folder(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with small_disk(rig.data, "2m"):
        journal = rig.open()
        filler = fill(rig.data)
        n = write_until(rig, journal, "fallback")
        mark = journal.mark()
        journal._store.close()
        again = rig.open()
        assert (again.place, again.restored.state, again.restored.session) == ("fallback", f"state {n}".encode(), 2)
        assert again.mark() == mark
        assert sorted(numbers(again)) == list(range(1, n + 1))
        assert again.storage_trouble
        filler.unlink()
        again.tend()
        assert (again.place, again.storage_trouble) == ("disk", "")
        assert sorted(numbers(again)) == list(range(1, n + 1))
        again.close()
        assert rig.open().restored.state == f"state {n}".encode()
        assert rig.verify().sound


@pytest.mark.parametrize("log", [True, False])
def test_a_start_on_a_read_only_disk_knows_the_state_and_its_records(tmp_path: Path, log: bool) -> None:
    rig = Rig(tmp_path)
    with small_disk(rig.data, "2m"):
        journal = rig.open()
        journal.commit([rig.commit("area.armed", "armed", n=1)])
        left = {p: p.read_bytes() for p in rig.data.glob("journal.sqlite*") if not p.name.endswith("-shm")}
        journal.close()
        if log:
            for path, data in left.items():
                path.write_bytes(data)
        remount(rig.data, "ro")
        again = rig.open()
        assert (again.place, again.restored.state, again.restored.session) == ("fallback", b"armed", 2)
        assert again.storage_trouble
        again.commit([rig.commit("alarm.intruder", "in alarm", n=2)])
        assert sorted(numbers(again)) == [1, 2]


def test_when_the_run_folder_fails_too_it_goes_on_in_memory(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with small_disk(rig.data, "2m"), small_disk(rig.run, "1m"):
        journal = rig.open()
        fillers = fill(rig.data), fill(rig.run)
        reader = journal.reader()
        reader.pull(journal.mark().journal, "status", 1, 9)
        n = write_until(rig, journal, "memory")
        for _ in range(40):
            n += 1
            journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n)])
            assert reader.pull(journal.mark().journal, "alarm", 1, 9)[0]
        assert sorted(numbers(journal)) == list(range(1, n + 1))
        for filler in fillers:
            filler.unlink()
        rig.clock.turn(600_000)
        journal.tend()
        assert journal.place == "disk"
        assert sorted(numbers(journal)) == list(range(1, n + 1))
        journal.close()
        assert rig.verify().sound
        assert rig.open().restored.state == f"state {n}".encode()


def test_a_journal_in_memory_stays_small_and_counts_what_it_loses(tmp_path: Path) -> None:
    from firmware.journal.journal import MAX_MEMORY_RECORDS

    rig = Rig(tmp_path)
    with small_disk(rig.data, "1m"), small_disk(rig.run, "1m"):
        remount(rig.data, "ro")
        remount(rig.run, "ro")
        journal = rig.open()
        assert (journal.place, journal.restored.state) == ("memory", None)
        made = 0
        while made < MAX_MEMORY_RECORDS + 1_500:
            journal.commit([rig.commit("alarm.intruder", n=made + k) for k in range(500)])
            made += 500
        records = everything(journal)
        assert len(records) <= MAX_MEMORY_RECORDS + 1
        lost = [json.loads(r.payload or b"null") for r in records if json.loads(r.header)["kind"] == "journal.lost"]
        kept = numbers(journal)
        assert sum(item["lanes"].get("alarm", 0) for item in lost) == made - len(kept)
        assert kept == list(range(made - len(kept), made))
        journal.snapshot(Path("/dev/shm") / "fenghuo-test-memory.sqlite")
        assert rig.verify(Path("/dev/shm") / "fenghuo-test-memory.sqlite").findings == []
        (Path("/dev/shm") / "fenghuo-test-memory.sqlite").unlink()


def test_a_stale_spare_file_does_not_displace_the_disk(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    with small_disk(rig.data, "2m"):
        journal = rig.open()
        filler = fill(rig.data)
        n = write_until(rig, journal, "fallback")
        spare = {p: p.read_bytes() for p in rig.run.glob("journal.sqlite*") if not p.name.endswith("-shm")}
        filler.unlink()
        rig.clock.turn(600_000)
        journal.tend()
        journal.commit([rig.commit("area.disarmed", "disarmed", n=n + 1)])
        journal.close()
        for path, data in spare.items():
            path.write_bytes(data)
        again = rig.open()
        assert (again.place, again.restored.state) == ("disk", b"disarmed")
        assert sorted(numbers(again)) == list(range(1, n + 2))


def test_a_return_cut_short_is_completed_or_undone(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed", n=1)])
    journal.close()
    rig.main.rename(rig.data / "journal.next.sqlite")
    again = rig.open()
    assert again.restored.state == b"armed"
    again.close()
    (rig.data / "journal.next.sqlite").hardlink_to(rig.main)  # cut between its two names
    again = rig.open()
    assert again.restored.state == b"armed"
    assert [path.name for path in rig.data.glob("journal*.sqlite")] == ["journal.sqlite"]
    again.close()
    (rig.data / "journal.next.sqlite").write_bytes(b"half a copy")
    assert rig.open().restored.state == b"armed"
    assert not (rig.data / "journal.next.sqlite").exists()
