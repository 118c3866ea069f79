"""`fenghuo walk-test`: a live table of the zones of a running panel, seen and not yet seen, while somebody walks.

The test is the panel's: it begins with a code, and ends there with this command, however that ends.
"""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text as Styled

from firmware.config import BadPanelFile, Loaded, load
from firmware.language import Text, pick
from firmware.protocol.messages import Answer, AskStatus, EndTest, RunTest
from provisioning import codes
from provisioning.technician import NoAnswer, Technician, connected
from provisioning.terminal import console, run
from provisioning.users import DEFAULT_CONFIG, CodeStdin, Config
from provisioning.walking import Stop, missing, stops, with_status

app = typer.Typer(add_completion=False)

EXIT_MISSING = 1
EXIT_NOT_UNDERSTOOD = 2
LOOK_S = 0.25
BELL = "\a"

_HEADS: tuple[Text, ...] = (("no.", "编号"), ("zone", "防区"), ("name", "名称"), ("areas", "区域"), ("seen", "触发"))
_TITLE: Text = (
    "walk test: {seen} of {all} seen; Ctrl-C ends it",
    "步测：已触发 {seen}/{all}；按 Ctrl-C 结束",
)
_NOT_YET: Text = ("not yet", "未触发")
_OUT: Text = ("out of use", "已停用")
_AFTER: Text = ("after {seconds:.0f} s", "{seconds:.0f} 秒")
_SEEN: Text = ("{no} {zone} ({name}) seen", "{no} {zone}（{name}）已触发")
_ALL: Text = ("all {count} zones were seen", "全部 {count} 个防区均已触发")
_NOT_SEEN: Text = ("not seen: {no} {zone} ({name})", "未触发：{no} {zone}（{name}）")
_COUNT: Text = ("{count} of {all} zones were not seen", "{all} 个防区中有 {count} 个未触发")
_NO_AREA: Text = (
    "--area {area}: not an area of {file}; expected {known}",
    "--area {area}：{file} 中无此区域；应为 {known}",
)
_NO_ZONES: Text = ("no zone of these areas takes part in a walk test", "这些区域中没有可步测的防区")
_OVER: Text = (
    "the panel ended the test before all was seen: its time was over, or somebody armed",
    "主机已提前结束步测：时间已到或有人布防",
)
_STILL: Text = (
    "the end could not be confirmed ({why}); the panel ends it with this connection",
    "未能确认结束（{why}）；连接断开后主机会结束步测",
)


def main(argv: Sequence[str]) -> int:
    """Trip every zone and see it counted. 步测：逐个触发防区。"""
    return run(app, argv, "fenghuo walk-test")


