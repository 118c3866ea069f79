"""Logging of the panel's processes to standard error: for journald with its priority prefixes, else with the time.

journald keeps the time and the process itself, and reads `<6>` in front of each line (sd-daemon(3)). Nobody who logs
waits for the reader: a journald that hangs on its disk, or a terminal that is stopped, must not stop a siren.
"""

import io
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error", "critical")

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


MAX_WAITING = 1000
"""Records that may wait for the reader; more are dropped, and their number is told when it reads again."""
FAREWELL_S = 1.0


class AsideHandler(logging.Handler):
    """Writes to a file descriptor from a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.dropped = 0
        self._descriptor = descriptor
        self._waiting: deque[str] = deque()
        self._writing = False
        self._moved = threading.Condition()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Put the record aside; never waits."""
        try:
            text = self.format(record)
        except Exception:
            self.handleError(record)
            return
        with self._moved:
            if len(self._waiting) >= MAX_WAITING:
                self.dropped += 1
            else:
                self._waiting.append(text)
                self._moved.notify_all()

    def flush(self) -> None:
        """Wait until all is written, but no longer than a second."""
        with self._moved:
            self._moved.wait_for(lambda: not self._waiting and not self._writing, FAREWELL_S)

    def _run(self) -> None:
        while True:
            with self._moved:
                self._moved.wait_for(lambda: bool(self._waiting))
                text, self._writing = self._waiting.popleft(), True
                lost = self.dropped if not self._waiting else 0
                self.dropped -= lost
            self._write(text)
            if lost:
                self._write(self.format(_lost(lost)))
            with self._moved:
                self._writing = False
                self._moved.notify_all()

    def _write(self, text: str) -> None:
        # Not through sys.stderr: its lock would be held while we wait, and keep the process from ending.
        data = memoryview(f"{text}\n".encode(errors="backslashreplace"))
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            return  # nobody is there to be told


def _lost(count: int) -> logging.LogRecord:
    text = "%d log records were lost: nobody read them in time"
    return logging.LogRecord("fenghuo.log", logging.WARNING, __file__, 0, text, (count,), None)


class JournalFormatter(logging.Formatter):
    """`<6>logger: text`, the prefix on every line of a long one."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{next((p for level, p in _PRIORITIES if record.levelno >= level), 7)}>"
        text = f"{record.name}: {super().format(record)}"
        return "\n".join(prefix + line for line in text.splitlines())


class TerminalFormatter(logging.Formatter):
    """`12:34:56.789 warning core.engine: text`."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created)
        clock = f"{moment:%H:%M:%S}.{int(record.msecs):03d}"
        return f"{clock} {record.levelname.lower():7} {record.name}: {super().format(record)}"


def setup(level: str, stream: TextIO | None = None, environment: Mapping[str, str] = os.environ) -> None:
    """Send everything of `level` (one of `LEVELS`) and above to `stream`, standard error by default."""
    handler = _handler(stream)
    stream = stream or sys.stderr
    for_people = stream.isatty() and "JOURNAL_STREAM" not in environment
    handler.setFormatter(TerminalFormatter() if for_people else JournalFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _handler(stream: TextIO | None) -> logging.Handler:
    if stream is None:
        try:
            return AsideHandler(sys.stderr.fileno())
        except (io.UnsupportedOperation, ValueError):
            pass  # no file is behind it
    return logging.StreamHandler(stream)
