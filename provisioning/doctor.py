"""`fenghuo doctor`: how each driver of a running panel does, and for everything that is wrong, what to do."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text as Styled

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.messages import AskDrivers
from provisioning.diagnosis import Finding, Row, findings, rows
from provisioning.remedies import OF_DRIVERS
from provisioning.technician import NoAnswer, connected
from provisioning.terminal import console, run

app = typer.Typer(add_completion=False)

EXIT_FINDINGS = 1
EXIT_NOT_UNDERSTOOD = 2

_WELL: Text = ("all {count} drivers work, no trouble stands", "{count} 个驱动全部正常，无故障")
_TO_DO: Text = ("{count} to look at", "{count} 项需要处理")
_HEADS: tuple[Text, ...] = (
    ("driver", "驱动"),
    ("kind", "类型"),
    ("state", "状态"),
    ("last contact", "最近通信"),
    ("errors", "错误"),
    ("cycle", "周期"),
)
_STATES: dict[str, Text] = {
    "works": ("works", "正常"),
    "fails": ("fails", "故障"),
    "starts": ("starts", "启动中"),
    "hangs": ("hangs", "停滞"),
}
_COLOURS = {"works": "green", "fails": "red", "starts": "yellow", "hangs": "red"}
_WEIGHTS: dict[str, Text] = {"fault": ("fault", "故障"), "warning": ("warning", "警告")}
_AGO: Text = ("{seconds:.1f} s ago", "{seconds:.1f} 秒前")


def main(argv: Sequence[str]) -> int:
    """How each driver does, and what to do. 诊断各驱动并给出处理建议。"""
    return run(app, argv, "fenghuo doctor")


@app.command()
def doctor(
    config: Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")] = Path("panel.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Ask a running panel how its drivers do. 询问运行中的主机各驱动状态。

    Exit code 0: all is well. 1: something is to be done, or no panel runs. 2: the panel file is not understood.
    Example: fenghuo doctor --config panel.toml
    """
    try:
        loaded = load(config)
    except BadPanelFile as bad:
        print(bad.say(), file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    table, found = examine(loaded)
    if as_json:
        print(json.dumps(in_json(table, found), ensure_ascii=False, indent=2))
    else:
        _show(table, found)
    raise typer.Exit(EXIT_FINDINGS if found else 0)


def examine(loaded: Loaded) -> tuple[list[Row], list[Finding]]:
    """The drivers of the panel of this file, and what is to be done; that no panel answers is a finding itself."""
    try:
        with connected(loaded) as technician:
            detail = technician.ask(AskDrivers()).detail
    except NoAnswer as why:
        return [], [Finding("core", "fault", (str(why), str(why)), OF_DRIVERS["core"])]
    drivers = {name: figures for name, figures in _table(detail, "drivers").items() if isinstance(figures, dict)}
    troubles = {name: str(text) for name, text in _table(detail, "troubles").items()}
    return rows(drivers), findings(drivers, troubles)


def _table(detail: dict[str, Any], key: str) -> dict[str, Any]:
    value = detail.get(key)
    return value if isinstance(value, dict) else {}


def _show(table: list[Row], found: list[Finding]) -> None:
    if table:
        console().print(_drawn(table))
    for finding in found:
        print(f"{pick(_WEIGHTS[finding.weight])}: {finding.about}: {pick(finding.what)}")
        print(f"  → {pick(finding.do)}")
    print(pick(_TO_DO, count=len(found)) if found else pick(_WELL, count=len(table)))


def _drawn(table: list[Row]) -> Table:
    drawn = Table(*(pick(head) for head in _HEADS))
    for row in table:
        drawn.add_row(
            row.name,
            row.kind,
            Styled(pick(_STATES[row.state]), _COLOURS[row.state]),
            "" if row.silent_ms is None else pick(_AGO, seconds=row.silent_ms / 1000),
            str(row.errors),
            "" if row.cycle_ms is None else f"{row.cycle_ms:.0f} ms",
        )
    return drawn


def in_json(table: list[Row], found: list[Finding]) -> dict[str, Any]:
    """As `--json` prints it, texts in both languages."""
    return {
        "ok": not found,
        "drivers": [vars(row) for row in table],
        "findings": [
            {
                "about": finding.about,
                "weight": finding.weight,
                "what": {"en": finding.what[0], "zh": finding.what[1]},
                "do": {"en": finding.do[0], "zh": finding.do[1]},
            }
            for finding in found
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
