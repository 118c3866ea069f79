"""`fenghuo update`: puts other software on a running panel, with the consents of a user and of an installer.

The panel looks at the bundle, writes it into its other slot, restarts when all is disarmed, and goes back by itself
where the new software does not prove itself; these commands only ask, consent and tell.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import pick
from firmware.protocol.updates import (
    OTHER_SLOT,
    USB,
    AskUpdate,
    UpdateConsent,
    UpdateOffer,
    UpdateStatus,
    UpdateWithdraw,
)
from provisioning import codes
from provisioning import update_texts as t
from provisioning.questions import agreed
from provisioning.technician import NoAnswer, Technician, connected
from provisioning.terminal import run
from provisioning.users import DEFAULT_CONFIG, CodeStdin, Config

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_REFUSED, EXIT_WRONG = 1, 2
LOOKED_S = 180.0
"""A bundle has been looked at by then; one at a URL is asked for over the network."""
LOOK_S = 0.25
ENDS = ("none", "good", "gone-back", "refused")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask whether. 不再询问。")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded. 原因（将被记录）。")]
EvenArmed = Annotated[
    bool, typer.Option("--even-armed", help="Restart even while armed; needs --reason. 布防时也重启，须 --reason。")
]


def main(argv: Sequence[str]) -> int:
    """Put other software on the panel, or go back. 更新主机软件或回退。"""
    return run(app, argv, "fenghuo update")


@app.callback()
def _group() -> None:
    """Update the panel's software, or go back to the one before. 更新主机软件或回退。

    It takes the consents of a user and of an installer. Exit code 0: done. 1: refused. 2: not understood.
    """


@app.command()
def status(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """What runs, what is in the other slot, and where an update is. 查看软件与更新状态。

    Example: fenghuo update status --config panel.toml
    """
    with _told(as_json):
        with connected(load(config)) as panel:
            found = _status(panel)
        _show(found, as_json)


@app.command()
def install(
    source: Annotated[str, typer.Argument(metavar="FILE|URL", help="A bundle. 更新包。")] = "",
    usb: Annotated[bool, typer.Option("--usb", help="The newest bundle on a stick. 使用 U 盘中最新的更新包。")] = False,
    even_armed: EvenArmed = False,
    no_way_back: Annotated[
        bool,
        typer.Option("--no-way-back", help="Although the software of now can't read its data. 接受无法回退。"),
    ] = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Have the panel look at a bundle, and consent to it with your code. 检查更新包并以密码表示同意。

    The other one of installer and user then says: fenghuo update consent.
    Example: fenghuo update install fenghuo-0.2.0.raucb --config panel.toml
    """
    with _told(as_json):
        if usb is bool(source):
            raise ValueError(pick(t.ONE_SOURCE))
        place = USB if usb else source if "://" in source else str(Path(source).absolute())
        _offer(config, place, even_armed, no_way_back, reason, yes, as_json, code_stdin)


@app.command()
def rollback(
    even_armed: EvenArmed = False,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Go back to the software in the other slot, with the same consents and the same trial. 回退到备用分区的软件。

    Example: fenghuo update rollback --reason "keypad texts are wrong" --config panel.toml
    """
    with _told(as_json):
        _offer(config, OTHER_SLOT, even_armed, False, reason, yes, as_json, code_stdin)


@app.command()
def consent(
    yes: Yes = False, as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Consent to the update that is offered. 同意已提出的更新。

    Example: fenghuo update consent --config panel.toml
    """
    with _told(as_json):
        loaded = load(config)
        with connected(loaded) as panel:
            found = _status(panel)
            if found.stage != "offered":
                raise NoAnswer(pick(t.NOTHING_OFFERED))
        _ask_whether(found, yes)
        code = _code(code_stdin)
        with connected(loaded) as panel:
            found = _consented(panel, found, code)
        _show(found, as_json)


@app.command()
def withdraw(as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG) -> None:
    """No update, as long as the panel has not restarted for it. 撤回更新。

    Example: fenghuo update withdraw --config panel.toml
    """
    with _told(as_json):
        loaded = load(config)
        code = _code(code_stdin)
        with connected(loaded) as panel:
            panel.ask(UpdateWithdraw(code=code))
            found = _later(panel, lambda now: now.stage in ENDS)
        _show(found, as_json)


def _offer(
    config: Path,
    source: str,
    even_armed: bool,
    no_way_back: bool,
    reason: str,
    yes: bool,
    as_json: bool,
    code_stdin: bool,
) -> None:
    """Have it looked at, show it, and consent. The connection is not held while a person thinks."""
    if even_armed and not reason.strip():
        raise ValueError(pick(t.WHY_ARMED))
    loaded = load(config)
    code = _code(code_stdin)
    offer = UpdateOffer(source=source, even_armed=even_armed, no_way_back=no_way_back, reason=reason.strip(), code=code)
    if not as_json:
        print(pick(t.LOOKING), file=sys.stderr)
    found = _looked_at(loaded, offer)
    if found.stage != "offered":
        raise NoAnswer(t.why(found))
    _ask_whether(found, yes)
    with connected(loaded) as panel:
        found = _consented(panel, found, code)
    _show(found, as_json)


def _looked_at(loaded: Loaded, offer: UpdateOffer) -> UpdateStatus:
    with connected(loaded) as panel:
        before = int(panel.ask(offer).detail["offers"])
        return _later(panel, lambda now: now.offers > before and now.stage != "none")


def _consented(panel: Technician, found: UpdateStatus, code: str) -> UpdateStatus:
    part = panel.ask(UpdateConsent(sha256=found.sha256, code=code)).detail["part"]
    return _later(panel, lambda now: part not in now.missing or now.stage != "offered")


def _later(panel: Technician, settled: Any) -> UpdateStatus:
    """The status as soon as it is so. Raises `NoAnswer`."""
    end = time.monotonic() + LOOKED_S
    while True:
        found = _status(panel)
        if settled(found):
            return found
        if time.monotonic() >= end:
            raise NoAnswer(pick(t.SLOW, seconds=LOOKED_S))
        time.sleep(LOOK_S)


def _status(panel: Technician) -> UpdateStatus:
    """Raises `NoAnswer` where no updater is there."""
    detail = panel.ask(AskUpdate()).detail
    if not detail:
        raise NoAnswer(pick(t.NO_UPDATER))
    try:
        return UpdateStatus.model_validate(detail)
    except ValidationError:
        raise NoAnswer(pick(t.NO_UPDATER)) from None


def _ask_whether(found: UpdateStatus, yes: bool) -> None:
    for line in t.lines(found) if not yes else ():
        print(line, file=sys.stderr)
    if not yes and not (sys.stdin.isatty() and agreed(t.SURE, version=found.version)):
        raise NoAnswer(pick(t.NO))


def _code(code_stdin: bool) -> str:
    return (codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()).existing(codes.MANAGER)


def _show(found: UpdateStatus, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"ok": True, **found.model_dump(exclude={"type"})}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(t.lines(found)))


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Turns what can go wrong into words and an exit code."""
    try:
        yield
    except (BadPanelFile, codes.BadCode, NoAnswer, ValueError) as error:
        why = error.say() if isinstance(error, BadPanelFile) else t.said(error)
        print(
            json.dumps({"ok": False, "why": why}, ensure_ascii=False) if as_json else why,
            file=sys.stdout if as_json else sys.stderr,
        )
        raise typer.Exit(EXIT_REFUSED if isinstance(error, NoAnswer) else EXIT_WRONG) from None
