"""Whatever is changed in a journal file is found, with its place."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.journal.texts import FINDINGS
from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.typ import RECEIPT
from tests.firmware.journal.rig import CENTER, PANEL, Rig, everything

TABLES = ("journal", "record", "state", "delivered", "receipt", "base")
Field: TypeAlias = int | str | bytes | None
CENTER_KEYS = KeyRing([CENTER.public])


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A journal with all there is: states, ticks, deliveries, receipts, a pruned front."""
    rig = Rig(tmp_path_factory.mktemp("full"))
    journal = rig.open()
    name = journal.mark().journal
    for n in range(30):
        journal.commit([rig.commit("alarm.intruder"), rig.commit("evidence.pictures"), rig.commit(state=f"state {n}")])
    journal.mark_delivered(name, "alarm", [(1, 20)])
    journal.mark_delivered(name, "evidence", [(1, 20)])
    journal.mark_delivered(name, "status", [(1, 22)])
    hash_ = journal.reader().hash_of(name, "alarm", 20)
    span = {"first": 1, "last": 20, "hash": hash_}
    receipt = {"panel": PANEL, "journal": name, "lane": "alarm", "ranges": [span]}
    journal.keep_receipt(name, "alarm", CENTER.sign(RECEIPT, receipt))
    assert journal.prune("2027-01-01T00:00:00.000Z", limit=9) == 9
    journal.commit([rig.commit("area.armed", "armed")])
    journal.tick(None)
    journal._flush()
    journal._store.close()
    return rig


def copy_of(rig: Rig, tmp_path: Path) -> Rig:
    other = Rig(tmp_path)
    shutil.rmtree(other.data, ignore_errors=True)
    shutil.copytree(rig.data, other.data)
    return other


def sql(rig: Rig, *statements: str) -> None:
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def codes(rig: Rig, **more: Any) -> list[tuple[str, int]]:
    return [(f.code, f.seq) for f in rig.verify(receipt_keys=CENTER_KEYS, **more).findings]


def test_the_untouched_file_is_sound(full: Rig) -> None:
    report = full.verify(receipt_keys=CENTER_KEYS)
    assert report.findings == []
    assert (report.first, report.sound) == (10, True)
    assert report.checkpoints >= 1


FIELDS = st.one_of(
    st.integers(-5, 200),
    st.text("abc0\u4e00", max_size=8),
    st.binary(max_size=8),
    st.none(),
    st.just("flip"),
)


@pytest.mark.clause("GB 55029 3.5.1(7) unaltered", "GB 12663 unaltered", "EN 50131-1 log protected")
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    table=st.sampled_from(TABLES),
    row=st.integers(0, 90),
    column=st.integers(0, 8),
    value=FIELDS,
    at=st.integers(0, 400),
)
def test_any_altered_field_of_any_row_is_found(
    full: Rig, tmp_path_factory: pytest.TempPathFactory, table: str, row: int, column: int, value: Field, at: int
) -> None:
    rig = copy_of(full, tmp_path_factory.mktemp("altered"))
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        names = [line[1] for line in connection.execute(f"PRAGMA table_info({table})")]
        name = names[column % len(names)]
        rows = connection.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid").fetchall()  # noqa: S608
        rowid, old = rows[row % len(rows)][0], rows[row % len(rows)][1 + names.index(name)]
        new = flipped(old, at) if value == "flip" else value
        try:
            connection.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (new, rowid))  # noqa: S608
        except sqlite3.IntegrityError:
            return
    if contents(rig.main) == contents(full.main):
        return  # SQLite took it for the same value
    assert codes(rig) != [], f"{table}.{name} of row {rowid}: {old!r} became {new!r}, unseen"
    shutil.rmtree(rig.data)


def flipped(value: Field, at: int) -> Field:
    if isinstance(value, int):
        return value ^ (1 << at % 8)
    if isinstance(value, bytes) and value:
        at %= len(value)
        return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]
    if isinstance(value, str) and value:
        at %= len(value)
        return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
    return "x"


