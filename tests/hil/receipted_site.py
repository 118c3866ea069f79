"""A panel's journal and its centers' stores as files, all delivered and receipted: for what judges such files."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.clock import SystemClock, utc_text
from firmware.core.delivery import Deliveries
from firmware.journal.entries import Commit, Draft
from firmware.journal.journal import Journal
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, Signer, b64url
from firmware.protocol.typ import RECEIPT
from hil.center.reader import RecordIn
from hil.center.store import Store
from hil.stand_center import RECEIPTS
from hil.verdict import Verdict, judge
from rules.vocabulary import KINDS

PANEL = "bank-7"
KINDS_USED = ("alarm.intruder", "area.disarmed", "alarm.hold-up", "area.disarmed")
NOW = "2026-03-14T23:09:26.123Z"


def x(signer: Signer) -> str:
    return b64url(signer.public.public_bytes_raw())


@dataclass
class Site:
    """A panel with a journal of a few records, and centers that hold all of them between them."""

    folder: Path
    core: Signer
    center: Signer
    count: int = 2

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def centers(self) -> list[Path]:
        return [self.folder / f"center-{number + 1}" for number in range(self.count)]

    def judge(self) -> Verdict:
        return judge(self.data, x(self.core), [x(self.center)], self.centers)

    def at(self, number: int, sql: str, *values: object) -> None:
        """Change a center's store (1, 2) or the journal (0)."""
        file = self.journal if number == 0 else self.centers[number - 1] / "center.sqlite"
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            assert db.execute(sql, values).rowcount >= 1, sql


def make(folder: Path, count: int = 2) -> Site:
    """The panel's records, all receipted; of two centers the first holds the alarms, the other one all else."""
    made = Site(folder, Signer(Ed25519PrivateKey.generate()), Signer(Ed25519PrivateKey.generate()), count)
    journal = Journal.open(
        made.data,
        folder / "run",
        PANEL,
        made.core,
        SystemClock(),
        lambda state: state if isinstance(state, bytes) else b"",
        lambda kind: KINDS[kind].lane.value,
        lambda _kind: False,
    )
    for number, kind in enumerate(KINDS_USED * 3):
        journal.commit([Commit((Draft(kind, {"areas": [], "n": number}, utc_text(1.8e9), "unset", "b", number),))])
    reader = journal.reader()
    name = reader.heads()[-1].journal
    stores = [Store(folder / "center.sqlite") for folder in made.centers]
    for store in stores:
        store.register(PANEL, x(made.core))
    deliveries = Deliveries(reader, PANEL, KeyRing([]), lambda *_: None)
    for lane, last in reader.heads()[-1].last.items():
        if not last:
            continue
        records = deliveries.pull(m.Pull(journal=name, lane=lane, first=1, last=last)).records
        for record in records:
            header = record.header.model_dump(mode="json")
            # The alarms at the first, all else at the second.
            store = stores[0 if lane == "alarm" else -1]
            with store.transaction():
                store.put(RecordIn(PANEL, header, record.payload, record.hash, False, None), NOW)
        spans = [{"first": 1, "last": last, "hash": records[-1].hash}]
        receipt = {"panel": PANEL, "journal": name, "lane": lane, "ranges": spans}
        journal.mark_delivered(name, lane, [(1, last)])
        journal.keep_receipt(name, lane, made.center.sign(RECEIPT, receipt))
        with (made.centers[0 if lane == "alarm" else -1] / RECEIPTS).open("a") as file:
            file.write(f"{name} {lane} 1 {last} 7\n{name} {lane} 1 9999")  # the last line was cut off by a kill
    for store in stores:
        store.close()
    reader.close()
    journal._flush()
    journal._store.close()
    return made
