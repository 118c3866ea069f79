"""Core as a process: bring the panel up, feed the watchdog while it lives, take it down in good order."""

import logging
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

CANNOT_START: Text = ("core can't start: {why}", "core 无法启动:{why}")


def run(loaded: Loaded) -> int:
    """Run core until SIGTERM or SIGINT. 0 after a clean stop, 3 when it can't start, and says why."""
    stop = StopFlag()
    stop.install()
    try:
        panel = Panel(loaded, SystemClock(loaded.file.panel.clock_rate))
        panel.start()
    except (DriverError, AlreadyRunning) as error:
        return _refuse(pick(error.text))
    except (BadKey, OSError) as error:
        return _refuse(str(error))
    notify("STATUS=inputs live")
    _open(panel)
    notify("READY=1")
    log.info("panel %s is up", loaded.file.panel.id)
    _watch(panel, stop)
    notify("STOPPING=1")
    panel.stop("asked to stop")
    log.info("panel %s stopped", loaded.file.panel.id)
    return 0


def _open(panel: Panel) -> None:
    """The sockets; a panel that can't talk still senses and sounds (DESIGN, promise 1)."""
    try:
        panel.open()
    except Exception:
        log.critical("core has no sockets: nobody outside is told of anything", exc_info=True)


def _watch(panel: Panel, stop: StopFlag) -> None:
    interval = min(watchdog_interval_s() or LONGEST_BEAT_S, LONGEST_BEAT_S)
    while not stop.wait(interval):
        if panel.alive():
            notify("WATCHDOG=1")
        else:
            log.critical("a thread that must never stop does not turn")


def _refuse(why: str) -> int:
    print(pick(CANNOT_START, why=why), file=sys.stderr)
    return 3