@pytest.mark.clause("GB 55029 3.5.1(7) unaltered", "GB 12663 unaltered", "EN 50131-1 log protected")
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE record SET payload = CAST('{}' AS BLOB) WHERE seq = 40", ("payload", 40)),
        ("UPDATE record SET payload = NULL WHERE seq = 40", ("payload-missing", 40)),
        ("DELETE FROM record WHERE seq = 40", ("missing", 41)),
        ("DELETE FROM record WHERE seq BETWEEN 40 AND 42", ("lane", 43)),
        ("DELETE FROM record WHERE seq = 10", ("front", 11)),
        ("DELETE FROM record WHERE seq > 80", ("state-seq", 95)),
        ("UPDATE state SET state = CAST('disarmed' AS BLOB)", ("state", 95)),
        ("UPDATE state SET tick = NULL", ("state-row", 95)),
        ("DELETE FROM delivered WHERE lane = 'alarm'", ("delivered", 0)),
        (
            "UPDATE delivered SET jws = (SELECT jws FROM delivered WHERE lane = 'evidence') WHERE lane = 'alarm'",
            ("delivered", 0),
        ),
        ("DELETE FROM receipt", ("delivered", 0)),
        ("DELETE FROM base", ("front", 10)),
        ("DELETE FROM journal", ("session", 0)),
        ("DELETE FROM state", ("state", 0)),
        ("DELETE FROM record", ("empty", 0)),
    ],
)
def test_what_was_done_is_named_with_its_place(
    full: Rig, tmp_path: Path, statement: str, expected: tuple[str, int]
) -> None:
    rig = copy_of(full, tmp_path)
    sql(rig, statement)
    assert expected in codes(rig)


def test_two_records_that_changed_places_are_found(full: Rig, tmp_path: Path) -> None:
    rig = copy_of(full, tmp_path)
    sql(
        rig,
        "UPDATE record SET seq = -1, lane_seq = -lane_seq WHERE seq = 40",
        "UPDATE record SET seq = 40 WHERE seq = 43",
        "UPDATE record SET seq = 43, lane_seq = -lane_seq WHERE seq = -1",
    )
    assert {seq for code, seq in codes(rig) if code == "member"} == {40, 43}


@pytest.mark.clause("GB 55029 3.5.1(7) unaltered")
def test_a_rewritten_header_with_its_hash_breaks_the_chain_behind_it(full: Rig, tmp_path: Path) -> None:
    from firmware.protocol.canonical import canonical, sha256_hex

    rig = copy_of(full, tmp_path)
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        header = json.loads(connection.execute("SELECT header FROM record WHERE seq = 40").fetchone()[0])
        data = canonical({**header, "time": "2026-11-23T00:00:00.000Z"})
        connection.execute("UPDATE record SET header = ?, hash = ? WHERE seq = 40", (data, sha256_hex(data)))
    assert codes(rig) == [("prev", 41)]


@pytest.mark.clause("GB 55029 3.5.1(7) unaltered", "EN 50131-1 log protected")
def test_a_cut_tail_shows_against_the_delivery_the_receipt_and_the_center(full: Rig, tmp_path: Path) -> None:
    rig = copy_of(full, tmp_path)
    journal = full.verify().journal
    with closing(sqlite3.connect(rig.main)) as connection:
        seen = [
            {"journal": journal, "seq": seq, "hash": hash_}
            for seq, hash_ in connection.execute("SELECT seq, hash FROM record WHERE seq IN (95, 40)")
        ]
    assert codes(rig, seen=seen) == []
    sql(rig, "DELETE FROM record WHERE seq > 50")
    found = rig.verify(receipt_keys=CENTER_KEYS, seen=seen).findings
    assert ("cut", 95) in [(f.code, f.seq) for f in found]
    assert len([f for f in found if f.code == "cut" and "lane" in f.found]) >= 3
    other = [{"journal": journal, "seq": 40, "hash": "0" * 64}]
    assert ("seen", 40) in codes(rig, seen=other)


def test_an_older_copy_of_the_whole_file_shows_only_against_the_center(rig: Rig, tmp_path: Path) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.disarmed", "disarmed")])
    journal.snapshot(tmp_path / "old.sqlite")
    journal.commit([rig.commit("area.armed", "armed")])
    last = everything(journal)[-1]
    seen = [{"journal": journal.mark().journal, "seq": last.seq, "hash": last.hash}]
    assert rig.verify(tmp_path / "old.sqlite").sound
    assert [f.code for f in rig.verify(tmp_path / "old.sqlite", seen=seen).findings] == ["cut"]


