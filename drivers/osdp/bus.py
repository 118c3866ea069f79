"""A bus of OSDP readers, as its child process turns it: the port, and the readers one after another."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import osdp_sys as lib

from drivers.bus.ports import NoPort, open_port
from drivers.bus.words import Bidding, Failed, Saying, Setup, Show, Up
from drivers.osdp.channel import Wire
from drivers.osdp.reader import Plan, Reader
from drivers.retry import Retry

ROUND_S = 0.1
"""A round that takes longer is cut: the child must hear core, and show that it lives."""
SETTLE_S = 4.0
"""So long the first round may take; who is not there by then is told as missing before."""
IDLE_S = 0.01
_KEY = re.compile(r"[0-9A-Fa-f]{32}")

log = logging.getLogger("fenghuo.bus")


class OsdpBus:
    """One port with its readers."""

    def __init__(
        self, wiring: Mapping[str, Any], say: Callable[[Saying], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._port_name, self._baud = str(wiring["port"]), int(wiring["baud"])
        self._say = say
        self._now = now
        self._began = now()
        self._up = False
        self._retry = Retry()
        self._opens = 0
        self._broken = ""
        self._wire = Wire(self._wire_failed)
        lib.set_loglevel(lib.LOG_CRIT)
        self._readers = [Reader(plan_of(row), self._wire, say, now) for row in wiring["readers"]]
        self._by_id = {reader.plan.id: reader for reader in self._readers}
        self._next = 0

    def turn(self) -> float:
        """A round, or the part of one that fits in its time."""
        if self._wire.port is None and not self._open():
            self._settle(True)
            return 0.2
        until = self._now() + ROUND_S
        for _ in self._readers:
            self._readers[self._next].turn()
            self._next = (self._next + 1) % len(self._readers)
            if self._broken:
                self._lost()
                return 0.0
            if self._now() >= until:
                break
        self._settle(all(reader.settled for reader in self._readers))
        return max(0.0, min(IDLE_S, min(reader.due for reader in self._readers) - self._now()))

    def hear(self, word: Bidding) -> None:
        """A face to show; there is nothing else here to order. Raises `ValueError` for what is no face."""
        if isinstance(word, Show):
            self._by_id[word.device].wish(word.what)

    def figures(self) -> dict[str, Any]:
        """Of the port and of each reader."""
        return {
            "port": self._port_name,
            "opens": self._opens,
            "error": self._retry.error,
            "bytes_in": self._wire.bytes_in,
            "bytes_out": self._wire.bytes_out,
            "readers": {reader.plan.id: reader.figures() for reader in self._readers},
        }

    def close(self) -> None:
        """Let go of the port."""
        if self._wire.port is not None:
            self._wire.port.close()
            self._wire.port = None

    def _open(self) -> bool:
        now_ms = int(self._now() * 1000)
        if self._retry.error is not None and not self._retry.due(now_ms):
            return False
        try:
            self._wire.port = open_port(self._port_name, self._baud)
        except NoPort as error:
            self._retry.failed(error, now_ms, "port")
            self._say(Failed("", True, str(error)[:400]))
            return False
        self._opens += 1
        self._retry.works("port")
        self._retry.stands()
        self._say(Failed("", False))
        for reader in self._readers:
            reader.gone()
        return True

    def _wire_failed(self, why: str) -> None:
        self._broken = why

    def _lost(self) -> None:
        why, self._broken = self._broken, ""
        self.close()
        self._retry.failed(OSError(why), int(self._now() * 1000), "port")
        self._say(Failed("", True, f"port {self._port_name}: {why}"[:400]))
        for reader in self._readers:
            reader.gone()

    def _settle(self, settled: bool) -> None:
        """Say once that the first round is over."""
        if not self._up and (settled or self._now() - self._began > SETTLE_S):
            self._up = True
            self._say(Up())


def plan_of(row: Mapping[str, Any]) -> Plan:
    """A reader of the wiring, with its key; one whose key can't be used is refused, and says why."""
    key, refused = None, ""
    if row["key_file"]:
        try:
            key = read_key(Path(row["key_file"]))
        except ValueError as error:
            refused = str(error)[:300]
    return Plan(str(row["id"]), int(row["address"]), key, bool(row["keypad"]), int(row["rows"]), refused)


def read_key(path: Path) -> bytes:
    """The reader's key (SCBK) in a file of 32 hex digits. Rights of others are taken away, and told.

    Raises `ValueError`, which never holds the key.
    """
    try:
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            log.warning("%s: others could read it (rights %04o), now 0600: consider it known to them", path, mode)
            path.chmod(0o600)
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise ValueError(f"key file {path}: {why}; expected 32 hex digits") from None
    if not _KEY.fullmatch(text):
        raise ValueError(f"key file {path}: found something else, expected 32 hex digits")
    return bytes.fromhex(text)


def open_bus(setup: Setup, say: Callable[[Saying], None]) -> OsdpBus:
    """The bus of this setup."""
    return OsdpBus(setup.wiring, say)
