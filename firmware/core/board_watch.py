"""The board's own supply and temperature: troubles `board`, each with its subject, from a thread of its own.

The kernel's files may block while the firmware is asked; nobody waits for them.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread, current_thread

from drivers.battery import Standing
from drivers.board_health import BoardReading
from firmware.clock import Clock
from rules.effects import JsonValue

LOOK_S = 2.0
WELL_MS = 60_000
HOT_MS = 30_000
COOLER_C = 5
"""A board that was too hot is well so much below the limit."""
UNDER_VOLTAGE, HOT, SLOWED = "under-voltage", "hot", "slowed"

_log = logging.getLogger("fenghuo.core.board")


class BoardWatch:
    """`look` gives what the kernel tells; `trouble(name, present, subject, detail)` is called from its thread."""

    def __init__(
        self,
        look: Callable[[], BoardReading],
        hot_c: int,
        trouble: Callable[[str, bool, str, str], None],
        clock: Clock,
        clock_rate: int = 1,
    ) -> None:
        self._look = look
        self._hot_c = hot_c
        self._trouble = trouble
        self._clock = clock
        self._rate = clock_rate
        self._reading = BoardReading()
        # The kernel tells of a dip for two seconds: one is enough to begin, a minute without one ends.
        self._standing = {
            UNDER_VOLTAGE: Standing(0, WELL_MS),
            HOT: Standing(HOT_MS, WELL_MS),
            SLOWED: Standing(HOT_MS, WELL_MS),
        }
        self._stop = Event()
        self._thread = Thread(target=self._run, name="board", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more; a file that blocks is left behind."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join(timeout=1.0)

    def figures(self) -> dict[str, JsonValue]:
        """For telemetry; None where the board does not tell."""
        found = self._reading
        celsius = None if found.celsius is None else round(found.celsius)
        return {"board_c": celsius, "board_under_voltage": found.under_voltage, "board_slowed": found.slowed}

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._pass(self._clock.monotonic_ms())
            except Exception:
                _log.exception("a look at the board failed")
            self._stop.wait(max(0.01, LOOK_S / self._rate))

    def _pass(self, now_ms: int) -> None:
        found = self._reading = self._look()
        self._judge(UNDER_VOLTAGE, found.under_voltage, "the board's 5 V are below 4.63 V", now_ms)
        if found.celsius is not None:
            limit = self._hot_c - (COOLER_C if self._standing[HOT].present else 0)
            self._judge(HOT, found.celsius >= limit, f"{found.celsius:.0f} °C, limit {self._hot_c} °C", now_ms)
        self._judge(SLOWED, found.slowed, "the firmware slows the processor down", now_ms)

    def _judge(self, subject: str, present: bool | None, detail: str, now_ms: int) -> None:
        standing = self._standing[subject]
        if standing.feed(present, now_ms):
            self._trouble("board", bool(standing.present), subject, detail)
