"""`fenghuo demo`: a bank branch on one desk, from a door contact to the alarm center and back.

Real processes (core, uplink, camera), the real GPIO driver over mock pins, an embedded MQTT 5 broker or one that is
given, and the reference alarm center. It plays a night burglary, shows it live, and judges what the center holds.
"""

import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from firmware.clock import SystemClock
from firmware.config import BadPanelFile, Loaded
from firmware.language import Text, pick
from hil import demo_play as play
from hil.broker import EmbeddedBroker
from hil.center import Center
from hil.center.keys import Key, read_jwk_x
from hil.center.wire import address
from hil.demo_panel import PanelDied, PanelProcesses, Refused, Watcher
from hil.demo_screen import JsonScreen, TerminalScreen
from hil.demo_site import Address, BadFolder, make, names
from hil.demo_site import address as site_address
from hil.demo_stage import Missed, Stage, Stopped
from hil.demo_summary import tables, verdict, verdict_panel
from hil.timeline import Timeline

START_S = 60.0
_UNSEEN_PACE = 0.1

_TEXTS: dict[str, Text] = {
    "hello": ("Fenghuo: a bank branch on this desk, all in {folder}", "烽火:桌面上的银行网点,数据在 {folder}"),
    "again": ("Fenghuo: the bank branch in {folder} again; keys, users and journal go on",
              "烽火:继续使用 {folder} 中的银行网点;密钥、用户和日志均保留"),
    "broker": ("MQTT 5 broker at {host}:{port}, center connected; core, uplink and camera start",
               "MQTT 5 代理 {host}:{port},报警中心已连接;正在启动 core、uplink、camera"),
    "starting": ("the panel to start", "等待主机启动"),
    "online": ("the panel's first signed heartbeat", "等待主机首个签名心跳"),
    "user": ("the first user", "设置首个用户"),
    "stay": ("It keeps running; Ctrl-C ends it. Play from another terminal:",
             "保持运行;按 Ctrl-C 结束。可在另一终端操作:"),
    "staying": ("running, waiting for your fingers (Ctrl-C ends)", "运行中,等待操作(Ctrl-C 结束)"),
    "died": ("the panel's processes ended: {why}", "主机进程已退出:{why}"),
    "core": ("core did not do as asked: {why}", "core 未执行请求:{why}"),
    "stopping": ("stopping", "正在停止"),
    "killed": ("the panel had to be killed, or ended with an error: see {log}", "主机被强制结束或异常退出:见 {log}"),
    "no-broker": ("no broker: {why}", "无法连接代理:{why}"),
}  # fmt: skip
_FINGERS = (
    "desk --dir {dir} open front-door",
    "desk --dir {dir} cut hall-pir",
    "desk --dir {dir} press holdup-1",
    "desk --dir {dir} code 1234#",
    "desk --dir {dir} mains off",
    "desk --dir {dir} status",
    "center status --dir {dir}/center",
)

