"""Broken files: set aside, salvaged, a new journal begins, the panel knows its state as far as it can be proven."""

import json
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from firmware.journal import Journal
from firmware.journal.schema import PAGE_BYTES
from firmware.protocol.canonical import sha256_hex
from tests.firmware.journal.rig import Rig, everything, undelivered


def busy(rig: Rig, count: int = 60) -> list[bytes]:
    """A closed journal with states and some deliveries; the payloads that the center does not hold."""
    journal = rig.open()
    name = journal.mark().journal
    for n in range(count):
        journal.commit([rig.commit("alarm.intruder", n=n, pad="x" * 40), rig.commit(state=f"state {n} " + "s" * 300)])
    journal.mark_delivered(name, "alarm", [(1, 20)])
    journal.close()
    with closing(sqlite3.connect(rig.main)) as connection:
        rows = connection.execute("SELECT payload FROM record WHERE NOT (lane = 'alarm' AND lane_seq <= 20)")
        return [row[0] for row in rows]


def begun(journal: Journal) -> dict[str, Any]:
    first = everything(journal)[0]
    assert json.loads(first.header)["kind"] == "journal.begun"
    payload: dict[str, Any] = json.loads(first.payload or b"null")
    return payload


def write(rig: Rig, statement: str) -> None:
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        connection.execute(statement)


def test_an_altered_record_in_the_tail_starts_a_new_journal_that_names_the_old(rig: Rig) -> None:
    waiting = busy(rig)
    with closing(sqlite3.connect(rig.main)) as connection:
        journal, last = (
            json.loads(connection.execute("SELECT header FROM record WHERE seq = 1").fetchone()[0])["journal"],
            0,
        )
        last = connection.execute("SELECT max(seq) FROM record").fetchone()[0]
    write(rig, "UPDATE record SET payload = CAST('{\"n\":0}' AS BLOB) WHERE seq = 100")
    again = rig.open()
    first = begun(again)
    assert first["reason"] == "corrupt"
    assert "record 100" in first["detail"]
    assert (first["last"]["journal"], first["last"]["seq"]) == (journal, last)
    assert (first["unreadable"], first["left"], first["state"]) == (1, 0, "proven")
    assert first["salvaged"] >= len(waiting) - 1
    assert again.restored.state == b"state 59 " + b"s" * 300
    assert again.restored.session == 2
    assert again.restored.trouble.startswith("corrupt")
    assert again.storage_trouble.startswith("corrupt")
    assert (rig.data / first["file"]).exists()
    rescued = [payload for name, _, _, payload in undelivered(again) if name == journal]
    assert sorted(rescued) == sorted(p for p in waiting if p in set(rescued))
    assert len(rescued) == len(waiting) - 1
    assert rig.verify().sound


def test_what_was_rescued_is_delivered_once_and_for_ever(rig: Rig) -> None:
    busy(rig)
    write(rig, "UPDATE record SET payload = CAST('{\"n\":0}' AS BLOB) WHERE seq = 100")
    journal = rig.open()
    name = journal.reader().heads()[0].journal
    assert name != journal.mark().journal
    journal.mark_delivered(name, "alarm", [(1, 999)])
    journal.mark_delivered(name, "status", [(1, 30)])
    rig.clock.turn(1_000)
    journal.tend()
    again = rig.open()
    left = [(lane, n) for j, lane, n, _ in undelivered(again) if j == name]
    assert left
    assert {lane for lane, _ in left} == {"status"}
    assert min(n for _, n in left) == 31
    again.mark_delivered(name, "status", [(1, 999)])
    assert [head.journal for head in again.reader().heads()] == [again.mark().journal]


