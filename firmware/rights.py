"""What this process may do on the machine beyond a plain user."""

from pathlib import Path

CAP_SYS_TIME = 25
"""Its number in linux/capability.h."""


def may_set_clock(status: Path = Path("/proc/self/status")) -> bool:
    """Whether this process, and so its children, may set the clock."""
    try:
        line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
        return bool(int(line.split()[1], 16) >> CAP_SYS_TIME & 1)
    except (OSError, StopIteration, ValueError, IndexError):
        return False
