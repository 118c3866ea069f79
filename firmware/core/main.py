"""Core as a process: bring the panel up, feed the watchdog while it lives, take it down in good order."""

import logging
import os
import sys
from dataclasses import dataclass

from drivers.pins import DriverError
from firmware.clock import SystemClock
from firmware.config import Loaded
from firmware.core.installing import Approved, discard, put_in_force, take_back
from firmware.core.keys import BadKey
from firmware.core.lock import AlreadyRunning
from firmware.core.panel import Panel
from firmware.language import Text, pick
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag

log = logging.getLogger("fenghuo.core")

LONGEST_BEAT_S = 5.0
PARKED_S = 1.0
CANT_START, ANEW = 3, 1
"""Exit codes: it can't run here; it is to be started anew."""

CANNOT_START: Text = ("core can't start: {why}", "core 无法启动:{why}")


def run(loaded: Loaded) -> int:
    """Run core until SIGTERM or SIGINT. 0 after a clean stop, 3 when it can't start, and says why; 1 to be started
    anew by the file before, where it can't start by one that was just installed.

    Where the battery comes to its end the panel stops in good order, and begins again when the supply is back.
    """
    stop = StopFlag()
    stop.install()
    clock = SystemClock(loaded.file.panel.clock_rate)
    life = _Life(loaded)
    while True:
        ended = _live(life, clock, stop)
        if isinstance(ended, _Life):
            life = ended
        elif ended == CANT_START and life.before is not None and take_back(life.loaded):
            return ANEW  # what the failed start has taken (locks, lines) is free in a new process alone
        elif ended is not None:
            return ended
        else:
            _park(life.loaded, clock, stop)
            if stop.is_set():
                return 0


@dataclass(frozen=True)
class _Life:
    """A life of the panel by one file. `before`: the file that it has just replaced, by the wish of `user`."""

    loaded: Loaded
    before: Loaded | None = None
    user: str = ""


def _live(life: _Life, clock: SystemClock, stop: StopFlag) -> "int | _Life | None":
    """One life of the panel: its exit code; the next life, by another file; or None where only the battery ended it."""
    loaded = life.loaded
    try:
        panel = Panel(loaded, clock, life.user)
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
    approved = None if spent or stop.is_set() else panel.inside.installing.approved
    if not spent:
        notify("RELOADING=1" if approved else "STOPPING=1")
    panel.stop(_reason(spent, approved))
    log.info("panel %s stopped", loaded.file.panel.id)
    if approved is not None:
        return _swapped(panel, approved)
    return None if spent else 0


def _reason(spent: str, approved: Approved | None) -> str:
    if approved is not None:
        return f"panel file {approved.loaded.sha256[:16]} by {approved.user}"
    return f"battery at its end: {spent}" if spent else "asked to stop"


def _swapped(panel: Panel, approved: Approved) -> _Life:
    """The next life. The rules have stopped: who armed in the last moment is armed by the old file."""
    old = panel.inside.loaded
    if not panel.inside.at_rest():
        log.error("armed in the last moment: the panel file stays as it is")
        discard(approved.loaded)
        return _Life(old)
    return _Life(approved.loaded, old, approved.user) if put_in_force(approved.loaded) else _Life(old)


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
    """Feed the watchdog until the stop, another file that waits, or the end of the battery: then what was found."""
    interval = min(watchdog_interval_s() or LONGEST_BEAT_S, LONGEST_BEAT_S)
    while not stop.wait(interval):
        if panel.alive():
            notify("WATCHDOG=1")
        else:
            log.critical("a thread that must never stop does not turn")
        if (spent := panel.inside.spent()) or panel.inside.installing.approved:
            return spent
    return ""


def _refuse(why: str) -> int:
    print(pick(CANNOT_START, why=why), file=sys.stderr)
    return CANT_START
