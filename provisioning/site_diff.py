"""`fenghuo site diff OLD NEW`: what another panel file would change, in words, and what of it needs care."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer

from firmware.config import BadPanelFile, PanelFile, load
from firmware.config.mistakes import shorten
from firmware.language import Text, pick
from provisioning.site_care import care, order_of_paths
from provisioning.site_difference import Change, differences
from provisioning.site_words import WORDS

EXIT_DIFFERENT, EXIT_MISTAKES = 1, 2

TABLES: dict[str, Text] = {
    "panel": ("panel", "主机"),
    "area": ("area", "区域"),
    "zone": ("zone", "防区"),
    "adc": ("converter", "模数转换器"),
    "box": ("box", "机箱"),
    "modbus": ("Modbus bus", "Modbus 总线"),
    "osdp": ("OSDP bus", "OSDP 总线"),
    "reader": ("reader", "读卡器"),
    "output": ("output", "输出"),
    "part": ("part", "部分布防组"),
    "schedule": ("schedule", "时间表"),
    "day": ("day", "特殊日期"),
    "tour": ("tour", "巡更路线"),
    "camera": ("camera", "摄像机"),
    "path": ("path", "路径"),
    "center": ("center", "接警中心"),
    "timings": ("timings", "时间参数"),
    "power": ("power", "电源"),
    "board": ("board", "主板"),
    "clock": ("clock", "时钟"),
    "storage": ("storage", "存储"),
}
_LISTS = {name for name, field in PanelFile.model_fields.items() if get_origin(field.annotation) is list}
_ADDED: Text = ("added", "新增")
_REMOVED: Text = ("removed", "删除")
_CHANGED: Text = ("{key} from {old} to {new}", "{key} 由 {old} 改为 {new}")
_CARE: Text = ("   CARE: {why}", "   注意：{why}")
_NOTHING: Text = ("nothing", "无")
_SAME: Text = ("no difference", "无差异")
_COMMENTS: Text = (
    "no difference but in comments and how it is written; the hash is another one",
    "仅注释和书写不同；哈希值不同",
)
_COUNT: Text = ("{count} differences, {care} need care", "{count} 处差异，{care} 处需注意")
_PATHS: Text = ("paths: their order", "路径：顺序")
_AT_MOST = 8


def diff(
    old: Annotated[Path, typer.Argument(help="The file in force. 现用文件。", metavar="OLD")],
    new: Annotated[Path, typer.Argument(help="The one to come. 新文件。", metavar="NEW")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Say in words what differs, and what needs care. 以文字说明两个文件的差异及需注意之处。

    Exit code 0: no difference. 1: differences. 2: one of the files has mistakes.
    Example: fenghuo site diff /etc/fenghuo/panel.toml new.toml
    """
    try:
        before, after = load(old), load(new)
    except BadPanelFile as bad:
        print(json.dumps({"ok": False, "why": bad.say()}, ensure_ascii=False) if as_json else bad.say())
        raise typer.Exit(EXIT_MISTAKES) from None
    changes, order = differences(before.file, after.file), order_of_paths(before.file, after.file)
    rows = [row_of(change) for change in changes]
    if order:
        rows.append({"what": "changed", "place": ["path"], "old": None, "new": None, "care": _both(order)})
    if as_json:
        hashes = {"old_sha256": before.sha256, "new_sha256": after.sha256}
        print(json.dumps({"ok": True, **hashes, "differences": rows}, ensure_ascii=False, indent=2))
    else:
        lines = [*map(say, changes), *([pick(_PATHS) + pick(_CARE, why=pick(order))] if order else [])]
        print("\n".join(lines) or pick(_SAME if before.sha256 == after.sha256 else _COMMENTS))
        if rows:
            print(pick(_COUNT, count=len(rows), care=sum(row["care"] is not None for row in rows)))
    sys.stdout.flush()
    if rows:
        raise typer.Exit(EXIT_DIFFERENT)


def say(change: Change) -> str:
    """A line for a person."""
    table, *rest = change.place
    head = pick(TABLES[table])
    if change.what != "changed":
        what = pick(_ADDED if change.what == "added" else _REMOVED)
        line = f"{head} {'.'.join(map(shorten, rest))}{pick((': ', '：'))}{what}, {value(change.new or change.old)}"
    else:
        row, keys = _split(table, rest)
        said = pick(_CHANGED, key=".".join(keys) or head, old=value(change.old), new=value(change.new))
        line = f"{head}{' ' + row if row else ''}{pick((': ', '：'))}{said}"
    why = care(change)
    return line + (pick(_CARE, why=pick(why)) if why else "")


def value(found: Any) -> str:
    """A value in words, on one line, bounded."""
    if found is None or found in ("", []):
        return pick(_NOTHING)
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, dict):
        told = [f"{key} {value(member)}" for key, member in found.items() if member not in (None, "", [], False)]
        return "{" + ", ".join(told[:_AT_MOST]) + (", …" if len(told) > _AT_MOST else "") + "}"
    if isinstance(found, list):
        return "[" + ", ".join(map(value, found[:_AT_MOST])) + (", …" if len(found) > _AT_MOST else "") + "]"
    return pick(WORDS[found]) if isinstance(found, str) and found in WORDS else shorten(str(found))


def _split(table: str, rest: list[str]) -> tuple[str, list[str]]:
    """The row's name and the keys; tables that are no lists have no rows."""
    return (shorten(rest[0]), rest[1:]) if rest and table in _LISTS else ("", rest)


def row_of(change: Change) -> dict[str, Any]:
    """A change as JSON."""
    why = care(change)
    return {
        "what": change.what,
        "place": list(change.place),
        "old": change.old,
        "new": change.new,
        "care": _both(why) if why else None,
    }


def _both(text: Text) -> dict[str, str]:
    return {"en": text[0], "zh": text[1]}
