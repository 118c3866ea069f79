"""`fenghuo center run`: the center until a signal ends it, with a live table, plain lines or JSON lines.

The center's thread only puts lines into a bounded queue: a terminal or pipe that does not take them delays no receipt.
"""

import json
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.live import Live

from firmware.clock import SystemClock
from firmware.stopping import StopFlag
from hil.center import screen
from hil.center.alarms import alarms
from hil.center.center import Center
from hil.center.intake import Arrival
from hil.center.keys import read_jwk_x
from hil.center.texts import say
from hil.center.watch import Watch
from hil.center.wire import Broker

MAX_LINES = 2000
TURN_S = 0.5
_QUIET = frozenset({"telemetry", "state"})


@dataclass(frozen=True)
class Panels:
    """Where the public keys of panels lie; read when a panel is first heard, so they may come later."""

    files: dict[str, Path] = field(default_factory=dict)
    folder: Path | None = None

    @classmethod
    def of(cls, words: list[str], folder: Path | None) -> "Panels":
        """From words `ID=core.jwk` and a folder of `ID.jwk`; raises `ValueError` that says what is wrong."""
        files = {}
        for word in words:
            panel, equals, file = word.partition("=")
            if not (panel and equals and file):
                raise ValueError(say("bad-panel", found=word, detail=""))
            files[panel] = Path(file)
            try:
                cls(files)(panel)
            except ValueError as error:
                raise ValueError(say("bad-panel", found=word, detail=error)) from None
        if folder is not None and not folder.is_dir():
            raise ValueError(say("bad-folder", found=folder))
        return cls(files, folder)

    def __call__(self, panel: str) -> str | None:
        """`x` of the panel's key, None while it is not known. Raises `ValueError` for a file that holds none."""
        file = self.files.get(panel)
        if file is None and self.folder is not None and panel.replace("-", "").isalnum():
            file = self.folder / f"{panel}.jwk"
        if file is None or not file.exists():
            return None
        return read_jwk_x(file.read_text())


class _Lines:
    """Arrivals on their way to standard output; the oldest give way, and are counted."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._dropped = 0
        self._lock = threading.Lock()

    def hear(self, arrival: Arrival) -> None:
        with self._lock:
            self._waiting.append(arrival)
            if len(self._waiting) > MAX_LINES:
                self._waiting.popleft()
                self._dropped += 1

    def take(self) -> tuple[list[Arrival], int]:
        with self._lock:
            taken, dropped = list(self._waiting), self._dropped
            self._waiting.clear()
            self._dropped = 0
            return taken, dropped


def serve(
    broker: Broker,
    folder: Path,
    panels: Panels,
    as_json: bool,
    public: bool,
    services: Sequence[Callable[[Center], object]] = (),
) -> int:
    """Run until SIGINT or SIGTERM; the exit code: 0, or 3 when the broker does not answer.

    `services` are attached before it starts (`hil.center.exchange`).
    """
    # Not an event: set by a handler amid its own `wait`, it would wait for itself.
    ended = StopFlag().install()
    clock = SystemClock()
    center = Center(broker.host, broker.port, folder, panels=panels, clock=clock, tls=broker.tls)
    watch, lines = Watch(center.store, clock), _Lines()
    center.on_arrival(watch.hear)
    center.on_arrival(lines.hear)
    for attach in services:
        attach(center)
    try:
        center.start()
    except TimeoutError as error:
        ended.close()
        typer.echo(str(error), err=True)
        return 3
    try:
        keys = {"receipt": center.receipt_key.x, "command": center.command_key.x}
        if as_json:
            _print({"event": "running", "broker": str(broker), "receipt_keys": [keys["receipt"]],
                    "command_keys": [keys["command"]]})  # fmt: skip
        else:
            print(say("running", broker=broker, folder=folder), flush=True)
            print(say("keys", **keys), flush=True)
        if as_json or not sys.stdout.isatty():
            _stream(ended, watch, lines, as_json, public)
        else:
            _live(ended, center, watch, public)
    finally:
        records = center.store.rows("SELECT COUNT(*) FROM records")[0][0]
        known = len(center.store.panels())
        center.stop()
        ended.close()
    if not as_json:
        print(say("ended", records=records, panels=known), flush=True)
    return 0


def _stream(ended: StopFlag, watch: Watch, lines: _Lines, as_json: bool, public: bool) -> None:
    running = True
    while running:
        running = not ended.wait(TURN_S)
        for line in _told(watch, lines, public):
            if as_json:
                _print(line)
            else:
                print(_plain(line), flush=True)


def _told(watch: Watch, lines: _Lines, public: bool) -> Iterator[dict[str, Any]]:
    arrivals, dropped = lines.take()
    if dropped:
        yield {"event": "lines-dropped", "panel": "", "count": dropped}
    for arrival in arrivals:
        if arrival.what not in _QUIET and not (public and screen.is_silent(arrival)):
            yield screen.line(arrival)
    yield from watch.news()


def _live(ended: StopFlag, center: Center, watch: Watch, public: bool) -> None:
    with Live(console=Console(), auto_refresh=False) as live:
        while not ended.wait(TURN_S):
            live.update(screen.whole(watch.views(), alarms(center.store, most=50), public), refresh=True)


def _print(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line, sort_keys=True) + "\n")
    sys.stdout.flush()


def _plain(line: dict[str, Any]) -> str:
    hidden = ("event", "panel", "monotonic_ms", "payload", "header", "nonce", "journal", "hash", "prev", "boot",
              "payload_hash", "state_hash")  # fmt: skip
    rest = " ".join(f"{name}={value}" for name, value in line.items() if name not in hidden)
    text = f"{line['panel']} {line['event']} {rest}"[:240]
    return "".join(c if c.isprintable() else "?" for c in text)
