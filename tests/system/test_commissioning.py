"""A whole commissioning, as one visit: from `fenghuo site new` to a verified acceptance report, every command as typed.

Where this may be, the visit has a network of its own in which nothing exists but the loopback.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

VISIT = Path(__file__).parent / "commissioning_visit.py"
ALONE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def may_be_alone() -> bool:
    probe = subprocess.run([*ALONE, "true"], capture_output=True, check=False)
    return os.geteuid() == 0 and probe.returncode == 0


@pytest.mark.timeout(600)
@pytest.mark.clause("GB 55029 5.0.1-5.0.5")
def test_one_visit_without_any_network_ends_with_a_verified_acceptance() -> None:
    # A unix socket's path holds 107 bytes: no folder of pytest's workers.
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        visited(folder)


def visited(folder: str) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder}/v", str(VISIT)]
    visit = subprocess.run(
        [*(ALONE if may_be_alone() else ()), *words],
        cwd=VISIT.parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=590,
    )
    assert visit.returncode == 0, visit.stdout[-12_000:] + visit.stderr[-2000:]
    assert "1 passed" in visit.stdout
