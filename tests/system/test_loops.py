"""Analogue loops over real processes: what an installer does to a line, and what the journal holds of it."""

import json
import re
from collections.abc import Iterator

import pytest

from firmware.config import load
from tests.system.rig import Rig, rig

ADC = '[[adc]]\nid = "adc-1"\nchip = "mcp3208"\n\n[[zone]]\nid = "front-door"'
TRIPLE = 'loop = { adc = "adc-1", channel = %d, resistors = "triple", fault_means = "%s" }'


def looped(text: str) -> str:
    """The demo's bank, some zones of it on loops; SPI's lines are left to SPI."""
    for line in (7, 8, 9, 10, 11):
        text = re.sub(rf"line = {line}\b", f"line = {line + 30}", text)
    text = text.replace("exit_delay_s = 8", "exit_delay_s = 1")
    text = text.replace("input = { line = 22 }", TRIPLE % (0, "masked"))
    text = text.replace("input = { line = 23 }", TRIPLE % (1, "fault") + "\nsupply_cut = true")
    text = text.replace("input = { line = 24 }", 'loop = { adc = "adc-1", channel = 2, debounce_ms = 100 }')
    text = text.replace("input = { line = 12 }", 'loop = { adc = "adc-1", channel = 7, resistors = "single" }')
    return text.replace('[[zone]]\nid = "front-door"', ADC, 1)


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=looped) as made:
        made.start("core")
        made.add_user()
        made.settle()
        yield made


def test_what_is_done_to_a_loop_is_recorded(panel: Rig) -> None:
    for zone, position, kind, condition in (
        ("back-door", "cut", "alarm.sensor-tamper", "open"),
        ("back-door", "short", "alarm.sensor-tamper", "short"),
        ("hall-pir", "mask", "zone.fault", "masked"),
        ("office-pir", "unpowered", "alarm.sensor-tamper", "fault"),
    ):
        since = panel.mark()
        panel.move(zone, position)
        assert panel.wait("condition", zone, since=since).value == condition
        record = panel.wait("record", kind, since=since).value
        assert record["zone"] == zone
        panel.move(zone, "close")
        panel.wait("condition", zone, "normal", since=since)
    assert "trouble.driver" not in panel.kinds()


def test_an_opened_door_on_a_loop_alarms_while_armed(panel: Rig) -> None:
    panel.move("back-door", "open")
    opened = panel.mark()
    panel.wait("condition", "back-door", "active")
    panel.move("back-door", "close")
    panel.wait("condition", "back-door", "normal", since=opened)
    assert "alarm.intruder" not in panel.kinds()
    panel.arm()
    since = panel.mark()
    panel.move("back-door", "open")
    panel.wait("output", "siren-outside", True, since=since)
    assert panel.wait("record", "alarm.intruder", since=since).value["zone"] == "back-door"


def test_a_hold_up_button_with_one_resistor_is_silent_and_recorded(panel: Rig) -> None:
    since = panel.mark()
    panel.move("holdup-2", "open")
    assert panel.wait("record", "alarm.hold-up", since=since).value["zone"] == "holdup-2"


def test_a_bad_file_of_learned_values_is_maintenance_until_they_are_learned_anew() -> None:
    with rig(edit=looped, clock_rate=20) as panel:
        panel.data.mkdir(exist_ok=True)
        file = panel.data / "loops.json"
        file.write_text("not this")
        panel.start("core")
        record = panel.wait("record", "trouble.maintenance").value
        assert record["subject"] == "loops.json"
        assert "nominal values" in record["detail"]
        panel.wait("record", "trouble.maintenance-ended")
        learned = json.loads(file.read_text())["zones"]
        assert learned["back-door"] == {"nominal_ohm": 1000.0, "rest_ohm": pytest.approx(1000, abs=2)}
        assert file.stat().st_mode & 0o777 == 0o600
        assert panel.stop() == {"core": 0}
        panel.check_journal()


def test_the_rules_know_which_driver_reads_a_zone(panel: Rig) -> None:
    from firmware.config import to_site

    zones = to_site(load(panel.panel_toml).file).zones
    assert {id_: zone.driver for id_, zone in zones.items() if zone.driver != "gpio"} == dict.fromkeys(
        ("hall-pir", "office-pir", "back-door", "holdup-2"), "adc-1"
    )
