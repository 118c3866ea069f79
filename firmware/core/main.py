"""Core as a process: bring the panel up, feed the watchdog while it lives, take it down in good order."""

import logging
import os
import sys

from drivers.pins import DriverError
from firmware.clock import SystemClock
from firmware.config import Loaded
from firmware.core.keys import BadKey
from firmware.core.lock import AlreadyRunning
from firmware.core.panel import Panel
from firmware.language import Text, pick
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag

log = logging.getLogger("fenghuo.core")

LONGEST_BEAT_S = 5.0
PARKED_S = 1.0

CANNOT_START: Text = ("core can't start: {why}", "core 无法启动:{why}")


def run(loaded: Loaded) -> int:
    """Run core until SIGTERM or SIGINT. 0 after a clean stop, 3 when it can't start, and says why.

    Where the battery comes to its end the panel stops in good order, and begins again when the supply is back.
    """
    stop = StopFlag()
    stop.install()
    clock = SystemClock(loaded.file.panel.clock_rate)
    while True:
        code = _live(loaded, clock, stop)
        if code is not None:
            return code
        _park(loaded, clock, stop)
        if stop.is_set():
            return 0


def _live(loaded: Loaded, clock: SystemClock, stop: StopFlag) -> int | None:
    """One life of the panel: its exit code, or None where only the battery has ended it."""
    try:
        panel = Panel(loaded, clock)
        panel.start()
    except (DriverError, AlreadyRunning) as error:
        return _refuse(pick(error.text))
    except (BadKey, OSError) as error:
        return _refuse(str(error))
    notify("STATUS=inputs live")
    _open(panel)
    notify("READY=1")
    log.info("panel %s is up", loaded.file.panel.id)
    spent = _watch(panel, stop)
    if not spent:
        notify("STOPPING=1")
    panel.stop(f"battery at its end: {spent}" if spent else "asked to stop")
    log.info("panel %s stopped", loaded.file.panel.id)
    return None if spent else 0


def _park(loaded: Loaded, clock: SystemClock, stop: StopFlag) -> None:
    """Wait until the supply is back, or until asked to stop; whatever fails here is tried again."""
    from firmware.core.parked import Parked

    os.sync()
    notify("STATUS=the battery is at its end; waiting for the supply")
    log.critical("the battery is at its end: nothing is guarded until the supply is back")
    while not stop.is_set():
        try:
            parked = Parked(loaded, clock)
        except (DriverError, OSError) as error:
            log.error("the supply can't be watched, the panel begins again: %s", error)
            stop.wait(LONGEST_BEAT_S)
            return
        try:
            while not parked.well() and not stop.wait(PARKED_S / loaded.file.panel.clock_rate):
                notify("WATCHDOG=1")
            return
        except (DriverError, OSError) as error:
            log.error("the supply can't be watched: %s", error)
        finally:
            parked.close()
        stop.wait(PARKED_S)


def _open(panel: Panel) -> None:
    """The sockets; a panel that can't talk still senses and sounds (DESIGN, promise 1)."""
    try:
        panel.open()
    except Exception:
        log.critical("core has no sockets: nobody outside is told of anything", exc_info=True)


def _watch(panel: Panel, stop: StopFlag) -> str:
    """Feed the watchdog until the stop, or until the battery is at its end: then what was found."""
    interval = min(watchdog_interval_s() or LONGEST_BEAT_S, LONGEST_BEAT_S)
    while not stop.wait(interval):
        if panel.alive():
            notify("WATCHDOG=1")
        else:
            log.critical("a thread that must never stop does not turn")
        if spent := panel.inside.spent():
            return spent
    return ""


def _refuse(why: str) -> int:
    print(pick(CANNOT_START, why=why), file=sys.stderr)
    return 3