app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for. `command` starts the panel on a panel file (tests start another one)."""

    folder: Path
    broker: Address | None = None
    headless: bool = False
    json: bool = False
    stay: bool = False
    svg: Path | None = None
    command: Callable[[Path], Sequence[str]] = lambda config: [
        *(sys.executable, "-m", "firmware.commands", "all"),
        *("--config", str(config)),
    ]


def main(argv: list[str]) -> int:
    """Play a night burglary at a simulated bank branch, live. 在模拟银行网点上实时演示夜间入侵。"""
    try:
        app(args=argv, prog_name="fenghuo demo")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@app.command()
def demo(
    folder: Annotated[
        Path, typer.Option("--dir", help="Holds all state; a second run resumes it. 数据目录,可继续。")
    ] = Path("fenghuo-demo"),
    broker: Annotated[str, typer.Option(help="mqtt://HOST:PORT instead of the embedded one. 外部代理地址。")] = "",
    stay: Annotated[bool, typer.Option(help="Keep running until Ctrl-C. 演示后保持运行。")] = False,
    headless: Annotated[bool, typer.Option(help="No live display. 不显示实时界面。")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object per line. 每行一个 JSON 对象。")] = False,
    svg: Annotated[Path | None, typer.Option(help="Save the timeline as a picture. 将时间线保存为 SVG。")] = None,
) -> None:
    """Play a night burglary at a simulated bank branch, live. 在模拟银行网点上实时演示夜间入侵。

    Exit code 0: the center holds every record in its place. 1: it does not. Example: fenghuo demo --headless --json
    """
    try:
        given = Address(*address(broker)) if broker else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.Exit(run(Wishes(folder, given, headless, json, stay, svg)))


def run(wishes: Wishes) -> int:
    """Set the stage, play, judge, take everything down.

    0 when all was as it must be, 1 when not, 2 for a bad folder or file or no broker, 130 when stopped before the end.
    """
    stop = threading.Event()
    clock = SystemClock()
    begin = clock.monotonic_ms()
    screen = JsonScreen(begin) if wishes.json else TerminalScreen(begin, wishes.svg, live=not wishes.headless)
    with _signals(stop), screen:
        try:
            return _Demo(wishes, clock, screen, stop).run()
        except BadPanelFile as bad:
            print(bad.say(), file=sys.stderr)
            return 2
        except BadFolder as error:
            print(error, file=sys.stderr)
            return 2
        except (OSError, RuntimeError) as error:
            print(pick(_TEXTS["no-broker"], why=error), file=sys.stderr)
            return 2


class _Demo:
    """One run: what is started is stopped in the opposite order, whatever happens."""

    def __init__(
        self, wishes: Wishes, clock: SystemClock, screen: JsonScreen | TerminalScreen, stop: threading.Event
    ) -> None:
        self._wishes = wishes
        self._clock = clock
        self._screen = screen
        self._stop = stop
        self._folder = wishes.folder.absolute()
        self._shown = False

    def run(self) -> int:
        folder = self._folder
        with ExitStack() as stack:
            where = site_address(folder, self._wishes.broker)
            keys = folder / "center" / "keys"
            receipt, command = (Key.at(keys / f"{name}.jwk").x for name in ("receipt", "command"))
            loaded, again = make(folder, where, receipt, command)
            if self._wishes.broker is None:
                with _blocked(signal.SIGINT):  # inherited by the broker's process, which is ours to stop
                    stack.enter_context(EmbeddedBroker(where.port))
            pace = _UNSEEN_PACE if self._wishes.json else 1
            stage = Stage(Timeline(names(loaded)), self._screen, self._clock, self._stop, pace)
            center = Center(where.host, where.port, folder / "center", panels=_core_key(loaded))
            center.on_arrival(stage.arrived)
            stack.enter_context(center)
            stage.step(_fill(_TEXTS["again" if again else "hello"], folder=folder))
            stage.step(_fill(_TEXTS["broker"], host=where.host, port=where.port))
            cast = play.Cast(stage, center, loaded)
            stopped = self._with_panel(cast, again)
            return self._judge(cast, stopped)

    def _with_panel(self, cast: play.Cast, again: bool) -> bool:
        """Start the panel, play, stop it; whether somebody stopped it before the end."""
        stage = cast.stage
        log = self._folder / "log" / "panel.log"
        aside = play.set_aside(cast)
        panel = PanelProcesses(self._wishes.command(cast.loaded.path), log)
        watcher = Watcher(cast.desk, stage.put)
        stopped = False
        try:
            stage.panel = panel
            watcher.start()
            self._play(cast, watcher, again)
        except Stopped:
            stopped = True
        except Missed as missed:
            stage.problem(missed.text)
        except PanelDied as died:
            stage.problem(_fill(_TEXTS["died"], why=died))
        except (Refused, OSError) as error:
            stage.problem(_fill(_TEXTS["core"], why=error))
        finally:
            stage.panel = None
            self._screen.foot(_TEXTS["stopping"], None, sum(stage.timeline.facts.stored.values()))
            watcher.stop()
            clean = panel.stop()
            stage.flush()
        # Somebody who stops it in its first moments may hit processes that are only starting: no fault of the panel.
        if not clean and not stopped and not stage.problems:
            stage.problem(_fill(_TEXTS["killed"], log=log))
        if not stopped and not stage.problems:
            try:
                play.last_look(cast, aside)
            except OSError as error:
                stage.problem(_fill(_TEXTS["core"], why=error))
        return stopped

    def _play(self, cast: play.Cast, watcher: Watcher, again: bool) -> None:
        stage = cast.stage
        stage.wait(_TEXTS["starting"], lambda: watcher.watching.is_set() and cast.technician.exists(), START_S)
        stage.wait(_TEXTS["online"], lambda: stage.timeline.facts.heartbeats, START_S)
        play.prepare(cast, first=not again)
        for scene in (play.evening, play.night, play.silence, play.back_door, play.morning, play.hold_up, play.ending):
            scene(cast)
        if self._wishes.stay:
            self._summary(cast, stopped=False)
            stage.step(_TEXTS["stay"])
            for words in _FINGERS:
                line = f"    {_own_name()} {words.format(dir=self._wishes.folder)}"
                stage.step((line, line))
            stage.wait(_TEXTS["staying"], lambda: False, float("inf"))

    def _judge(self, cast: play.Cast, stopped: bool) -> int:
        stage = cast.stage
        if not self._shown:
            self._summary(cast, stopped)
        if stage.problems:
            return 1
        return 130 if stopped and not self._shown else 0

    def _summary(self, cast: play.Cast, stopped: bool) -> None:
        facts, problems, now = cast.stage.timeline.facts, cast.stage.problems, self._clock.monotonic_ms()
        shown = [*tables(facts, names(cast.loaded), cast.center, cast.panel, now), verdict_panel(problems, stopped)]
        self._screen.summary(shown, verdict(facts, cast.center, cast.panel, problems, stopped))
        self._shown = self._wishes.stay and not stopped


def _own_name() -> str:
    """How the person at the terminal calls this program."""
    if shutil.which("fenghuo"):
        return "fenghuo"
    beside = Path(sys.executable).parent / "fenghuo"
    return str(beside.relative_to(Path.cwd()) if beside.is_relative_to(Path.cwd()) else beside)


def _core_key(loaded: Loaded) -> Callable[[str], str | None]:
    """The center learns the panel's key where commissioning would carry it: from `keys/core.jwk`, when it is there."""
    file = loaded.data / "keys" / "core.jwk"

    def key(panel: str) -> str | None:
        if panel != loaded.file.panel.id or not file.exists():
            return None
        return read_jwk_x(file.read_text())

    return key


def _fill(text: Text, **values: object) -> Text:
    return text[0].format(**values), text[1].format(**values)


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`; the stage looks at it, so nothing is left half taken down."""
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _blocked(number: signal.Signals) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {number})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
