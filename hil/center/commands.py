"""`fenghuo center`: run the reference center, look at what it holds, and send a signed command by hand."""

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from firmware.language import Text, pick
from hil.center.center import Arrival, Center
from hil.center.keys import read_jwk_x
from hil.center.store import Store

app = typer.Typer(no_args_is_help=True, help="The reference alarm center, for rigs. 参考报警中心,用于测试台。")
_Folder = Annotated[Path, typer.Option("--dir", help="Where its store and keys lie. 数据与密钥目录。")]
_Broker = Annotated[str, typer.Option("--broker", help="mqtt://HOST:PORT of an MQTT 5 broker. MQTT 5 代理地址。")]
_Operator = Annotated[str, typer.Option(help="Who asks. 操作员。")]
_Panel = Annotated[str, typer.Argument(help="Panel id. 主机编号。")]
_Areas = Annotated[list[str] | None, typer.Argument(help="Areas, none for all. 分区,留空为全部。")]
_Zone = Annotated[str, typer.Argument(help="Zone. 防区。")]

_TEXTS: dict[str, Text] = {
    "running": ("center on {broker}, store in {folder}; Ctrl-C ends it",
                "报警中心已连接 {broker},数据在 {folder};按 Ctrl-C 结束"),
    "keys": ("its keys for [center] of a panel file: receipt_keys {receipt}, command_keys {command}",
             "写入主机配置 [center] 的公钥:receipt_keys {receipt},command_keys {command}"),
    "no-reply": ("no reply within {seconds} s", "{seconds} 秒内没有回复"),
    "bad-broker": ("--broker {found!r}: expected mqtt://HOST:PORT", "--broker {found!r}:应为 mqtt://主机:端口"),
    "bad-panel": ("--panel {found!r}: expected ID=core.jwk, {detail}", "--panel {found!r}:应为 编号=core.jwk,{detail}"),
    "no-store": ("no center's store in {folder}", "{folder} 中没有报警中心数据"),
    "panel": ("panel", "主机"), "online": ("online", "在线"), "records": ("records", "记录"),
    "verified": ("verified to", "已验证至"), "gaps": ("gaps", "缺口"), "journal": ("journal", "日志"),
    "heard": ("last heartbeat", "最近心跳"), "counts": ("counts", "计数"), "findings": ("findings", "发现的问题"),
    "yes": ("yes", "是"), "no": ("no", "否"), "unknown": ("unknown", "未知"),
}  # fmt: skip


def address(url: str) -> tuple[str, int]:
    """Host and port of `mqtt://HOST:PORT`; raises `ValueError`."""
    parts = urlsplit(url)
    if parts.scheme != "mqtt" or not parts.hostname:
        raise ValueError(pick(_TEXTS["bad-broker"], found=url))
    try:
        return parts.hostname, parts.port or 1883
    except ValueError:
        raise ValueError(pick(_TEXTS["bad-broker"], found=url)) from None


def _address(url: str) -> tuple[str, int]:
    try:
        return address(url)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _panel_files(words: list[str]) -> dict[str, Path]:
    files = {}
    for word in words:
        panel, equals, file = word.partition("=")
        if not (panel and equals and file):
            raise typer.BadParameter(pick(_TEXTS["bad-panel"], found=word, detail=""))
        files[panel] = Path(file)
    return files


def _key_of(files: dict[str, Path], panel: str) -> str | None:
    file = files.get(panel)
    if file is None or not file.exists():
        return None
    return read_jwk_x(file.read_text())


@app.command()
def run(
    broker: _Broker,
    folder: _Folder,
    panel: Annotated[
        list[str] | None, typer.Option(help="ID=core.jwk, a panel and its public key. 主机及其公钥。")
    ] = None,
) -> None:
    """Store, check and receipt what panels send. 存储、校验并回执主机上报的内容。"""
    host, port = _address(broker)
    files = _panel_files(panel or [])
    for name, file in files.items():
        try:
            _key_of(files, name)
        except ValueError as error:
            raise typer.BadParameter(pick(_TEXTS["bad-panel"], found=f"{name}={file}", detail=error)) from None
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    console = Console()
    try:
        with Center(host, port, folder, panels=lambda name: _key_of(files, name)) as center:
            center.on_arrival(lambda arrival: _show(console, arrival))
            console.print(pick(_TEXTS["running"], broker=broker, folder=folder), markup=False, highlight=False)
            keys = {"receipt": center.receipt_key.x, "command": center.command_key.x}
            console.print(pick(_TEXTS["keys"], **keys), markup=False, highlight=False)
            ended.wait()
    except TimeoutError as error:
        console.print(str(error), style="red")
        raise typer.Exit(1) from None


def _show(console: Console, arrival: Arrival) -> None:
    body = arrival.body
    match arrival.what:
        case "record" | "duplicate" | "rival":
            header = body["header"]
            text = f"{header['lane']} {header['lane_seq']} seq {header['seq']} {header['kind']} {header['time']}"
        case "receipt":
            text = f"{body['lane']} " + " ".join(f"{r['first']}-{r['last']}" for r in body["ranges"])
        case "heartbeat":
            text = f"seq {body['seq']} {' '.join(body['troubles'])}"
        case "state" | "telemetry":
            return
        case _:
            text = " ".join(f"{name}={value}" for name, value in body.items() if name not in ("nonce", "panel"))
    console.print(f"{arrival.panel[:48]} {arrival.what} {text[:200]}", markup=False, highlight=False)


