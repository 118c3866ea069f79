"""What the kernel knows of its own clock, and the two ways to change it: adjtimex(2), adjtime(3), clock_settime(2).

Every NTP client tells the kernel how far off the clock may be, so that is asked, and not one client's files. Only the
process `clock` changes anything; whoever reads needs no right for it.
"""

import ctypes
import time

SYNCHRONISED_WITHIN_US = 16_000_000
"""Below this greatest error the clock counts as synchronised, as systemd has it (`timedatectl`). The kernel's own flag
STA_UNSYNC is no measure: chrony sets it for good where it shall not touch the RTC (without `rtcsync`). Left alone, the
error grows by 500 µs a second, so a server that fell silent counts for some nine hours."""


class _Timeval(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("us", ctypes.c_long))


class _Timex(ctypes.Structure):
    """`struct timex` of linux/timex.h."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("tick", ctypes.c_long),
        ("more", ctypes.c_long * 24),  # the PPS part, tai, and room to spare
    )


_LIBC = ctypes.CDLL(None, use_errno=True)


def greatest_error_us() -> int:
    """How far the clock may be off, as its NTP client told the kernel; 16 s and more: nobody looks after it.

    Raises `OSError` where a sandbox forbids the call.
    """
    timex = _Timex()
    if _LIBC.adjtimex(ctypes.byref(timex)) < 0:
        raise OSError(ctypes.get_errno(), "adjtimex")
    return int(timex.maxerror)


def synchronised() -> bool:
    """Whether an NTP client keeps the clock. Raises `OSError`."""
    return greatest_error_us() < SYNCHRONISED_WITHIN_US


def step(utc: float) -> None:
    """Set the clock, in seconds since 1970. Raises `OSError`: needs CAP_SYS_TIME."""
    time.clock_settime(time.CLOCK_REALTIME, utc)


def slew(seconds: float) -> None:
    """Run faster or slower by 500 µs a second until so much is made up. Raises `OSError`: needs CAP_SYS_TIME."""
    whole = int(seconds)
    delta = _Timeval(whole, round((seconds - whole) * 1_000_000))
    if _LIBC.adjtime(ctypes.byref(delta), None) < 0:
        raise OSError(ctypes.get_errno(), "adjtime")