def test_a_receipt_under_an_exchanged_key_is_one_and_under_a_strangers_is_a_finding(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder")])
    new = Signer(Ed25519PrivateKey.from_private_bytes(b"n" * 32))
    span = {"first": 1, "last": 1, "hash": journal.reader().hash_of(name, "alarm", 1)}
    receipt = {"panel": PANEL, "journal": name, "lane": "alarm", "ranges": [span]}
    journal.mark_delivered(name, "alarm", [(1, 1)])
    journal.keep_receipt(name, "alarm", new.sign(RECEIPT, receipt))
    journal.commit([rig.commit("area.armed", "armed")])
    assert [f.code for f in rig.verify(receipt_keys=CENTER_KEYS).findings] == ["receipt"]
    journal.commit([rig.commit("config.keys", "armed", by="center", receipt=[new.kid], command=[])])
    assert rig.verify(receipt_keys=CENTER_KEYS).sound
    journal.close()


def test_an_unsigned_acknowledgement_is_no_finding_and_never_replaces_a_receipt(rig: Rig) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder"), rig.commit("area.armed", "armed")])
    for lane in ("alarm", "status"):
        journal.mark_delivered(name, lane, [(1, 1)])
        journal.keep_receipt(name, lane, "dc09:receiver")
    journal.commit([rig.commit("area.disarmed", "disarmed")])
    assert rig.verify(receipt_keys=CENTER_KEYS).sound
    span = {"first": 1, "last": 1, "hash": journal.reader().hash_of(name, "alarm", 1)}
    signed = CENTER.sign(RECEIPT, {"panel": PANEL, "journal": name, "lane": "alarm", "ranges": [span]})
    for kept in (signed, "dc09:receiver"):
        journal.keep_receipt(name, "alarm", kept)
    journal.commit([rig.commit("area.armed", "armed")])
    journal.close()
    with closing(sqlite3.connect(rig.main)) as connection:
        assert dict(connection.execute("SELECT lane, jws FROM receipt")) == {"alarm": signed, "status": "dc09:receiver"}
    assert rig.verify(receipt_keys=CENTER_KEYS).sound


def test_another_panels_key_is_found(full: Rig) -> None:
    from firmware.journal.verify import verify

    assert [f.code for f in verify(full.main, CENTER.public).findings] == ["session"]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
@example(place=0, bit=0)
def test_a_flipped_bit_anywhere_in_the_file_is_found_or_harms_nothing(
    full: Rig, tmp_path_factory: pytest.TempPathFactory, place: int, bit: int
) -> None:
    rig = copy_of(full, tmp_path_factory.mktemp("flipped"))
    data = bytearray(rig.main.read_bytes())
    data[place % len(data)] ^= 1 << bit
    before = contents(full.main)
    rig.main.write_bytes(data)
    if rig.verify(receipt_keys=CENTER_KEYS).sound:
        assert contents(rig.main) == before
    shutil.rmtree(rig.data)


def contents(path: Path) -> list[list[tuple[Any, ...]]]:
    """With what its log holds: a page that stands there too may be altered in the file and harm nothing."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]  # noqa: S608


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=4096))
def test_any_bytes_get_a_report(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "journal.sqlite"
    path.write_bytes(data)
    report = Rig(path.parent).verify(path)
    assert not report.sound
    assert all(f.text == FINDINGS[f.code] for f in report.findings)


def test_verify_changes_nothing_beside_a_file_with_a_log(rig: Rig) -> None:
    journal = rig.open()
    journal.commit([rig.commit()])
    kept = {p.name: p.read_bytes() for p in rig.data.glob("journal.sqlite*") if not p.name.endswith("-shm")}
    assert len(kept["journal.sqlite-wal"]) > 0
    (rig.data / "journal.sqlite-shm").unlink()
    assert rig.verify().records == journal.mark().seq
    assert {p.name: p.read_bytes() for p in rig.data.glob("journal.sqlite*")} == kept
