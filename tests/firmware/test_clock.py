"""The machine's clock: whatever the machine looks like, it says something, for every record asks it."""

import contextlib
import os
import resource
import time
from pathlib import Path

import pytest

from firmware.clock import CLOCK_STATES, SystemClock, rtc_utc, utc_text
from firmware.kernel_clock import SYNCHRONISED_WITHIN_US, greatest_error_us, synchronised


def forbidden() -> bool:
    raise PermissionError("adjtimex")


def test_where_the_kernel_may_not_be_asked_the_state_follows_the_file_of_timesyncd(tmp_path: Path) -> None:
    clock = SystemClock(1, tmp_path / "synchronized", forbidden)
    assert clock.state() == "free-running"
    (tmp_path / "synchronized").touch()
    assert clock.state() == "synchronised"


def test_the_kernel_knows_better_than_a_file_that_one_client_once_touched(tmp_path: Path) -> None:
    (tmp_path / "synchronized").touch()
    kept = [True]
    clock = SystemClock(1, tmp_path / "synchronized", lambda: kept[0])
    assert (clock.state(), clock.served()) == ("synchronised", True)
    kept[0] = False
    assert (clock.state(), clock.served()) == ("free-running", False)


def test_the_machines_kernel_can_be_asked_by_anyone() -> None:
    assert greatest_error_us() >= 0
    assert synchronised() is (greatest_error_us() < SYNCHRONISED_WITHIN_US)


def test_a_vouched_clock_counts_as_synchronised_until_then_and_is_not_served() -> None:
    clock = SystemClock(1, kernel=lambda: False)
    clock.vouch(clock.monotonic_ms() + 60_000)
    assert (clock.state(), clock.served()) == ("synchronised", False)
    clock.vouch(clock.monotonic_ms() - 1)
    assert clock.state() == "free-running"


def test_a_suspected_clock_is_unset_until_it_is_synchronised_or_set() -> None:
    served = [False]
    clock = SystemClock(1, kernel=lambda: served[0])
    clock.suspect(True)
    assert clock.state() == "unset"
    clock.suspect(False)
    assert clock.state() == "free-running"
    clock.suspect(True)
    clock.vouch(clock.monotonic_ms() + 60_000)
    assert clock.state() == "synchronised"
    clock.vouch(-1)
    assert clock.state() == "free-running", "it was right since"
    clock.suspect(True)
    for keeps, state in ((True, "synchronised"), (False, "free-running")):
        served[0] = keeps
        assert clock.state() == state


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, None),
        ({"rtc0/hctosys": "0\n", "rtc0/since_epoch": "1790000000\n"}, None),
        ({"rtc0/hctosys": "1\n", "rtc0/since_epoch": "1790000000\n"}, 1_790_000_000),
        (
            {"rtc0/hctosys": "0", "rtc0/since_epoch": "1", "rtc1/hctosys": "1", "rtc1/since_epoch": "1790000000"},
            1_790_000_000,
        ),
        ({"rtc0/hctosys": "1\n"}, None),
        ({"rtc0/hctosys": "1\n", "rtc0/since_epoch": "dead\n"}, None),
    ],
)
def test_the_battery_backed_clock_that_the_kernel_took(
    tmp_path: Path, files: dict[str, str], found: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert rtc_utc(tmp_path) == found


def test_a_file_that_cant_even_be_asked_for_costs_no_record(tmp_path: Path) -> None:
    assert SystemClock(1, tmp_path / ("x" * 300), forbidden).state() in CLOCK_STATES


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
