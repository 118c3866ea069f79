"""Battery, charger and board over a real core process: what the desk does to them is told, tested, and survived."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firmware.protocol import messages as m
from tests.system.rig import Rig, rig

RATE = 20
ADC = """[[adc]]
id = "adc-1"
chip = "mcp3208"

[[zone]]
id = "front-door\""""
BATTERY = """
[power.battery]
cells = 6
capacity_mah = 7000
installed = "2026-01-01"
load_ma = 500
volts = { adc = "adc-1", channel = 6, top_ohm = 47000, bottom_ohm = 10000 }
thermistor = { adc = "adc-1", channel = 7 }
load_line = 51
charger_line = 52
"""
INA = """
[power.battery]
cells = 6
capacity_mah = 7000
ina219 = { address = 65 }
charger_line = 52
max_ma = 2000
"""


def powered(battery: str = BATTERY, adc: bool = True) -> Callable[[str], str]:
    """The demo's bank with a battery that is measured."""

    def edit(text: str) -> str:
        for line in (2, 3, 7, 8, 9, 10, 11):
            text = re.sub(rf"line = {line}\b", f"line = {line + 30}", text)
        text = text.replace("exit_delay_s = 8", "exit_delay_s = 1").replace("siren_s = 90", "siren_s = 300")
        text = text.replace("[timings]", "[timings]\nmains_report_delay_s = 0\nbattery_test_s = 120", 1)
        assert "[power]" in text
        text = text.replace('[[zone]]\nid = "front-door"', ADC, 1) if adc else text
        return text.replace("battery_line = 37", battery)

    return edit


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=powered(), clock_rate=RATE) as made:
        made.start("core")
        made.add_user()
        made.settle()
        yield made


