"""A mirror copies what is new, stands at each moment as the journal stood, and finds its medium as it is."""

import contextlib
import errno
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from firmware.journal.schema import connect, file_uri
from firmware.mirror import copying, keeping, medium, reading_back
from firmware.mirror.copying import copy
from firmware.mirror.words import Setup
from tests.firmware.journal.rig import Rig, everything, remount, small_disk
from tests.firmware.mirror.rig import FILE, KEY, Stick, idle

FAR = "2099-01-01T00:00:00.000Z"


def state_of(path: Path) -> bytes:
    with closing(connect(file_uri(path, "ro"))) as connection:
        found: bytes = connection.execute("SELECT state FROM state").fetchone()[0]
    return found


def test_each_turn_leaves_the_journal_as_it_stands(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    name = journal.mark().journal
    assert stick.turn() == ("", "")
    for n in range(5):
        journal.commit([rig.commit("area.armed", f"state {n}", n=n)])
        journal.mark_delivered(name, "status", [(1, n + 1)])
        journal.keep_receipt(name, "status", f"receipt {n}")
        journal.tick(f"ticked {n}")
        assert stick.turn() == ("", "")
        assert stick.sound() == {name: journal.mark().seq}
        assert state_of(stick.copy(name)) == f"ticked {n}".encode()
    journal.close()
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: rig.verify().last}
    assert (stick.folder / "panel.toml").read_text() == FILE
    Path(stick.setup.file).write_text("edited, and not installed")
    assert stick.turn() == ("", "")
    assert (stick.folder / "panel.toml").read_text() == FILE
    assert (stick.folder / "keys" / "core.jwk").read_text() == KEY
    assert {stat.S_IMODE(path.stat().st_mode) for path in stick.folder.rglob("*.*")} == {0o600}
    assert not list(stick.folder.rglob("*.pem"))
    assert not list(stick.folder.rglob("pepper"))


def test_what_does_not_change_is_not_written(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    stick.turn()
    before = stick.copy(journal.mark().journal).stat().st_mtime_ns
    for _ in range(3):
        assert stick.turn() == ("", "")
    assert stick.copy(journal.mark().journal).stat().st_mtime_ns == before
    assert stick.mirror.records == journal.mark().seq


def test_a_long_gap_is_caught_up_in_one_transaction(rig: Rig, stick: Stick, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("area.armed", "before", n=0)])
    stick.turn()
    seq = journal.mark().seq
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(copying.CHUNK * 3)])
    pieces = 0

    def pulled() -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 3:
            raise OSError(errno.EIO, "pulled")

    assert stick.mirror.turn(9.0, pulled)[0] == "io"
    assert stick.sound() == {name: seq}, "the copy of before"
    assert state_of(stick.copy(name)) == b"before"
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: journal.mark().seq}


def test_a_long_first_copy_that_is_cut_short_has_not_happened(
    rig: Rig, stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "CHUNK", 8)
    monkeypatch.setattr(copying, "PART", 16)
    journal = rig.open()
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(100)])
    pieces = 0

    def pulled() -> None:
        nonlocal pieces
        pieces += 1
        if pieces == 10:
            raise OSError(errno.EIO, "pulled")

    assert stick.mirror.turn(1.0, pulled)[0] == "io"
    assert stick.sound() == {}
    assert stick.turn() == ("", "")
    assert stick.sound() == {journal.mark().journal: journal.mark().seq}


def test_what_the_panel_lets_go_of_goes_here_too(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(300)])
    stick.turn()
    journal.mark_delivered(name, "status", [(1, 2)])
    journal.mark_delivered(name, "alarm", [(1, 150)])
    assert journal.prune(FAR) > 100
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: journal.mark().seq}
    first = everything(journal)[0].seq
    with closing(sqlite3.connect(stick.copy(name))) as connection:
        assert connection.execute("SELECT min(seq) FROM record").fetchone() == (first,)
    other = Stick(rig, stick.folder.parent / "other")
    assert other.turn() == ("", ""), "a mirror that begins behind a base"
    assert other.sound() == {name: journal.mark().seq}


