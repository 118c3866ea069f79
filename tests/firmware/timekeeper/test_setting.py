"""The process that sets the clock: what it takes, what it refuses, and that nothing else is in reach of it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_mock import MockerFixture

from firmware.clock import FLOOR, LATEST
from firmware.protocol.lines import Splitter, encode
from firmware.protocol.messages import ClockSet, SetClock, from_clock
from firmware.protocol.records import Strict
from firmware.rights import may_set_clock
from firmware.timekeeper.main import Timekeeper
from firmware.timekeeper.setting import OLDEST_MS, SLEW_UP_TO_S, STEPS_MS, Judge
from hil.demo_site import Address, make
from tests.clock import TurnedClock

KEYS = ("44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY", "VccEWwL4i_ICOQZWFq7cP1h6J3jjSWS9QwQlgrOyQq4")
NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("off_s", "how"),
    [(0.5, "slewed"), (-SLEW_UP_TO_S, "slewed"), (2.1, "stepped"), (-2.1, "stepped"), (-86_400.0 * 30, "stepped")],
)
def test_small_differences_are_made_up_slowly_and_large_ones_at_once(off_s: float, how: str) -> None:
    setting = Judge().judge(round((NOW + off_s) * 1000), 5_000, 5_000, NOW)
    assert (setting.how, setting.utc) == (how, NOW + off_s)
    assert setting.off_s == pytest.approx(off_s)


def test_the_time_that_an_order_was_under_way_is_added() -> None:
    setting = Judge().judge(round(NOW * 1000), 5_000, 8_000, NOW - 100)
    assert (setting.how, setting.utc) == ("stepped", NOW + 3)


@pytest.mark.parametrize(
    ("utc", "age_ms", "why"),
    [
        (FLOOR - 1, 0, "expected 2026-01-01"),
        (0, 0, "expected 2026-01-01"),
        (LATEST + 1, 0, "2100-01-01"),
        (NOW, OLDEST_MS + 1, "5001 ms old"),
        (NOW, -1, "-1 ms old"),
    ],
)
def test_what_can_not_be_is_refused(utc: float, age_ms: int, why: str) -> None:
    setting = Judge().judge(round(utc * 1000), 100_000 - age_ms, 100_000, NOW - 500)
    assert setting.how == "refused"
    assert why in setting.why


def test_it_is_set_at_most_once_a_minute() -> None:
    judge = Judge()
    assert judge.judge(round((NOW + 10) * 1000), 0, 0, NOW).how == "stepped"
    assert "a minute ago" in judge.judge(round((NOW - 10) * 1000), 1000, 1000, NOW).why
    assert judge.judge(round((NOW + 1) * 1000), 1000, 1000, NOW).how == "slewed"
    assert judge.judge(round((NOW - 10) * 1000), STEPS_MS, STEPS_MS, NOW).how == "stepped"


@given(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.floats(-1e10, 1e10))
def test_no_order_brings_the_clock_out_of_its_range(utc_ms: int, at_ms: int, now_ms: int, clock: float) -> None:
    setting = Judge().judge(utc_ms, at_ms, now_ms, clock)
    assert setting.how == "refused" or FLOOR <= setting.utc <= LATEST


def test_the_kernel_is_told_and_its_refusal_is_told_back(mocker: MockerFixture, tmp_path: Path) -> None:
    step = mocker.patch("firmware.kernel_clock.step")
    slew = mocker.patch("firmware.kernel_clock.slew", side_effect=PermissionError(1, "Operation not permitted"))
    clock = TurnedClock(utc=NOW)
    keeper = Timekeeper(tmp_path / "none.sock", clock)
    far = SetClock(utc_ms=round((NOW + 100) * 1000), monotonic_ms=clock.now_ms)
    assert keeper.carry_out(far) == ClockSet(how="stepped", off_ms=100_000)
    step.assert_called_once_with(NOW + 100)
    near = SetClock(utc_ms=round((NOW + 1) * 1000), monotonic_ms=clock.now_ms)
    refused = keeper.carry_out(near)
    assert (refused.how, "not permitted" in refused.detail) == ("refused", True)
    slew.assert_called_once_with(pytest.approx(1.0))


def test_the_right_is_read_from_the_kernel(tmp_path: Path) -> None:
    status = tmp_path / "status"
    for line, may in [
        ("CapEff:\t000001ffffffffff", True),
        ("CapEff:\t0000000002000000", True),
        ("CapEff:\t000001fffdffffff", False),
        ("CapEff:\tzz", False),
        ("Name:\tx", False),
    ]:
        status.write_text(f"Name:\tfenghuo\n{line}\n")
        assert may_set_clock(status) is may
    assert may_set_clock(tmp_path / "gone") is False


SEAM = """
import json, os, sys
import firmware.kernel_clock as kernel, firmware.rights as rights

