"""The model of storage is honest: on it the real journal leaves the very bytes that it leaves in SQLite, after kills
and power cuts too, and what it said was durable is never among what the model loses.

A power cut may take, of the real files, whatever was written after the last sync, sector by sector. The test builds
such files from the real ones; each must hold what the model may hold, and the model loses nothing less.
"""

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import pytest

from firmware.journal.schema import SAVE_STATE, Connect, companions
from firmware.journal.verify import verify
from hil.life.storage import Gone, Tables
from tests.child import child
from tests.firmware.journal.rig import SIGNER
from tests.hil.life.storage_rig import Dump, Modelled, Script, dump_file, main_of

SECTOR = 512
SHM = Path("/dev/shm")
KILLS = 6


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: thousands of syncs, and no power is cut here."""
    if not SHM.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=SHM) as place:
        yield Path(place)


def copy_of(folder: Path, where: Path) -> Path:
    """The main file with its log under another name: looking at it must not mend it."""
    where.mkdir(parents=True)
    source = main_of(folder)
    for file in companions(source)[:2]:
        if file.exists():
            shutil.copy(file, where / file.name)
    return where / source.name


def play_for_ever(folder: Path, seed: int, n: int, tell: Connection) -> None:
    """In the child: open the real journal and play from `n` on."""
    script = Script(folder, seed)
    journal = script.start(n)
    while True:
        tell.send_bytes(b"%d" % n)  # all before `n` is durable
        script.play(journal, n)
        n += 1


def in_a_child(folder: Path, seed: int, first: int, lines: int) -> int:
    """Let a child play from `first` on, until it said so often that something is durable; kill it; the last operation
    that it said."""
    with child(play_for_ever, folder, seed, first) as writer:
        said = list(writer.hear(lines))
        writer.kill()
        return int([*said, *writer.hear()][-1]) - 1


@pytest.mark.parametrize("seed", range(4))
def test_after_each_kill_the_real_file_holds_what_the_model_may_hold(folder: Path, seed: int) -> None:
    real, dice = folder / "real", Random(seed)
    model = Modelled(folder / "model", seed)
    first = 0
    for number in range(KILLS):
        durable = in_a_child(real, seed, first, dice.randint(2, 25))
        assert durable >= first, "the child came to nothing"
        journal = model.start(first)
        for n in range(first, durable + 1):
            model.play(journal, n)
        found = dump_file(copy_of(real, folder / f"look-{number}"))
        if found != model.dump():
            die_in(model, journal, durable + 1)  # the operation under way was written already
        model.storage.crash(power=False)
        assert found == model.dump()
        first = durable + 2
    assert len(model.dump()["record"]) > 40


def die_in(model: Modelled, journal: Any, n: int) -> None:
    """The process ends in the middle of this operation, after it wrote."""
    model.storage.dying = True
    with pytest.raises(Gone):
        model.play(journal, n)


def torn(before: bytes, after: bytes, dice: Random) -> bytes:
    """What may be on the card when the power fails before the sync: of each changed sector the old or the new."""
    end = dice.choice((len(before), len(after), dice.randint(len(before), len(after))))
    keep = dice.random()
    found = bytearray(before.ljust(end, b"\0")[:end])
    for at in range(0, end, SECTOR):
        if dice.random() < keep:
            found[at : at + SECTOR] = after[at : min(end, at + SECTOR)]
    return bytes(found)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_power_cut_may_leave_of_the_real_files_the_model_may_leave_too(folder: Path, seed: int) -> None:
    dice = Random(seed)
    script, model = Script(folder / "real", seed), Modelled(folder / "model", seed)
    journal, modelled = script.start(0), model.start(0)
    log = companions(main_of(folder / "real"))[1]
    for n in range(25):
        database, before, without = script.main.read_bytes(), log.read_bytes(), model.dump()
        script.play(journal, n)
        model.play(modelled, n)
        after, whole = log.read_bytes(), model.dump()
        assert script.main.read_bytes() == database, "only the log is written before a checkpoint of SQLite"
        logs = (before, after, *(torn(before, after, dice) for _ in range(3)))
        found = [_recovered(folder / f"cut-{n}-{k}", database, data) for k, data in enumerate(logs)]
        assert found[:2] == [without, whole]
        assert all(each in (without, whole) for each in found), "neither as before nor as after"


def _recovered(folder: Path, database: bytes, log: bytes) -> Dump:
    folder.mkdir()
    path, log_path, _ = companions(folder / "journal.sqlite")
    path.write_bytes(database)
    log_path.write_bytes(log)
    return dump_file(path)


def after_a_power_cut(folder: Path, seed: int) -> tuple[Dump, Dump, Dump]:
    """What the model holds before an operation, after a power cut in it, and after it had it been let."""
    results: list[Dump] = []
    for name in ("before", "cut", "whole"):
        model = Modelled(folder / name, seed)
        journal = model.start(0)
        for n in range(10):
            model.play(journal, n)
        if name == "cut":
            die_in(model, journal, 10)
        elif name == "whole":
            model.play(journal, 10)
        model.storage.crash(power=True)
        results.append(model.dump())
    return results[0], results[1], results[2]


def test_the_model_keeps_or_loses_what_was_under_way_and_nothing_else(folder: Path) -> None:
    fates = set()
    for seed in range(12):
        without, cut, whole = after_a_power_cut(folder / str(seed), seed)
        assert cut in (without, whole)
        assert without != whole
        fates.add(cut == whole)
    assert fates == {True, False}


class Careless:
    """The connection of a journal that forgot to ask for full durability."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Any) -> Any:
        return self._connection.execute(sql.replace("synchronous = FULL", "synchronous = NORMAL"), *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_journal_that_does_not_sync_loses_what_it_said_was_durable(folder: Path) -> None:
    def careless(under: Connect) -> Connect:
        return lambda uri: Careless(under(uri))  # type: ignore[return-value]

    kept = []
    for seed in range(8):
        model = Modelled(folder / str(seed), seed, careless)
        journal = model.start(0)
        for n in range(10):
            model.play(journal, n)
        said = journal.mark().seq
        model.storage.crash(power=True)
        kept.append(len(model.dump()["record"]) == said)
    assert not all(kept)


def test_real_files_are_synced_before_a_commit_returns(folder: Path) -> None:
    """The one fact that the model takes from SQLite: `FULL` in a write-ahead log."""
    connection = Script(folder, 1).start(0)._store.connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_model_refuses_what_it_was_not_taught(folder: Path) -> None:
    connection = Modelled(folder, 1).start(0)._store.connection
    for sql in ("SELECT count(*) FROM record", "DELETE FROM record", "VACUUM"):
        with pytest.raises(NotImplementedError, match="does not know"):
            connection.execute(sql)


def test_a_record_out_of_its_place_is_refused_like_by_the_real_tables() -> None:
    tables = Tables()
    tables.insert((1, "alarm", 1, b"", b"", ""))
    for wrong in ((1, "alarm", 2), (3, "alarm", 2), (2, "alarm", 1)):
        with pytest.raises(sqlite3.IntegrityError):
            tables.insert((*wrong, b"", b"", ""))


@pytest.mark.parametrize("power", [False, True])
def test_the_real_verifier_finds_nothing_in_what_the_model_holds(folder: Path, power: bool) -> None:
    model, first = Modelled(folder / "model", 4), 0
    for _ in range(5):
        journal = model.start(first)
        for n in range(first, first + 9):
            model.play(journal, n)
        die_in(model, journal, first + 9)
        model.storage.crash(power)
        first += 10
    held = model.dump()
    real = Script(folder / "real", 4)
    real.start(0).close()
    with contextlib.closing(sqlite3.connect(real.main)) as connection:
        for table in ("record", "delivered", "receipt"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - of the three above
        connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)", held["record"])
        connection.execute(SAVE_STATE, held["state"])
        connection.execute("UPDATE journal SET jws = ?", (held["journal"],))
        if held["base"]:
            connection.execute("INSERT INTO base (id, jws) VALUES (1, ?)", (held["base"],))
        for table in ("delivered", "receipt"):
            connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", held[table].items())  # noqa: S608
        connection.commit()
    assert verify(real.main, SIGNER.public).findings == []
    assert len(held["record"]) > 50