def test_a_new_journal_and_the_run_folder_s_are_mirrored_beside_the_old(rig: Rig, tmp_path: Path) -> None:
    with small_disk(rig.data, "2m"):
        stick = Stick(rig, tmp_path / "stick")
        journal = rig.open()
        first = journal.mark().journal
        journal.commit([rig.commit("area.armed", "armed", n=1)])
        stick.turn()
        filler = rig.data / "filler"
        with pytest.raises(OSError, match="space"):
            filler.write_bytes(bytes(4_000_000))
        n = 1
        while journal.place == "disk":
            n += 1
            journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n, pad="x" * 500)])
        second = journal.mark()
        assert stick.turn() == ("", "")
        assert stick.sound()[second.journal] == second.seq
        assert first in stick.sound()
        filler.unlink()
        rig.clock.turn(600_000)
        journal.tend()
        assert journal.place == "disk"
        journal.commit([rig.commit("area.disarmed", "disarmed", n=n + 1)])
        assert stick.turn() == ("", "")
        assert stick.sound()[second.journal] == journal.mark().seq
        assert state_of(stick.copy(second.journal)) == b"disarmed"


def test_a_rescued_journal_is_mirrored_with_its_gaps(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    first = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(10)])
    journal.close()
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        connection.execute("UPDATE record SET payload = x'00' WHERE seq = 7")
    journal = rig.open()
    assert stick.turn() == ("", "")
    with closing(sqlite3.connect(stick.copy(first))) as connection:
        assert connection.execute("SELECT count(*) FROM record WHERE seq = 7").fetchone() == (0,)
    assert stick.turn() == ("", "")


def test_a_broken_record_never_reaches_the_mirror(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    name = journal.mark().journal
    stick.turn()
    seq = journal.mark().seq
    journal.commit([rig.commit("alarm.intruder", "s", n=1)])
    with closing(sqlite3.connect(rig.main, isolation_level=None)) as connection:
        connection.execute("UPDATE record SET payload = x'00' WHERE seq = ?", (seq + 1,))
    code, text = stick.turn()
    assert (code, "payload" in text, stick.sound()) == ("journal", True, {name: seq})


def test_a_panel_put_back_is_noticed_and_the_longer_copy_kept(rig: Rig, stick: Stick, tmp_path: Path) -> None:
    journal = rig.open()
    name = journal.mark().journal
    journal.snapshot(tmp_path / "old.sqlite")
    journal.commit([rig.commit("alarm.intruder", "alarm", n=1)])
    stick.turn()
    seq = journal.mark().seq
    journal.close()
    shutil.copy(tmp_path / "old.sqlite", rig.main)
    journal = rig.open()
    journal.commit([rig.commit("area.disarmed", "disarmed", n=2)])
    assert stick.turn()[0] == "diverged"
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: journal.mark().seq}
    (aside,) = stick.folder.glob("*.diverged-1.sqlite")
    assert rig.verify(aside).last == seq


@pytest.mark.parametrize("how", ["another panel's", "not a label", "journals of nobody"])
def test_a_medium_that_is_not_ours_is_left_alone(rig: Rig, stick: Stick, how: str) -> None:
    rig.open()
    stick.folder.mkdir()
    label = stick.folder / medium.LABEL
    match how:
        case "another panel's":
            label.write_text('{"format":1,"panel":"school-3"}')
        case "not a label":
            label.write_text("[" * 500)
        case _:
            (stick.folder / "journal-x.sqlite").write_bytes(b"")
    before = {path: path.read_bytes() for path in stick.folder.iterdir()}
    assert stick.turn()[0] in ("foreign", "label")
    assert {path: path.read_bytes() for path in stick.folder.iterdir()} == before


def test_a_mount_point_without_its_stick_is_not_taken_for_one(rig: Rig, tmp_path: Path) -> None:
    rig.open()
    place = tmp_path / "media"
    place.mkdir()
    stick = Stick(rig, place / "fenghuo", second=True)
    assert stick.turn()[0] == "missing"
    assert not list(place.iterdir())
    with small_disk(place, "16m"):
        assert stick.turn() == ("", "")
        assert len(stick.sound()) == 1
    assert stick.turn()[0] == "missing"
    assert not list(place.iterdir())


def test_another_medium_in_the_same_place_is_filled_too(rig: Rig, stick: Stick) -> None:
    journal = rig.open()
    assert stick.turn() == ("", "")
    stick.folder.rename(stick.folder.with_name("pulled"))
    assert stick.turn() == ("", "")
    assert stick.sound() == {journal.mark().journal: journal.mark().seq}


