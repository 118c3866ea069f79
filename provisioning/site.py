"""`fenghuo site`: what a technician does with a panel file before it goes into force: check, and commands beside it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware.config import BadPanelFile, Loaded, Mistake, load
from firmware.language import Text, pick
from provisioning.site_diff import diff
from provisioning.site_explain import explain
from provisioning.site_install import install
from provisioning.site_new import new
from provisioning.site_set import set_key
from provisioning.terminal import console, run
from provisioning.wiring_table import wiring_tables

_REPORTED = {
    *("area", "zone", "adc", "modbus", "osdp", "reader", "output", "part"),
    *("schedule", "day", "tour", "camera", "power", "timings"),
}

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_MISTAKES = 2

_MISTAKES: Text = ("{file}: {count} to correct", "{file}:{count} 处需要更正")
_WARNING: Text = ("warning: ", "警告：")
_FINE: Text = (
    "{file} is fine: {zones} zones, {areas} areas, {outputs} outputs. SHA-256 {sha256}",
    "{file} 检查通过：{zones} 个防区，{areas} 个区域，{outputs} 个输出。SHA-256 {sha256}",
)


def main(argv: Sequence[str]) -> int:
    """Make, check, compare and install panel files. 新建、检查、比较和安装配置文件。"""
    return run(app, argv, "fenghuo site")


@app.callback()
def _site() -> None:
    """Panel files. 配置文件。"""


app.command()(new)
app.command()(diff)
app.command()(explain)
app.command("set")(set_key)
app.command()(install)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The panel file. 配置文件。", metavar="FILE")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Find every mistake at once, or print the wiring table. 一次找出所有错误，或打印接线表。

    Exit code 0: fine. 2: mistakes. Example: fenghuo site check docs/examples/bank.toml
    """
    try:
        loaded = load(file)
    except BadPanelFile as bad:
        if as_json:
            _print_json({"file": str(file), "ok": False, "mistakes": _as_json(bad.mistakes), "more": bad.more})
        else:
            print(bad.say())
            print(pick(_MISTAKES, file=file.name, count=len(bad.mistakes) + bad.more))
        raise typer.Exit(EXIT_MISTAKES) from None
    if as_json:
        _print_json(_report(file, loaded))
    else:
        _show(loaded)


def _show(loaded: Loaded) -> None:
    console().print(wiring_tables(loaded.file))
    for warning in loaded.warnings:
        print(pick(_WARNING) + warning.say())
    file = loaded.file
    counts = {"zones": len(file.zone), "areas": len(file.area), "outputs": len(file.output)}
    print(pick(_FINE, file=loaded.path.name, sha256=loaded.sha256, **counts))


def _report(path: Path, loaded: Loaded) -> dict[str, Any]:
    """The wiring as data: the file's own tables, with the defaults filled in."""
    tables = loaded.file.model_dump(mode="json", include=_REPORTED)
    return {
        "file": str(path),
        "ok": True,
        "sha256": loaded.sha256,
        "mistakes": [],
        "warnings": _as_json(loaded.warnings),
        **tables,
    }


def _as_json(mistakes: Sequence[Mistake]) -> list[dict[str, Any]]:
    return [
        {
            "line": mistake.line,
            "key": mistake.key,
            "found": mistake.found,
            "expected": {"en": mistake.expected[0], "zh": mistake.expected[1]},
            "text": {"en": mistake.text[0], "zh": mistake.text[1]},
        }
        for mistake in mistakes
    ]


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
