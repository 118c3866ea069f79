"""Resident memory of the panel's processes together: core, uplink and camera of the demo's bank, at rest."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import b64url
from hil import demo_site
from hil.broker import EmbeddedBroker

_SETTLE_S = 8.0


def all_processes_mib(folder: Path) -> float:
    """MiB that core, uplink and camera hold resident, the camera having looked at pictures for a while."""
    x = b64url(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    with EmbeddedBroker() as broker:
        demo_site.make(folder, demo_site.Address("127.0.0.1", broker.port), x, x)
        command = [sys.executable, "-m", "firmware.commands", "{}", "--config", str(folder / "panel.toml")]
        running = [
            subprocess.Popen([word.format(name) for word in command], stderr=subprocess.DEVNULL)
            for name in ("core", "uplink", "camera")
        ]
        try:
            time.sleep(_SETTLE_S)
            return sum(rss_mib(process.pid) for process in running)
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
            for process in running:
                process.wait(15)


def rss_mib(pid: int | str) -> float:
    """Resident MiB of a process (`self`: this one), 0 when it is gone."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pid: int | str) -> float:
    """Seconds of a processor that a process (`self`: this one) has taken, all threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
