"""Another panel file: what is refused, what lies on the disk at each moment, and the way back."""

import base64
import hashlib
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pins import DriverError
from firmware.config import Loaded, load
from firmware.core import installing, main
from firmware.core.installing import REASONS, Installing, NotInstallable, judged, put_in_force, stage, take_back, unpack

BANK = Path("docs/examples/bank.toml").read_bytes()
OTHER = BANK.replace(b"siren_s = 300", b"siren_s = 200")


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    (tmp_path / "panel.toml").write_bytes(BANK)
    return load(tmp_path / "panel.toml")


def names(loaded: Loaded) -> list[str]:
    return sorted(path.name for path in loaded.folder.glob("*"))


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def test_a_file_comes_whole_or_not_at_all() -> None:
    assert unpack(packed(OTHER), digest(OTHER)) == OTHER
    cut = base64.b64encode(zlib.compress(OTHER)[:-9]).decode()
    bomb = packed(b"#" * (installing.MAX_BYTES + 1))
    for text, hash_ in ((packed(OTHER), digest(BANK)), (cut, digest(OTHER)), (bomb, ""), ("eA==", ""), ("x", "")):
        with pytest.raises(NotInstallable, match="file-damaged"):
            unpack(text, hash_)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused(data: bytes) -> None:
    with pytest.raises(NotInstallable):
        unpack(base64.b64encode(data).decode(), "0" * 64)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (BANK, "file-same"),
        (b"x = [", "file-mistakes"),
        (BANK.replace(b"siren_s = 300", b"siren_s = 1"), "file-mistakes"),
        (BANK.replace(b'"bank-0001"', b'"bank-0002"'), "file-panel"),
        (BANK.replace(b'pins = "board"', b'pins = "simulated"'), "file-pins"),
        (BANK.replace(b'data = "data"', b'data = "d"'), "file-data"),
        (BANK.replace(b'run = "run"', b'run = "r"'), "file-run"),
    ],
)
def test_what_may_not_come_into_force(raw: bytes, reason: str, loaded: Loaded) -> None:
    with pytest.raises(NotInstallable) as refused:
        judged(loaded, raw)
    assert str(refused.value) == reason
    assert all(REASONS[reason])


def test_the_swap_keeps_the_file_before_and_its_rights(loaded: Loaded) -> None:
    loaded.path.chmod(0o640)
    new = judged(loaded, OTHER)
    stage(new, OTHER)
    assert loaded.path.read_bytes() == BANK
    assert put_in_force(new)
    assert loaded.path.read_bytes() == OTHER
    assert loaded.path.stat().st_mode & 0o777 == 0o640
    assert (loaded.folder / "panel.toml.old").read_bytes() == BANK
    assert take_back(new)
    assert (loaded.path.read_bytes(), (loaded.folder / "panel.toml.refused").read_bytes()) == (BANK, OTHER)
    assert names(loaded) == ["panel.toml", "panel.toml.refused"]


def test_what_was_exchanged_after_the_approval_is_not_taken(loaded: Loaded) -> None:
    new = judged(loaded, OTHER)
    stage(new, OTHER)
    (loaded.folder / "panel.toml.new").write_bytes(OTHER + b"#")
    assert not put_in_force(new)
    assert (loaded.path.read_bytes(), names(loaded)) == (BANK, ["panel.toml"])


@pytest.mark.parametrize("at", range(1, 9))
def test_at_every_step_one_whole_file_stands_under_the_name(
    at: int, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call that changes the disk fails in its turn, as on a full or dying card."""
    new, count = judged(loaded, OTHER), 0

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*words: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            assert loaded.path.read_bytes() in (BANK, OTHER)
            if count == at:
                raise OSError(28, "No space left on device")
            return real(*words, **more)

        return call

    monkeypatch.setattr(os, "fsync", failing(os.fsync))
    monkeypatch.setattr(Path, "replace", failing(Path.replace))
    monkeypatch.setattr(Path, "chmod", failing(Path.chmod))
    try:
        stage(new, OTHER)
        swapped = put_in_force(new)
    except NotInstallable as no:
        swapped = False
        reason = str(no)
    else:
        reason = ""
    monkeypatch.undo()
    assert reason in ("", "file-unwritable")
    assert loaded.path.read_bytes() in ((OTHER,) if swapped else (BANK, OTHER))
    assert "panel.toml.new" not in names(loaded)


def wish(loaded: Loaded, raw: bytes, at_rest: bool = True) -> tuple[str, Installing]:
    made, answers, done = Installing(loaded, lambda: at_rest), [], threading.Event()

    def answer(reason: str) -> None:
        answers.append(reason)
        done.set()

    made.wish(raw, "fitter", answer)
    assert done.wait(20)
    return answers[0], made


def test_a_wish_is_judged_beside_and_one_at_a_time(loaded: Loaded) -> None:
    assert wish(loaded, OTHER, at_rest=False)[0] == "file-armed"
    assert names(loaded) == ["panel.toml"]
    reason, made = wish(loaded, OTHER)
    assert reason == ""
    assert (loaded.folder / "panel.toml.new").read_bytes() == OTHER
    again: list[str] = []
    made.wish(OTHER, "other", again.append)
    assert again == ["file-busy"]


class _Panel:
    """The panel as `core.main` uses it: its first life ends by an approved file, by which it then can't start."""

    armed = False
    lives: list[str] = []
    starts = True

    def __init__(self, loaded: Loaded, _clock: object, user: str = "") -> None:
        self.lives.append(f"{loaded.sha256[:8]} {user}".strip())
        if not self.starts and user:
            raise DriverError(("no such line", "无此线路"))
        approved = None if len(self.lives) > 1 else SimpleNamespace(loaded=judged(loaded, OTHER), user="fitter")
        spent = "over" if len(self.lives) > 1 else ""
        if approved is not None:
            stage(approved.loaded, OTHER)
        self.inside = SimpleNamespace(
            loaded=loaded,
            installing=SimpleNamespace(approved=approved),
            at_rest=lambda: not self.armed,
            spent=lambda: spent,
        )
        self.start = self.open = lambda: None
        self.alive = lambda: True
        self.reasons: list[str] = []
        self.stop = self.reasons.append


@pytest.mark.parametrize(
    ("armed", "starts", "in_force", "code", "lives"),
    [
        (False, True, OTHER, 0, [BANK, OTHER]),
        (False, False, BANK, main.ANEW, [BANK, OTHER]),
        (True, True, BANK, 0, [BANK, BANK]),
    ],
)
def test_the_lives_of_core(
    armed: bool, starts: bool, in_force: bytes, code: int, lives: list[bytes], loaded: Loaded, monkeypatch: Any
) -> None:
    monkeypatch.setattr(_Panel, "armed", armed)
    monkeypatch.setattr(_Panel, "starts", starts)
    monkeypatch.setattr(_Panel, "lives", [])
    monkeypatch.setattr(main, "Panel", _Panel)
    monkeypatch.setattr(main, "LONGEST_BEAT_S", 0.01)
    # The second life ends by its battery, and then by the stop.
    monkeypatch.setattr(main, "_park", lambda _loaded, _clock, stop: stop.set("over"))
    assert main.run(loaded) == code
    assert loaded.path.read_bytes() == in_force
    assert [life.split()[0] for life in _Panel.lives] == [digest(raw)[:8] for raw in lives]
    assert "panel.toml.new" not in names(loaded)
