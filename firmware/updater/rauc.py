"""`rauc` by its command line: what is in the slots, what a bundle says, writing the other slot, which one starts.

Every answer of it is judged; every call is bounded in time and length.
"""

import json
import logging
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Literal, cast

from firmware.updater.bundle import MAX_INFO, Manifest, NotTaken, read_info

log = logging.getLogger("fenghuo.updater.rauc")

ASK_S = 60.0
"""A URL is asked over the network."""
MARK_S = 60.0
_PERCENT = re.compile(rb"^\s*([0-9]{1,3})%")
_SIGNATURE = ("signature verification failed", "verify error", "signature size", "signer certificate")
_BROKEN = ("invalid bundle format", "invalid identifier", "exceeds bundle size", "bundle too small", "not a bundle")
Mark = Literal["good", "bad", "active"]


class NoRauc(Exception):
    """`rauc` does not do what it should; the text says what it said."""


@dataclass(frozen=True)
class Slots:
    """`booted`: the bootname of the slot that runs; `other`: of the one that an update goes to, empty: there is none.
    `compatible`: which bundles fit."""

    compatible: str
    booted: str
    other: str


class Writing:
    """An installation that runs. `poll` is to be called again and again."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.progress = 0
        self.said = ""
        self._process = process
        self._out = cast("IO[bytes]", process.stdout)
        os.set_blocking(self._out.fileno(), False)

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        code = self._process.poll()
        while piece := self._read():
            for line in piece.splitlines():
                if found := _PERCENT.match(line):
                    self.progress = min(100, int(found[1]))
                if line.strip():
                    self.said = line.decode(errors="replace").strip()[:200]
        if code is not None:
            self._out.close()
        return code

    def stop(self) -> None:
        """End it; the slot that it wrote does not start."""
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._out.close()

    def _read(self) -> bytes:
        try:
            return self._out.read(65536) or b""
        except (BlockingIOError, ValueError):
            return b""


class Rauc:
    """The command, as it is called here."""

    def __init__(self, words: Sequence[str] = ("rauc",)) -> None:
        self._words = tuple(words)

    def slots(self) -> Slots:
        """Raises `NoRauc`."""
        return read_status(self._ask(["status", "--output-format=json"], ASK_S).stdout)

    def info(self, source: str) -> Manifest:
        """What a bundle says whose signature is right. Raises `NotTaken`, `NoRauc`."""
        done = self._run(["info", "--output-format=json", *_options(source), source], ASK_S)
        if done.returncode == 0:
            return read_info(done.stdout)
        said = done.stderr.decode(errors="replace")
        raise NotTaken(_why(said), _last(said))

    def install(self, source: str) -> Writing:
        """Begin to write the other slot. Raises `NoRauc`."""
        try:
            process = subprocess.Popen(
                [*self._words, "install", *_options(source), source],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_environment(),
            )
        except OSError as error:
            raise NoRauc(str(error)) from None
        return Writing(process)

    def mark(self, how: Mark, which: Literal["booted", "other"]) -> None:
        """Mark a slot as good, bad, or the one that starts next. Raises `NoRauc`."""
        self._ask(["status", f"mark-{how}", which], MARK_S)

    def _ask(self, words: list[str], limit_s: float) -> "subprocess.CompletedProcess[bytes]":
        done = self._run(words, limit_s)
        if done.returncode:
            raise NoRauc(f"rauc {words[0]}: {_last(done.stderr.decode(errors='replace'))}"[:200])
        return done

    def _run(self, words: list[str], limit_s: float) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                [*self._words, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=limit_s,
                check=False,
                env=_environment(),
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoRauc(f"rauc {words[0]}: {error}"[:200]) from None


def _options(source: str) -> tuple[str, ...]:
    """A bundle counts by its signature, and only the image that was consented to: the web's authorities add nothing."""
    return ("--tls-no-verify",) if source.startswith("https://") else ()


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def read_status(raw: bytes) -> Slots:
    """From the output of `rauc status --output-format=json`. Raises `NoRauc`."""
    if len(raw) > MAX_INFO:
        raise NoRauc(f"rauc status: {len(raw)} bytes, expected at most {MAX_INFO}")
    try:
        told = json.loads(raw)
        names = [_bootname(slot) for row in told["slots"] for slot in row.values()]
        compatible, booted = told["compatible"], told["booted"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise NoRauc(f"rauc status: not understood: {type(error).__name__} {error}"[:200]) from None
    known = [name for name in names if name]
    if not isinstance(compatible, str) or booted not in known:
        raise NoRauc(f"rauc status: booted {str(booted)[:40]!r}, expected one of {', '.join(known)}"[:200])
    others = [name for name in known if name != booted]
    return Slots(compatible[:64], booted, others[0] if len(others) == 1 else "")


_NAME = re.compile(r"^[A-Za-z0-9_.-]{1,16}\Z")


def _bootname(slot: Mapping[str, object]) -> str:
    name = slot.get("bootname")
    return name if isinstance(name, str) and _NAME.match(name) else ""


def _why(said: str) -> str:
    """A name of `bundle.REASONS` for what `rauc info` complained of."""
    low = said.lower()
    if any(words in low for words in _BROKEN):
        return "broken"
    return "signature" if any(words in low for words in _SIGNATURE) else "source-unreadable"


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    text = lines[-1] if lines else "no word of why"
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text)[:200]
