"""QEMU's machine protocol (QMP) over its unix socket: commands, and events that are waited for.

One thread reads; whoever waits is woken. Events that nobody took are kept, the oldest 256 go first.
"""

import json
import socket
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

MOST_EVENTS = 256
ANSWER_S = 120.0


class QmpError(Exception):
    """QEMU refused a command, gave no answer, or is gone; the text says which and why."""


class Qmp:
    """A connection; `close` ends it. Safe to use from several threads, one command at a time."""

    def __init__(self, path: Path, timeout_s: float = 20.0) -> None:
        """Connect and greet. Raises `QmpError` where QEMU does not open its socket in time."""
        self._link = _connected(path, timeout_s)
        self._file = self._link.makefile("rwb")
        self._turn = threading.Lock()
        self._came = threading.Condition()
        self._answers: deque[dict[str, Any]] = deque()
        self._events: deque[dict[str, Any]] = deque(maxlen=MOST_EVENTS)
        self._ended = False
        threading.Thread(target=self._read, name="qmp", daemon=True).start()
        self("qmp_capabilities")

    def __call__(self, command: str, timeout_s: float = ANSWER_S, **arguments: Any) -> Any:
        """Do one command and return what it returns. Raises `QmpError`."""
        words = {"execute": command, "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}}
        with self._turn:
            try:
                self._file.write(json.dumps(words).encode() + b"\n")
                self._file.flush()
            except OSError as error:
                raise QmpError(f"{command}: QEMU is gone ({error})") from error
            with self._came:
                if not self._came.wait_for(lambda: self._answers or self._ended, timeout_s) or not self._answers:
                    raise QmpError(f"{command}: no answer within {timeout_s:g} s, or QEMU ended")
                answer = self._answers.popleft()
        if "error" in answer:
            raise QmpError(f"{command}: {answer['error'].get('desc')}")
        return answer["return"]

    def monitor(self, line: str) -> str:
        """One line of the human monitor, which says its errors as text. Raises `QmpError` where it said one."""
        said = str(self("human-monitor-command", command_line=line)).strip()
        if said.startswith("Error"):
            raise QmpError(f"{line}: {said}")
        return said

    def wait(self, name: str, timeout_s: float, **data: Any) -> dict[str, Any] | None:
        """The first event of this name, and with this data, that nobody took yet; None where it stays out."""
        end = time.monotonic() + timeout_s
        with self._came:
            while True:
                for event in self._events:
                    if event["event"] == name and data.items() <= event.get("data", {}).items():
                        self._events.remove(event)
                        return event
                left = end - time.monotonic()
                if left <= 0 or self._ended:
                    return None
                self._came.wait(left)

    def close(self) -> None:
        """End the connection; QEMU goes on."""
        self._link.close()

    def _read(self) -> None:
        try:
            for line in self._file:
                message = json.loads(line)
                with self._came:
                    if "event" in message:
                        self._events.append(message)
                    elif "QMP" not in message:
                        self._answers.append(message)
                    self._came.notify_all()
        except (OSError, ValueError):
            pass
        with self._came:
            self._ended = True
            self._came.notify_all()


def _connected(path: Path, timeout_s: float) -> socket.socket:
    end = time.monotonic() + timeout_s
    while True:
        link = socket.socket(socket.AF_UNIX)
        try:
            link.connect(str(path))
        except OSError as error:
            link.close()
            if time.monotonic() > end:
                raise QmpError(f"{path}: QEMU did not open it within {timeout_s:g} s ({error})") from error
            time.sleep(0.02)
        else:
            return link
