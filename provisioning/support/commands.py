"""`fenghuo support-bundle OUT.zip`: gathers what a helpdesk needs, with secrets taken out, and lists what was."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from firmware.language import Text, pick
from provisioning.support.bundle import Bundle, gather, write
from provisioning.support.parts import open_panel
from provisioning.support.scrub import KINDS
from provisioning.terminal import run

app = typer.Typer(add_completion=False)

EXIT_FAILED = 1
EXIT_NOT_UNDERSTOOD = 2
EXIT_STOPPED = 130
MAX_RECORDS = 2000

_WRITTEN: Text = ("{out}: {bytes} bytes, readable for you alone", "{out}：{bytes} 字节，仅您可读")
_MISSING: Text = ("  not there: {name}: {why}", "  缺少：{name}：{why}")
_TAKEN: Text = ("  taken out of {part}: {what}: {count}", "  已从 {part} 移除：{what}：{count}")
_UNREAD: Text = (
    "  not readable here, so its words were not looked for: {file}",
    "  此处无法读取，未按其内容查找：{file}",
)
_THERE: Text = ("{out} is there already; another name, or --force", "{out} 已存在；请换名或使用 --force")
_NO_FOLDER: Text = ("{out}: there is no such folder", "{out}：没有该目录")
_STOPPED: Text = ("stopped, nothing is written", "已中止，未写入任何内容")


def main(argv: Sequence[str]) -> int:
    """What a helpdesk needs, without secrets. 生成不含秘密的支持包。"""
    return run(app, argv, "fenghuo support-bundle")


@app.command()
def support_bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="Where to write it. 输出文件。")],
    config: Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")] = Path("panel.toml"),
    records: Annotated[
        int, typer.Option(min=0, max=MAX_RECORDS, help="Headers of so many newest records. 最新记录头条数。")
    ] = 500,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Take out the names of site, areas and zones too. 同时移除场所名称。")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there. 覆盖已有文件。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
) -> None:
    """Gather versions, panel file, drivers, troubles, journal and logs; codes, keys, PINs, numbers and names stay here.

    生成支持包；密码、密钥、PIN、号码和人名不会写入。

    Works without a running panel, and with a panel file that has mistakes. Exit code 0: written. 1: could not be
    written. 2: not understood. 130: Ctrl-C, nothing is written.
    Example: fenghuo support-bundle help.zip --config panel.toml --anonymous
    """
    if out.exists() and not force:
        _fail(pick(_THERE, out=out), EXIT_NOT_UNDERSTOOD)
    if not out.absolute().parent.is_dir():
        _fail(pick(_NO_FOLDER, out=out.parent), EXIT_NOT_UNDERSTOOD)
    try:
        bundle = _bundle(out, config, records, anonymous)
    except KeyboardInterrupt:
        _fail(pick(_STOPPED), EXIT_STOPPED)
    if as_json:
        print(json.dumps({"out": str(out), **bundle.manifest()}, ensure_ascii=False, indent=2))
    else:
        _show(bundle, out)


def _bundle(out: Path, config: Path, records: int, anonymous: bool) -> Bundle:
    """Gathered and written."""
    try:
        panel = open_panel(config, records, anonymous)
    except OSError as error:
        _fail(f"{config}: {error.strerror or error}", EXIT_NOT_UNDERSTOOD)
    bundle = gather(panel)
    try:
        write(bundle, out)
    except OSError as error:
        _fail(f"{out}: {error.strerror or error}", EXIT_FAILED)
    return bundle


def _fail(why: str, code: int) -> NoReturn:
    print(why, file=sys.stderr)
    raise typer.Exit(code)


def _show(bundle: Bundle, out: Path) -> None:
    print(pick(_WRITTEN, out=out, bytes=out.stat().st_size))
    for part in bundle.parts:
        if part.missing:
            print(pick(_MISSING, name=part.name, why=part.missing))
    for (part_name, kind), count in sorted(bundle.taken.items()):
        print(pick(_TAKEN, part=part_name, what=pick(KINDS[kind]), count=count))
    for file in bundle.unread:
        print(pick(_UNREAD, file=file))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
