"""Sirens' lines and boxes over real processes: what is done to them is a trouble, armed or not, and ends."""

import re
from collections.abc import Iterator

import pytest

from tests.firmware.uplink.brokers import wait_for
from tests.system.rig import Rig, rig

ADC = """[[adc]]
id = "adc-1"
chip = "mcp3208"

[[box]]
id = "cabinet"
name = "Cabinet 主机箱"
loop = { adc = "adc-1", channel = 2 }

[[box]]
id = "psu"
name = "Supply 电源箱"
input = { line = 50 }

[[zone]]
id = "front-door\""""
WATCH = 'id = "siren-outside"\nwatch = { adc = "adc-1", channel = 0 }'
ALWAYS = 'id = "siren-inside"\nwatch = { adc = "adc-1", channel = 1, eol_ohm = 4700, watched_while_on = true }'


def supervised(text: str) -> str:
    """The demo's bank with two supervised sirens, two boxes, and SPI's lines left to SPI."""
    for line in (7, 8, 9, 10, 11):
        text = re.sub(rf"line = {line}\b", f"line = {line + 30}", text)
    text = text.replace("exit_delay_s = 8", "exit_delay_s = 1").replace('id = "siren-outside"', WATCH, 1)
    return text.replace('id = "siren-inside"', ALWAYS, 1).replace('[[zone]]\nid = "front-door"', ADC, 1)


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=supervised) as made:
        made.start("core")
        made.add_user()
        made.settle()
        yield made


def subjects(panel: Rig, kind: str) -> list[str]:
    """The subjects of all records of this kind so far."""
    return [h.value["subject"] for h in panel.seen if h.what == "record" and h.name == kind]


@pytest.mark.parametrize(("position", "detail"), [("cut", "open"), ("short", "short")])
def test_a_siren_whose_line_is_harmed_is_a_trouble_that_keeps_from_arming_and_ends(
    panel: Rig, position: str, detail: str
) -> None:
    since = panel.mark()
    panel.move("siren-outside", position)
    record = panel.wait("record", "trouble.siren", since=since).value
    assert record == {"trouble": "siren", "subject": "siren-outside", "detail": detail}
    panel.code(wish="arm")
    refused = panel.wait("record", "area.arming-refused", since=since).value
    assert "trouble:siren:siren-outside" in refused["reasons"]
    panel.move("siren-outside", "close")
    panel.wait("record", "trouble.siren-ended", since=since)
    panel.arm()


def sound(panel: Rig) -> int:
    """Let both sirens sound for a burglar; the mark before."""
    panel.arm()
    since = panel.mark()
    panel.move("back-door", "open")
    panel.wait("output", "siren-outside", True, since=since)
    return since


def silence(panel: Rig) -> int:
    """The mark when the outer siren is off."""
    since = panel.mark()
    panel.code(wish="disarm")
    panel.wait("output", "siren-outside", False, since=since)
    return panel.mark()


def test_a_siren_that_sounds_is_not_judged_but_what_is_found_afterwards_is_told(panel: Rig) -> None:
    since = sound(panel)
    panel.move("siren-inside", "cut")  # watched while it sounds
    assert panel.wait("record", "trouble.siren", since=since).value["subject"] == "siren-inside"
    panel.move("siren-outside", "short")
    assert subjects(panel, "trouble.siren") == ["siren-inside"]
    silenced = silence(panel)
    record = panel.wait("record", "trouble.siren", since=silenced).value
    assert (record["subject"], record["detail"]) == ("siren-outside", "short")


def test_a_siren_that_sounded_without_fault_is_well_afterwards(panel: Rig) -> None:
    sound(panel)
    silenced = silence(panel)
    panel.move("siren-outside", "cut")
    panel.wait("record", "trouble.siren", since=silenced)
    # The one of this cut is the first and only one: the relay's own opening was taken for no cut.
    assert subjects(panel, "trouble.siren") == ["siren-outside"]


@pytest.mark.parametrize(
    ("box", "position", "detail"),
    [
        ("cabinet", "open", "Cabinet 主机箱: active"),
        ("cabinet", "cut", "Cabinet 主机箱: open"),
        ("cabinet", "short", "Cabinet 主机箱: short"),
        ("psu", "open", "Supply 电源箱: active"),
    ],
)
def test_an_opened_box_alarms_though_nothing_is_armed(panel: Rig, box: str, position: str, detail: str) -> None:
    since = panel.mark()
    panel.move(box, position)
    record = panel.wait("record", "trouble.box", since=since).value
    assert record == {"trouble": "box", "subject": box, "detail": detail}
    panel.wait("output", "siren-inside", True, since=since)
    panel.move(box, "close")
    assert panel.wait("record", "trouble.box-ended", since=since).value["subject"] == box


def test_a_box_that_is_closed_while_the_panel_is_down_is_found_so(panel: Rig) -> None:
    since = panel.mark()
    panel.move("cabinet", "open")
    panel.wait("record", "trouble.box", since=since)
    # Told is not yet durable: a kill in between would forget it, and rightly.
    wait_for(lambda: "trouble.box" in panel.kinds(), "the trouble on the card")
    panel.kill("core")
    (panel.run / "desk.json").unlink()
    killed = panel.mark()
    panel.start("core")
    panel.wait("record", "trouble.box-ended", since=killed)
    assert panel.kinds().count("trouble.box") == 1
