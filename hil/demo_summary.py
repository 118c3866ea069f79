"""The end of the demo: what sounded, what was recorded, what the center holds, how fast, and the verdict."""

import statistics
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from firmware.language import Text, pick
from hil.center import Center
from hil.timeline import Facts, Names
from hil.timeline_texts import LATENCIES
from rules.vocabulary import KINDS

_TEXTS: dict[str, Text] = {
    "sounded": ("What sounded", "鸣响情况"),
    "output": ("output", "输出"),
    "seconds": ("seconds", "秒"),
    "still": ("{seconds}, still on", "{seconds},仍在动作"),
    "recorded": ("What was recorded", "记录情况"),
    "kind": ("kind", "类型"),
    "panel": ("panel", "主机"),
    "center": ("center", "中心"),
    "holds": ("What the center holds", "报警中心数据"),
    "records": ("records", "记录"),
    "verified": ("chain verified up to seq", "哈希链已验证至序号"),
    "head": ("head named by the panel's signed heartbeat", "主机签名心跳所报末条序号"),
    "gaps": ("missing records", "缺失记录"),
    "thumbnails": ("incidents with a picture", "有图像的警情"),
    "duplicates": ("received twice, held once", "重复接收(仅存一份)"),
    "refused": ("refused", "拒绝"),
    "latencies": ("How fast", "时延"),
    "way": ("way", "环节"),
    "times": ("times", "次数"),
    "median": ("median ms", "中位数 ms"),
    "most": ("most ms", "最大 ms"),
    "passed": ("The center holds every record of the journal in its place; the chain is verified. "
               "Nothing is amiss.",
               "报警中心按序持有全部日志记录,哈希链验证通过,一切正常。"),
    "failed": ("Not as it must be:", "存在问题:"),
    "stopped": ("Stopped before the end; the folder can be resumed.", "提前停止;可用同一目录继续。"),
}  # fmt: skip


def tables(facts: Facts, names: Names, center: Center, panel: str, now_ms: int) -> list[RenderableType]:
    """The summary as rich tables."""
    return [_sounded(facts, names, now_ms), _recorded(facts), _holds(center, panel), _latencies(facts)]


def verdict_panel(problems: list[Text], stopped: bool) -> RenderableType:
    """The last word."""
    if problems:
        lines = [pick(_TEXTS["failed"]), *(f"  · {pick(problem)}" for problem in problems)]
        return Panel(Group(*(escape(line) for line in lines)), style="bold red")
    return Panel(pick(_TEXTS["stopped" if stopped else "passed"]), style="yellow" if stopped else "bold green")


def verdict(facts: Facts, center: Center, panel: str, problems: list[Text], stopped: bool) -> dict[str, Any]:
    """The summary as JSON-ready members."""
    return {
        "ok": not problems and not stopped,
        "stopped": stopped,
        "problems": [problem[0] for problem in problems],
        "on_ms": dict(facts.on_ms),
        "recorded": dict(facts.recorded),
        "center": figures(center, panel),
        "latencies_ms": {name: sorted(ms) for name, ms in facts.latencies.items()},
    }


def figures(center: Center, panel: str) -> dict[str, Any]:
    """What the center holds of a panel, over all its journals."""
    store = center.store
    heads = center.heads(panel)
    counts = center.counts()
    missing = sum(last - first + 1 for ranges in center.gaps(panel).values() for first, last in ranges)
    return {
        "records": store.rows("SELECT COUNT(*) FROM records WHERE panel=?", panel)[0][0],
        "heads": {journal: seq for journal, (seq, _) in heads.items()},
        "verified": {journal: store.chain(panel, journal).verified() for journal in heads},
        "missing": missing,
        "pictures": store.rows("SELECT COUNT(*) FROM thumbnails WHERE panel=?", panel)[0][0],
        "duplicates": counts.get("duplicate", 0),
        "refused": sum(n for name, n in counts.items() if name.startswith("garbage.")),
        "findings": sum(n for name, n in counts.items() if name.startswith("finding.")),
    }


def _ms(value: float) -> str:
    return f"{value:.0f}" if value >= 1 else "< 1"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=pick(_TEXTS[title]), title_justify="left", title_style="bold", header_style="dim")
    for number, column in enumerate(columns):
        table.add_column(pick(_TEXTS[column]), justify="right" if number else "left")
    return table


def _sounded(facts: Facts, names: Names, now_ms: int) -> Table:
    table = _table("sounded", "output", "seconds")
    for output, (kind, name) in names.outputs.items():
        since = facts.on_since.get(output)
        total = f"{(facts.on_ms[output] + (now_ms - since if since else 0)) / 1000:.1f}"
        seconds = pick(_TEXTS["still"], seconds=total) if since else total
        if total != "0.0":
            table.add_row(name, seconds, style="red" if kind != "armed" else "")
    return table


def _recorded(facts: Facts) -> Table:
    table = _table("recorded", "kind", "panel", "center")
    for kind in sorted(facts.recorded | facts.stored):
        known = KINDS.get(kind)
        name = f"{kind}  {pick((known.en, known.zh))}" if known else kind
        style = "red" if kind.startswith("alarm.") else ""
        table.add_row(name, str(facts.recorded[kind] or ""), str(facts.stored[kind] or ""), style=style)
    return table


def _holds(center: Center, panel: str) -> Table:
    found = figures(center, panel)
    table = Table(title=pick(_TEXTS["holds"]), title_justify="left", title_style="bold", show_header=False)
    rows = {
        "records": found["records"],
        "head": " ".join(map(str, found["heads"].values())),
        "verified": " ".join(map(str, found["verified"].values())),
        "gaps": found["missing"],
        "thumbnails": found["pictures"],
        "duplicates": found["duplicates"],
        "refused": found["refused"],
    }
    for name, value in rows.items():
        table.add_row(pick(_TEXTS[name]), str(value))
    return table


def _latencies(facts: Facts) -> Table:
    table = _table("latencies", "way", "times", "median", "most")
    for name, text in LATENCIES.items():
        if found := facts.latencies.get(name):
            table.add_row(pick(text), str(len(found)), _ms(statistics.median(found)), _ms(max(found)))
    return table
