"""A panel is mirrored, its board burns, and another board comes up as it was: armed, bypassed, with its users."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from firmware.journal.verify import verify
from firmware.protocol.jws import load_public
from provisioning.restore import main
from tests.child import exit_code
from tests.provisioning.calling import call
from tests.system.rig import Rig, rig
from tests.system.test_mirror import mirrored


def restore(place: Path, *words: str, mirror: str = "stick", limit: int = 0) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "provisioning.restore", str(place / mirror), "--config", str(place / "panel.toml")]
    environment = {**os.environ, "FENGHUO_LANG": "en"}
    return subprocess.run([*argv, *words], capture_output=True, text=True, env=environment, timeout=60)


@pytest.fixture(scope="module")
def burnt() -> Iterator[Path]:
    """What is left: the stick, an offline backup of the keys, and the state that the panel was in."""
    with rig(clock_rate=20, edit=mirrored) as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        since = panel.mark()
        panel.code(wish="bypass", zone="back-door")
        panel.wait("tell", "bypassed", since=since)
        panel.arm()
        panel.stop()
        shutil.copytree(panel.data / "keys", panel.folder / "backup")
        (panel.folder / "last.json").write_text(json.dumps(_end(panel.journal)))
        yield panel.folder


def _end(path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        header, seq, hash_ = connection.execute(
            "SELECT header, seq, hash FROM record ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    return {"journal": json.loads(header)["journal"], "seq": seq, "hash": hash_}


@pytest.fixture
def board(burnt: Path) -> Iterator[Rig]:
    """New hardware: the stick and the backup, and nothing else."""
    with rig(clock_rate=20) as new:
        new.panel_toml.unlink()
        shutil.rmtree(new.data, ignore_errors=True)
        for name in ("stick", "backup"):
            shutil.copytree(burnt / name, new.folder / name)
        yield new


def begun(board: Rig) -> dict[str, Any]:
    with closing(sqlite3.connect(board.journal)) as connection:
        payload: dict[str, Any] = json.loads(
            connection.execute("SELECT payload FROM record WHERE seq = 1").fetchone()[0]
        )
    return payload


def test_with_the_backup_of_its_keys_the_panel_comes_back_as_it_was(burnt: Path, board: Rig) -> None:
    last = json.loads((burnt / "last.json").read_text())
    shown = restore(board.folder, "--keys", str(board.folder / "backup"), "--dry-run", "--json")
    plan = json.loads(shown.stdout)
    assert (plan["journal"], plan["seq"], plan["bypassed"]) == (last["journal"], last["seq"], ["back-door"])
    assert set(plan["areas"].values()) == {"armed"}
    assert (plan["users_stay"], plan["keys"], plan["file"]) == (True, "backup", "copied")
    assert not board.data.exists()
    assert not board.panel_toml.exists()

    done = restore(board.folder, "--keys", str(board.folder / "backup"), "--yes")
    assert done.returncode == 0, done.stderr
    assert "their codes count as before" in done.stdout
    first = begun(board)
    assert (first["reason"], first["last"], first["users_removed"]) == ("restored", last, [])
    again = restore(board.folder, "--yes")
    assert (again.returncode, "already" in again.stdout) == (0, True)

    board.start("core")
    status = board.status()
    assert {area["mode"] for area in status["areas"].values()} == {"armed"}
    assert status["zones"]["back-door"]["bypassed"] is True
    assert _end(board.journal)["journal"] != last["journal"]
    since = board.mark()
    board.code()
    board.wait("tell", "disarmed", since=since)
    board.stop()
    board.check_journal()
    refused = restore(board.folder, "--yes")
    assert refused.returncode == 1, "the panel has gone on since"
    key = load_public(str(board.panel_x()))
    for path in (board.folder / "stick").glob("journal-*.sqlite"):
        assert verify(path, key).findings == [], "the stick goes on: the old journal and the new one"
    assert len(list((board.folder / "stick").glob("journal-*.sqlite"))) == 2


def test_without_the_keys_users_are_gone_and_all_else_is_as_it_was(burnt: Path, board: Rig) -> None:
    last = json.loads((burnt / "last.json").read_text())
    refused = restore(board.folder, "--yes")
    assert (refused.returncode, "--new-keys" in refused.stderr) == (1, True)
    assert not board.data.exists()
    done = restore(board.folder, "--new-keys", "--yes", "--json")
    told = json.loads(done.stdout)
    assert told["users"] == begun(board)["users_removed"] != []
    assert begun(board)["former_key"] == told["key"] != told["new_key"]
    board.start("core")
    status = board.status()
    assert {area["mode"] for area in status["areas"].values()} == {"armed"}
    assert status["users"] == {}
    board.add_user()
    board.stop()
    former = [load_public(json.loads(p.read_text())["x"]) for p in (board.data / "keys" / "former").glob("*.jwk")]
    own = load_public(str(board.panel_x()))
    old = verify(board.data / f"journal-{last['journal']}.sqlite", own, former=former)
    assert (old.findings, old.last) == ([], last["seq"])
    assert verify(board.journal, own).findings == []


def killed_at(step: int, words: list[str]) -> bool:
    """Restore in a child that is killed when it makes its n-th change of the disk; whether it came so far."""
    code = exit_code(_restore_until, step, words)
    assert code in (0, -signal.SIGKILL)
    return code != 0


def _restore_until(step: int, words: list[str]) -> None:
    _count_down(step)
    os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    sys.exit(main(words))


def _count_down(left: int) -> None:
    def counted(call: Any) -> Any:
        def wrapped(*args: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **more)

        return wrapped

    steps: list[tuple[Any, str]] = [(os, "fsync"), *((Path, n) for n in ("rename", "replace", "hardlink_to", "unlink"))]
    for owner, name in steps:
        setattr(owner, name, counted(getattr(owner, name)))


def test_a_restore_that_is_killed_anywhere_has_not_happened_and_can_be_done_again(burnt: Path, board: Rig) -> None:
    last = json.loads((burnt / "last.json").read_text())
    words = [str(board.folder / "stick"), "--config", str(board.panel_toml), "--keys", str(board.folder / "backup")]
    for step in range(1, 200):
        shutil.rmtree(board.data, ignore_errors=True)
        board.panel_toml.unlink(missing_ok=True)
        if not killed_at(step, [*words, "--yes"]):
            break
        happened = board.journal.exists()
        again = call(main, *words, "--yes")
        assert again.returncode == 0, (step, again.stderr)
        assert ("already" in again.stdout) is happened
        assert begun(board)["last"] == last
        assert not list(board.data.glob("restore-*"))
    assert step > 20
