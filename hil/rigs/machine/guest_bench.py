"""In the guest: how long a moved GPIO line takes to an output, and the yardstick, a bare gpiozero callback.

`guest_bench.py time IN OUT N` moves IN as the rig does and watches OUT, N times each way; nanoseconds, one JSON list.
`guest_bench.py bare IN OUT` is the yardstick: an input device of gpiozero whose callbacks switch an output device.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

LINES = next(Path("/sys/devices/platform").glob("gpio-sim*/gpiochip0"))
REVISION = 0xC03111
LONGEST_S = 5.0
REST_S = 0.15


def timed(line_in: int, line_out: int, count: int) -> list[int]:
    """From the move of the input to the change of the output. The contact is normally open: low is active."""
    pull = os.open(LINES / f"sim_gpio{line_in}" / "pull", os.O_WRONLY)
    value = os.open(LINES / f"sim_gpio{line_out}" / "value", os.O_RDONLY)
    found = []
    for _ in range(count):
        for word, wanted in ((b"pull-down", b"1"), (b"pull-up", b"0")):
            start = time.perf_counter_ns()
            os.pwrite(pull, word, 0)
            while os.pread(value, 1, 0) != wanted:
                if time.perf_counter_ns() - start > LONGEST_S * 1e9:
                    raise TimeoutError(f"line {line_out} did not become {wanted.decode()}")
                # The panel's processes need the other processor.
                time.sleep(0.0001)
            found.append(time.perf_counter_ns() - start)
            time.sleep(REST_S)
    return found


def bare(line_in: int, line_out: int) -> None:
    """Until SIGTERM."""
    from gpiozero import Device, DigitalInputDevice, DigitalOutputDevice
    from gpiozero.pins.lgpio import LGPIOFactory

    class Pi4(LGPIOFactory):  # type: ignore[misc]
        """gpiozero knows its pins by a revision, which not every virtual board tells."""

        def _get_revision(self) -> int:
            return REVISION

    Device.pin_factory = Pi4()
    output = DigitalOutputDevice(line_out)
    device = DigitalInputDevice(line_in, pull_up=True)
    device.when_activated = output.on
    device.when_deactivated = output.off
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        bare(int(sys.argv[2]), int(sys.argv[3]))
    else:
        print(json.dumps(timed(int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
