"""The page of a run, in one file: what passed, what did not and why, and for each scenario its drawing and its figures.

It needs no network, no script and no other file, so that a CI system can keep it as an artefact. Both languages are on
it; the reader switches with a radio button.
"""

import json
from collections.abc import Iterator, Sequence
from html import escape

from firmware.language import Text
from hil.rigs.protocol import Mark, Verdict
from hil.rigs.report.latencies import latencies
from hil.rigs.report.style import STYLE
from hil.rigs.report.timeline import drawing, told
from hil.rigs.result import VERDICTS, Result
from rules.vocabulary import KINDS

NAMES: dict[Verdict, Text] = {
    "pass": ("pass", "通过"),
    "fail": ("fail", "未通过"),
    "rig-fault": ("rig fault", "试验台故障"),
    "skipped": ("skipped", "跳过"),
}
_T: dict[str, Text] = {
    "title": ("Scenarios on rig {rig}", "试验台 {rig} 场景运行报告"),
    "scenario": ("scenario", "场景"),
    "verdict": ("verdict", "结论"),
    "took": ("took", "用时"),
    "latencies": ("latencies", "时延"),
    "records": ("Records at the center, by the numbers of the drawing", "报警中心收到的记录(编号见图)"),
    "at": ("at", "时刻"),
    "kind": ("kind", "类型"),
    "payload": ("payload", "内容"),
    "logs": ("Log of the panel", "主机日志"),
    "told": ("What failed", "失败详情"),
    "none": ("Nothing was run.", "没有运行任何场景。"),
    "meaning": (
        "A rig fault is the rig's own failure and never counts against the panel. A pass includes: the panel's journal"
        " is sound, and the center holds every record of it once, in its place.",
        "试验台故障是试验台自身的故障,不计入主机。每个“通过”都包括:主机日志完整无误,报警中心按序持有其全部记录。",
    ),
    "dropped": ("{count} marks did not fit into the recording.", "{count} 个时间点未能记录。"),
}
_MAX_PAYLOAD = 220


def page(results: Sequence[Result]) -> str:
    """The whole document."""
    return "\n".join(_page(results)) + "\n"


def _page(results: Sequence[Result]) -> Iterator[str]:
    rig = results[0].rig if results else "–"
    yield '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>'
    yield f"{escape(_T['title'][0].format(rig=rig))}</title><style>{STYLE}</style></head><body>"
    yield '<input type="radio" name="lang" id="en" checked><label for="en">English</label>'
    yield '<input type="radio" name="lang" id="zh"><label for="zh">中文</label><main>'
    yield f"<h1>{_both('title', rig=rig)}</h1>"
    if not results:
        yield f"<p>{_both('none')}</p>"
    else:
        yield _counts(results)
        yield f"<p>{_both('meaning')}</p>"
        yield from _table(results)
        for number, result in enumerate(results, 1):
            yield from _scenario(number, result)
    yield "</main></body></html>"


def _counts(results: Sequence[Result]) -> str:
    parts = []
    for verdict in VERDICTS:
        count = sum(result.verdict == verdict for result in results)
        parts.append(f'<span class="verdict v-{verdict}">{count} {_text(NAMES[verdict])}</span>')
    total = sum(result.took_s for result in results)
    return f"<p>{' '.join(parts)} <span>{results[0].began_utc}, {total:.0f} s</span></p>"


def _table(results: Sequence[Result]) -> Iterator[str]:
    yield f"<table><tr><th></th><th>{_both('scenario')}</th><th>{_both('verdict')}</th><th>{_both('took')}</th>"
    yield f"<th>{_both('latencies')}</th></tr>"
    for number, result in enumerate(results, 1):
        figures = "; ".join(f"{escape(found.name)} {found.ms} ms" for found in latencies(result.marks)[:4])
        why = f"<br><small>{escape(result.why)}</small>" if result.why else ""
        yield f'<tr><td>{number}</td><td><a href="#s{number}">{escape(result.title)}</a>{why}</td>'
        yield f"<td>{_badge(result.verdict)}</td><td>{result.took_s:.1f} s</td><td><small>{figures}</small></td></tr>"
    yield "</table>"


def _scenario(number: int, result: Result) -> Iterator[str]:
    yield f'<section id="s{number}"><h2>{number} · {escape(result.title)} {_badge(result.verdict)}</h2>'
    yield f"<p><code>{escape(result.file)}::{escape(result.scenario)}</code></p>"
    if result.why:
        yield f'<p class="why">{escape(result.why)}</p>'
    if result.marks:
        yield drawing(result.marks)
    if found := latencies(result.marks):
        items = "".join(f"<li>{escape(latency.name)}: <b>{latency.ms} ms</b></li>" for latency in found)
        yield f"<h3>{_both('latencies')}</h3><ul>{items}</ul>"
    yield from _records(result)
    if result.told:
        yield f"<details open><summary>{_both('told')}</summary><pre>{escape(result.told)}</pre></details>"
    for name, text in result.logs.items():
        yield f"<details><summary>{_both('logs')}: {escape(name)}</summary><pre>{escape(text)}</pre></details>"
    if result.dropped:
        yield f"<p>{_both('dropped', count=result.dropped)}</p>"
    yield "</section>"


def _records(result: Result) -> Iterator[str]:
    records = told(result.marks)
    if not records:
        return
    first = min(mark.ms for mark in result.marks)
    yield f"<details><summary>{_both('records')}</summary><table><tr><th></th><th>{_both('at')}</th>"
    yield f"<th>{_both('kind')}</th><th>{_both('payload')}</th></tr>"
    for number, mark in enumerate(records, 1):
        kind = KINDS.get(mark.name)
        words = f" {_text((kind.en, kind.zh))}" if kind is not None else ""
        yield f"<tr><td>{number}</td><td>{(mark.ms - first) / 1000:.2f} s</td>"
        yield f"<td><code>{escape(mark.name)}</code>{words}</td><td><code>{escape(_payload(mark))}</code></td></tr>"
    yield "</table></details>"


def _payload(mark: Mark) -> str:
    payload = mark.value.get("payload") if isinstance(mark.value, dict) else mark.value
    text = json.dumps(payload, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_PAYLOAD else f"{text[:_MAX_PAYLOAD]}…"


def _badge(verdict: Verdict) -> str:
    return f'<span class="verdict v-{verdict}">{_text(NAMES[verdict])}</span>'


def _both(word: str, **values: object) -> str:
    en, zh = _T[word]
    return _text((en.format(**values), zh.format(**values)))


def _text(text: Text) -> str:
    return f'<span class="en">{escape(text[0])}</span><span class="zh">{escape(text[1])}</span>'
