"""`fenghuo run clock`: hears from core that the clock is wrong, and sets it. Needs CAP_SYS_TIME and nothing else.

It reads no network and no file but the panel file, knows one message, and judges each order itself: so a captured core
could not bring the clock before the floor either.
"""

import logging
import select
import sys
from pathlib import Path

from pydantic import ValidationError

from firmware import kernel_clock
from firmware.clock import Clock, SystemClock
from firmware.config import Loaded
from firmware.language import Text, pick
from firmware.protocol.lines import Caller, Client, LineTooLong
from firmware.protocol.messages import ClockSet, SetClock, to_clock
from firmware.rights import may_set_clock
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag
from firmware.timekeeper.setting import Judge, Setting

log = logging.getLogger("fenghuo.timekeeper")

EXIT_CONFIG = 2
RETRY_S = 0.5
LONGEST_WAIT_S = 60.0

_NO_RIGHT: Text = (
    "the process that sets the clock lacks the right CAP_SYS_TIME",
    "校时进程缺少 CAP_SYS_TIME 权限",
)


def run(loaded: Loaded) -> int:
    """Run until SIGTERM or SIGINT; the exit code. 2: without the right to set the clock."""
    if not may_set_clock():
        print(pick(_NO_RIGHT), file=sys.stderr)
        return EXIT_CONFIG
    stop = StopFlag().install()
    keeper = Timekeeper(loaded.run / "clock.sock", SystemClock())
    wait_s = min(LONGEST_WAIT_S, (watchdog_interval_s() or LONGEST_WAIT_S) / 2)
    notify("READY=1")
    while not stop.is_set():
        keeper.turn(stop, wait_s)
        notify("WATCHDOG=1")
    notify("STOPPING=1")
    keeper.close()
    stop.close()
    return 0


class Timekeeper:
    """Core's socket on one side, the kernel's clock on the other."""

    def __init__(self, socket: Path, clock: Clock) -> None:
        self._core = Caller(socket, log)
        self._clock = clock
        self._judge = Judge()
        self._client: Client | None = None

    def turn(self, stop: StopFlag, longest_s: float) -> None:
        """Wait for an order, at most so long, and carry it out; without core, try to reach it."""
        client = self._client = self._client or self._core.call()
        if client is None:
            stop.wait(RETRY_S)
            return
        if not client.pending():
            select.select([client.fileno(), stop.fileno()], [], [], longest_s)
        try:
            value = client.receive(0.0)
            message = None if value is None else to_clock.validate_python(value)
            if isinstance(message, SetClock):
                client.send(self.carry_out(message))
        except (OSError, LineTooLong, ValidationError) as error:
            log.warning("the connection to core was lost: %s", str(error).splitlines()[0][:200])
            self.close()

    def carry_out(self, order: SetClock) -> ClockSet:
        """Judge an order and do it; what became of it."""
        now_ms, now = self._clock.monotonic_ms(), self._clock.utc()
        setting = self._judge.judge(order.utc_ms, order.monotonic_ms, now_ms, now)
        why = setting.why or self._set(setting)
        how = "refused" if why else setting.how
        log.warning("clock %s: off by %.3f s %s", how, setting.off_s, why)
        return ClockSet(how=how, off_ms=round(setting.off_s * 1000), detail=why[:200])

    def _set(self, setting: Setting) -> str:
        """Why it could not be done, or nothing."""
        try:
            if setting.how == "stepped":
                kernel_clock.step(setting.utc)
            else:
                kernel_clock.slew(setting.off_s)
        except (OSError, OverflowError, ValueError) as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None
