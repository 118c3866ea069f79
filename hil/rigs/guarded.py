"""`python -m hil.rigs.guarded PANEL_TOML WATCHDOG_S`: the panel's processes under the desk's guard, but less patient.

The guard is the one of `fenghuo run all`; a process that is silent for `WATCHDOG_S` is killed and started again, as a
service manager would do it on the panel. So a hung core costs a scenario seconds, and not the desk's 20.
"""

import random
import sys
from dataclasses import replace
from pathlib import Path

from firmware import log
from firmware.clock import SystemClock
from firmware.config import load
from firmware.stopping import StopFlag
from firmware.supervise import Supervisor, jobs


def run(panel_toml: Path, watchdog_s: float) -> int:
    """Until SIGTERM; the exit code."""
    log.setup("info")
    stop = StopFlag().install()
    found = [replace(job, watchdog_s=watchdog_s) for job in jobs(load(panel_toml), "info")]
    try:
        return Supervisor(found, SystemClock(), random.Random(), stop).run()  # noqa: S311  # jitter
    finally:
        stop.close()


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), float(sys.argv[2])))
