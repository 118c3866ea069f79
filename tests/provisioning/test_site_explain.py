"""`fenghuo site explain`: every wire of a file at its terminal, in the table, the drawing and the page."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.config import load
from provisioning import site
from provisioning.drawing import WIDTH, cells, cut, drawing
from provisioning.terminals import Block, Terminal, blocks
from tests.provisioning.calling import Done, call

EXAMPLES = Path("docs/examples")
ALL = ["bank", "school", "warehouse", "jeweller", "depot"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "en")


def found(name: str) -> list[Block]:
    return blocks(load(EXAMPLES / f"{name}.toml").file)


def explain(*words: str, lang: str = "en") -> Done:
    return call(site.main, "explain", *words, lang=lang)


@pytest.mark.parametrize("name", ALL)
def test_every_zone_box_and_output_that_has_a_wire_is_at_a_terminal(name: str) -> None:
    file = load(EXAMPLES / f"{name}.toml").file
    there = {terminal.to.split(" ")[0] for block in blocks(file) for terminal in block.terminals}
    wired = {zone.id for zone in file.zone if zone.tag is None} | {box.id for box in file.box}
    assert wired | {output.id for output in file.output} <= there


def test_the_header_has_forty_pins_and_each_wire_its_own() -> None:
    (header,) = found("bank")
    by = {terminal.mark: terminal for terminal in header.terminals}
    assert len(by) == 40
    assert by["11 GPIO17"] == Terminal("11 GPIO17", "front-door Front door 正门", "closed leg", "input")
    assert by["13 GPIO27"].how == "open leg"
    assert by["38 GPIO20"] == Terminal("38 GPIO20", "siren-outside", "siren outside, on while high", "output")
    assert by["7 GPIO4"].to == "mains present"
    assert by["39 GND"].use == "supply"
    assert by["27 GPIO0"].use == by["28 GPIO1"].use == "free"


def test_converters_tell_their_resistances_and_take_their_lines() -> None:
    header, first, second = found("jeweller")
    pins = {terminal.mark: terminal for terminal in header.terminals}
    assert [pins[mark].to for mark in ("24 GPIO8", "26 GPIO7")] == ["converters: CS adc-1", "converters: CS adc-2"]
    assert "1000 Ω normal · 3200 Ω active · 4900 Ω masked" in first.terminals[1].how
    assert second.terminals[0] == Terminal("CH0", "line of siren-street", "1000 Ω at its end", "input")
    assert second.terminals[7].how == "NTC 10000 Ω at 25 °C, to ground"


def test_modules_and_readers_have_addresses_and_free_terminals() -> None:
    _, gatehouse, hall, doors, serial = found("depot")
    assert "address 1" in gatehouse.title
    assert [t.to for t in gatehouse.terminals[:3]] == ["gate-in Gate in 入口大门", "gate-out Gate out 出口大门", ""]
    assert (len(gatehouse.terminals), len(hall.terminals)) == (16, 15)
    assert doors.terminals[0].mark == "address 0"
    assert "keypad, secure channel" in doors.terminals[0].how
    assert serial.terminals[0].mark == "tour-reader"


@pytest.mark.parametrize("name", ALL)
def test_the_drawing_is_xml_in_which_nothing_leaves_the_sheet(name: str) -> None:
    svg = ET.fromstring(drawing(found(name)))  # noqa: S314  # our own
    _inside(svg)
    said = {text.text for text in svg.iter(f"{SVG}text")}
    assert sum(text is not None and text.isdecimal() for text in said) == 40


def _inside(svg: ET.Element) -> None:
    """With the widest cell that a browser's font has at this size: half of it, a Chinese character being a whole."""
    height = float(svg.attrib["height"])
    for text in svg.iter(f"{SVG}text"):
        size = float(text.get("font-size", "12"))
        x, wide = float(text.attrib["x"]), cells(text.text or "") * size / 2 * 1.1
        left = x - {"start": 0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
        assert left >= 0
        assert left + wide <= WIDTH
        assert float(text.attrib["y"]) <= height


@given(st.lists(st.text(max_size=200), min_size=3, max_size=3))
def test_the_longest_names_are_cut_and_stay_on_the_sheet(texts: list[str]) -> None:
    printable = ["".join(c for c in text if c.isprintable()) for text in texts]
    terminal = Terminal(f"1 {printable[0]}", printable[1] * 3, printable[2] * 3, "input")
    header = Block("header", printable[0], (Terminal("1 GPIO2", terminal.to, terminal.how),) * 4)
    _inside(ET.fromstring(drawing([header, Block("adc", printable[1] * 3, (terminal,) * 3)])))  # noqa: S314


@given(st.text(), st.integers(1, 50))
def test_cut_never_leaves_more_than_its_room(text: str, most: int) -> None:
    short = cut(text, most)
    assert cells(short) <= most
    assert short == text or short.endswith("…")


class _Page(HTMLParser):
    """Whether each element ends where it should, and what it refers to."""

    void = ("meta", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.void:
            self.open.append(tag)
        self.outside += [value or "" for key, value in attrs if key in ("src", "href")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outside += [tag for key, _ in attrs if key in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_needs_nothing_but_itself(lang: str, tmp_path: Path) -> None:
    out = tmp_path / "door.html"
    done = explain(str(EXAMPLES / "jeweller.toml"), "--out", str(out), lang=lang)
    assert done.returncode == 0
    text = out.read_text()
    page = _Page()
    page.feed(text)
    assert (page.open, page.outside) == ([], [])
    assert not re.search(r"url\(|@import|<script", text)
    assert load(EXAMPLES / "jeweller.toml").sha256 in text
    for word in ("Golden Phoenix", "CH0", {"en": "double resistors", "zh": "双电阻"}[lang], "showcase Showcases"):
        assert word in text


def test_names_are_no_markup(tmp_path: Path) -> None:
    text = (EXAMPLES / "bank.toml").read_text().replace("Front door 正门", "<script>[red]&")
    (tmp_path / "panel.toml").write_text(text)
    explain(str(tmp_path / "panel.toml"), "--out", str(tmp_path / "a.html"))
    html = (tmp_path / "a.html").read_text()
    assert "<script>" not in html
    assert "&lt;script&gt;[red]&amp;" in html
    assert "<script>[red]&" in explain(str(tmp_path / "panel.toml")).stdout


def test_a_drawing_alone_data_and_what_is_refused(tmp_path: Path) -> None:
    bank = str(EXAMPLES / "bank.toml")
    assert explain(bank, "--out", str(tmp_path / "a.svg")).returncode == 0
    assert ET.parse(tmp_path / "a.svg").getroot().tag == f"{SVG}svg"  # noqa: S314
    told = json.loads(explain(bank, "--json").stdout)
    assert told["blocks"][0]["terminals"][10]["to"] == "front-door Front door 正门"
    assert explain(bank, "--out", str(tmp_path / "a.pdf")).returncode == 2
    assert explain(bank, "--out", "/proc/a.html").returncode == 1
    (tmp_path / "bad.toml").write_text("x")
    assert explain(str(tmp_path / "bad.toml")).returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.svg", "bad.toml"]


def test_simulated_pins_are_told() -> None:
    text = (EXAMPLES / "bank.toml").read_text()
    assert "SIMULATED" not in " ".join(found("bank")[0].notes)
    from firmware.config import checked

    simulated = checked(Path("x.toml"), text.replace('pins = "board"', 'pins = "simulated"').encode())
    assert "SIMULATED" in " ".join(blocks(simulated.file)[0].notes)
