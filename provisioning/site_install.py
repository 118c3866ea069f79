"""`fenghuo site install NEW`: puts a panel file into force on a running panel.

An installer's code does it, where a user has let the installer in (`grant` at a keypad); the panel itself judges, swaps
the files when everything is disarmed, records it, and comes back by the new file.
"""

import base64
import json
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.messages import AskStatus, InstallFile
from provisioning import codes
from provisioning.questions import agreed
from provisioning.site_care import care
from provisioning.site_diff import row_of, say
from provisioning.site_difference import differences
from provisioning.technician import NoAnswer, connected

EXIT_REFUSED, EXIT_WRONG = 1, 2
BACK_S = 60.0
"""So long the panel may take to come back; a small board reads and checks the file anew."""
DOWN_S = 20.0
"""A panel that has not gone down by then has gone down and come back unseen."""
_LOOK_S = 0.25
_MAX_PACKED = 240 * 1024

_INSTALLER: Text = ("The installer's code: ", "安装员密码：")
_SURE: Text = ("Put {file} into force?", "确认启用 {file}？")
_SAME: Text = ("{file} is in force already", "{file} 已在使用中")
_DONE: Text = ("{file} is in force. SHA-256 {sha256}", "{file} 已启用。SHA-256 {sha256}")
_OLD: Text = ("The file before: {file}.old", "之前的文件：{file}.old")
_NOT_BACK: Text = (
    "the panel took the file, but did not come back in {seconds:.0f} s",
    "主机已接受文件，但 {seconds:.0f} 秒内未恢复",
)
_TAKEN_BACK: Text = (
    "the panel could not go over to the new file: the old one is in force. It says why in core's log",
    "主机未能切换到新文件：旧文件仍在使用。原因见 core 日志",
)
_LARGE: Text = ("{file} is too large to send to the panel", "{file} 过大，无法发送至主机")
_NO: Text = ("Nothing has changed", "未作任何更改")
_COUNT: Text = ("{count} differences, {care} need care", "{count} 处差异，{care} 处需注意")


def install(
    new: Annotated[Path, typer.Argument(help="The file to come into force. 待启用的文件。", metavar="NEW")],
    config: Annotated[Path, typer.Option("--config", help="The file in force. 现用配置文件。")] = Path("panel.toml"),
    code_stdin: Annotated[
        bool, typer.Option("--code-stdin", help="The code is a line of input. 从输入读取密码。")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask whether. 不再询问。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change. 仅显示差异。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with --yes. 输出 JSON。")] = False,
) -> None:
    """Put a panel file into force on the running panel, with an installer's code. 在运行中的主机上启用新配置。

    All must be disarmed, and a user must have let the installer in. The old file is kept as FILE.old: install that to
    go back. Exit code 0: in force, or it was. 1: refused, the old file is in force. 2: not understood, or mistakes.
    Example: fenghuo site install new.toml --config /etc/fenghuo/panel.toml
    """
    with _told(as_json):
        before, after = load(config), load(new)
        changes = differences(before.file, after.file)
        told = {"file": str(config), "sha256": after.sha256, "differences": [row_of(change) for change in changes]}
        if not as_json:
            for change in changes:
                print(say(change))
            print(pick(_COUNT, count=len(changes), care=sum(care(change) is not None for change in changes)))
        done = before.sha256 != after.sha256 and not dry_run and carry_out(before, after, code_stdin, yes)
    if as_json:
        print(json.dumps({"ok": True, "installed": done, **told}, ensure_ascii=False, indent=2))
    elif done:
        print(pick(_DONE, file=config, sha256=after.sha256))
        print(pick(_OLD, file=config))
    elif not dry_run:
        print(pick(_SAME, file=new))


def carry_out(before: Loaded, after: Loaded, code_stdin: bool, yes: bool) -> bool:
    """Ask, send, and wait until the panel is back. Raises `NoAnswer`."""
    packed = base64.b64encode(zlib.compress(after.path.read_bytes(), 9)).decode()
    if len(packed) > _MAX_PACKED:
        raise NoAnswer(pick(_LARGE, file=after.path))
    with connected(before) as technician:
        users = technician.ask(AskStatus()).detail.get("users")
        if not yes and not (sys.stdin.isatty() and agreed(_SURE, file=after.path)):
            raise NoAnswer(pick(_NO))
        asked = codes.Lines(sys.stdin) if code_stdin else codes.Keyboard() if users else None
        code = asked.existing(_INSTALLER) if asked and users else ""
        technician.ask(InstallFile(sha256=after.sha256, packed=packed, code=code))
    _wait(before, after)
    return True


def _wait(before: Loaded, after: Loaded) -> None:
    """Until a panel answers that says by which file it runs, and that is not the old life."""
    begun, was = time.monotonic(), False
    there = Loaded(before.path, before.folder, after.file, after.sha256)
    while (waited := time.monotonic() - begun) < BACK_S:
        found: Any = None
        with suppress(NoAnswer), connected(there) as technician:
            found = technician.ask(AskStatus()).detail.get("file")
        if found == after.sha256:
            return
        if found is None:
            was = True  # it has gone down
        elif was or waited > DOWN_S:
            raise NoAnswer(pick(_TAKEN_BACK))
        time.sleep(_LOOK_S)
    raise NoAnswer(pick(_NOT_BACK, seconds=BACK_S))


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    """Turns what can go wrong into words and an exit code."""
    try:
        yield
    except (BadPanelFile, codes.BadCode, NoAnswer) as error:
        why = error.say() if isinstance(error, BadPanelFile) else str(error)
        print(
            json.dumps({"ok": False, "why": why}, ensure_ascii=False) if as_json else why,
            file=sys.stdout if as_json else sys.stderr,
        )
        raise typer.Exit(EXIT_REFUSED if isinstance(error, NoAnswer) else EXIT_WRONG) from None
