"""One script of journal operations, for the real journal on SQLite and on the model of storage alike.

Everything in it follows from the number of the operation: so what a file must hold, byte for byte, follows from which
operations it has seen.
"""

import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from firmware.journal import Journal
from firmware.journal.check import SELECT
from firmware.journal.schema import NAME, Connect, connect, file_uri
from hil.life.statements import connect_to
from hil.life.storage import PLENTY, Storage, Tables
from rules.vocabulary import KINDS
from tests.firmware.journal.rig import PANEL, SIGNER, Rig, state_bytes

Dump = dict[str, Any]
KIND_NAMES = ("zone.bypassed", "alarm.intruder", "area.armed", "area.disarmed", "alarm.tamper")


class Script(Rig):
    """A panel whose operation `n` is always the same."""

    def __init__(self, folder: Path, seed: int, under: Connect = connect) -> None:
        super().__init__(folder)
        self.seed = seed
        self.under = under
        self._ids = Random(seed)

    def start(self, n: int) -> Journal:
        """Open before operation `n`."""
        self._ids = Random(f"{self.seed}:{n}")
        self._turn_to(n)
        return Journal.open(
            self.data,
            self.run,
            PANEL,
            SIGNER,
            self.clock,
            state_bytes,
            lambda kind: str(KINDS[kind].lane),
            lambda kind: KINDS[kind].checkpoint,
            self.under,
            lambda _folder: PLENTY,
            lambda: str(uuid.UUID(int=self._ids.getrandbits(128), version=4)),
        )

    def play(self, journal: Journal, n: int) -> None:
        """Operation `n`: one transaction."""
        dice = Random(f"{self.seed}:op:{n}")
        self._turn_to(n)
        what = dice.randrange(10)
        if what == 0:
            journal.tick(None)
        elif what == 1:
            lane = dice.choice(("alarm", "status"))
            journal.mark_delivered(journal.mark().journal, lane, [(1, dice.randint(1, 60))])
            journal.keep_receipt(journal.mark().journal, lane, f"receipt-{n}")
            self.clock.now_ms += 2_000
            journal.tend()
        elif what == 2:
            journal.checkpoint()
        elif what == 3:
            if not journal.prune("2027-01-01T00:00:00.000Z"):
                journal.checkpoint()
        else:
            commits = []
            for k in range(dice.randint(1, 4)):
                state = f"state {n} {k} {'x' * dice.randrange(300)}" if dice.random() < 0.8 else None
                commits.append(self.commit(dice.choice(KIND_NAMES), state, n=n, k=k, pad="y" * dice.randrange(200)))
            journal.commit(commits)

    def _turn_to(self, n: int) -> None:
        self.clock.now_ms, self.clock.now_utc = 1_000_000 + n * 10_000, 1_790_000_000.0 + n * 10


class Modelled(Script):
    """The same on the model of storage."""

    def __init__(self, folder: Path, seed: int, tamper: Callable[[Connect], Connect] = lambda under: under) -> None:
        self.storage = Storage(folder, Random(seed))
        super().__init__(folder, seed, tamper(connect_to(self.storage)))

    def dump(self) -> Dump:
        """All that the main file holds."""
        return dump_tables(self.storage.open(self.main).tables)


def dump_tables(tables: Tables) -> Dump:
    """What a model file holds."""
    return {
        "record": list(tables.rows),
        "state": tables.state,
        "journal": tables.journal,
        "delivered": dict(tables.delivered),
        "receipt": dict(tables.receipt),
        "base": tables.base,
    }


def dump_file(path: Path) -> Dump:
    """What a real file holds, as SQLite recovers it."""
    connection = sqlite3.connect(file_uri(path, "rw"), uri=True)
    try:
        rows = connection.execute(f"{SELECT} ORDER BY seq").fetchall()
        state = connection.execute("SELECT seq, boot, monotonic_ms, utc, state, state_hash, tick, mark FROM state")
        found: Dump = {"record": rows, "state": state.fetchone()}
        for table in ("journal", "base"):
            jws = connection.execute(f"SELECT jws FROM {table}").fetchone()  # noqa: S608 - of the two above
            found[table] = jws and jws[0]
        for table in ("delivered", "receipt"):
            found[table] = dict(connection.execute(f"SELECT lane, jws FROM {table}"))  # noqa: S608
        return found
    finally:
        connection.close()


def main_of(folder: Path) -> Path:
    """The journal in use under a folder."""
    return folder / "data" / NAME
