"""Putting another panel file into force (DESIGN §4): who may and what may is judged here, the swap is made between two
lives of the panel, when the rules have stopped, so that nobody can arm in between.

At every moment the whole of one file stands under the panel file's name. The one before is kept as `NAME.old`; a file
with which the panel can't start is taken back, and kept as `NAME.refused`.
"""

import hashlib
import logging
import os
import threading
import zlib
from base64 import b64decode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firmware.config.loaded import Loaded
from firmware.durable import sync_folder
from firmware.language import Text

MAX_BYTES = 1024 * 1024
"""Of the file; as `firmware.config.MAX_BYTES`, whose module a core that comes back does not load."""

REASONS: Mapping[str, Text] = {
    "file-damaged": ("the file came damaged; send it again", "文件传输损坏，请重试"),
    "file-same": ("this file is in force already", "该文件已在使用中"),
    "file-mistakes": ("the file has mistakes here; see: fenghuo site check", "文件有错误，请运行 fenghuo site check"),
    "file-panel": ("another panel id: that is another panel's file", "主机编号不同：这是另一台主机的文件"),
    "file-pins": ("`pins` can't be changed on a running panel", "运行中的主机不可更改 pins"),
    "file-data": ("another data folder would be a panel without journal and users", "更改数据目录将丢失日志与用户"),
    "file-run": ("another folder for sockets would lose the panel's other processes", "更改套接字目录将与其他进程失联"),
    "file-armed": ("an area is not disarmed, or a siren sounds", "有区域未撤防，或警号正在鸣响"),
    "file-unwritable": (
        "the panel can't write beside its file: rights, or a full disk",
        "主机无法写入：权限不足或磁盘已满",
    ),
    "file-busy": ("another file is being installed", "正在安装另一个文件"),
}
"""Why not, by the word that core answers with."""

log = logging.getLogger("fenghuo.core.installing")


class NotInstallable(Exception):
    """`args[0]` is one of `REASONS`."""


@dataclass(frozen=True)
class Approved:
    """A checked file that lies beside the one in force, and who wants it there."""

    loaded: Loaded
    user: str


class Installing:
    """Takes wishes on the socket thread, judges the file on one of its own: its models are slow to load on a board."""

    def __init__(self, loaded: Loaded, at_rest: Callable[[], bool]) -> None:
        """`at_rest`: whether all is disarmed and silent; from any thread."""
        self._loaded = loaded
        self._at_rest = at_rest
        self._busy = False
        self.approved: Approved | None = None

    def wish(self, raw: bytes, user: str, answer: Callable[[str], None]) -> None:
        """Install these bytes for this user; `answer` gets "" or the reason, from another thread."""
        if self._busy:
            answer("file-busy")
            return
        self._busy = True
        threading.Thread(target=lambda: self._judge(raw, user, answer), name="installing", daemon=True).start()

    def _judge(self, raw: bytes, user: str, answer: Callable[[str], None]) -> None:
        try:
            if not self._at_rest():
                raise NotInstallable("file-armed")
            loaded = judged(self._loaded, raw)
            stage(loaded, raw)
        except NotInstallable as no:
            self._busy = False
            answer(str(no))
        except Exception:
            log.exception("a panel file could not be judged")
            self._busy = False
            answer("file-mistakes")
        else:
            answer("")
            self.approved = Approved(loaded, user)


def unpack(packed: str, sha256: str) -> bytes:
    """The file from its message: base64 of zlib, bounded. Raises `NotInstallable`."""
    try:
        stream = zlib.decompressobj()
        raw = stream.decompress(b64decode(packed, validate=True), MAX_BYTES + 1)
    except (ValueError, zlib.error):
        raise NotInstallable("file-damaged") from None
    if not stream.eof or len(raw) > MAX_BYTES or hashlib.sha256(raw).hexdigest() != sha256:
        raise NotInstallable("file-damaged")
    return raw


def judged(old: Loaded, raw: bytes) -> Loaded:
    """The file as it will be loaded. Raises `NotInstallable`."""
    from firmware.config import BadPanelFile, checked

    try:
        new = checked(old.path, raw)
    except BadPanelFile as bad:
        log.warning("a panel file was refused:\n%s", bad.say("en"))
        raise NotInstallable("file-mistakes") from None
    if new.sha256 == old.sha256:
        raise NotInstallable("file-same")
    for same, reason in (
        (new.file.panel.id == old.file.panel.id, "file-panel"),
        (new.file.panel.pins == old.file.panel.pins, "file-pins"),
        (new.data == old.data, "file-data"),
        (new.run == old.run, "file-run"),
    ):
        if not same:
            raise NotInstallable(reason)
    return new


def stage(new: Loaded, raw: bytes) -> None:
    """Lay the file beside the one in force, safe on the medium. Raises `NotInstallable`."""
    path = new.path.resolve()
    staged = _beside(path, "new")
    try:
        _write(staged, raw)
        staged.chmod(path.stat().st_mode & 0o777)
    except OSError as error:
        log.error("a panel file can't be laid beside %s: %s", path, error)
        with suppress(OSError):
            staged.unlink(missing_ok=True)
        raise NotInstallable("file-unwritable") from None


def put_in_force(new: Loaded) -> bool:
    """Swap; False where the medium refuses, and then the old file is still in force."""
    path = new.path.resolve()
    staged = _beside(path, "new")
    try:
        if hashlib.sha256(staged.read_bytes()).hexdigest() != new.sha256:
            raise OSError(f"{staged} is another one than was approved")
        _write(_beside(path, "old.part"), path.read_bytes())
        _beside(path, "old.part").replace(_beside(path, "old"))
        staged.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        log.error("the panel file stays as it is: %s", error)
        discard(new)
        return False
    log.warning("another panel file is in force: %s", new.sha256)
    return True


def take_back(new: Loaded) -> bool:
    """The file before is in force again; False where it can't be."""
    path = new.path.resolve()
    try:
        _write(_beside(path, "refused"), path.read_bytes())
        _beside(path, "old").replace(path)
        sync_folder(path.parent)
    except OSError as error:
        log.critical("the panel file before can't be put back: %s", error)
        return False
    log.error("the panel can't start with the new panel file: the one before is in force again")
    return True


def discard(new: Loaded) -> None:
    """Take away what was laid beside the file in force."""
    path = new.path.resolve()
    for name in ("new", "old.part"):
        with suppress(OSError):
            _beside(path, name).unlink(missing_ok=True)


def _beside(path: Path, name: str) -> Path:
    return path.with_name(f"{path.name}.{name}")


def _write(path: Path, raw: bytes) -> None:
    with path.open("wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())
