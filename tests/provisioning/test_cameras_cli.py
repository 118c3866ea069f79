"""`fenghuo cameras relearn` against a small core on a real unix socket."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol.messages import from_technician
from provisioning.cameras import main
from tests.provisioning.calling import Done, call

BANK = Path("docs/examples/bank.toml").read_text()


class Core:
    """Takes what the technician's socket takes, and gives one answer to all."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"type": "answer", "ok": True}
        (folder / "panel.toml").write_text(BANK)
        (folder / "run").mkdir()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "run" / "technician.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as stream:
                for line in stream:
                    self.asked.append(from_technician.validate_python(json.loads(line)).model_dump())
                    stream.write(json.dumps(self.answer).encode() + b"\n")
                    stream.flush()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = Core(tmp_path)
    yield core
    core.close()


def relearn(folder: Path, camera: str = "lobby") -> Done:
    return call(main, "relearn", camera, "--code-stdin", "--config", str(folder / "panel.toml"), typed="271828\n")


def test_it_asks_core_with_the_code(core: Core, tmp_path: Path) -> None:
    done = relearn(tmp_path)
    assert (done.returncode, core.asked) == (0, [{"type": "camera-relearn", "camera": "lobby", "code": "271828"}])
    assert "learns what it sees now" in done.stdout


def test_a_refusal_is_told_and_exits_1(core: Core, tmp_path: Path) -> None:
    core.answer = {"type": "answer", "ok": False, "reason": "code: not that of an installer"}
    done = relearn(tmp_path)
    assert done.returncode == 1
    assert "not that of an installer" in done.stderr
    assert "271828" not in done.stdout + done.stderr


def test_a_camera_that_is_not_in_the_file(core: Core, tmp_path: Path) -> None:
    done = relearn(tmp_path, "attic")
    assert (done.returncode, core.asked) == (2, [])
    assert "expected lobby" in done.stderr
