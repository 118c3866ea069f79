"""Serial readers: any bytes make lines or nothing, and a real child tells held tags as zones and cards as cards."""

import queue
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.bus.driver import BusDriver, BusWiring, Ears
from drivers.osdp.cards import CARD
from drivers.reader.lines import MAX_LINE, Format, Lines
from firmware.clock import SystemClock
from firmware.config import load, to_site
from firmware.core.readers import line_wirings
from hil.line_reader import LineReader
from rules.site import Condition
from tests.drivers.bus.bus_rig import until
from tests.firmware.core.test_keypads import FILE
from tests.firmware.test_config_mistakes import mistakes_in

WAIT_S = 20.0
NORMAL, ACTIVE, FAULT = Condition.NORMAL, Condition.ACTIVE, Condition.FAULT


@given(st.lists(st.binary(max_size=80)))
def test_any_bytes_make_numbers_of_the_format_or_nothing(chunks: list[bytes]) -> None:
    lines = Lines(Format("A", "", True, 4, 20))
    for chunk in chunks:
        for number in lines.feed(chunk):
            assert 4 <= len(number) <= 20
            assert CARD.fullmatch(f"text-{number}")


@given(st.lists(st.binary(max_size=80)), st.integers(0, 10))
def test_how_the_bytes_are_cut_changes_nothing(chunks: list[bytes], at: int) -> None:
    whole, parts = Lines(Format(least=1)), Lines(Format(least=1))
    data = b"".join(chunks)
    assert whole.feed(data) == parts.feed(data[:at]) + parts.feed(data[at:])
    assert whole.refused == parts.refused


@pytest.mark.parametrize(
    ("form", "data", "numbers"),
    [
        (Format(), b"\x0204a1B2\r\n\x03", ["04A1B2"]),
        (Format("No.", ";", False, 4, 8), b"No.1234;\rNo.12;\r1234\r", ["1234"]),
        (Format(), b"x" * (MAX_LINE + 1) + b"1234\r5678\r", ["5678"]),
        (Format(hexadecimal=False), b"12AB\r", []),
    ],
)
def test_lines_of_a_format(form: Format, data: bytes, numbers: list[str]) -> None:
    assert Lines(form).feed(data) == numbers


class Rig:
    """A driver with its real child."""

    def __init__(self, port: str, kind: str, tags: dict[str, str]) -> None:
        self.told: queue.Queue[tuple[Any, ...]] = queue.Queue()
        form = {"prefix": "", "suffix": "", "hexadecimal": True, "least": 4, "most": 20}
        wiring = {"id": "r", "port": port, "baud": 9600, "kind": kind, "format": form, "tags": tags}
        ears = Ears(
            lambda *word: self.told.put(word),
            lambda part, present, _: self.told.put(("failed", part, present)),
            lambda *word: self.told.put(("tampered", *word)),
            lambda *word: self.told.put(word),
        )
        bus = BusWiring("r", "reader", wiring, tuple(tags.values()), devices=frozenset({"r"}))
        self.driver = BusDriver(bus, SystemClock(1).monotonic_ms, ears)
        self.driver.start()

    def next(self) -> tuple[Any, ...]:
        return self.told.get(timeout=WAIT_S)


@pytest.fixture
def make() -> Iterator[Callable[..., tuple[Rig, LineReader]]]:
    made: list[tuple[Rig, LineReader]] = []

    def start(kind: str, tags: dict[str, str]) -> tuple[Rig, LineReader]:
        reader = LineReader()
        made.append((Rig(reader.port, kind, tags), reader))
        return made[-1]

    yield start
    for rig, reader in made:
        rig.driver.close()
        reader.close()


def test_a_held_tag_trips_its_checkpoint_once(make: Callable[..., tuple[Rig, LineReader]]) -> None:
    rig, reader = make("tour", {"04A1B2": "gate"})
    assert rig.next() == ("gate", NORMAL)
    reader.hold("04a1b2")
    reader.hold("04a1b2")
    reader.send(b"\xff\x00garbage\r")
    reader.hold("BEEF")
    assert [rig.next(), rig.next(), rig.next()] == [("gate", ACTIVE), ("gate", NORMAL), ("r", "tag", "BEEF")]


def test_a_held_card_goes_to_core(make: Callable[..., tuple[Rig, LineReader]]) -> None:
    rig, reader = make("card", {})
    until(lambda: rig.driver.health()["up"])
    reader.hold("04a1b2")
    assert rig.next() == ("r", "card", "text-04A1B2")


def test_a_port_that_goes_is_told_before_its_checkpoints_read_fault(
    make: Callable[..., tuple[Rig, LineReader]],
) -> None:
    rig, reader = make("tour", {"04A1B2": "gate"})
    assert rig.next() == ("gate", NORMAL)
    reader.hold("04A1B2")
    assert [rig.next(), rig.next()] == [("gate", ACTIVE), ("gate", NORMAL)]
    reader.unplug()
    assert [rig.next(), rig.next()] == [("failed", "", True), ("gate", FAULT)]


TOUR = """
[[reader]]
id = "tour"
port = "/dev/ttyUSB1"
kind = "tour"

[[zone]]
id = "gate"
number = 8
name = "Gate"
type = "checkpoint"
areas = ["hall"]
tag = { reader = "tour", tag = "04A1B2" }
"""
SHOP = FILE[: FILE.index("[[osdp]]")]


def test_the_panel_file_says_which_tag_is_which_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "panel.toml"
    path.write_text(SHOP + TOUR)
    file = load(path).file
    (bus,) = line_wirings(file)
    assert (bus.id, bus.zones, bus.wiring["tags"]) == ("tour", ("gate",), {"04A1B2": "gate"})
    assert to_site(file).zones["gate"].driver == "tour"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('kind = "tour"', 'kind = "card"', "areas"),
        ('tag = "04A1B2" }', 'tag = "xyz" }', "tag.tag"),
        ('reader = "tour"', 'reader = "nobody"', "tag.reader"),
        ('type = "checkpoint"', 'type = "instant"', "tag"),
        ("tag = {", "input = { line = 22 }\ntag = {", "tag"),
        ('kind = "tour"', 'kind = "tour"\nleast = 9\nmost = 8', "least"),
    ],
)
def test_what_is_wrong_with_a_reader_is_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    assert any(m.key.endswith(f" {key}") for m in mistakes_in(SHOP + TOUR.replace(old, new), tmp_path))


def test_the_lines_of_the_wiring_page_work(tmp_path: Path) -> None:
    (block,) = (b for b in re.findall(r"```toml\n(.*?)```", Path("docs/wiring.md").read_text(), re.S) if "tag =" in b)
    path = tmp_path / "panel.toml"
    path.write_text(SHOP + block)
    assert load(path).file.zone[-1].id == "gate"