def shown(panel: Rig, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The figures of core, once they are so."""
    deadline = time.monotonic() + 15
    while not wanted(found := panel.status()["health"]):
        assert time.monotonic() < deadline, found
        threading.Event().wait(0.05)
    return dict(found)


def test_what_is_measured_is_among_the_figures(panel: Rig) -> None:
    panel.desk(m.SetSupply(battery_mv=13_700, celsius=31))
    found = shown(panel, lambda figures: abs(int(figures["battery_mv"] or 0) - 13_700) <= 20)
    assert found["battery_c"] == pytest.approx(31, abs=1)
    assert found["board_c"] == 45
    assert found["battery_ma"] is None
    assert found["battery_testing"] is False


def test_a_board_that_is_supplied_too_low_or_too_hot_is_told_each_by_itself(panel: Rig) -> None:
    since = panel.mark()
    panel.desk(m.SetSupply(under_voltage=True, board_c=92))
    assert panel.wait("record", "trouble.board", since=since).value["subject"] == "under-voltage"
    panel.desk(m.SetSupply(under_voltage=False))
    assert panel.wait("record", "trouble.board-ended", since=since).value["subject"] == "under-voltage"
    hot = [h.value for h in panel.seen if h.name == "trouble.board" and h.value["subject"] == "hot"]
    assert hot == [{"trouble": "board", "subject": "hot", "detail": "92 °C, limit 80 °C"}]


@pytest.mark.clause("EN 50131-6 low battery")
def test_a_low_battery_is_told_and_keeps_from_arming_until_it_is_charged(panel: Rig) -> None:
    since = panel.mark()
    panel.desk(m.Mains(on=False))
    panel.wait("record", "trouble.mains", since=since)
    panel.desk(m.SetSupply(battery_mv=11_300))
    record = panel.wait("record", "trouble.battery", since=since).value
    assert re.fullmatch(r"11\.\d\d V \(188\d mV a cell\), expected at least 1900 mV a cell", record["detail"])
    panel.code(wish="arm")
    reasons = panel.wait("record", "area.arming-refused", since=since).value["reasons"]
    assert {"trouble:mains", "trouble:battery"} <= set(reasons)
    panel.desk(m.Mains(on=True))
    panel.desk(m.SetSupply(auto=True))
    panel.wait("record", "trouble.battery-ended", since=since)


@pytest.mark.clause("EN 50131-6 load test")
def test_a_battery_test_puts_a_load_on_and_tells_what_was_measured(panel: Rig) -> None:
    since = panel.mark()
    panel.code(wish="battery-test")
    panel.wait("output", "power:load", True, since=since)
    panel.wait("output", "power:charger", True, since=since)
    record = panel.wait("record", "test.battery-ended", since=since, timeout_s=20).value
    assert record["ok"] is True
    told = r"12\.\d\d V after (\d+) s, 13\.\d\d V before, expected at least 11\.70 V"
    found = re.match(told, record["detail"])
    assert found, record["detail"]
    assert int(found[1]) >= 80, "of the 120 s that a test lasts, before the rules end it"
    panel.wait("output", "power:load", False, since=since)
    panel.wait("output", "power:charger", False, since=since)
    assert "trouble.battery" not in panel.kinds()


def test_a_battery_that_gives_way_under_its_load_fails_and_one_that_is_gone_is_missing(panel: Rig) -> None:
    panel.desk(m.SetSupply(loaded_mv=11_000))
    since = panel.mark()
    panel.code(wish="battery-test")
    record = panel.wait("record", "trouble.battery-test", since=since, timeout_s=20).value
    assert record["detail"].startswith("11.0")
    panel.desk(m.SetSupply(loaded_mv=200))
    since = panel.mark()
    panel.code(wish="battery-test")
    panel.wait("record", "trouble.battery-missing", since=since)
    panel.wait("output", "power:load", False, since=since)
    panel.desk(m.SetSupply(auto=True))
    back = panel.mark()
    # The first one may still judge the voltage of before: it is read once a second.
    for _ in range(3):
        since = panel.mark()
        panel.code(wish="battery-test")
        if panel.wait("record", "test.battery-ended", since=since, timeout_s=20).value["ok"]:
            break
    panel.wait("record", "trouble.battery-missing-ended", since=back)
    panel.wait("record", "trouble.battery-test-ended", since=back)


def test_a_siren_ends_a_battery_test(panel: Rig) -> None:
    since = panel.mark()
    panel.code(wish="battery-test")
    panel.wait("output", "power:load", True, since=since)
    panel.move("vault-door", "open")
    panel.wait("output", "siren-inside", True, since=since)
    record = panel.wait("record", "test.battery-ended", since=since).value
    assert record == {"ok": False, "detail": "a siren sounds"}
    panel.wait("output", "power:load", False, since=since)


@pytest.mark.clause("EN 50131-6 load test")
def test_the_panel_tests_its_battery_by_itself() -> None:
    with rig(edit=powered(), clock_rate=1000) as panel:
        panel.start("core")
        record = panel.wait("record", "test.battery", timeout_s=30).value
        assert record == {"by": "schedule:battery"}
        panel.wait("record", "test.battery-ended")


def test_a_charger_that_gives_too_much_or_nothing_is_told(panel: Rig) -> None:
    since = panel.mark()
    panel.desk(m.SetSupply(battery_mv=15_400))
    record = panel.wait("record", "trouble.charger", since=since).value
    assert "expected at most 2500 mV a cell" in record["detail"]
    panel.desk(m.SetSupply(auto=True))
    panel.wait("record", "trouble.charger-ended", since=since)


def test_a_standby_time_that_is_too_short_is_told() -> None:
    with rig(edit=powered(BATTERY.replace("load_ma = 500", "load_ma = 900")), clock_rate=200) as panel:
        panel.start("core")
        record = panel.wait("record", "trouble.maintenance").value
        assert record["subject"] == "standby"
        assert re.fullmatch(r"[56]\.\d h at 900 mA, expected at least 8 h", record["detail"])


@pytest.mark.clause("EN 50131-6 low battery")
def test_at_its_last_voltage_the_panel_ends_in_good_order_and_comes_back_armed_with_the_mains(panel: Rig) -> None:
    panel.arm()
    since = panel.mark()
    panel.desk(m.Mains(on=False))
    panel.desk(m.SetSupply(battery_mv=10_300))
    panel.wait("record", "panel.stopped", since=since)
    panel.processes["core"].wait_told("STATUS=the battery is at its end; waiting for the supply")
    stopped = panel.records()[-2:]
    assert [r["kind"] for r in stopped] == ["panel.stopped", "journal.checkpoint"]
    assert stopped[0]["payload"]["reason"].startswith("battery at its end: 10.3")
    assert not (panel.run / "desk.sock").exists()
    assert panel.processes["core"].popen.poll() is None, "it must stay to see the supply come back"
    world = panel.run / "desk.json"
    world.write_text(world.read_text().replace('"mains": false', '"mains": true'))
    panel.processes["core"].wait_told("READY=1")
    panel.watch()
    started = [r for r in panel.records() if r["kind"] == "panel.started"][-1]["payload"]
    assert started["cause"] == "restart"
    assert started["dark_ms"] > 0
    assert panel.mode() == "armed"
    assert panel.stop() == {"core": 0}
    panel.check_journal()


def test_the_end_is_durable_and_a_start_on_a_flat_battery_ends_again(panel: Rig) -> None:
    panel.arm()
    panel.desk(m.Mains(on=False))
    panel.desk(m.SetSupply(battery_mv=10_300))
    panel.processes["core"].wait_told("STATUS=the battery is at its end; waiting for the supply")
    panel.kill("core")
    assert panel.kinds()[-2:] == ["panel.stopped", "journal.checkpoint"]
    panel.start("core")
    assert panel.mode() == "armed"
    panel.processes["core"].wait_told("STATUS=the battery is at its end; waiting for the supply")
    assert panel.kinds().count("panel.stopped") == 2
    panel.kill("core")
    panel.check_journal()


def test_a_siren_that_sounds_is_not_put_out_for_the_batterys_sake(panel: Rig) -> None:
    panel.move("vault-door", "open")
    panel.wait("output", "siren-inside", True)
    since = panel.mark()
    panel.desk(m.Mains(on=False))
    panel.desk(m.SetSupply(battery_mv=10_300))
    panel.wait("record", "trouble.battery", since=since)
    shown(panel, lambda figures: int(figures["battery_mv"] or 0) < 10_500)
    threading.Event().wait(4 * 30 / RATE)  # four times as long as the last voltage must stand
    assert "panel.stopped" not in panel.kinds()
    panel.code(wish="silence")
    panel.wait("output", "siren-inside", False, since=since)
    panel.wait("record", "panel.stopped", since=since)


def test_a_parked_panel_that_is_asked_to_stop_stops(panel: Rig) -> None:
    panel.desk(m.Mains(on=False))
    panel.desk(m.SetSupply(battery_mv=10_300))
    panel.processes["core"].wait_told("STATUS=the battery is at its end; waiting for the supply")
    assert panel.stop() == {"core": 0}


def test_an_ina219_measures_current_too_and_an_overload_is_told() -> None:
    with rig(edit=powered(INA, adc=False), clock_rate=RATE) as panel:
        panel.start("core")
        since = panel.mark()
        panel.desk(m.SetSupply(ma=2_500))
        record = panel.wait("record", "trouble.overcurrent", since=since).value
        assert record["detail"] == "2500 mA, expected at most 2000 mA"
        panel.desk(m.SetSupply(ma=150))
        panel.wait("record", "trouble.overcurrent-ended", since=since)
        found = shown(panel, lambda figures: figures["battery_ma"] == 150)
        assert found["battery_mv"] == pytest.approx(13_440, abs=20)
        chip = panel.technician(m.AskDrivers())["drivers"]["ina219"]
        assert (chip["kind"], chip["alive"], chip["error"]) == ("INA219, I2C 1 address 0x41", True, None)