@app.command()
def status(folder: _Folder) -> None:
    """Panels, what is held of their journals, gaps, findings. 主机、记录、缺口和问题。"""
    file = folder / "center.sqlite"
    if not file.exists():
        typer.echo(pick(_TEXTS["no-store"], folder=folder), err=True)
        raise typer.Exit(1)
    store = Store(file)
    table = Table(*(pick(_TEXTS[n]) for n in ("panel", "online", "heard", "journal", "records", "verified", "gaps")))
    for panel in store.panels():
        for cells in _rows(store, panel):
            table.add_row(panel, *cells)
    console = Console()
    console.print(table)
    console.print(pick(_TEXTS["counts"]), store.counts())
    for row in store.rows("SELECT * FROM findings ORDER BY id DESC LIMIT 20"):
        console.print(f"{row['at']} {row['panel']} [red]{row['what']}[/] {escape(row['detail'])}", highlight=False)
    store.close()


def _rows(store: Store, panel: str) -> list[tuple[str, ...]]:
    link = store.rows("SELECT online FROM links WHERE panel=?", panel)
    online = "unknown" if not link else "yes" if link[0]["online"] else "no"
    heard = store.rows("SELECT heard FROM panels WHERE panel=?", panel)[0]["heard"] or ""
    journals = store.rows("SELECT journal, COUNT(*) n, MAX(seq) top FROM records WHERE panel=? GROUP BY journal", panel)
    rows: list[tuple[str, ...]] = []
    for row in journals:
        head = store.rows("SELECT seq FROM heads WHERE panel=? AND journal=?", panel, row["journal"])
        top = max(row["top"], head[0]["seq"] if head else 0)
        chain = store.chain(panel, row["journal"])
        missing = " ".join(f"{a}-{b}" for a, b in chain.gaps(top)[:5]) or "0"
        rows.append((pick(_TEXTS[online]), heard, row["journal"], str(row["n"]), str(chain.verified()), missing))
    return rows or [(pick(_TEXTS[online]), heard, "", "0", "0", "0")]


def _command(broker: str, folder: Path, panel: str, name: str, args: dict[str, Any], operator: str) -> None:
    host, port = _address(broker)
    # Beside a running center: the same store counts, so that no counter is used twice.
    with Center(host, port, folder, session=False) as center:
        try:
            counter = center.command(panel, name, args, operator)
        except LookupError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        if not center.wait(lambda c: c.reply(panel, counter), 10):
            typer.echo(pick(_TEXTS["no-reply"], seconds=10), err=True)
            raise typer.Exit(1)
        reply = center.reply(panel, counter) or {}
    Console().print(reply["result"], reply["reason"], reply["detail"] or "")
    if reply["result"] != "done":
        raise typer.Exit(1)


@app.command()
def arm(
    panel: _Panel,
    folder: _Folder,
    broker: _Broker,
    areas: _Areas = None,
    operator: _Operator = "operator",
    part: Annotated[str, typer.Option("--part", help="A part set of the panel file. 部分布防方式。")] = "",
    instant: Annotated[bool, typer.Option("--instant", help="Without entry delay. 无进入延时。")] = False,
    override: Annotated[
        bool, typer.Option("--override", help="In spite of what stands in the way. 强制布防。")
    ] = False,
) -> None:
    """Arm a panel's areas. 布防。"""
    # Only what is wished for: panels of before these members came would refuse the others.
    wishes = {"part": part, "instant": instant, "override": override}
    args = {"areas": areas or []} | {name: value for name, value in wishes.items() if value}
    _command(broker, folder, panel, "arm", args, operator)


@app.command()
def disarm(
    panel: _Panel, folder: _Folder, broker: _Broker, areas: _Areas = None, operator: _Operator = "operator"
) -> None:
    """Disarm a panel's areas. 撤防。"""
    _command(broker, folder, panel, "disarm", {"areas": areas or []}, operator)


@app.command()
def silence(
    panel: _Panel, folder: _Folder, broker: _Broker, areas: _Areas = None, operator: _Operator = "operator"
) -> None:
    """Silence a panel's sirens. 静音。"""
    _command(broker, folder, panel, "silence", {"areas": areas or []}, operator)


@app.command()
def reset(
    panel: _Panel, folder: _Folder, broker: _Broker, areas: _Areas = None, operator: _Operator = "operator"
) -> None:
    """Reset what a panel indicates and is over. 复位报警指示与故障记忆。"""
    _command(broker, folder, panel, "reset", {"areas": areas or []}, operator)


@app.command()
def postpone(
    panel: _Panel, folder: _Folder, broker: _Broker, areas: _Areas = None, operator: _Operator = "operator"
) -> None:
    """Put off a panel's automatic arming. 推迟自动布防。"""
    _command(broker, folder, panel, "postpone", {"areas": areas or []}, operator)


@app.command()
def bypass(panel: _Panel, zone: _Zone, folder: _Folder, broker: _Broker, operator: _Operator = "operator") -> None:
    """Bypass a zone. 旁路防区。"""
    _command(broker, folder, panel, "bypass", {"zone": zone}, operator)


@app.command()
def unbypass(panel: _Panel, zone: _Zone, folder: _Folder, broker: _Broker, operator: _Operator = "operator") -> None:
    """Remove a zone's bypass. 解除旁路。"""
    _command(broker, folder, panel, "unbypass", {"zone": zone}, operator)


@app.command()
def ask(panel: _Panel, folder: _Folder, broker: _Broker, operator: _Operator = "operator") -> None:
    """Ask a panel for its state. 查询主机状态。"""
    _command(broker, folder, panel, "status", {}, operator)


def main(argv: list[str]) -> int:
    """Run the command; the exit code."""
    try:
        app(args=argv, prog_name="fenghuo center")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
