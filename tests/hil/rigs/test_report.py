"""The report of a run: drawing, latencies, JUnit and page, from marks alone."""

import string
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.rigs.protocol import Mark
from hil.rigs.report import write_report
from hil.rigs.report.junit import junit
from hil.rigs.report.latencies import latencies
from hil.rigs.report.page import page
from hil.rigs.report.timeline import drawing, rows_of, told
from hil.rigs.result import Result, read_all

SVG = "{http://www.w3.org/2000/svg}"
ALARM = {"payload": {"zone": "back-door"}, "lane": "alarm", "lane_seq": 1, "seq": 9, "clock": "unset"}
NIGHT = [
    Mark(1000, "output", "siren-outside", False),
    Mark(1000, "output", "strobe", False),
    Mark(1010, "area", "hall", "armed"),
    Mark(2000, "input", "back-door", "open"),
    Mark(2310, "output", "siren-outside", True),
    Mark(2320, "record", "alarm.intruder", ALARM),
    Mark(2350, "receipt", "alarm", [(1, 1)]),
    Mark(2400, "area", "hall", "alarm"),
    Mark(3000, "process", "core", "killed"),
    Mark(3001, "output", "siren-outside", False),
    Mark(4400, "output", "siren-outside", False),
    Mark(4500, "output", "siren-outside", True),
]


def result(**changes: object) -> Result:
    base = {"scenario": "test_night", "file": "hil/scenarios/test_x.py", "title": "A night <&>", "rig": "desk"}
    return Result(**{**base, "verdict": "pass", "marks": NIGHT, **changes})  # type: ignore[arg-type]


def parsed(text: str) -> xml.Element:
    return xml.fromstring(text)  # noqa: S314  # ours


def test_the_latencies_of_a_night() -> None:
    assert [(found.name, found.ms) for found in latencies(NIGHT)] == [
        ("back-door → center", 320),
        ("back-door → siren-outside", 310),
        ("alarm at center → receipt", 30),
        ("siren-outside off after core killed", 1499),
    ]


def test_an_effect_that_came_late_is_not_put_down_to_a_cause() -> None:
    assert latencies([Mark(0, "input", "a", "open"), Mark(5000, "output", "siren-inside", True)]) == []


def test_a_siren_that_was_off_has_no_gap_when_core_is_killed() -> None:
    night = [
        Mark(0, "output", "siren-inside", False),
        Mark(10, "process", "core", "killed"),
        Mark(900, "output", "siren-inside", False),
        Mark(5000, "output", "siren-inside", True),
    ]
    assert latencies(night) == []


def test_the_drawing_has_a_line_for_all_that_happened_and_none_for_an_output_that_was_never_on() -> None:
    assert [row.name for row in rows_of(NIGHT)] == ["core", "back-door", "siren-outside", "hall"]
    svg = parsed(drawing(NIGHT))
    names = [text.text for text in svg.iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == ["core", "back-door", "siren-outside", "hall", "records 记录", "receipts 回执"]
    levels = [path.get("d") for path in svg.iter(f"{SVG}path")]
    assert len(levels) == 1
    ons = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("class") == "on"]
    assert len(ons) == 2
    assert all(float(rect.get("width", "0")) > 0 for rect in ons)


names = st.text(string.ascii_letters + "<&>\"'中", min_size=1, max_size=20)
values = st.one_of(st.booleans(), names, st.none(), st.dictionaries(names, names, max_size=2))
tracks = st.sampled_from(
    ["step", "input", "code", "power", "network", "process", "output", "area", "record", "trouble"]
)
marks = st.lists(st.builds(Mark, st.integers(0, 10**6), tracks, names, values), max_size=30)


@given(marks)
def test_whatever_happened_the_drawing_is_well_formed_and_inside_its_frame(found: list[Mark]) -> None:
    found.sort(key=lambda mark: mark.ms)
    svg = parsed(drawing(found))
    width, height = (float(number) for number in svg.get("viewBox", "").split()[2:])
    for line in svg.iter(f"{SVG}line"):
        assert 0 <= float(line.get("x1", "-1")) <= width
        assert 0 <= float(line.get("y2", "-1")) <= height
    assert len([t for t in svg.iter(f"{SVG}line") if "tick" in t.get("class", "")]) == len(told(found))


def test_junit_tells_a_rig_fault_from_a_fail() -> None:
    logs = {"panel": "bell \x07 and \ud800"}
    root = parsed(
        junit(
            [
                result(),
                result(verdict="fail", why="no siren", told="E no siren\x00", logs=logs),
                result(verdict="rig-fault", why="no wire"),
                result(verdict="skipped", why="no lens"),
            ]
        )
    )
    suite = root[0]
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    kinds = [[child.tag for child in case if child.tag not in ("properties", "system-out")] for case in suite]
    assert kinds == [[], ["failure"], ["error"], ["skipped"]]
    properties = {p.get("name"): p.get("value") for p in suite[0].iter("property")}
    assert properties["verdict"] == "pass"
    assert properties["latency-ms:back-door → siren-outside"] == "310"
    assert "�" in (suite[1].findtext("system-out") or "")


def test_a_page_is_one_file_in_two_languages_and_shows_what_failed() -> None:
    text = page([result(), result(verdict="fail", why="no <siren>", told="E  no <siren>", dropped=3)])
    assert text.count("<svg") == 2
    assert "no &lt;siren&gt;" in text
    assert "no <siren>" not in text
    assert "A night &lt;&amp;&gt;" in text
    for word in ("未通过", "入侵报警", "intruder alarm", "3 marks did not fit"):
        assert word in text
    for outside in ("<script", "src=", "http://", "https://"):
        assert outside not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_an_empty_run_has_a_report_that_says_so(tmp_path: Path) -> None:
    write_report([], tmp_path)
    assert "Nothing was run." in (tmp_path / "index.html").read_text()
    assert parsed((tmp_path / "junit.xml").read_text())[0].get("tests") == "0"


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    result(logs={"panel": "up"}).write(tmp_path)
    (found,) = read_all(tmp_path)
    assert [mark for mark in found.marks if mark.track != "receipt"] == [m for m in NIGHT if m.track != "receipt"]
    assert latencies(found.marks) == latencies(NIGHT)
    assert found.logs == {"panel": "up"}


@pytest.mark.parametrize("name", ["test_a[x/../..]", "test_中文", "test b"])
def test_a_scenario_of_whatever_name_has_its_own_file_in_the_folder(name: str, tmp_path: Path) -> None:
    file = result(scenario=name).write(tmp_path / "in")
    assert file.parent == tmp_path / "in"
    assert next(iter(read_all(tmp_path / "in"))).scenario == name
