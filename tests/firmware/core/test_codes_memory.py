"""A code costs 16 MiB while its key is computed, and nothing afterwards (DESIGN §6: core in 60 MiB)."""

import subprocess
import sys

_CHILD = """
import os, threading
from pathlib import Path
from firmware.core.codes import Codes

def resident():
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])

codes, done = Codes("bank-7", b"p" * 32), threading.Event()
codes.start()
before = resident()
codes.keys(("1234", "5678", "9012"), lambda keys: done.set())
assert done.wait(60)
codes.stop()
print(resident() - before)
"""


def test_the_memory_of_a_key_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, timeout=90, check=True)
    assert int(done.stdout) < 8 * 1024, f"{int(done.stdout) / 1024:.1f} MiB stayed"