def test_a_broken_file_that_was_all_delivered_still_links_to_the_next(rig: Rig) -> None:
    busy(rig)
    journal = rig.open()
    mark = journal.mark()
    for lane, last in mark.lanes.items():
        if last:
            journal.mark_delivered(mark.journal, lane, [(1, last)])
    journal.close()
    with closing(sqlite3.connect(rig.main)) as connection:
        seq, own_hash = connection.execute("SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    write(rig, "UPDATE state SET state_hash = 'broken'")
    again = rig.open()
    last = begun(again)["last"]
    assert (last["journal"], last["seq"], last["hash"]) == (mark.journal, seq, own_hash)
    again.close()


def test_an_altered_state_is_not_believed(rig: Rig) -> None:
    busy(rig)
    write(rig, "UPDATE state SET state = CAST('disarmed' AS BLOB)")
    journal = rig.open()
    assert journal.restored.state is None
    assert (begun(journal)["state"], journal.restored.proof) == ("none", "none")
    assert journal.restored.trouble


def test_an_altered_state_with_its_hash_and_checksum_is_not_believed(rig: Rig) -> None:
    from firmware.journal.check import StateRow, state_mark

    busy(rig)
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        columns = "seq, boot, monotonic_ms, utc, state, state_hash, tick, mark"
        row = StateRow(*connection.execute(f"SELECT {columns} FROM state").fetchone())  # noqa: S608
        header, hash_ = connection.execute("SELECT header, hash FROM record WHERE seq = ?", (row.seq,)).fetchone()
        forged = row._replace(state=b"disarmed", state_hash=sha256_hex(b"disarmed"), tick=None)
        mark = state_mark(json.loads(header)["journal"], hash_, forged)
        connection.execute(
            "UPDATE state SET state = ?, state_hash = ?, mark = ?", (forged.state, forged.state_hash, mark)
        )
    assert [f.code for f in rig.verify().findings] == ["state"]
    assert rig.open().restored.state is None


def test_a_cut_tail_is_noticed_at_the_start(rig: Rig) -> None:
    busy(rig)
    write(rig, "DELETE FROM record WHERE seq > 110")
    journal = rig.open()
    assert begun(journal)["last"]["seq"] == 110
    assert journal.restored.state is None


def test_another_panels_journal_is_set_aside(rig: Rig, tmp_path: Path) -> None:
    other = Rig(tmp_path / "other")
    other.panel = "school-3"
    busy(other, 3)
    rig.data.mkdir()
    shutil.copy(other.main, rig.main)
    journal = rig.open()
    assert journal.restored.state is None
    assert len(undelivered(journal)) == journal.mark().seq, "nothing of another panel is sent"


@pytest.mark.parametrize("size", [0, 1, 100, 4096, 20_000])
def test_a_truncated_file_never_stops_the_panel(rig: Rig, size: int) -> None:
    busy(rig)
    with rig.main.open("r+b") as file:
        file.truncate(size)
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed")])
    assert begun(journal)["reason"] == "corrupt"
    assert journal.restored.trouble
    journal.close()
    assert rig.verify().sound
    assert rig.open().restored.state == b"armed"


@pytest.mark.parametrize("seed", range(60))
def test_garbage_anywhere_never_stops_the_panel_and_nothing_readable_is_lost_unseen(rig: Rig, seed: int) -> None:
    waiting = set(busy(rig))
    dice = random.Random(seed)
    data = bytearray(rig.main.read_bytes())
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(0, len(data), 1024)
        size = dice.choice([16, 1024, 4096])
        junk = bytes(size) if dice.random() < 0.5 else dice.randbytes(size)
        data[at : at + size] = junk
    rig.main.write_bytes(data)
    journal = rig.open()
    assert journal.restored.state in (None, b"state 59 " + b"s" * 300)
    undelivered(journal)
    journal.tend()  # what a reader missed is acted upon
    got = {payload for *_, payload in undelivered(journal)}
    aside = list(rig.data.glob("*.corrupt-*.sqlite"))
    file = aside[0] if aside else rig.main
    assert waiting & readable(file) <= got
    journal.commit([rig.commit("area.armed", "armed")])
    journal.close()
    assert rig.open().restored.state == b"armed"


def readable(path: Path) -> set[bytes]:
    """Payloads of the records that SQLite still finds by their number, and that fit their hashes."""
    found = set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        for seq in range(1, 200):
            try:
                row = connection.execute("SELECT header, payload, hash FROM record WHERE seq = ?", (seq,)).fetchone()
                header = json.loads(row[0])
            except (sqlite3.Error, ValueError, TypeError):
                continue
            if sha256_hex(row[0]) == row[2] and sha256_hex(row[1]) == header["payload_hash"]:
                found.add(row[1])
    return found


def test_a_zeroed_page_costs_only_its_own_records(rig: Rig) -> None:
    waiting = set(busy(rig))
    with closing(sqlite3.connect(rig.main)) as connection:
        data = bytearray(rig.main.read_bytes())
        (payload,) = connection.execute("SELECT payload FROM record WHERE seq = 70").fetchone()
    at = data.index(payload) // PAGE_BYTES * PAGE_BYTES
    data[at : at + PAGE_BYTES] = bytes(PAGE_BYTES)
    rig.main.write_bytes(data)
    assert {"page", "missing"} <= {f.code for f in rig.verify().findings}
    journal = rig.open()
    got = {payload for *_, payload in undelivered(journal)}
    assert 0 < len(waiting - got) <= 4
    assert journal.restored.state == b"state 59 " + b"s" * 300


def test_a_file_that_is_gone_is_not_a_first_start(rig: Rig) -> None:
    busy(rig)
    for file in rig.data.glob("journal.sqlite*"):
        file.unlink()
    journal = rig.open()
    assert begun(journal)["reason"] == "missing"
    assert journal.restored.cause == "power-up"
    assert journal.restored.session > 1


def test_a_move_cut_short_is_completed(rig: Rig) -> None:
    """The links stand, the old names too: as after a power cut in `schema.move`."""
    busy(rig, 3)
    target = rig.data / "journal-1.corrupt-1.sqlite"
    target.hardlink_to(rig.main)
    rig.open().close()
    assert not target.samefile(rig.main)
    assert rig.verify(target).sound


def test_only_the_newest_spent_files_lie_and_none_that_holds_something_of_its_own(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    from firmware.journal import salvage

    monkeypatch.setattr(salvage, "MAX_SPENT", 2)
    gone = []
    for turn in range(5):
        monkeypatch.setattr(salvage, "MAX_RECORDS", 3 if turn == 1 else 200_000)
        busy(rig, 3)
        write(rig, "UPDATE state SET state = CAST('disarmed' AS BLOB)")
        journal = rig.open()
        gone.append(begun(journal)["deleted"])
        assert (rig.data / begun(journal)["file"]).exists()
        journal.close()
    assert gone == [0, 0, 0, 1, 1]
    lying = sorted(path.name for path in rig.data.glob("*.corrupt-*.sqlite"))
    assert [name.endswith(".spent.sqlite") for name in lying].count(True) == 2
    assert len(lying) == 3, "the one whose records were not all rescued stays"
