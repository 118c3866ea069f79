"""How long core takes from exec until its inputs are live and its state restored, and how much memory it holds.

The yardstick is a Python that only imports gpiozero and pydantic, in the same run, with compiled bytecode for both.
"""

import contextlib
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import b64url
from hil import demo_site
from hil.memory_use import rss_mib

YARDSTICK = "import gpiozero, pydantic"
WAIT_S = 30.0


@contextlib.contextmanager
def core(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], float, float]]:
    """Core of the demo's bank in `folder`, with seconds until inputs live and until ready; stopped in the end."""
    told = folder / "told"
    told.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(told))
        notify.settimeout(WAIT_S)
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware.commands", "core", "--config", str(folder / "panel.toml")],
            env=_environment() | {"NOTIFY_SOCKET": str(told)},
            stderr=subprocess.DEVNULL,
        )
        try:
            live = ready = 0.0
            while not ready:
                words = notify.recv(4096)
                live = live or time.perf_counter() - began if b"inputs live" in words else live
                ready = time.perf_counter() - began if b"READY=1" in words else 0.0
            yield process, live, ready
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(WAIT_S)


def _environment() -> dict[str, str]:
    """As on a panel: bytecode is kept."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(folder: Path, rounds: int = 9) -> dict[str, float]:
    """Medians over `rounds` pairs: milliseconds, their ratio; and core's resident memory in MiB."""
    x = b64url(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    demo_site.make(folder, demo_site.Address("127.0.0.1", 1), x, x)
    lives, readies, bare = [], [], []
    rss = 0.0
    for turn in range(rounds + 1):
        with core(folder) as (process, live, ready):
            rss = max(rss, rss_mib(process.pid))
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", YARDSTICK], env=_environment(), check=True)
        if turn:  # the first round compiles, makes keys and keeps the panel file
            bare.append(time.perf_counter() - began)
            lives.append(live)
            readies.append(ready)
    live_ms, bare_ms = 1000 * statistics.median(lives), 1000 * statistics.median(bare)
    return {
        "start_ms": live_ms,
        "ready_ms": 1000 * statistics.median(readies),
        "bare_ms": bare_ms,
        "start_ratio": live_ms / bare_ms,
        "core_rss_mib": rss,
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="fh-") as name:
        for what, value in measure(Path(name)).items():
            print(f"{what:14} {value:8.1f}")
