"""`fenghuo center conform`: try somebody's own center, and say point by point what it does right and wrong.

Exit codes: 0 nothing wrong was seen, 1 something was, 2 it could not be tried.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from firmware.language import Text, pick
from hil.center.conform import report
from hil.center.conform.play import SCENES, play
from hil.center.conform.player import NoBroker
from hil.center.conform.trial import Pace
from hil.center.keys import Key
from hil.center.wire import Broker

TEXTS: dict[str, Text] = {
    "made": ("{file} is a new key. Enrol panel {panel} at your center with this public key, then run this again:",
             "{file} 是新密钥。请在您的中心用此公钥登记主机 {panel},然后重新运行:"),
    "yes-no": ("{question} [y/n, Enter: not seen] ", "{question} [y/n,回车表示未见] "),
    "scene": ("scene: {name}", "场景:{name}"),
    "bad-key": ("{option}: {detail}", "{option}:{detail}"),
    "bad-scene": ("--scene {found!r}: expected one of {names}", "--scene {found!r}:应为 {names} 之一"),
    "bad-panel": ("--panel {found!r}: expected 3 to 48 of a-z 0-9 -", "--panel {found!r}:应为 3 至 48 个 a-z 0-9 -"),
}  # fmt: skip


def conform(
    broker: Annotated[str, typer.Option(help="mqtt(s)://HOST:PORT of your center's broker. 中心的 MQTT 5 代理。")],
    panel_key: Annotated[
        Path, typer.Option(help="Private key (JWK) of the played panel; made when absent. 主机私钥。")
    ],
    receipt_key: Annotated[list[str], typer.Option(help="x of your center's receipt key. 回执公钥。")],
    panel: Annotated[str, typer.Option(help="Panel id to play. 扮演的主机编号。")] = "fenghuo-kit-1",
    command_key: Annotated[list[str] | None, typer.Option(help="x of your command key. 命令公钥。")] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Ask about what is seen by eye alone. 询问目视要点。")] = False,
    scene: Annotated[list[str] | None, typer.Option(help="Only these scenes. 仅这些场景。")] = None,
    receipt_s: Annotated[float, typer.Option(min=0.1, max=600, help="Wait for a receipt. 等待回执(秒)。")] = 10.0,
    quiet_s: Annotated[float, typer.Option(min=0.05, max=60, help="Wait that none comes. 确认无回执(秒)。")] = 2.0,
    beat_s: Annotated[float, typer.Option(min=0.1, max=300, help="Between heartbeats. 心跳间隔(秒)。")] = 10.0,
    commands_s: Annotated[float, typer.Option(min=0, max=3600, help="Wait for commands. 等待命令(秒)。")] = 120.0,
    ca: Annotated[Path | None, typer.Option(help="CA of the broker's certificate (PEM). 代理证书的 CA。")] = None,
    cert: Annotated[Path | None, typer.Option(help="Client certificate (PEM). 客户端证书。")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key (PEM). 证书私钥。")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines. 输出 JSON。")] = False,
    junit: Annotated[Path | None, typer.Option(help="Write a JUnit file. 写出 JUnit 文件。")] = None,
) -> None:
    """Play a panel against your own center, and tell what it does right and wrong. 对接测试:检验您的报警中心。"""
    where = _broker(broker, ca, cert, key)
    unknown = [name for name in scene or [] if name not in SCENES]
    if unknown:
        raise typer.BadParameter(pick(TEXTS["bad-scene"], found=unknown[0], names=", ".join(SCENES)))
    if not (3 <= len(panel) <= 48 and panel.replace("-", "a").isascii() and panel.replace("-", "a").isalnum()):
        raise typer.BadParameter(pick(TEXTS["bad-panel"], found=panel))
    own = _panel_key(panel_key, panel)
    pace = Pace(receipt_s, quiet_s, beat_s, commands_s)
    told = (lambda _: None) if as_json else _tell
    operator = _ask if ask else _say_only
    try:
        results = play(where, panel, own, receipt_key, command_key or [], pace, operator, scene or SCENES, told)
    except NoBroker as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except ValueError as error:
        raise typer.BadParameter(pick(TEXTS["bad-key"], option="--receipt-key/--command-key", detail=error)) from None
    if junit is not None:
        report.write_junit(results, junit)
    if as_json:
        typer.echo(report.as_json(results))
    else:
        Console().print(report.table(results))
        typer.echo(report.summary(results))
    raise typer.Exit(report.exit_code(results))


def _broker(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> Broker:
    try:
        return Broker.at(url, ca, cert, key)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _panel_key(file: Path, panel: str) -> Key:
    """The played panel's key; ends here when it is new, as no center can know it yet."""
    new = not file.exists()
    try:
        own = Key.at(file)
    except (OSError, ValueError, TypeError) as error:
        raise typer.BadParameter(pick(TEXTS["bad-key"], option=f"--panel-key {file}", detail=error)) from None
    if new:
        typer.echo(pick(TEXTS["made"], file=file, panel=panel), err=True)
        typer.echo(f'{{"kty":"OKP","crv":"Ed25519","x":"{own.x}"}}')
        raise typer.Exit(2)
    return own


def _tell(scene: str) -> None:
    typer.echo(pick(TEXTS["scene"], name=scene), err=True)


def _ask(_point: str, question: Text) -> bool | None:
    answer = input(pick(TEXTS["yes-no"], question=pick(question))).strip().lower()
    return {"y": True, "yes": True, "是": True, "n": False, "no": False, "否": False}.get(answer)


def _say_only(point: str, question: Text) -> bool | None:
    """Nobody is asked; but that commands are waited for must be said."""
    if point == "commands":
        print(pick(question), file=sys.stderr, flush=True)
    return None
