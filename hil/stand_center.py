"""A reference center as a process of its own, for the stand: killed at any moment, it must hold what it receipted.

Each receipt is noted in a file after it was sent: journal, lane, first, last, boot clock in milliseconds.
"""

import signal
import sys
from pathlib import Path

from firmware.sd_notify import notify
from firmware.stopping import StopFlag
from hil.broker import HOST
from hil.center import Arrival, Center
from hil.center.keys import read_jwk_x

RECEIPTS = "receipts.txt"


def run(port: int, folder: Path, panel: str, jwk: Path) -> int:
    """Run until SIGTERM; the exit code. Waits for its broker as long as it takes."""
    stop = StopFlag().install()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / RECEIPTS).open("a", buffering=1) as receipts:

        def note(arrival: Arrival) -> None:
            if arrival.what == "receipt":
                for span in arrival.body["ranges"]:
                    place = f"{arrival.body['journal']} {arrival.body['lane']}"
                    receipts.write(f"{place} {span['first']} {span['last']} {arrival.monotonic_ms}\n")

        center = Center(HOST, port, folder, lambda name: _key(jwk) if name == panel else None)
        center.on_arrival(note)
        center.start(timeout_s=3600)
        notify("READY=1")
        stop.wait(None)
        center.stop()
    return 0


def _key(jwk: Path) -> str | None:
    return read_jwk_x(jwk.read_text()) if jwk.exists() else None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(run(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4])))
