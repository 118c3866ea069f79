"""A panel of real processes with two modules on a paced Modbus line: alarms, a siren on the bus, and what breaks."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.modbus import ModbusLine, Unit
from tests.system.rig import Rig, rig

BUS = """[[modbus]]
id = "rs485"
port = "{port}"
baud = 115200
timeout_ms = 60

[[modbus.module]]
id = "m1"
address = 1
profile = "waveshare-io-8"

[[modbus.module]]
id = "m2"
address = 2
profile = "waveshare-io-8"

[[zone]]
id = "roof"
number = 91
name = "Roof hatch"
type = "24-hour"
areas = ["hall"]
point = {{ module = "m1", input = 3, debounce_ms = 50 }}

[[zone]]
id = "gate"
number = 92
name = "Yard gate"
type = "24-hour"
areas = ["hall"]
point = {{ module = "m2", input = 1, debounce_ms = 50 }}

[[output]]
id = "siren-bus"
place = "internal"
kind = "siren"
areas = ["hall"]
point = {{ module = "m2", output = 4 }}

[[zone]]
id = "front-door\""""


def eight() -> Unit:
    return Unit(coils=dict.fromkeys(range(8), False), discretes=dict.fromkeys(range(8), True))


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[tuple[Rig, ModbusLine]]:
    folder = Path(tempfile.mkdtemp(prefix="fh-", dir="/tmp"))
    line = ModbusLine(folder / "adapter", {1: eight(), 2: eight()})
    wired = BUS.format(port=folder / "adapter")
    try:
        with rig(edit=lambda text: text.replace('[[zone]]\nid = "front-door"', wired, 1)) as made:
            made.start("core")
            made.add_user()
            made.settle()
            yield made, line
    finally:
        line.close()


def subject(panel: Rig, kind: str, since: int, of: str) -> dict[str, str]:
    """The record of this kind about this subject."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for happening in panel.seen[since:]:
            if happening.what == "record" and happening.name == kind and happening.value["subject"] == of:
                return dict(happening.value)
        panel.wait("record", kind, since=since)
        time.sleep(0.01)
    raise AssertionError(f"no {kind} of {of}")


def test_a_zone_on_a_module_alarms_and_the_siren_on_another_sounds_and_stops(bus: tuple[Rig, ModbusLine]) -> None:
    panel, line = bus
    since = panel.mark()
    line.units[1].discretes[2] = False
    assert panel.wait("record", "alarm.24-hour", since=since).value["zone"] == "roof"
    line.wait(lambda: line.units[2].coils[3] is True)
    panel.code(wish="disarm")
    line.wait(lambda: line.units[2].coils[3] is False)


def test_a_module_that_dies_is_a_trouble_in_time_and_the_others_go_on(bus: tuple[Rig, ModbusLine]) -> None:
    panel, line = bus
    since, began = panel.mark(), time.monotonic()
    line.units[1].silent = True
    assert "no answer" in subject(panel, "trouble.bus", since, "rs485/m1")["detail"]
    assert time.monotonic() - began < 10
    line.units[2].discretes[0] = False
    line.wait(lambda: line.units[2].coils[3] is True)
    line.units[1].silent = False
    subject(panel, "trouble.bus-ended", since, "rs485/m1")


def test_a_siren_whose_module_is_away_or_whose_relay_sticks_is_a_trouble_of_its_own(
    bus: tuple[Rig, ModbusLine],
) -> None:
    panel, line = bus
    since = panel.mark()
    line.units[2].silent = True
    subject(panel, "trouble.siren", since, "siren-bus")
    line.units[2].silent = False
    subject(panel, "trouble.siren-ended", since, "siren-bus")
    line.units[2].stuck.add(3)
    since = panel.mark()
    line.units[1].discretes[2] = False
    assert "reads back off" in subject(panel, "trouble.siren", since, "siren-bus")["detail"]
    line.units[2].stuck.clear()
    subject(panel, "trouble.siren-ended", since, "siren-bus")
    assert line.units[2].coils[3] is True


def test_a_bus_process_that_is_killed_while_the_siren_sounds_leaves_it_on(bus: tuple[Rig, ModbusLine]) -> None:
    panel, line = bus
    line.units[1].discretes[2] = False
    line.wait(lambda: line.units[2].coils[3] is True)
    since, orders = panel.mark(), len(line.written)
    children = Path(f"/proc/{panel.processes['core'].popen.pid}/task").glob("*/children")
    pid = next(int(p) for c in children for p in c.read_text().split() if "drivers.bus.child" in cmdline(p))
    os.kill(pid, signal.SIGKILL)
    subject(panel, "trouble.bus", since, "rs485")
    line.wait(lambda: len(line.written) > orders)
    subject(panel, "trouble.bus-ended", since, "rs485")
    assert {value for _, place, value in line.written[orders:] if place == 3} == {1}
    panel.check_journal()


def cmdline(pid: str) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
