"""`fenghuo site set KEY VALUE`: one key of a panel file changed, its comments kept, and only if the file stays fine.

It never touches the file of a running panel: that one is changed by `fenghuo site install`.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from firmware.config import BadPanelFile, Loaded, checked, load
from firmware.language import Text, pick
from firmware.protocol.lines import Client
from provisioning.site_diff import row_of, say
from provisioning.site_difference import differences
from provisioning.site_text import BadKey, value_of, with_key, without_key, write_whole
from provisioning.technician import SOCKET

EXIT_REFUSED, EXIT_WRONG = 1, 2

_IN_FORCE: Text = (
    "{file} is the file of a running panel: add --out NEW.toml, then fenghuo site install NEW.toml",
    "{file} 为运行中主机的配置：请加 --out NEW.toml，然后运行 fenghuo site install NEW.toml",
)
_VALUE: Text = ("expected a VALUE, or --remove", "应给出值，或使用 --remove")
_NOTHING: Text = ("nothing changes: it says so already", "无变化：文件中已如此")
_CANT_WRITE: Text = ("{file} can't be written: {why}. Nothing has changed", "无法写入 {file}：{why}。未作任何更改")
_WRITTEN: Text = ("{file} is written. SHA-256 {sha256}", "{file} 已写入。SHA-256 {sha256}")


class _Refused(Exception):
    def __init__(self, why: str, code: int = EXIT_REFUSED) -> None:
        super().__init__(why)
        self.code = code


def set_key(
    key: Annotated[str, typer.Argument(help="As area.hall.exit_delay_s. 键。", metavar="KEY")],
    value: Annotated[str | None, typer.Argument(help="As TOML writes it. 值。", metavar="VALUE")] = None,
    config: Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")] = Path("panel.toml"),
    out: Annotated[Path | None, typer.Option("--out", help="Write it here instead. 另存为。")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the key out. 删除该键。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show. 仅显示。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Change one key of a panel file and keep its comments. 修改一个键，保留注释。

    Exit code 0: changed, or it said so already. 1: refused. 2: key, value or file are wrong. Then nothing changes.
    Example: fenghuo site set area.hall.exit_delay_s 45 --config panel.toml --out new.toml
    """
    try:
        before = load(config)
        after = _edited(before, key, value, remove)
        changes = differences(before.file, after.file)
        if not dry_run:
            _write(before, after, out)
    except (BadKey, BadPanelFile, _Refused) as error:
        why = error.say() if isinstance(error, BadPanelFile) else str(error)
        print(json.dumps({"ok": False, "why": why}, ensure_ascii=False) if as_json else why, file=_to(as_json))
        raise typer.Exit(error.code if isinstance(error, _Refused) else EXIT_WRONG) from None
    file = out or config
    if as_json:
        told = {"ok": True, "file": str(file), "sha256": after.sha256, "differences": [row_of(c) for c in changes]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return
    print("\n".join(map(say, changes)) or pick(_NOTHING))
    if not dry_run:
        print(pick(_WRITTEN, file=file, sha256=after.sha256))


def _edited(before: Loaded, key: str, value: str | None, remove: bool) -> Loaded:
    """The file after the edit, checked. Raises `BadKey`, `BadPanelFile`, `_Refused`."""
    if remove is (value is not None):
        raise _Refused(pick(_VALUE), EXIT_WRONG)
    text = without_key(before.text, key) if value is None else with_key(before.text, key, value_of(value))
    return checked(before.path, text.encode())


def _write(before: Loaded, after: Loaded, out: Path | None) -> None:
    file = out or before.path
    if file.absolute() == before.path.absolute() and in_force(before):
        raise _Refused(pick(_IN_FORCE, file=file))
    try:
        write_whole(file, after.text)
    except OSError as error:
        raise _Refused(pick(_CANT_WRITE, file=file, why=error.strerror)) from None


def in_force(loaded: Loaded) -> bool:
    """Whether a panel runs with this file, as far as this user may see."""
    try:
        Client(loaded.run / SOCKET).close()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _to(as_json: bool) -> TextIO:
    return sys.stdout if as_json else sys.stderr
