"""The machine's clock: whatever the machine looks like, it says something, for every record asks it."""

import contextlib
import os
import resource
import time
from pathlib import Path

import pytest

from firmware.clock import CLOCK_STATES, SystemClock, utc_text


def test_the_state_follows_the_file_of_timesyncd(tmp_path: Path) -> None:
    clock = SystemClock(1, tmp_path / "synchronized")
    assert clock.state() == "free-running"
    (tmp_path / "synchronized").touch()
    assert clock.state() == "synchronised"


def test_a_file_that_cant_even_be_asked_for_costs_no_record(tmp_path: Path) -> None:
    assert SystemClock(1, tmp_path / ("x" * 300)).state() in CLOCK_STATES


def test_boot_and_moments_need_no_file_descriptor() -> None:
    clock = SystemClock()
    boot = clock.boot()
    taken: list[int] = []
    limit = 200 + len(list(Path("/proc/self/fd").iterdir()))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        with pytest.raises(OSError, match="Too many open files"):
            os.open("/dev/null", os.O_RDONLY)
        assert clock.boot() == boot
        assert clock.state() in CLOCK_STATES
        assert clock.monotonic_ms() > 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for handle in taken:
            os.close(handle)


def test_a_faster_clock_runs_evenly() -> None:
    clock = SystemClock(10)
    began, real = clock.monotonic_ms(), time.monotonic()
    time.sleep(0.05)
    passed, waited = clock.monotonic_ms() - began, (time.monotonic() - real) * 1000
    assert 500 <= passed <= 10 * waited + 1
    assert clock.wait_s(1000) == 0.1
    assert clock.wait_s(-5) == 0.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1773529766.123, "2026-03-14T23:09:26.123Z"),
        (-1.0, "1969-12-31T23:59:59.000Z"),
    ],
)
def test_utc_as_records_write_it(seconds: float, text: str) -> None:
    assert utc_text(seconds) == text
