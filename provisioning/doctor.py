"""`fenghuo doctor`: the drivers of a running panel, its board, disk, keys and journal; what is wrong, and what to do.

What needs no running panel is looked at without one too.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text as Styled

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.messages import AskDrivers
from firmware.version import VERSION
from provisioning.diagnosis import Finding, Row, findings, rows
from provisioning.examined import board_findings, keys, software, store
from provisioning.examined.board import Board, read
from provisioning.remedies import OF_DRIVERS
from provisioning.technician import NoAnswer, connected
from provisioning.terminal import console, run

ROOT = Path("/")

app = typer.Typer(add_completion=False)

EXIT_FAULT = 1
EXIT_NOT_UNDERSTOOD = 2
EXIT_WARNING = 3

_WELL: Text = (
    "all {count} drivers work, no trouble stands; board, disk, keys and journal are well",
    "{count} 个驱动全部正常，无故障；主板、存储、密钥与日志正常",
)
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
_VERIFYING: Text = ("verifying the journal, a minute for some 100,000 records", "正在验证日志，约 10 万条/分钟")
_FREE: Text = ("{mib} MiB free", "剩余 {mib} MiB")
_SLOT: Text = ("slot {slot}, version {version}", "分区 {slot}，版本 {version}")
_AGO: Text = ("{seconds:.1f} s ago", "{seconds:.1f} 秒前")


def main(argv: Sequence[str]) -> int:
    """How each driver does, and what to do. 诊断各驱动并给出处理建议。"""
    return run(app, argv, "fenghuo doctor")


@app.command()
def doctor(
    config: Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")] = Path("panel.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Verify the whole journal too. 同时验证整个日志。")] = False,
    root: Annotated[
        Path, typer.Option("--root", help="Where the board's files are: another root. 主板文件所在的根目录。")
    ] = ROOT,
) -> None:
    """Look at drivers, board, disk, keys, paths and journal of a panel. 诊断驱动、主板、存储、密钥、路径与日志。

    Exit code 0: all is well. 1: a fault, or no panel runs. 2: the panel file is not understood. 3: warnings alone.
    130: Ctrl-C.
    Example: fenghuo doctor --config panel.toml
    """
    try:
        loaded = load(config)
    except BadPanelFile as bad:
        print(bad.say(), file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    seen = examine(loaded, root)
    if verify:
        if not as_json:
            print(pick(_VERIFYING), file=sys.stderr)
        seen = replace(seen, findings=[*seen.findings, *store.verified(loaded)])
    if as_json:
        print(json.dumps(in_json(seen), ensure_ascii=False, indent=2))
    else:
        _show(seen)
    raise typer.Exit(_exit_code(seen.findings))


@dataclass(frozen=True)
class Seen:
    """What was looked at, and what is to be done."""

    drivers: list[Row]
    board: Board
    findings: list[Finding]


def examine(loaded: Loaded, root: Path = ROOT) -> Seen:
    """All of the panel of this file; that no panel answers is a finding itself. `root`: where the board's files are."""
    drivers, found, running = _drivers(loaded)
    file = loaded.file
    board = read(root, Path(file.board.sys), loaded.data)
    told = {finding.about for finding in found}
    more = [
        *board_findings.findings(board, file.board.hot_c, file.panel.pins == "board"),
        *keys.findings(loaded),
        *store.findings(loaded, running),
        *(software.findings(loaded) if running else ()),
    ]
    # What core reports as a trouble already is told once.
    return Seen(drivers, board, found + [one for one in more if _trouble(one.about) not in told])


def _trouble(about: str) -> str:
    """The trouble of core's that says the same."""
    kind, _, subject = about.partition("/")
    return {"clock": "clock", "mirror": "mirror"}.get(kind, f"{kind}:{subject}")


def _drivers(loaded: Loaded) -> tuple[list[Row], list[Finding], bool]:
    try:
        with connected(loaded) as technician:
            detail = technician.ask(AskDrivers()).detail
    except NoAnswer as why:
        return [], [Finding("core", "fault", why.both, OF_DRIVERS["core"])], False
    drivers = {name: figures for name, figures in _table(detail, "drivers").items() if isinstance(figures, dict)}
    troubles = {name: str(text) for name, text in _table(detail, "troubles").items()}
    return rows(drivers), findings(drivers, troubles), True


def _exit_code(found: Sequence[Finding]) -> int:
    if any(finding.weight == "fault" for finding in found):
        return EXIT_FAULT
    return EXIT_WARNING if found else 0


def _table(detail: dict[str, Any], key: str) -> dict[str, Any]:
    value = detail.get(key)
    return value if isinstance(value, dict) else {}


def _show(seen: Seen) -> None:
    if seen.drivers:
        console().print(_drawn(seen.drivers))
    if line := board_line(seen.board):
        print(line)
    for finding in seen.findings:
        print(f"{pick(_WEIGHTS[finding.weight])}: {finding.about}: {pick(finding.what)}")
        print(f"  → {pick(finding.do)}")
    count = len(seen.findings)
    print(pick(_TO_DO, count=count) if count else pick(_WELL, count=len(seen.drivers)))


def board_line(board: Board) -> str:
    """The board in one line: only what it tells."""
    parts = [board.model]
    if board.celsius is not None:
        parts.append(f"{board.celsius:.0f} °C")
    if board.disk is not None and board.disk.kind != "other":
        parts.append(f"{board.disk.name} {board.disk.kind} {board.disk.model}".strip())
    if board.room is not None:
        parts.append(pick(_FREE, mib=board.room.free // 2**20))
    if board.slot:
        parts.append(pick(_SLOT, slot=board.slot, version=VERSION))
    return ", ".join(part for part in parts if part)


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


def in_json(seen: Seen) -> dict[str, Any]:
    """As `--json` prints it, texts in both languages."""
    return {
        "ok": not seen.findings,
        "version": VERSION,
        "drivers": [vars(row) for row in seen.drivers],
        "board": _plain(asdict(seen.board)),
        "findings": [
            {
                "about": finding.about,
                "weight": finding.weight,
                "what": {"en": finding.what[0], "zh": finding.what[1]},
                "do": {"en": finding.do[0], "zh": finding.do[1]},
            }
            for finding in seen.findings
        ],
    }


def _plain(value: Any) -> Any:
    """Sets as sorted lists: JSON has none."""
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    return sorted(value) if isinstance(value, frozenset) else value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
