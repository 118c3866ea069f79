"""`fenghuo journal`: prove, read and follow the journal of a panel, running or not, or of any journal file.

A running panel is asked over the technician's socket, which makes a snapshot; files are only ever read.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware.journal.texts import AT, FOUND, MORE, SNAPSHOT, SOUND, UNREADABLE, UNSOUND
from firmware.journal.verify import Report, verify
from firmware.language import pick
from firmware.protocol.messages import AskRecords
from provisioning.journal_lines import Filter, Stored, line, read_file
from provisioning.journal_source import BadUse, Source, receipt_keys, seen_at_center, sources
from provisioning.technician import NoAnswer, connected
from provisioning.terminal import run

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_FINDINGS = 1
EXIT_USE = 2
SHOWN_FINDINGS = 50
TAIL = 20
FOLLOW_S = 0.5

Place = Annotated[
    Path | None, typer.Argument(help="A journal file or its folder. 日志文件或目录。", metavar="FILE|DIR")
]
Config = Annotated[Path | None, typer.Option("--config", help="The panel file instead. 或用配置文件。")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines. 输出 JSON 行。")]


def main(argv: Sequence[str]) -> int:
    """Prove, read and follow the journal. 校验、查看、跟踪日志。"""
    try:
        return run(app, argv, "fenghuo journal")
    except BadUse as bad:
        print(bad, file=sys.stderr)
        return EXIT_USE
    except BrokenPipeError:
        return 0


@app.callback()
def _journal() -> None:
    """The panel's journal. 主机日志。"""


@app.command("verify")
def _verify(
    place: Place = None,
    config: Config = None,
    key: Annotated[Path | None, typer.Option("--key", help="core.jwk of the panel. 主机公钥。")] = None,
    seen: Annotated[Path | None, typer.Option("--seen", help="What the center holds. 中心持有的记录。")] = None,
    as_json: AsJson = False,
) -> None:
    """Find every altered or missing record, altered state or cut end. 查出被改动、缺失或截断之处。

    Exit code 0: sound. 1: findings. 2: can't be checked. Example: fenghuo journal verify --config panel.toml
    """
    found = sources(place, config, key)
    keys, at_center = receipt_keys(found.loaded), seen_at_center(seen)
    if found.snapshot and not as_json:
        print(pick(SNAPSHOT), file=sys.stderr)
    reports = [verify(path, found.public_key(), keys, at_center, found.former_keys()) for path in found.files]
    for report in reports:
        print(json.dumps(_as_json(report), ensure_ascii=False)) if as_json else _show(report)
    if not all(report.sound for report in reports):
        raise typer.Exit(EXIT_FINDINGS)


@app.command()
def dump(
    place: Place = None,
    config: Config = None,
    lane: Annotated[str, typer.Option(help="alarm, status or evidence. 通道。")] = "",
    kind: Annotated[str, typer.Option(help="A kind or its start: alarm. 事件种类。")] = "",
    since: Annotated[str, typer.Option(help="UTC, 2026-03-14T23:09:26.123Z. 起始时间。")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many, 0 all. 最多条数。")] = 0,
    as_json: AsJson = False,
) -> None:
    """Print records, oldest first. 按时间顺序输出记录。

    Exit code 0: done. 2: can't be read.
    Example: fenghuo journal dump --config panel.toml --kind alarm --json
    """
    found = sources(place, config, None)
    wanted = Filter.of(lane, kind, since)
    left = limit or sys.maxsize
    for path in found.files:
        for stored in _reading(path):
            if left and wanted.passes(stored):
                _print(stored, as_json)
                left -= 1


@app.command()
def tail(
    place: Place = None,
    config: Config = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as they come. 持续跟踪。")] = False,
    limit: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many. 条数。")] = TAIL,
    as_json: AsJson = False,
) -> None:
    """Print the newest records. 输出最新记录。

    Exit code 0: done. 2: can't be read. Example: fenghuo journal tail --config panel.toml --follow
    """
    found = sources(place, config, None, snapshot=False)
    records = _from_panel(found, limit, follow) if found.running else _from_file(found.files[-1], limit, follow)
    try:
        for stored in records:
            _print(stored, as_json)
    except KeyboardInterrupt:
        return


def _reading(path: Path, last: int = 0, after: int = -1) -> Iterator[Stored]:
    try:
        with closing(read_file(path, last, after)) as rows:
            yield from rows
    except (sqlite3.Error, OSError) as error:
        raise BadUse(pick(UNREADABLE, place=path, why=error)) from None


def _from_file(path: Path, limit: int, follow: bool) -> Iterator[Stored]:
    seq = -1
    for stored in _reading(path, last=limit):
        seq = stored.seq
        yield stored
    while follow:
        time.sleep(FOLLOW_S)
        for stored in _reading(path, after=seq):
            seq = stored.seq
            yield stored


def _from_panel(found: Source, limit: int, follow: bool) -> Iterator[Stored]:
    assert found.loaded is not None  # noqa: S101
    try:
        with connected(found.loaded) as panel:
            seq = max(0, found.seq - limit)
            while True:
                records = panel.ask(AskRecords(after=seq)).detail["records"]
                for record in records:
                    seq = record["header"]["seq"]
                    yield Stored(seq, record["header"], record["payload"], record["hash"])
                if not records and not follow:
                    return
                if not records:
                    time.sleep(FOLLOW_S)
    except NoAnswer as none:
        raise BadUse(str(none)) from None


def _print(stored: Stored, as_json: bool) -> None:
    print(stored.as_json() if as_json else line(stored), flush=True)


def _show(report: Report) -> None:
    if report.sound:
        print(
            pick(
                SOUND,
                path=report.path.name,
                records=report.records,
                first=report.first,
                last=report.last,
                journal=report.journal,
                checkpoints=report.checkpoints,
            )
        )
        return
    for finding in report.findings[:SHOWN_FINDINGS]:
        at = pick(AT, seq=finding.seq) if finding.seq else report.path.name
        print(f"{at}: {pick(finding.text)}; {pick(FOUND, found=finding.found, expected=finding.expected)}")
    more = len(report.findings) - SHOWN_FINDINGS + report.more
    if more > 0:
        print(pick(MORE, count=more))
    print(pick(UNSOUND, path=report.path.name, count=len(report.findings) + report.more, records=report.records))


def _as_json(report: Report) -> dict[str, Any]:
    findings = [{**asdict(f), "en": f.text[0], "zh": f.text[1]} for f in report.findings]
    return {
        "path": str(report.path),
        "sound": report.sound,
        "journal": report.journal,
        "panel": report.panel,
        "records": report.records,
        "first": report.first,
        "last": report.last,
        "checkpoints": report.checkpoints,
        "findings": findings,
        "more": report.more,
    }
