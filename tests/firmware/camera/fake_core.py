"""The other side of the camera's socket: a core that welcomes, orders, and reads what the process says."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

PATIENCE_S = 20.0
FIRST_TRY = 9000
"""Incidents from here on are for finding out whether a camera has begun to see."""


class FakeCore:
    """Listens at `path`; everything blocks, for at most `PATIENCE_S`."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.said: list[dict[str, Any]] = []
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(PATIENCE_S)
        self._peer: socket.socket | None = None
        self._rest = b""

    def accept(self, session: int = 1) -> None:
        """Take the next connection and welcome it."""
        self._peer, _ = self._listener.accept()
        self._peer.settimeout(PATIENCE_S)
        self._rest = b""
        welcome = {"type": "welcome", "panel": "branch-1", "session": session, "peer": 1, "version": "test"}
        self.send(json.dumps(welcome).encode())

    def send(self, line: bytes) -> None:
        assert self._peer is not None
        self._peer.sendall(line + b"\n")

    def order(self, incident: int, *cameras: str, zone: str = "pir") -> int:
        """Order pictures now; returns the moment, boot clock in ms."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        message = {
            "type": "capture",
            "incident": incident,
            "kind": "alarm.burglary",
            "zone": zone,
            "cameras": list(cameras),
            "time": "2026-03-14T23:09:26.123Z",
            "monotonic_ms": now,
        }
        self.send(json.dumps(message).encode())
        return now

    def until(self, **members: Any) -> dict[str, Any]:
        """Read until a message has these members; all that was read is in `said`."""
        until = time.monotonic() + PATIENCE_S
        for message in self._messages(until):
            self.said.append(message)
            if all(message.get(key) == value for key, value in members.items()):
                return message
        raise AssertionError(f"nothing said with {members}; said: {self.said}")

    def heard(self, **members: Any) -> dict[str, Any]:
        """As `until`, but what was said before counts too."""
        for message in self.said:
            if all(message.get(key) == value for key, value in members.items()):
                return message
        return self.until(**members)

    def manifests(self, incident: int, *cameras: str, until_ms: int) -> list[dict[str, Any]]:
        """The manifests of an incident, read until each camera has told a picture from `until_ms` or later."""
        while True:
            told = [m for m in self.said if m["type"] == "pictures" and m["incident"] == incident]
            done = {m["camera"] for m in told for p in m["pictures"] if p["offset_ms"] >= until_ms}
            if done >= set(cameras):
                return told
            self.until(type="pictures", incident=incident)

    def seeing(self, *cameras: str) -> None:
        """Order until each camera has given a picture: on a busy machine the first frame takes seconds."""
        until = time.monotonic() + PATIENCE_S
        waiting, incident = set(cameras), FIRST_TRY
        while waiting and time.monotonic() < until:
            self.order(incident, *sorted(waiting))
            while waiting:
                told = self.until(type="pictures", incident=incident)
                if told["pictures"]:
                    waiting.discard(told["camera"])
                elif told["last"]:
                    break
            incident += 1
        assert not waiting, f"no picture from {waiting}"

    def closed(self) -> bool:
        """Whether the other side hangs up; what it says before is read."""
        try:
            for message in self._messages(time.monotonic() + PATIENCE_S):
                self.said.append(message)
        except ConnectionError:
            return True
        return False

    def _messages(self, until: float) -> Iterator[dict[str, Any]]:
        assert self._peer is not None
        while True:
            *lines, self._rest = self._rest.split(b"\n")
            if lines:
                self._rest = b"\n".join([*lines[1:], self._rest])
                yield json.loads(lines[0])
                continue
            if not select.select([self._peer], [], [], max(0.0, until - time.monotonic()))[0]:
                return
            data = self._peer.recv(65536)
            if not data:
                raise ConnectionError("the camera process hung up")
            self._rest += data

    def hang_up(self) -> None:
        if self._peer is not None:
            self._peer.close()
            self._peer = None

    def close(self) -> None:
        self.hang_up()
        self._listener.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> "FakeCore":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()


class CameraProcess:
    """`fenghuo run camera` as a real process, its log in a file."""

    def __init__(self, folder: Path, config: Path, **environment: str) -> None:
        self.log = folder / "camera.log"
        command = [sys.executable, "-m", "firmware.commands", "camera", "--config", str(config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stderr=log, stdout=log, env={**os.environ, "FENGHUO_LANG": "en", **environment}
            )

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def resident_mib(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")

    def __enter__(self) -> "CameraProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(PATIENCE_S)


def panel_file(folder: Path, *cameras: dict[str, Any]) -> Path:
    """A small site whose cameras have these values."""
    lines = [
        '[panel]\nid = "branch-1"\nname = "Branch"\npins = "simulated"',
        '[[area]]\nid = "hall"\nnumber = 1\nname = "Hall"',
        '[[zone]]\nid = "pir"\nnumber = 1\nname = "PIR"\ntype = "instant"\nsensor = "pir"\nareas = ["hall"]',
        f"input = {{ line = 4 }}\ncameras = {json.dumps([camera['id'] for camera in cameras])}",
    ]
    for camera in cameras:
        lines.append('[[camera]]\nname = "Camera"')
        lines += [f"{key} = {json.dumps(value)}" for key, value in camera.items()]
    config = folder / "panel.toml"
    config.write_text("\n".join(lines))
    return config