def said(name):
    def call(value):
        with open(os.environ["SEAM"], "a") as file:
            file.write(json.dumps([name, value]) + "\\n")
    return call

kernel.step, kernel.slew = said("step"), said("slew")
rights.may_set_clock = lambda: os.environ.get("MAY") != "no"
from firmware.commands import main
sys.exit(main(["clock", "--config", sys.argv[1]]))
"""
"""The real process, but for the two calls that would set this machine's clock."""


class Core:
    """Core's end of the socket."""

    def __init__(self, folder: Path) -> None:
        (folder / "run").mkdir(exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        (folder / "run" / "clock.sock").unlink(missing_ok=True)
        self.listener.bind(str(folder / "run" / "clock.sock"))
        self.listener.listen()
        self.listener.settimeout(20)
        self.peer: socket.socket | None = None
        self._splitter = Splitter()

    def accept(self) -> None:
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(20)
        self._splitter = Splitter()

    def ask(self, message: Strict) -> ClockSet:
        assert self.peer is not None
        self.peer.sendall(encode(message))
        while not (lines := self._splitter.feed(self.peer.recv(65_536))):
            pass
        return from_clock.validate_json(lines[0])

    def close(self) -> None:
        if self.peer is not None:
            self.peer.close()
        self.listener.close()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("c")
    make(made, Address("127.0.0.1", 1), *KEYS)
    file = made / "panel.toml"
    file.write_text(file.read_text() + "\n[clock]\nfrom_center = true\n")
    return made


def start(folder: Path, **environment: str) -> "subprocess.Popen[str]":
    own = os.environ | {"SEAM": str(folder / "seam"), "FENGHUO_LANG": "en", **environment}
    argv = [sys.executable, "-c", SEAM, str(folder / "panel.toml")]
    return subprocess.Popen(argv, env=own, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def process(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    running = start(folder)
    yield running
    running.kill()
    running.communicate(timeout=10)


def said(folder: Path) -> list[tuple[str, float]]:
    return [tuple(json.loads(line)) for line in (folder / "seam").read_text().splitlines()]


def test_a_real_process_sets_steps_and_slews_as_core_says_and_comes_back_to_a_new_core(
    folder: Path, process: "subprocess.Popen[str]"
) -> None:
    import time

    def order(off_s: float) -> SetClock:
        now_ms = time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
        return SetClock(utc_ms=round((time.time() + off_s) * 1000), monotonic_ms=now_ms)

    core = Core(folder)
    core.accept()
    assert core.ask(order(1.5)).how == "slewed"
    assert core.ask(order(3600)).how == "stepped"
    refused = core.ask(SetClock(utc_ms=1000, monotonic_ms=order(0).monotonic_ms))
    assert (refused.how, "expected 2026-01-01" in refused.detail) == ("refused", True)
    core.close()
    again = Core(folder)
    again.accept()
    assert again.ask(order(-3600)).detail == "set less than a minute ago"
    again.close()
    (slewed, stepped) = said(folder)
    assert (slewed[0], stepped[0]) == ("slew", "step")
    assert slewed[1] == pytest.approx(1.5, abs=0.2)
    assert stepped[1] == pytest.approx(time.time() + 3600, abs=20)
    process.terminate()
    assert process.wait(10) == 0


def test_without_the_right_it_says_so_and_ends(folder: Path) -> None:
    process = start(folder, MAY="no")
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "CAP_SYS_TIME" in said


def test_where_the_file_does_not_want_it_nothing_runs(folder: Path) -> None:
    file = folder / "panel.toml"
    file.write_text(file.read_text().replace("from_center = true", "from_center = false"))
    process = start(folder)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "from_center" in said
