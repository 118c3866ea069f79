"""`fenghuo site explain`: the wiring of a panel file terminal by terminal, to print and hang into the cabinet's door.

One self-contained page: a drawing, a table for each block, the zones; or the drawing alone, or data.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text as Styled

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, language, pick
from firmware.version import VERSION
from provisioning.drawing import COLOURS, FONT, drawing
from provisioning.site_text import write_whole
from provisioning.site_words import WORDS
from provisioning.terminal import console
from provisioning.terminals import Block, blocks

EXIT_REFUSED, EXIT_MISTAKES = 1, 2

WIRE_HEADS: tuple[Text, ...] = (("terminal", "端子"), ("connected", "接入"), ("how", "接法"))
ZONE_HEADS: tuple[Text, ...] = (
    ("No.", "编号"),
    ("zone", "防区"),
    ("name", "名称"),
    ("type", "类型"),
    ("areas", "区域"),
)
_ZONES: Text = ("Zones", "防区")
_TITLE: Text = ("Wiring of {name}", "{name} 接线图")
_ABOUT: Text = (
    "Panel {id}, file {file}, SHA-256 {sha256}, Fenghuo {version}",
    "主机 {id}，文件 {file}，SHA-256 {sha256}，烽火 {version}",
)
_USES: dict[str, Text] = {
    "input": ("input", "输入"),
    "output": ("output", "输出"),
    "bus": ("bus", "总线"),
    "supply": ("supply", "电源"),
    "free": ("free", "空闲"),
}
_WRITTEN: Text = ("{file} is written", "{file} 已写入")
_CANT_WRITE: Text = ("{file} can't be written: {why}", "无法写入 {file}：{why}")
_SUFFIX: Text = (
    "--out {file}: expected a name that ends in .html or .svg",
    "--out {file}：文件名应以 .html 或 .svg 结尾",
)

_STYLE = f"""
@page {{ size: A4; margin: 12mm }}
body {{ font-family: {FONT}; font-size: 13px; max-width: 1100px; margin: 1em auto; color: #111 }}
h1 {{ font-size: 20px }} h2 {{ font-size: 15px; margin: 1.2em 0 .3em }}
p {{ margin: .2em 0; overflow-wrap: anywhere }}
svg {{ width: 100%; height: auto }}
table {{ border-collapse: collapse; width: 100%; table-layout: fixed; break-inside: auto }}
th, td {{ border: 1px solid #999; padding: 2px 6px; text-align: left; overflow-wrap: anywhere }}
tr {{ break-inside: avoid }} th {{ background: #eee }} th:first-child {{ width: 16% }}
.key {{ display: inline-block; padding: 0 .6em; border: 1px solid #333; margin-right: .5em }}
""" + "\n".join(f".{use} {{ background: {colour} }}" for use, colour in COLOURS.items())


def explain(
    file: Annotated[Path, typer.Argument(help="The panel file. 配置文件。", metavar="FILE")],
    out: Annotated[Path | None, typer.Option("--out", help="A page .html or a drawing .svg. 输出页面或图。")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Show every terminal and its wire; --out makes a page for the cabinet's door. 逐端子接线表，可输出机箱门贴页面。

    Exit code 0: shown or written. 1: can't be written. 2: mistakes in the file.
    Example: fenghuo site explain panel.toml --out wiring.html
    """
    try:
        loaded = load(file)
    except BadPanelFile as bad:
        print(bad.say())
        raise typer.Exit(EXIT_MISTAKES) from None
    found = blocks(loaded.file)
    if out is not None:
        _write(out, found, loaded)
    if as_json:
        print(json.dumps(_data(loaded, found), ensure_ascii=False, indent=2))
    elif out is not None:
        print(pick(_WRITTEN, file=out))
    else:
        _show(found)


def page(loaded: Loaded, found: Sequence[Block]) -> str:
    """The whole page as HTML."""
    panel = loaded.file.panel
    about = pick(_ABOUT, id=panel.id, file=loaded.path.name, sha256=loaded.sha256, version=VERSION)
    keys = "".join(f'<span class="key {use}">{escape(pick(text))}</span>' for use, text in _USES.items())
    title = escape(pick(_TITLE, name=panel.name))
    lang = "zh-CN" if language() == "zh" else "en"
    parts = [
        f'<!doctype html>\n<html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{escape(about)}</p><p>{keys}</p>",
        drawing(found),
        *(_block(block) for block in found),
        f"<h2>{escape(pick(_ZONES))}</h2>{_table(ZONE_HEADS, _zones(loaded))}",
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _block(block: Block) -> str:
    notes = "".join(f"<p>{escape(note)}</p>" for note in block.notes)
    rows = ((t.use, (t.mark, t.to or "–", t.how or "–")) for t in block.terminals)
    return f"<h2>{escape(block.title)}</h2>{notes}{_table(WIRE_HEADS, rows)}"


def _zones(loaded: Loaded) -> Iterator[tuple[str, tuple[str, ...]]]:
    for zone in loaded.file.zone:
        yield "", (str(zone.number), zone.id, zone.name, pick(WORDS[zone.type]), ", ".join(zone.areas))


def _table(heads: Sequence[Text], rows: "Iterator[tuple[str, tuple[str, ...]]]") -> str:
    head = "".join(f"<th>{escape(pick(text))}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(_cell(cell, use if n == 0 else '') for n, cell in enumerate(row))}</tr>\n" for use, row in rows
    )
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _cell(text: str, use: str) -> str:
    return f'<td class="{use}">{escape(text)}</td>' if use else f"<td>{escape(text)}</td>"


def _write(out: Path, found: Sequence[Block], loaded: Loaded) -> None:
    if out.suffix not in (".html", ".svg"):
        print(pick(_SUFFIX, file=out), file=sys.stderr)
        raise typer.Exit(EXIT_MISTAKES)
    text = page(loaded, found) if out.suffix == ".html" else drawing(found) + "\n"
    try:
        write_whole(out, text)
    except OSError as error:
        print(pick(_CANT_WRITE, file=out, why=error.strerror), file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED) from None


def _data(loaded: Loaded, found: Sequence[Block]) -> dict[str, object]:
    return {"panel": loaded.file.panel.id, "sha256": loaded.sha256, "blocks": [asdict(block) for block in found]}


def _show(found: Sequence[Block]) -> None:
    for block in found:
        table = Table(title=block.title, title_justify="left")
        for head in WIRE_HEADS:
            table.add_column(pick(head), overflow="fold")
        for terminal in block.terminals:
            table.add_row(*(Styled(text) for text in (terminal.mark, terminal.to or "–", terminal.how or "–")))
        console().print(table, *(Styled(note) for note in block.notes), "", sep="\n")
