"""The real updater on a desk, over slots that are files: `python -m hil.desk_updater PANEL_TOML MACHINE`.

MACHINE is the folder of a `hil.rauc.FakeMachine`. A file `restart` in it asks whoever plays the boot loader to.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from firmware import log
from firmware.clock import SystemClock
from firmware.config import load
from firmware.updater.main import Setup, run_with
from hil.rauc import FakeMachine

RESTART = "restart"


def main(words: Sequence[str]) -> int:
    """Until SIGTERM; the exit code."""
    log.setup("info")
    panel, machine = Path(words[0]), FakeMachine(Path(words[1]))
    setup = Setup(
        machine.folder / "updater",
        machine.folder / "usb",
        (sys.executable, "-m", "hil.rauc", str(machine.folder)),
        ("touch", str(machine.folder / RESTART)),
        machine.version(),
    )
    return run_with(load(panel), setup, SystemClock())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
