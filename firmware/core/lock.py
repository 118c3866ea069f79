"""One core for each data folder: a second one would claim the same lines, take over the sockets and write the journal.

A lock of the kernel on `core.lock`, so it ends with the process however that ends; the file stays and means nothing.
"""

import fcntl
import os
from pathlib import Path

from firmware.language import Text

NAME = "core.lock"

TAKEN: Text = (
    "another core{who} runs on {folder}; stop it first, or give this panel a `data` folder of its own under [storage]",
    "另一个 core 进程{who}正在使用 {folder};请先停止它,或在 [storage] 中为此主机另设 data 目录",
)


class AlreadyRunning(Exception):
    """Another core holds the folder. `text` is English and Chinese; `str` is English."""

    def __init__(self, folder: Path, pid: str) -> None:
        who = f" (process {pid})" if pid else ""
        who_zh = f"(进程 {pid})" if pid else ""
        self.text: Text = (TAKEN[0].format(who=who, folder=folder), TAKEN[1].format(who=who_zh, folder=folder))
        super().__init__(self.text[0])


class DataLock:
    """Holds the data folder of a panel until `release`, or the end of the process."""

    def __init__(self, folder: Path) -> None:
        """Take it at once. Raises `AlreadyRunning`, or `OSError` where the folder can't be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            pid = _pid(self._handle)
            os.close(self._handle)
            if isinstance(error, BlockingIOError):
                raise AlreadyRunning(folder, pid) from None
            raise
        self._say_who()

    def _say_who(self) -> None:
        """The process id, for whoever finds the folder taken; a full disk has no room for it, and that is all right."""
        try:
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return

    def release(self) -> None:
        """Let go of it; what holds it no more may be released again."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _pid(handle: int) -> str:
    text = os.pread(handle, 16, 0).decode("ascii", "replace").strip()
    return text if text.isdigit() else ""
