"""Modbus buses in the panel file: what is read of them, and what is refused, with place and expectation."""

from pathlib import Path

import pytest

from drivers.modbus.profiles import PROFILES
from firmware.config import load, to_site
from firmware.core.buses import wirings
from firmware.core.wires import output_lines, zone_inputs
from tests.firmware.test_config_mistakes import mistakes_in

SMALL = """
[panel]
id = "shop-1"
name = "Shop"
pins = "simulated"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[modbus]]
id = "rs485"
port = "/dev/serial/by-id/usb-FTDI_A1"
baud = 19200

[[modbus.module]]
id = "m1"
address = 1
profile = "waveshare-io-8"

[[modbus.module]]
id = "m2"
address = 2
profile = "adam-4017-plus"

[[zone]]
id = "door"
number = 1
name = "Door"
type = "instant"
areas = ["hall"]
point = { module = "m1", input = 3, wiring = "no", debounce_ms = 50 }

[[zone]]
id = "pir"
number = 2
name = "PIR"
type = "instant"
areas = ["hall"]
supply_cut = true
point = { module = "m2", analogue = 1, resistors = "triple", fault_means = "masked" }

[[output]]
id = "siren"
kind = "siren"
areas = ["hall"]
active = "low"
point = { module = "m1", output = 2 }
"""


def test_points_become_what_the_bus_is_told_and_no_gpio_lines(tmp_path: Path) -> None:
    file = load(_written(SMALL, tmp_path)).file
    (bus,) = wirings(file, tmp_path)
    assert (bus.id, bus.kind, bus.zones, bus.outputs) == ("rs485", "modbus", ("door", "pir"), ("siren",))
    assert bus.parts == {"m1", "m2", "siren"}
    door, pir = bus.wiring["zones"]
    assert door == {"zone": "door", "module": "m1", "input": 3, "wiring": "no", "debounce_ms": 50}
    assert (pir["analogue"], pir["plan"]["both_means"], pir["supply_mv"]) == (1, "fault", 5_000)
    assert bus.wiring["outputs"] == [{"output": "siren", "module": "m1", "number": 2, "active_high": False}]
    assert zone_inputs(file) == []
    assert output_lines(file) == []
    site = to_site(file)
    assert [site.zones[z].driver for z in ("door", "pir")] == ["rs485/m1", "rs485/m2"]


def _written(text: str, folder: Path) -> Path:
    path = folder / "panel.toml"
    path.write_text(text)
    return path


MISTAKES = {
    "unknown module": ('"m1", input = 3', '"m9", input = 3', "point.module", "m1, m2"),
    "input beyond": ("input = 3", "input = 9", "point.input", "1 to 8"),
    "no such kind": ('"m1", input = 3', '"m2", input = 3', "point.input", "no input"),
    "output beyond": ("output = 2", "output = 9", "point.output", "1 to 8"),
    "address twice": ("address = 2", "address = 1", "module[2].address", "no other module"),
    "address of all": ("address = 2", "address = 0", "module[2].address", "1"),
    "profile": ('"adam-4017-plus"', '"adam-9"', "module[2].profile", "adam-4051"),
    "name twice": ('id = "m2"', 'id = "door"', "module[2].id", "nothing else"),
    "two wires": ("areas = [", "input = { line = 5 }\nareas = [", "point", "not both"),
    "no wire": ('point = { module = "m1", output = 2 }', "", "line", "line = …"),
    "both kinds": ("input = 3", "input = 3, analogue = 1", "point.input", "one of them"),
    "of a loop": ("input = 3", "input = 3, eol_ohm = 4700", "point.eol_ohm", "analogue"),
    "too near": ("analogue = 1", "analogue = 1, eol_ohm = 22000", "point.eol_ohm", "25 %"),
    "watch": ('active = "low"', 'watch = { adc = "a", channel = 0 }', "watch", "line"),
    "the lines' name": ('id = "rs485"', 'id = "gpio"', "id", "another id"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_each_mistake_names_place_and_what_was_expected(case: str, tmp_path: Path) -> None:
    old, new, key, expected = MISTAKES[case]
    assert old in SMALL
    found = mistakes_in(SMALL.replace(old, new, 1), tmp_path)
    said = [m.say() for m in found]
    assert any(f": {key}: " in text and expected in text for text in said), said


def test_an_input_used_twice_and_a_module_without_use_are_found(tmp_path: Path) -> None:
    twice = SMALL.replace('"m2", analogue = 1, resistors = "triple", fault_means = "masked"', '"m1", input = 3')
    texts = {m.text[0] for m in mistakes_in(twice, tmp_path)}
    assert {"this input is used twice", "nothing is wired to it"} <= texts


def test_a_port_used_twice_is_found(tmp_path: Path) -> None:
    other = SMALL + '[[modbus]]\nid = "b"\nport = "/dev/serial/by-id/usb-FTDI_A1"\n[[modbus.module]]\nid = "m3"\n'
    found = mistakes_in(other + 'address = 1\nprofile = "icp-m7053"\n', tmp_path)
    assert "this port is used twice" in {m.text[0] for m in found}


def test_a_round_that_is_too_slow_for_its_baud_is_warned_of(tmp_path: Path) -> None:
    modules = "".join(f'[[modbus.module]]\nid = "n{n}"\naddress = {n}\nprofile = "icp-m7053"\n' for n in range(10, 17))
    zones = "".join(
        f'[[zone]]\nid = "z{n}"\nnumber = {n}\nname = "Z"\ntype = "instant"\nareas = ["hall"]\n'
        f'point = {{ module = "n{n}", input = 1 }}\n'
        for n in range(10, 17)
    )
    text = SMALL.replace('[[zone]]\nid = "door"', modules + '[[zone]]\nid = "door"').replace("19200", "4800")
    warned = load(_written(text + zones, tmp_path)).warnings
    # Ten questions of 16 bytes at 4,800 baud and 5 ms each: 383 ms.
    assert any(": baud: " in w.say() and "383 ms" in w.say() for w in warned), [w.say() for w in warned]
    assert not any("round" in w.text[0] for w in load(_written(SMALL, tmp_path)).warnings)


def test_every_profile_fits_what_modbus_allows() -> None:
    for name, profile in PROFILES.items():
        assert profile.source, name
        assert any(profile.counts), name
        assert all(count <= 64 for count in profile.counts), name
        if profile.outputs:
            assert (profile.outputs.read, profile.outputs.write) in {(1, 5), (3, 6)}, name
            assert profile.outputs.on != profile.outputs.off, name


def test_a_reader_bus_on_the_same_port_is_found(tmp_path: Path) -> None:
    other = SMALL + '[[osdp]]\nid = "m1"\nport = "/dev/serial/by-id/usb-FTDI_A1"\n'
    said = {m.text[0] for m in mistakes_in(other, tmp_path)}
    assert {"this port is used twice", "this id is used twice"} <= said