def test_full_read_only_and_well_again(rig: Rig, tmp_path: Path) -> None:
    journal = rig.open()
    name = journal.mark().journal
    with small_disk(tmp_path / "usb", "12m") as usb:
        stick = Stick(rig, usb, second=True)
        assert stick.turn() == ("", "")
        filler = usb / "filler"
        filler.write_bytes(bytes(6_000_000))
        assert stick.turn()[0] == "nearly-full"
        filler.write_bytes(bytes(6_000_000))
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        seq = journal.mark().seq
        journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n, pad="x" * 900) for n in range(200)])
        assert stick.turn()[0] == "full"
        filler.unlink()
        assert stick.turn() == ("", "")
        assert stick.sound() == {name: journal.mark().seq}
        remount(usb, "ro")
        journal.commit([rig.commit("alarm.intruder", "last", n=-1)])
        assert stick.turn()[0] in ("read-only", "cantopen", "io")
        assert stick.sound() == {name: journal.mark().seq - 1}
        remount(usb, "rw")
        assert stick.turn() == ("", "")
        assert stick.sound()[name] == journal.mark().seq > seq


@pytest.mark.parametrize("how", ["a row", "a page"])
def test_a_copy_that_rots_is_found_made_anew_and_believed_when_read_back(
    rig: Rig, stick: Stick, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_back, "STEP", 40)
    journal = rig.open()
    name = journal.mark().journal
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(200)])
    for _ in range(8):
        assert stick.turn() == ("", "")
    assert stick.mirror.checked == journal.mark().seq
    if how == "a row":
        with closing(sqlite3.connect(stick.copy(name), isolation_level=None)) as connection:
            connection.execute("UPDATE record SET payload = x'00' WHERE seq = 77")
    else:
        data = bytearray(stick.copy(name).read_bytes())
        data[4096:] = bytes(len(data) - 4096)
        stick.copy(name).write_bytes(data)
    stick.now_s += reading_back.ROUND_S
    said = [stick.turn()[0] for _ in range(20)]
    assert "damaged" in said
    assert said[-1] == "", "read back whole again"
    assert stick.sound() == {name: journal.mark().seq}
    assert len(list(stick.folder.glob("*.damaged-*.sqlite"))) == 1


def test_set_aside_copies_stay_few(rig: Rig, stick: Stick, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_ASIDE", 2)
    journal = rig.open()
    name = journal.mark().journal
    for _ in range(5):
        stick.turn()
        stick.copy(name).write_bytes(b"no database at all, and longer than a header of one" * 30)
        stick.now_s += reading_back.ROUND_S
        journal.commit([rig.commit("alarm.intruder", "s", n=1)])
        assert stick.turn()[0] in ("notadb", "damaged")
    assert len(list(stick.folder.glob("*.damaged-*.sqlite"))) == 2
    for _ in range(3):
        last = stick.turn()
    assert (last, stick.sound()) == (("", ""), {name: journal.mark().seq})


def test_while_the_medium_is_written_nothing_of_the_journal_is_held(rig: Rig, stick: Stick) -> None:
    """A stick that hangs: the writer goes on, and may move its log."""
    journal = rig.open()
    journal.commit([rig.commit("alarm.intruder", f"s{n}", n=n) for n in range(copying.CHUNK * 2)])
    looked = []

    def hangs() -> None:
        journal.commit([rig.commit("alarm.intruder", "meanwhile", n=-1)])
        looked.append(journal._store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])

    stick.folder.mkdir()
    target, _ = copy(rig.main, stick.folder, rig.panel, hangs)
    assert looked
    assert set(looked) == {0}, "the log could not be moved: somebody reads"
    assert rig.verify(target).findings == []


def test_a_setup_reads_back(rig: Rig, stick: Stick) -> None:
    from firmware.mirror import words

    assert words.setup(words.packed(stick.setup)) == stick.setup
    for packet in (b"", b"[]", b"{}", b'{"panel":1}', words.packed(stick.setup).replace(b"false", b"0")):
        with pytest.raises(words.BadWord):
            words.setup(packet)
    assert isinstance(stick.setup, Setup)
    assert idle() is None  # type: ignore[func-returns-value]
