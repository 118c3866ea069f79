"""The first-boot drop: what moves, with which rights, what is refused, and a power cut in the middle."""

import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.boot import first_boot


@pytest.fixture(autouse=True)
def own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    places = {name: replace(p, owner=me if p.owner else "") for name, p in first_boot.PLACES.items()}
    monkeypatch.setattr(first_boot, "PLACES", places)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "fat" / "fenghuo"
    folder.mkdir(parents=True)
    (folder / "panel.toml").write_text("[panel]\n")
    (folder / "enrol.json").write_text('{"code": "x"}')
    (folder / "authorized_keys").write_text("ssh-ed25519 AAAA installer\n")
    (folder / "10-wan.network").write_text("[Match]\nName=e*\n")
    return folder


def test_each_file_goes_to_its_place(drop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    taken = first_boot.move(drop, data)
    assert sorted(taken) == ["10-wan.network", "authorized_keys", "enrol.json", "panel.toml"]
    modes = {str(p.relative_to(data)): p.stat().st_mode & 0o777 for p in data.rglob("*") if p.is_file()}
    assert modes == {
        "fenghuo/panel.toml": 0o644,
        "fenghuo/enrol.json": 0o600,
        "ssh/authorized_keys": 0o600,
        "network/10-wan.network": 0o644,
    }
    assert (data / "fenghuo/panel.toml").read_text() == "[panel]\n"


def test_a_panel_file_in_force_is_not_replaced(drop: Path, tmp_path: Path) -> None:
    target = tmp_path / "data/fenghuo/panel.toml"
    target.parent.mkdir(parents=True)
    target.write_text("the site's own")
    assert "panel.toml" not in first_boot.move(drop, tmp_path / "data")
    assert target.read_text() == "the site's own"


def test_a_link_and_what_is_too_big_are_not_taken(drop: Path, tmp_path: Path) -> None:
    (drop / "enrol.json").unlink()
    (drop / "enrol.json").symlink_to("/etc/passwd")
    (drop / "authorized_keys").write_bytes(b"x" * (first_boot.MAX_BYTES + 1))
    (drop / "evil.sh").write_text("#!/bin/sh\n")
    assert sorted(first_boot.move(drop, tmp_path / "data")) == ["10-wan.network", "panel.toml"]
    assert not (tmp_path / "data/ssh").exists()


def test_a_cut_before_the_drop_was_deleted_does_it_again(drop: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    first_boot.move(drop, data)
    (data / "fenghuo/panel.toml.part").write_text("half a f")
    (data / "fenghuo/panel.toml").unlink()
    assert "panel.toml" in first_boot.move(drop, data)
    assert (data / "fenghuo/panel.toml").read_text() == "[panel]\n"
    assert not (data / "fenghuo/panel.toml.part").exists()


def test_the_drop_is_blanked_and_deleted(drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = os.open(drop / "enrol.json", os.O_RDONLY)
    first_boot.clear(drop)
    assert not drop.exists()
    assert os.read(kept, 100) == b"\0" * len('{"code": "x"}')
    os.close(kept)
