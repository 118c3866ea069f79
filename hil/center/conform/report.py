"""The verdicts as a table, as JSON and as JUnit, for people and for build machines."""

import json
from pathlib import Path
from xml.etree import ElementTree

from rich.table import Table
from rich.text import Text

from firmware.language import Text as Pair
from firmware.language import pick
from hil.center.conform.points import Result, Verdict

PAGE = "docs/alarm-center.md"
TEXTS: dict[str, Pair] = {
    "point": ("point", "要点"), "verdict": ("verdict", "结论"), "expected": ("expected", "要求"),
    "found": ("found", "实际"), "section": ("section", "章节"),
    "pass": ("pass", "通过"), "fail": ("FAIL", "不通过"), "not-seen": ("not seen", "未见"),
    "sum": ("{passed} right, {failed} wrong, {unseen} not seen", "{passed} 项正确,{failed} 项错误,{unseen} 项未见"),
}  # fmt: skip
_STYLES: dict[Verdict, str] = {"pass": "green", "fail": "bold red", "not-seen": "yellow"}


def exit_code(results: list[Result]) -> int:
    """0: nothing wrong was seen; 1: something was."""
    return int(any(result.verdict == "fail" for result in results))


def summary(results: list[Result]) -> str:
    """One line."""
    verdicts = [result.verdict for result in results]
    numbers = {"passed": verdicts.count("pass"), "failed": verdicts.count("fail"), "unseen": verdicts.count("not-seen")}
    return pick(TEXTS["sum"], **numbers)


def table(results: list[Result]) -> Table:
    """A line for each point, what is wrong first."""
    made = Table(*(pick(TEXTS[name]) for name in ("point", "verdict", "expected", "found", "section")))
    order: tuple[Verdict, ...] = ("fail", "not-seen", "pass")
    for result in sorted(results, key=lambda result: order.index(result.verdict)):
        point = result.point
        made.add_row(
            point.id,
            Text(pick(TEXTS[result.verdict]), _STYLES[result.verdict]),
            pick(point.text),
            Text(result.found),
            point.section,
        )
    return made


def as_json(results: list[Result]) -> str:
    """One JSON object, with both languages."""
    points = [
        {
            "id": result.point.id,
            "verdict": result.verdict,
            "expected": {"en": result.point.text[0], "zh": result.point.text[1]},
            "found": result.found,
            "section": f"{PAGE}, {result.point.section}",
            "by_eye": result.point.by_eye,
        }
        for result in results
    ]
    return json.dumps({"summary": summary(results), "points": points}, ensure_ascii=False, indent=2)


def write_junit(results: list[Result], file: Path) -> None:
    """The file that build machines read."""
    suite = ElementTree.Element("testsuite", name="fenghuo center conform", tests=str(len(results)))
    suite.set("failures", str(sum(result.verdict == "fail" for result in results)))
    suite.set("skipped", str(sum(result.verdict == "not-seen" for result in results)))
    for result in results:
        case = ElementTree.SubElement(suite, "testcase", name=result.point.id, classname=result.point.section)
        if result.verdict != "pass":
            tag = "failure" if result.verdict == "fail" else "skipped"
            ElementTree.SubElement(case, tag, message=f"{pick(result.point.text)}: {result.found}")
    ElementTree.ElementTree(suite).write(file, encoding="utf-8", xml_declaration=True)
