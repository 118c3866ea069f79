"""The judge of soak and kills: good for what is whole, and each kind of harm is found and named rightly."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
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
    """A panel with a journal of a few records, and two centers that hold all of them between them."""

    folder: Path
    core: Signer
    center: Signer

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    @property
    def centers(self) -> list[Path]:
        return [self.folder / "center-1", self.folder / "center-2"]

    def judge(self) -> Verdict:
        return judge(self.data, x(self.core), [x(self.center)], self.centers)

    def at(self, number: int, sql: str, *values: object) -> None:
        """Change a center's store (1, 2) or the journal (0)."""
        file = self.journal if number == 0 else self.centers[number - 1] / "center.sqlite"
        with closing(sqlite3.connect(file, isolation_level=None)) as db:
            assert db.execute(sql, values).rowcount >= 1, sql


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, Signer(Ed25519PrivateKey.generate()), Signer(Ed25519PrivateKey.generate()))
    journal = Journal.open(
        made.data,
        tmp_path / "run",
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
            store = stores[lane != "alarm"]
            with store.transaction():
                store.put(RecordIn(PANEL, header, record.payload, record.hash, False, None), NOW)
        spans = [{"first": 1, "last": last, "hash": records[-1].hash}]
        receipt = {"panel": PANEL, "journal": name, "lane": lane, "ranges": spans}
        journal.mark_delivered(name, lane, [(1, last)])
        journal.keep_receipt(name, lane, made.center.sign(RECEIPT, receipt))
        with (made.centers[lane != "alarm"] / RECEIPTS).open("a") as file:
            file.write(f"{name} {lane} 1 {last} 7\n{name} {lane} 1 9999")  # the last line was cut off by a kill
    for store in stores:
        store.close()
    reader.close()
    journal._flush()
    journal._store.close()
    return made


def test_a_whole_site_is_good(site: Site) -> None:
    verdict = site.judge()
    assert verdict.good, verdict
    assert (verdict.records, verdict.journals) == (14, 1)


ALTER = "UPDATE records SET hash = 'other' WHERE lane = 'alarm' AND lane_seq = 2"
TAKE = "DELETE FROM records WHERE lane = 'alarm' AND lane_seq = 2"
REWRITE = "UPDATE record SET payload = CAST('{}' AS BLOB) WHERE lane = 'alarm' AND lane_seq = 2"


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (lambda s: s.at(1, TAKE), {"lost", "receipted_lost", "out_of_order"}),
        (lambda s: s.at(1, ALTER), {"altered"}),
        (lambda s: s.at(2, "UPDATE records SET header = replace(header, 'unset', 'other')"), {"altered"}),
        (lambda s: s.at(1, "INSERT INTO counts VALUES('', 'rival', 2)"), {"altered"}),
        (lambda s: s.at(0, "DELETE FROM record WHERE seq = 14"), {"receipted_lost", "unsound"}),
        (lambda s: s.at(0, REWRITE), {"unsound"}),
        (lambda s: s.at(0, "DELETE FROM delivered WHERE lane = 'alarm'"), {"unsound", "unreceipted"}),
    ],
)
def test_each_harm_is_found(site: Site, harm: Callable[[Site], None], found: set[str]) -> None:
    harm(site)
    verdict = site.judge()
    assert not verdict.good
    kinds = ("lost", "receipted_lost", "doubled", "altered", "out_of_order", "unreceipted", "unsound")
    assert {kind for kind in kinds if getattr(verdict, kind)} == found, verdict
    assert verdict.texts


def test_an_identity_that_is_held_twice_is_found(site: Site) -> None:
    """A store whose keys do not forbid it, as another center's might be."""
    file = site.centers[0] / "center.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute("CREATE TABLE free AS SELECT * FROM records")
        db.execute("DROP TABLE records")
        db.execute("ALTER TABLE free RENAME TO records")
        db.execute("INSERT INTO records SELECT * FROM records WHERE lane = 'alarm' AND lane_seq = 2")
    assert site.judge().doubled == 2, "once as an identity, once as a place in its lane"


def test_a_panel_without_records_is_not_good(tmp_path: Path) -> None:
    assert not Verdict().good
