"""The charts of a fleet: drawn from its reports, and those of the docs from the reports beside them."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from hil.fleet.plot import plot

DOCS = Path(__file__).parents[3] / "docs" / "fleet"
SVG = "{http://www.w3.org/2000/svg}"


def body(attempts: list[int], opens: list[int], cut: str = "network", dark_s: float = 0.0) -> dict[str, Any]:
    terms = {"panels": sum(opens), "cut": cut, "dark_s": dark_s, "tls": False}
    rush = {"attempts_per_bin": attempts, "opens_per_bin": opens}
    return {"terms": terms, "power_up": rush, "return_": None if cut == "none" else rush}


def test_a_bar_for_each_bin_with_tries_and_a_line_to_all() -> None:
    drawn = ElementTree.fromstring(plot([body([5, 0, 5], [0, 5, 5])]))  # noqa: S314
    bars = drawn.findall(f".//{SVG}g[@fill='#3b6ea5']/{SVG}rect")
    assert [bar.get("height") for bar in bars] == ["136.0", "136.0"]  # 50 a second, the top of the scale
    line = drawn.find(f".//{SVG}polyline")
    assert line is not None
    heights = [point.split(",")[1] for point in (line.get("points") or "").split()]
    assert heights == ["170.0", "170.0", "102.0", "34.0"]


def test_many_bins_are_drawn_together_and_every_chart_has_its_title() -> None:
    text = plot([body([1] * 1000, [1] * 1000, "broker", 30.0), body([3], [3], "none")])
    drawn = ElementTree.fromstring(text)  # noqa: S314
    assert len(drawn.findall(f".//{SVG}g[@fill='#3b6ea5']")) == 2
    assert len(drawn.findall(f".//{SVG}g[@fill='#3b6ea5']/{SVG}rect")) <= 121
    assert "1,000 panels, broker killed, 30 s dark<" in text
    assert "3 panels, powered up at once<" in text


def test_the_chart_of_the_docs_is_drawn_from_the_reports_beside_it() -> None:
    reports = [json.loads((DOCS / f"{name}.json").read_text()) for name in ("cut", "dark")]
    assert (DOCS / "reconnect.svg").read_text() == plot(reports)
    for report in reports:
        assert report["problems"] == []
        assert report["return_"]["refused"] == 0
