"""A step and what became of it in words, in the language of the terminal or of the page that is made."""

from firmware.language import Text, pick
from provisioning.accept import texts
from provisioning.accept.clauses import RESPONSE_MS
from provisioning.accept.plan import Act, Step
from provisioning.accept.results import Figure, Result


def step_name(step: Step) -> str:
    """What the step is, short."""
    word = step.position if step.act is Act.LINE else step.act.value
    return pick(texts.NAMES[word], number=step.number, subject=step.subject, name=step.name)


def outcome(result: Result | None) -> str:
    """How it came out."""
    return pick(texts.OUTCOMES[result.outcome if result else "open"])


def reason(result: Result) -> str:
    """Why it failed or was waived, and what a person said."""
    parts = [pick(texts.WHY[result.why], **result.figures)] if result.why in texts.WHY else []
    if result.reason and result.reason not in "".join(parts):
        parts.append(result.reason)
    return "; ".join(parts)


FIGURES: dict[str, Text] = {
    "local_ms": (
        f"input to output {{value}} ms (limit {RESPONSE_MS} ms)",
        f"输入至输出 {{value}} ms（限值 {RESPONSE_MS} ms）",
    ),
    "local_n": ("{value} samples", "样本 {value} 个"),
    "local_max": (
        f"to the output at most {{value}} ms (limit {RESPONSE_MS} ms)",
        f"至输出最大 {{value}} ms（限值 {RESPONSE_MS} ms）",
    ),
    "center_max": (
        f"to the center's receipt at most {{value}} ms (limit {RESPONSE_MS} ms)",
        f"至中心回执最大 {{value}} ms（限值 {RESPONSE_MS} ms）",
    ),
    "at": ("at {value}", "终点 {value}"),
    "center_ms": ("to the center's receipt {value} ms", "至中心回执 {value} ms"),
    "path": ("by {value}", "经 {value}"),
    "kind": ("{value}", "{value}"),
    "seen_ms": ("seen after {value} ms", "{value} ms 后可见"),
    "report_delay_s": ("report delay {value} s", "上报延时 {value} s"),
    "detail": ("{value}", "{value}"),
    "hours": ("{value} h", "{value} h"),
    "basis": ("{value}", "{value}"),
    "capacity_mah": ("{value} mAh", "{value} mAh"),
    "load_ma": ("{value} mA", "{value} mA"),
    "least_h": ("at least {value} h", "不少于 {value} h"),
    "outputs": ("{value}", "{value}"),
    "for_s": ("{value} s", "{value} s"),
    "detected_ms": ("loss told after {value} ms", "{value} ms 后报告中断"),
    "other": ("carried by {value}", "改由 {value}"),
    "other_ms": ("{value} ms", "{value} ms"),
    "waited_path": ("waiting record by {value}", "积压记录经 {value}"),
    "waited_center_ms": ("after {value} ms", "{value} ms 后"),
    "back": ("back on {value}", "恢复 {value}"),
    "back_ms": ("{value} ms", "{value} ms"),
    "pictures": ("{value} pictures", "{value} 张图像"),
    "size": ("{value}", "{value}"),
    "verdict": ("{value}", "{value}"),
    "offset_ms": ("{value} ms from the alarm", "距报警 {value} ms"),
    "made": ("{value} records", "{value} 条记录"),
    "receipted": ("{value} receipted", "{value} 条有回执"),
}
_RECORD: Text = ("the record", "记录")
BASES: dict[str, Text] = {
    "typed": ("measured by the tester", "测试人员实测"),
    "load-measured": ("worked out, the load was measured", "计算值，负载为实测"),
    "load-of-file": ("worked out, the load is the panel file's", "计算值，负载取自配置文件"),
}
"""Where the standby hours come from."""


def figures(found: dict[str, Figure]) -> str:
    """The figures of a result that people read; those of the response time have a table of their own."""
    shown = {**found, "at": at(str(found["at"]))} if "at" in found else found
    if (basis := str(shown.get("basis", ""))) in BASES:
        shown = {**shown, "basis": pick(BASES[basis])}
    return ", ".join(pick(FIGURES[name], value=value) for name, value in shown.items() if name in FIGURES)


def at(where: str) -> str:
    """Where a reaction was measured: an output's id, or the record."""
    return pick(_RECORD) if where == "record" else where
