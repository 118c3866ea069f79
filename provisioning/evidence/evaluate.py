"""`fenghuo evidence evaluate FOLDER`: recall and false positives of the person models and their mean, on real pictures.

The table goes to the terminal or as JSON, the pictures of hits and misses to one page. Nothing leaves this machine.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.config import BadPanelFile, load
from firmware.language import pick
from provisioning.evidence import evaluate_texts as texts
from provisioning.terminal import console

if TYPE_CHECKING:
    from provisioning.evidence.scoring import Eye
    from provisioning.evidence.summary import Summary

EXIT_USE = 2
THRESHOLD = 400
"""What a `[[camera]]` has by default."""
PAGE_MODE = 0o600
"""The page holds pictures of people."""
SHOWN_UNREAD = 10


def evaluate(
    folder: Annotated[Path, typer.Argument(help="Has person/, empty/, others. 图像目录。", metavar="FOLDER")],
    out: Annotated[Path | None, typer.Option("--out", help="A page with the pictures. 输出网页。")] = None,
    threshold: Annotated[int | None, typer.Option(min=1, max=1000, help="Hit or miss by it. 判定阈值。")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The panel file, with --camera. 配置文件。")] = None,
    camera: Annotated[str, typer.Option(help="Its mask, region, threshold. 使用该摄像机的设置。")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出 JSON。")] = False,
) -> None:
    """How well the person models do on these pictures. 人员识别模型在这些图像上的表现。

    FOLDER/person… hold people, FOLDER/empty… do not, other folders are shown and not counted.
    Exit code 0: done. 2: nothing could be counted. Example: fenghuo evidence evaluate pictures --out page.html
    """
    from provisioning.evidence.scoring import CantEvaluate

    try:
        eye, default = _eye(config, camera)
        summary = _summary(folder, eye, threshold or default)
        if out is not None:
            _write(out, summary)
    except (CantEvaluate, BadPanelFile) as cant:
        print(cant.say() if isinstance(cant, BadPanelFile) else cant, file=sys.stderr)
        raise typer.Exit(EXIT_USE) from None
    if as_json:
        print(json.dumps(summary.as_json(), ensure_ascii=False))
    else:
        _show(summary, out)


def _eye(config: Path | None, camera: str) -> tuple["Eye", int]:
    """How to look, and the threshold where none is asked for. Raises `CantEvaluate` and `BadPanelFile`."""
    from firmware.camera.person import PersonCheck
    from provisioning.evidence.scoring import CantEvaluate, Eye

    check = PersonCheck()
    check.load()
    if not check.ready:
        raise CantEvaluate(pick(texts.NO_MODEL, why=check.model))
    if config is None and not camera:
        return Eye(check), THRESHOLD
    if config is None or not camera:
        raise CantEvaluate(pick(texts.CONFIG_ALONE))
    tables = {table.id: table for table in load(config).file.camera}
    if camera not in tables:
        known = ", ".join(sorted(tables)) or pick(texts.NONE)
        raise CantEvaluate(pick(texts.NO_CAMERA, place=config, camera=camera, cameras=known))
    table = tables[camera]
    return Eye(check, table.mask, table.region), table.threshold


def _summary(folder: Path, eye: "Eye", threshold: int) -> "Summary":
    from provisioning.evidence.scoring import CantEvaluate, Scored, pictures, scored
    from provisioning.evidence.summary import Summary

    if not folder.is_dir():
        raise CantEvaluate(pick(texts.NO_FOLDER, folder=folder))
    try:
        items = list(scored(pictures(folder), eye))
    except OSError as error:
        raise CantEvaluate(f"{folder}: {error.strerror or error}") from None
    done = [item for item in items if isinstance(item, Scored)]
    unread = [item for item in items if not isinstance(item, Scored)]
    if not done:
        raise CantEvaluate(pick(texts.ALL_UNREAD, count=len(unread), name=unread[0].path, why=unread[0].why))
    return Summary(folder, done, unread, eye.check.used, threshold, eye)


def _write(out: Path, summary: "Summary") -> None:
    """The page, whole or not at all."""
    from provisioning.evidence.evaluate_page import page
    from provisioning.evidence.scoring import CantEvaluate

    part = out.with_name(f".{out.name}.part")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, PAGE_MODE)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.writelines(page(summary))
        part.replace(out)
    except OSError as error:
        raise CantEvaluate(pick(texts.CANT_WRITE, place=out, why=error.strerror or error)) from None
    finally:
        with suppress(OSError):
            part.unlink()


def _show(summary: "Summary", out: Path | None) -> None:
    from rich.table import Table

    table = Table(title=pick(texts.TITLE, count=len(summary.items)))
    for heading in summary.heading():
        table.add_column(pick(heading), justify="right" if table.columns else "left")
    for row in summary.rows():
        table.add_row(*(pick(cell) for cell in row.cells), style="bold" if row.chosen else None)
    console().print(table)
    for unread in summary.unread[:SHOWN_UNREAD]:
        print(pick(texts.UNREAD, name=summary.name(unread.path), why=unread.why), file=sys.stderr)
    if len(summary.unread) > SHOWN_UNREAD:
        print(pick(texts.MORE, count=len(summary.unread) - SHOWN_UNREAD), file=sys.stderr)
    print(summary.caution())
    if out is not None:
        print(pick(texts.WRITTEN, place=out))
