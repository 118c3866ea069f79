"""The panel of the demo, from outside: its processes as one child, and its desk and technician sockets."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.protocol import messages as m
from firmware.protocol.lines import Client, LineTooLong
from hil.timeline import Happening

STOP_S = 15.0
"""So long the panel may take to stop; then its process group is killed."""
_ANSWER_S = 10.0


class PanelDied(Exception):
    """The panel's processes ended by themselves; the text holds the end of their log."""


class Refused(Exception):
    """Core did not do what the desk or the technician asked; the text says why."""


class PanelProcesses:
    """`fenghuo run all` as a child, in a session of its own: Ctrl-C at the terminal reaches only the demo."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Process id, which is that of the session and group too."""
        return self._process.pid

    def check(self) -> None:
        """Raises `PanelDied` when it ended."""
        code = self._process.poll()
        if code is not None:
            raise PanelDied(f"exit code {code}, {self._log}:\n{self.tail()}")

    def tail(self, lines: int = 12) -> str:
        """The end of the log."""
        with self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def stop(self) -> bool:
        """SIGTERM, wait, and kill what is left of the group; whether it stopped by itself, without a failure.

        Ended by the SIGTERM itself counts too: it came before the panel had begun to listen.
        """
        clean = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                clean = False
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        except PermissionError:  # what macOS says of a group that holds only zombies
            pass
        self._process.wait(5)
        return clean and self._process.returncode in (0, -signal.SIGTERM)


def ask(socket: Path, message: BaseModel, timeout_s: float = _ANSWER_S) -> dict[str, Any]:
    """Send one message over a connection of its own; the `detail` of the answer. Raises `Refused` and `OSError`."""
    client = Client(socket, timeout_s)
    try:
        client.send(message)
        answer = client.receive(timeout_s)
    finally:
        client.close()
    if answer is None:
        raise Refused(f"no answer within {timeout_s:g} s")
    return detail_of(answer)


def detail_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The detail of an answer of core's. Raises `Refused` for one that says no, or is none."""
    if answer.get("type") != "answer" or not answer.get("ok"):
        raise Refused(f"{answer.get('reason')} {answer.get('detail') or ''}".strip())
    detail = answer.get("detail")
    return detail if isinstance(detail, dict) else {}


class Watcher:
    """Follows the desk socket in a thread of its own, over restarts of core; hands each `seen` on as a happening.

    It asks for what it missed since core started: a new connection is nearly always to a new core.
    """

    def __init__(self, socket: Path, sink: Callable[[Happening], None]) -> None:
        self._socket = socket
        self._sink = sink
        self._ending = threading.Event()
        self.watching = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin; `watching` is set once core has taken the wish."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        while not self._ending.wait(0.05):
            try:
                client = Client(self._socket)
            except OSError:
                continue
            try:
                client.send(m.Watch(replay=True))
                while not self._ending.is_set():
                    line = client.receive(0.2)
                    if line is not None:
                        self._take(line)
            except (OSError, ValueError, LineTooLong):
                pass  # core stopped or was killed: come back when it is there again
            finally:
                self.watching.clear()
                client.close()

    def _take(self, line: dict[str, Any]) -> None:
        if line.get("type") == "answer":
            self.watching.set()
        elif line.get("type") == "seen":
            seen = m.Seen.model_validate(line)
            self._sink(Happening(seen.monotonic_ms, "core", seen.what, seen.name, seen.value))