@app.command()
def walk_test(
    areas: Annotated[
        list[str] | None, typer.Option("--area", help="Only this area; may be repeated. 仅此区域，可重复。")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No beep and no chime. 不鸣响。")] = False,
    hold_up: Annotated[
        bool, typer.Option("--hold-up", help="Hold-up buttons too; an installer's code. 含紧急按钮，需安装员密码。")
    ] = False,
    seconds: Annotated[
        int | None, typer.Option("--for", min=1, max=14_400, help="End after so many seconds. 限时秒数。")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object. 输出 JSON。")] = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Begin a walk test with your code, show what is seen, end it. 输入密码开始步测，显示结果后结束。

    It ends when all is seen, with Ctrl-C, or when the terminal closes. Exit code 0: all was seen. 1: something was
    not, or the panel refused. 2: not understood. Example: fenghuo walk-test --area hall --config panel.toml
    """
    try:
        loaded = load(config)
        rows = _rows(loaded, areas or [], hold_up)
        with connected(loaded) as panel:
            code = (codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()).existing(codes.MANAGER)
            result = _walk(
                panel,
                rows,
                RunTest(test="walk-test", areas=areas or [], quiet=quiet, hold_up=hold_up, code=code),
                _Show(quiet, as_json, seconds),
            )
    except (BadPanelFile, codes.BadCode, _BadUse) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    except NoAnswer as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_MISSING) from None
    _tell(result, as_json)
    raise typer.Exit(EXIT_MISSING if missing(result) else 0)


class _BadUse(Exception):
    """The words on the command line don't fit the site."""


class _Show:
    """How it is shown, and how long it may last."""

    def __init__(self, quiet: bool, as_json: bool, seconds: int | None) -> None:
        self.bell = sys.stdout.isatty() and not quiet
        self.live = not as_json and sys.stdout.isatty() and not console().is_dumb_terminal
        self.lines = not as_json and not self.live
        self._until = None if seconds is None else time.monotonic() + seconds
        self._stopped = False

    def heed_signals(self) -> None:
        """From now on Ctrl-C, SIGTERM and a closed terminal end the test in its order; amid no question."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopped = True

    def over(self) -> bool:
        """Whether somebody stopped it, or its time is over."""
        return self._stopped or (self._until is not None and time.monotonic() >= self._until)


def _rows(loaded: Loaded, areas: Sequence[str], hold_up: bool) -> list[Stop]:
    known = [area.id for area in loaded.file.area]
    for area in areas:
        if area not in known:
            raise _BadUse(pick(_NO_AREA, area=area, file=loaded.path.name, known=", ".join(known)))
    rows = stops(loaded.file, areas or known, hold_up)
    if not rows:
        raise _BadUse(pick(_NO_ZONES))
    return rows


def _walk(panel: Technician, rows: list[Stop], wish: RunTest, show: _Show) -> list[Stop]:
    """The rows as the panel counted them. The test is over on the panel when this returns or raises."""
    show.heed_signals()
    began = panel.ask(wish).detail.get("areas")
    if isinstance(began, list):  # of an answer without areas: those that are his
        rows = [row for row in rows if set(row.areas) <= set(began)]
    rows = _watch(panel, rows, show)
    return _end(panel, rows)


def _watch(panel: Technician, rows: list[Stop], show: _Show) -> list[Stop]:
    """Until all is seen, the time is over, or the panel has ended it."""
    since = time.monotonic()
    with (
        Live(_table(rows), console=console(), auto_refresh=False, transient=True, redirect_stdout=False)
        if show.live
        else _nothing() as live
    ):
        while True:
            status = panel.ask(AskStatus()).detail
            new = with_status(rows, status, time.monotonic() - since)
            _beep(rows, new, show)
            rows = new
            if live is not None:
                live.update(_table(rows), refresh=True)
            if not status.get("walk_test"):
                print(pick(_OVER), file=sys.stderr)
                return rows
            if not missing(rows) or show.over():
                return rows
            time.sleep(LOOK_S)


def _end(panel: Technician, rows: list[Stop]) -> list[Stop]:
    """The panel's own count is the result: what was tripped in the last moment is in it."""
    try:
        answer: Answer = panel.ask(EndTest())
    except NoAnswer as why:
        print(pick(_STILL, why=why), file=sys.stderr)
        return rows
    unseen = answer.detail.get("unseen")
    if not isinstance(unseen, list) or answer.detail.get("unseen_count") != len(unseen):
        return rows
    return [
        Stop(**{**asdict(row), "seen": None if row.id in unseen else row.seen if row.seen is not None else 0.0})
        if not row.out
        else row
        for row in rows
    ]


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _beep(before: Sequence[Stop], after: Sequence[Stop], show: _Show) -> None:
    for old, new in zip(before, after, strict=True):
        if old.seen is None and new.seen is not None:
            if show.bell:
                sys.stdout.write(BELL)
                sys.stdout.flush()
            if show.lines:
                print(pick(_SEEN, no=new.number, zone=new.id, name=new.name), flush=True)


def _table(rows: Sequence[Stop]) -> Table:
    title = pick(_TITLE, seen=sum(row.seen is not None for row in rows), all=len(rows))
    table = Table(*(pick(head) for head in _HEADS), title=title, title_justify="left")
    for row in rows:
        table.add_row(str(row.number), row.id, row.name, ", ".join(row.areas), _state(row))
    return table


def _state(row: Stop) -> Styled:
    if row.seen is not None:
        return Styled(f"✓ {pick(_AFTER, seconds=row.seen)}", "green")
    return Styled(pick(_OUT), "dim") if row.out else Styled(pick(_NOT_YET), "yellow")


def _tell(rows: Sequence[Stop], as_json: bool) -> None:
    left = missing(rows)
    if as_json:
        print(json.dumps(_in_json(rows, left), ensure_ascii=False, indent=2))
        return
    if sys.stdout.isatty():
        console().print(_table(rows))
    for row in left:
        print(pick(_NOT_SEEN, no=row.number, zone=row.id, name=row.name))
    print(pick(_COUNT, count=len(left), all=len(rows)) if left else pick(_ALL, count=len(rows)))


def _in_json(rows: Sequence[Stop], left: Sequence[Stop]) -> dict[str, Any]:
    zones = [{**asdict(row), "seen": None if row.seen is None else round(row.seen, 1)} for row in rows]
    return {"ok": not left, "zones": zones, "not_seen": [row.id for row in left]}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
