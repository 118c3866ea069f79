"""How much memory the camera process may hold: it looks at itself each second, and ends rather than starve the panel.

Pictures from a network pass through C libraries here. A leak is noticed by what is resident; what would be taken in
one gulp fails at a limit of the kernel. Whoever guards the process starts a new one.
"""

import ctypes
import os
import resource
from collections.abc import Sequence
from pathlib import Path

from firmware.config import Camera

MIB = 1024 * 1024
FIRST_MIB = 150
"""With one camera of 640 by 480 and both models (issue 6)."""
CAPTURING_MIB = 50
"""So much more while captures run: the pictures of an alarm are not cut off for a few megabytes."""
FURTHER_MIB = 45
"""For each further camera: its ring (32 MiB at most), its stream, its frames on their way."""
STILL_COPIES = 4
"""Full pictures in memory at once, 3 bytes a pixel: decoded, converted, encoded, waiting."""
USUAL_PIXELS = 640 * 480
DATA_TIMES, DATA_MIB = 4, 1024
"""The kernel's limit counts what is asked for, not what is used: threads' stacks and FFmpeg's pools ask for much."""
_ARENA_MAX, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -8, -1, -3
_MALLOPT = ((_ARENA_MAX, 2), (_TRIM_THRESHOLD, 128 * 1024), (_MMAP_THRESHOLD, 128 * 1024))
_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def limit_mib(cameras: Sequence[Camera]) -> int:
    """MiB that the process may hold resident with these cameras."""
    large = sum(max(0, c.still_width * c.still_height, c.width * c.height) for c in cameras) - USUAL_PIXELS * len(
        cameras
    )
    pictures = max(0, large) * 3 * STILL_COPIES // MIB
    return FIRST_MIB + FURTHER_MIB * (len(cameras) - 1) + pictures


def resident_mib() -> float:
    """What this process holds resident."""
    return int(_STATM.read_text().split()[1]) * _PAGE / MIB


def tame() -> None:
    """Have the C library give memory back: pictures come and go on many threads, and each would keep its own heap.

    Before any thread is started. Takes 20 MiB off five captures at once; another C library goes without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in _MALLOPT:
            mallopt(option, value)


def bound(limit: int) -> None:
    """From here on no single gulp may take the panel's memory: allocations beyond fail."""
    most = (limit * DATA_TIMES + DATA_MIB) * MIB
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or hard > most:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
