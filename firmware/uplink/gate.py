"""What the center's side may send towards core, and how fast: a broker that spams must not keep core busy.

Core checks every signature itself. Here only the size, the form and the pace are bounded; what is dropped is counted.
A lost receipt does no harm: the records are sent again.
"""

from collections import Counter
from typing import TypeAlias

from firmware.protocol.jws import MAX_BYTES
from firmware.protocol.messages import CommandIn, KeysIn, ReceiptIn, TimeIn

RECEIPTS_PER_S = 10
COMMANDS_PER_S = 2
BURST = 20
SELDOM_PER_S = 1
SELDOM_BURST = 4
"""Exchanges of keys, and the center's time."""
MAX_KEYS_BYTES = 64 * 1024
MAX_TIME_BYTES = 1024
RECEIPTS_FOR_EACH_PUBLISH = 2
MAX_CREDIT = 2_048
FLOOD = 2_000
FLOOD_PER_S = 20
"""More dropped than this, and the connection is given up."""

_JWS_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

_WORDS: dict[str, type[KeysIn | TimeIn]] = {"keys": KeysIn, "time": TimeIn}
_LARGEST = {"keys": MAX_KEYS_BYTES, "time": MAX_TIME_BYTES}
_TOLD = ("oversized", "not-a-jws")


FromCenter: TypeAlias = ReceiptIn | CommandIn | KeysIn | TimeIn


class Bucket:
    """`rate` tokens a second, at most `burst` at once."""

    def __init__(self, rate: int, burst: int) -> None:
        self._rate = rate
        self._most = burst * 1000
        self._level = self._most
        self._since: int | None = None

    def take(self, now_ms: int) -> bool:
        """Whether one may pass now."""
        passed = 0 if self._since is None else max(0, now_ms - self._since)
        self._since = now_ms
        self._level = min(self._most, self._level + passed * self._rate)
        if self._level < 1000:
            return False
        self._level -= 1000
        return True


class Gate:
    """Lets what the center's side may say through, in bounded size and pace."""

    def __init__(self, path: str = "") -> None:
        """`path`: its id, told to core with each receipt."""
        self._path = path
        self.dropped: Counter[str] = Counter()
        self._buckets = {
            "receipt": Bucket(RECEIPTS_PER_S, BURST),
            "command": Bucket(COMMANDS_PER_S, BURST),
            "keys": Bucket(SELDOM_PER_S, SELDOM_BURST),
            "time": Bucket(SELDOM_PER_S, SELDOM_BURST),
        }
        self._credit = 0
        self._patience = Bucket(FLOOD_PER_S, FLOOD)
        self._patient = True

    def opened(self) -> None:
        """A new connection begins."""
        self._credit = 0
        self._patience = Bucket(FLOOD_PER_S, FLOOD)
        self._patient = True

    def published(self) -> None:
        """Records went out: the center may answer with receipts."""
        self._credit = min(MAX_CREDIT, self._credit + RECEIPTS_FOR_EACH_PUBLISH)

    def flooded(self) -> bool:
        """Whether this connection brought more than anyone honest sends."""
        return not self._patient

    def check(self, word: str, payload: bytes, now_ms: int) -> FromCenter | None:
        """The message for core, None when it was dropped."""
        reason = self._fault(word, payload, now_ms)
        if reason:
            self.dropped[reason] += 1
            self._patient = self._patience.take(now_ms)
            # Core records every refused command: what is no token at all is handed on by the name of its fault.
            told = word == "command" and reason in _TOLD and self._buckets[word].take(now_ms)
            return CommandIn(jws=reason) if told else None
        jws = payload.decode("ascii")
        match word:
            case "receipt":
                return ReceiptIn(jws=jws, path=self._path)
            case "command":
                return CommandIn(jws=jws, path=self._path)
        return _WORDS[word](jws=jws)

    def _fault(self, word: str, payload: bytes, now_ms: int) -> str:
        if word not in self._buckets:
            return "unknown-topic"
        if len(payload) > _LARGEST.get(word, MAX_BYTES):
            return "oversized"
        if payload.count(b".") != 2 or payload.translate(None, _JWS_ALPHABET):
            return "not-a-jws"
        if word == "receipt" and self._credit:
            self._credit -= 1
            return ""
        return "" if self._buckets[word].take(now_ms) else "too-fast"
