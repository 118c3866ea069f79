"""Loops in the panel file: what is read of them, what is refused, and what docs/wiring.md shows is what works."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drivers.loop_plan import LoopPlan, Resistors
from drivers.wiring import Wiring
from firmware.config import load, to_site
from firmware.config.kept import View
from firmware.core.wires import loops_by_chip, zone_inputs
from provisioning import loop_table
from rules.site import Condition
from tests.firmware.test_config_mistakes import mistakes_in

WIRING = Path("docs/wiring.md")
SMALL = """
[panel]
id = "shop-1"
name = "Shop"
pins = "simulated"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[adc]]
id = "adc-1"
chip = "mcp3008"

[[zone]]
id = "pir"
number = 1
name = "PIR"
type = "instant"
areas = ["hall"]
supply_cut = true
loop = { adc = "adc-1", channel = 0, resistors = "triple", fault_means = "masked" }

[[zone]]
id = "door"
number = 2
name = "Door"
type = "instant"
areas = ["hall"]
loop = { adc = "adc-1", channel = 7 }

[[zone]]
id = "button"
number = 3
name = "Button"
type = "hold-up"
areas = ["hall"]
input = { line = 17 }
"""


def loaded(text: str, folder: Path) -> object:
    path = folder / "panel.toml"
    path.write_text(text)
    return load(path)


def test_a_loop_is_read_with_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(SMALL)
    found = load(path)
    ((chip, loops),) = loops_by_chip(found.file).items()
    assert (chip.id, chip.bits, chip.select, chip.pull_ohm) == ("adc-1", 10, 0, 2_200)
    assert {loop.zone: (loop.channel, loop.debounce_ms) for loop in loops} == {"pir": (0, 300), "door": (7, 300)}
    assert loops[0].plan == LoopPlan(
        Resistors.TRIPLE, Wiring.NC, 1_000, 2_200, 3_900, Condition.MASKED, Condition.FAULT
    ), "a detector without supply lets go of both contacts"
    assert loops[1].plan == LoopPlan()
    assert [wire.zone for wire in zone_inputs(found.file)] == ["button"]
    zones = to_site(found.file).zones
    assert {id_: zone.driver for id_, zone in zones.items()} == {"pir": "adc-1", "door": "adc-1", "button": "gpio"}
    assert not [warning for warning in found.warnings if warning.key.endswith("supply_cut")]


def test_a_kept_file_has_the_same_loops(tmp_path: Path) -> None:
    from firmware.config.kept import view

    path = tmp_path / "panel.toml"
    path.write_text(SMALL)
    file = load(path).file
    kept = view(file.model_dump(mode="json"))
    assert isinstance(kept, View)
    assert loops_by_chip(kept) == loops_by_chip(file)  # type: ignore[arg-type]


CASES = {
    "neither line nor loop": (
        'loop = { adc = "adc-1", channel = 7 }',
        "",
        '[[zone]] #2 "door": input',
        "",
        "loop = { adc",
        "missing",
    ),
    "a line and a loop": (
        'loop = { adc = "adc-1", channel = 7 }',
        'loop = { adc = "adc-1", channel = 7 }\ninput = { line = 3 }',
        '[[zone]] #2 "door": loop',
        "{ adc, channel }",
        "not both",
        "one wire",
    ),
    "an unknown converter": (
        'adc = "adc-1", channel = 7',
        'adc = "adc-9", channel = 7',
        '[[zone]] #2 "door": loop.adc',
        '"adc-9"',
        "adc-1",
        "there is no such adc",
    ),
    "a channel used twice": (
        "channel = 7",
        "channel = 0",
        '[[zone]] #2 "door": loop.channel',
        '"adc-1/0"',
        "0 to 7",
        "used twice",
    ),
    "a channel that is none": ("channel = 7", "channel = 8", '[[zone]] #2 "door": loop.channel', "8", "7", "too large"),
    "a chip select used twice": (
        '[[adc]]\nid = "adc-1"',
        '[[adc]]\nid = "adc-2"\nchip = "mcp3008"\n\n[[adc]]\nid = "adc-1"',
        '[[adc]] #2 "adc-1"',
        "0",
        "0 or 1",
        "used twice",
    ),
    "a line of SPI": ("line = 17", "line = 9", '[[zone]] #3 "button": input.line', "9", "7 to 11", "belongs to SPI"),
    "a chip named as the lines are": ('"adc-1"', '"gpio"', '[[adc]] #1 "gpio": id', '"gpio"', "another", "plain lines"),
    "resistors that are too near": (
        'fault_means = "masked"',
        'fault_ohm = 2400, fault_means = "masked"',
        '[[zone]] #1 "pir": loop.fault_ohm',
        "2400",
        "25 %",
        "active (3200 ohm) and fault (3400 ohm) can't be told apart",
    ),
    "a key for more resistors": (
        "channel = 7",
        "channel = 7, fault_ohm = 3900",
        '[[zone]] #2 "door": loop.fault_ohm',
        "3900",
        'resistors = "triple"',
        "means nothing for a double",
    ),
    "an alarm resistor of a single one": (
        "channel = 7",
        'channel = 7, resistors = "single", alarm_ohm = 2200',
        '[[zone]] #2 "door": loop.alarm_ohm',
        "2200",
        'resistors = "double"',
        "means nothing for a single",
    ),
    "a debounce that no sample sees": (
        "channel = 7",
        "channel = 7, debounce_ms = 50",
        '[[zone]] #2 "door": loop.debounce_ms',
        "50",
        "at least 100",
        "too small",
    ),
    "a box without a wire": (
        '[[zone]]\nid = "button"',
        '[[box]]\nid = "cabinet"\nname = "Cabinet"\n\n[[zone]]\nid = "button"',
        '[[box]] #1 "cabinet": input',
        "",
        "loop = { adc",
        "missing",
    ),
    "a box with two wires": (
        '[[zone]]\nid = "button"',
        '[[box]]\nid = "b"\nname = "B"\ninput = { line = 5 }\nloop = { adc = "adc-1", channel = 3 }\n\n'
        '[[zone]]\nid = "button"',
        '[[box]] #1 "b": loop',
        "{ adc, channel }",
        "not both",
        "a box has one wire",
    ),
    "a box on a zone's channel": (
        '[[zone]]\nid = "button"',
        '[[box]]\nid = "b"\nname = "B"\nloop = { adc = "adc-1", channel = 7 }\n\n[[zone]]\nid = "button"',
        '[[box]] #1 "b": loop.channel',
        '"adc-1/7"',
        "a channel of its own",
        "used twice",
    ),
    "a box on a zone's line": (
        '[[zone]]\nid = "button"',
        '[[box]]\nid = "b"\nname = "B"\ninput = { line = 17 }\n\n[[zone]]\nid = "button"',
        '[[box]] #1 "b": input.line',
        "17",
        "a GPIO line of its own",
        "used twice",
    ),
    "a box with a zone's id": (
        '[[zone]]\nid = "button"',
        '[[box]]\nid = "door"\nname = "B"\ninput = { line = 5 }\n\n[[zone]]\nid = "button"',
        '[[box]] #1 "door": id',
        '"door"',
        "an id that nothing else has",
        "used twice",
    ),
    "a watched lamp": (
        '[[zone]]\nid = "button"',
        '[[output]]\nid = "lamp"\nkind = "alarm"\nline = 5\nareas = ["hall"]\n'
        'watch = { adc = "adc-1", channel = 3 }\n\n[[zone]]\nid = "button"',
        '[[output]] #1 "lamp": watch',
        "{ adc, channel }",
        'kind = "siren" or "strobe"',
        "warning devices",
    ),
    "a siren's line on a channel that is taken": (
        '[[zone]]\nid = "button"',
        '[[output]]\nid = "bell"\nkind = "siren"\nline = 5\nareas = ["hall"]\n'
        'watch = { adc = "adc-1", channel = 0 }\n\n[[zone]]\nid = "button"',
        '[[output]] #1 "bell": watch.channel',
        '"adc-1/0"',
        "a channel of its own",
        "used twice",
    ),
    "a converter that nothing is wired to": (
        '[[adc]]\nid = "adc-1"',
        '[[adc]]\nid = "adc-2"\nchip = "mcp3008"\nselect = 1\n\n[[adc]]\nid = "adc-1"',
        '[[adc]] #1 "adc-2"',
        "",
        "a loop or a measurement on it",
        "nothing is wired",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_mistake_names_place_found_and_expected(case: str, tmp_path: Path) -> None:
    old, new, key, found, expected, said = CASES[case]
    assert old in SMALL
    mistakes = [m for m in mistakes_in(SMALL.replace(old, new), tmp_path) if m.key == key]
    assert mistakes, [m.key for m in mistakes_in(SMALL.replace(old, new), tmp_path)]
    mistake = mistakes[0]
    assert mistake.found == found
    assert expected in mistake.expected[0]
    assert said in mistake.text[0]
    assert mistake.text[1]


def test_supply_cut_on_a_loop_that_can_not_tell_it_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(SMALL.replace('resistors = "triple", fault_means = "masked"', 'resistors = "double"'))
    (warning,) = [w for w in load(path).warnings if w.key.endswith("supply_cut")]
    assert "only a third resistor" in warning.text[0]


# --- docs/wiring.md -------------------------------------------------------------------------------


def test_the_table_of_the_page_is_up_to_date() -> None:
    text = WIRING.read_text()
    assert loop_table.rewritten(text) == text, "run python -m provisioning.loop_table docs/wiring.md"
    with pytest.raises(ValueError, match="markers"):
        loop_table.rewritten("nothing here")


def test_the_drawings_are_there_and_are_svg() -> None:
    names = re.findall(r"\]\((wiring/[a-z]+\.svg)\)", WIRING.read_text())
    assert {
        "wiring/contacts.svg",
        "wiring/loops.svg",
        "wiring/sirens.svg",
        "wiring/boxes.svg",
        "wiring/power.svg",
        "wiring/modbus.svg",
    } <= set(names)
    for name in names:
        root = ElementTree.parse(WIRING.parent / name).getroot()  # noqa: S314  # our own drawing
        assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_panel_file_lines_of_the_page_work(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", WIRING.read_text(), re.S)
    lines = [tomllib.loads(line)["input"] for line in blocks[0].splitlines()]
    head, *zones = blocks[1].split("[[zone]]")
    small_head = SMALL[: SMALL.index("[[adc]]")]
    about = 'id = "z{n}"\nnumber = {n}\nname = "Z"\ntype = "instant"\nareas = ["hall"]\n'
    text = small_head + head
    for n, zone in enumerate(zones, start=1):
        text += "[[zone]]\n" + about.format(n=n) + zone
    for n, line in enumerate(lines, start=10):
        wire = ", ".join(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in line.items())
        text += "\n[[zone]]\n" + about.format(n=n) + f"input = {{ {wire} }}\n"
    path = tmp_path / "panel.toml"
    path.write_text(text.replace("line = 17, line_no", "line = 18, line_no"))
    file = load(path).file
    assert len(file.zone) == 6
    ((chip, loops),) = loops_by_chip(file).items()
    assert [loop.plan.resistors for loop in loops] == [Resistors.TRIPLE, Resistors.DOUBLE, Resistors.SINGLE]
    assert [loop.plan.eol_ohm for loop in loops] == [1_000, 1_000, 4_700]
    assert chip.full == 4_095
