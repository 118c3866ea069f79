"""Logging of the panel's processes to standard error: for journald with its priority prefixes, else with the time.

journald keeps the time and the process itself, and reads `<6>` in front of each line (sd-daemon(3)).
"""

import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error", "critical")

_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


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
    stream = stream or sys.stderr
    for_people = stream.isatty() and "JOURNAL_STREAM" not in environment
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TerminalFormatter() if for_people else JournalFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
