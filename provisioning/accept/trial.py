"""`fenghuo accept trial`: the report of the trial run, from the panel's journal, signed by the panel."""

import json
import sqlite3
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from firmware.clock import utc_text
from firmware.config import Loaded, load
from firmware.journal.telemetry import NAME as TELEMETRY
from firmware.journal.verify import open_to_read, verify
from firmware.language import Text, pick
from provisioning.accept import bundle
from provisioning.accept.account import Who, software
from provisioning.accept.clauses import TRIAL_DAYS
from provisioning.accept.reporting import Name, NoPdf, Out, Signing, pages, save
from provisioning.accept.results import Place
from provisioning.accept.running import EXIT_FAILED, AsJson, By, CodeStdin, Config, asked_code, in_words
from provisioning.accept.talking import Talk, Typed
from provisioning.accept.trial_account import FORMAT, TRIAL, Trial
from provisioning.accept.trial_figures import DAY_S, Period, checks, days_of, figures
from provisioning.accept.trial_page import page, verdict
from provisioning.journal_lines import Stored, read_file
from provisioning.journal_source import BadUse, Source, sources
from provisioning.technician import connected

DELIVERY = "telemetry.delivery"
MAX_TELEMETRY = 64 * 1024 * 1024
_EXISTS: Text = ("{out}: exists already; give another name", "{out}：已存在，请另取文件名")
_EMPTY: Text = ("the journal has no record of this time", "日志中没有该期间的记录")
_BAD_LINE: Text = ("--telemetry {file}: line {n}: {why}", "--telemetry {file}：第 {n} 行：{why}")
_DONE: Text = ("{verdict}. {out}: signed", "{verdict}。{out}：已签名")


def trial(
    out: Out,
    by: By,
    config: Config = Path("panel.toml"),
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days until now. 天数。")] = TRIAL_DAYS,
    telemetry: Annotated[
        Path | None,
        typer.Option("--telemetry", help="Telemetry that the center holds, JSON lines. 中心所存遥测。", metavar="FILE"),
    ] = None,
    user: Name = "",
    installer: Name = "",
    acceptor: Name = "",
    no_pdf: NoPdf = False,
    code_stdin: CodeStdin = False,
    as_json: AsJson = False,
) -> None:
    """Report of the trial run: availability, alarms, troubles, paths. 试运行报告。

    What people said of its alarms (`fenghuo accept mark`) is told with them.
    Exit code 0: made, and its limits are met. 1: made and not met, or the panel refused. 2: not understood.
    Example: fenghuo accept trial --days 30 --out trial.zip --by "Wang Gong"
    """
    with in_words():
        loaded = load(config)
        if out.exists():
            raise BadUse(pick(_EXISTS, out=out))
        typed = Typed(sys.stdin.fileno())
        talk = Talk(typed, as_json)
        with connected(loaded) as technician:
            code = asked_code(code_stdin, typed)
            who = Who(user, installer, acceptor)
            found = account(loaded, sources(None, config, None), days, by, who, telemetry)
            files = {bundle.DATA["trial"]: TRIAL.dump_json(found, indent=1)}
            files |= pages(lambda lang: page(found, lang), talk, not no_pdf)
            save(loaded, out, "trial", found.run, files, Signing(technician, code, by))
        talk.tell("report", _DONE, said={"verdict": verdict(found), "out": out}, out=str(out), verdict=found.verdict)
    raise typer.Exit(0 if found.verdict == "passed" else EXIT_FAILED)


def account(loaded: Loaded, source: Source, days: int, by: str, who: Who, telemetry: Path | None) -> Trial:
    """Everything of the trial run. Raises `BadUse`, `OSError`."""
    now = time.time()
    first, last = _ends(source, now - days * DAY_S, now)
    period = _period(first, days, now)
    paths = [path.id for path in loaded.file.path]
    latencies = [*_ring(loaded), *(_exported(telemetry) if telemetry else ())]
    found = figures(records(source), period, paths, latencies)
    rows = checks(found, _findings(source), loaded.file.storage.evidence_days)
    panel = loaded.file.panel
    return Trial(
        FORMAT,
        panel.id,
        panel.name,
        uuid.uuid4().hex,
        utc_text(now),
        by,
        who,
        software(),
        loaded.sha256,
        _place(first),
        _place(last),
        utc_text(period.begin),
        utc_text(period.end),
        tuple(days_of(period)),
        "passed" if all(row.ok for row in rows) else "failed",
        rows,
        found,
    )


def period_of(source: Source, days: int) -> Period:
    """The last so many days, as far as there are records. Raises `BadUse` where there are none."""
    now = time.time()
    return _period(_ends(source, now - days * DAY_S, now)[0], days, now)


def _period(first: Stored, days: int, now: float) -> Period:
    """A panel that has not run so long has had a shorter trial, whatever was asked for."""
    return Period(max(now - days * DAY_S, _at(first)), now)


def _ends(source: Source, begin: float, end: float) -> tuple[Stored, Stored]:
    """The first and the last record of this time. Raises `BadUse` where there is none."""
    first = last = None
    for record in records(source):
        if begin <= _at(record) <= end:
            first, last = first or record, record
    if first is None or last is None:
        raise BadUse(pick(_EMPTY))
    return first, last


def records(source: Source) -> Iterator[Stored]:
    """All records of all files, as far as they can be read, one at a time: a journal may hold a million."""
    for path in source.files:
        with closing(read_file(path)) as rows:
            for record in rows:
                if {"kind", "time", "journal"} <= record.header.keys():
                    yield record


def _at(record: Stored) -> float:
    return datetime.fromisoformat(str(record.header["time"]).replace("Z", "+00:00")).astimezone(UTC).timestamp()


def _place(record: Stored) -> Place:
    header = record.header
    return Place(str(header["journal"]), record.seq, record.hash, str(header["kind"]), str(header["time"]))


def _findings(source: Source) -> int:
    """What the verification of each file finds."""
    key, former = source.public_key(), source.former_keys()
    return sum(len(verify(path, key, former=former).findings) for path in source.files)


def _ring(loaded: Loaded) -> Iterator[Mapping[str, Any]]:
    """What the panel's own ring of telemetry still holds."""
    path = loaded.data / TELEMETRY
    if not path.exists():
        return
    try:
        with closing(open_to_read(path)) as db:
            rows = db.execute("SELECT data FROM item WHERE kind = ?", (DELIVERY,)).fetchall()
    except sqlite3.Error:
        return  # a ring that is being written anew is as good as none
    for (data,) in rows:
        yield json.loads(data)


def _exported(file: Path) -> Iterator[Mapping[str, Any]]:
    """Items as lines of JSON, `kind` and `data` each. Raises `BadUse`."""
    if file.stat().st_size > MAX_TELEMETRY:
        raise BadUse(pick(_BAD_LINE, file=file, n=0, why=f"{file.stat().st_size} bytes"))
    with file.open(encoding="utf-8", errors="replace") as lines:
        for n, line in enumerate(lines, 1):
            try:
                item = json.loads(line)
                if item["kind"] == DELIVERY:
                    spread = item["data"]["sent_to_receipted"]
                    [int(spread[name]) for name in ("count", "half_ms", "most_ms", "worst_ms")]
                    yield item["data"]
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise BadUse(pick(_BAD_LINE, file=file, n=n, why=type(error).__name__)) from None
