"""`fenghuo center`: run the reference center, look at what it holds, send a signed command, try another center.

Exit codes: 0 done; 1 refused, or nothing there; 2 not understood; 3 not sent, or no reply.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from firmware.clock import SystemClock, utc_text
from hil.center import screen
from hil.center.alarms import acknowledge, alarms
from hil.center.audit import gaps
from hil.center.conform.command import conform
from hil.center.consumer import consume
from hil.center.enrolment_commands import answer, enrol, invitations, invite
from hil.center.exchange import Exchange, Standing, TimeService
from hil.center.keys import Key
from hil.center.orders import NoReply, NotSent, Order, send
from hil.center.picture_order import NotWhole, fetch
from hil.center.pictures import Gallery, NoSuch
from hil.center.renewal import RenewalDesk
from hil.center.running import Panels, serve
from hil.center.store import Store
from hil.center.texts import in_the_way, say, why
from hil.center.watch import View, held
from hil.center.wire import Broker

app = typer.Typer(no_args_is_help=True, help="The reference alarm center, for rigs. 参考报警中心,用于测试台。")
_Folder = Annotated[Path, typer.Option("--dir", help="Where its store and keys lie. 数据与密钥目录。")]
_Broker = Annotated[str, typer.Option("--broker", help="mqtt(s)://HOST:PORT of an MQTT 5 broker. MQTT 5 代理地址。")]
_Ca = Annotated[Path | None, typer.Option(help="CA of the broker's certificate (PEM). 代理证书的 CA。")]
_Cert = Annotated[Path | None, typer.Option(help="Client certificate (PEM). 客户端证书。")]
_Key = Annotated[Path | None, typer.Option(help="Its key (PEM). 证书私钥。")]
_Operator = Annotated[str, typer.Option(help="Who asks. 操作员。")]
_Panel = Annotated[str, typer.Argument(help="Panel id. 主机编号。")]
_OnePanel = Annotated[str | None, typer.Argument(help="Panel id, none for all. 主机编号,留空为全部。")]
_Areas = Annotated[list[str] | None, typer.Argument(help="Areas, none for all. 分区,留空为全部。")]
_Zone = Annotated[str, typer.Argument(help="Zone. 防区。")]
_Json = Annotated[bool, typer.Option("--json", help="For machines. 输出 JSON。")]
_Public = Annotated[bool, typer.Option("--public", help="Without silent alarms. 不显示静默警情。")]
MAX_SEQS = 500


def _broker(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> Broker:
    try:
        return Broker.at(url, ca, cert, key)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@app.command()
def run(
    broker: _Broker,
    folder: _Folder,
    panel: Annotated[
        list[str] | None, typer.Option(help="ID=core.jwk, a panel and its public key. 主机及其公钥。")
    ] = None,
    panels: Annotated[Path | None, typer.Option(help="A folder of ID.jwk files. 存放 编号.jwk 的目录。")] = None,
    ca: _Ca = None,
    cert: _Cert = None,
    key: _Key = None,
    as_json: _Json = False,
    public: _Public = False,
    keys: Annotated[
        Path | None, typer.Option(help="A list of `sign-keys`, for panels that have an older one. 已签名的密钥列表。")
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(help="Renew panels' certificates: a folder with ca.pem and ca.key. 续签主机证书的 CA 目录。"),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long a renewed one lasts. 续签证书有效天数。")] = 365,
    time: Annotated[bool, typer.Option("--time", help="Tell panels the time. 向主机授时。")] = False,
) -> None:
    """Store, check and receipt what panels send. 存储、校验并回执主机上报的内容。"""
    try:
        known = Panels.of(panel or [], panels)
        services = [Standing.of(keys.read_text()).attach] if keys else []
        services += [RenewalDesk.at(authority, known, days).attach] if authority else []
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if time:
        services.append(TimeService().attach)
    services.append(Gallery(folder).attach)
    code = serve(_broker(broker, ca, cert, key), folder, known, as_json, public, services)
    if code:
        raise typer.Exit(code)


@app.command("sign-keys")
def sign_keys(
    root: Annotated[Path, typer.Option(help="The root key (JWK), made where there is none. 根密钥文件。")],
    serial: Annotated[int, typer.Option(min=1, help="Above that of every list before. 列表序号,只增不减。")],
    receipt: Annotated[list[str], typer.Option(help="Receipt keys, `x`. 回执公钥。")],
    command: Annotated[list[str] | None, typer.Option(help="Command keys, `x`. 命令公钥。")] = None,
    authority: Annotated[list[Path] | None, typer.Option(help="Further CAs (PEM). 新增的 CA 证书。")] = None,
    panel: Annotated[str, typer.Option(help="One panel, * for all. 主机编号,* 为全部。")] = "*",
) -> None:
    """Sign a new list of the center's keys, offline; the token goes to stdout. 离线签发中心密钥列表。"""
    try:
        added = [file.read_text() for file in authority or []]
        signer = Key.at(root)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(say("root", x=signer.x), err=True)
    typer.echo(Exchange(signer, serial, receipt, command or [], added, panel).token())


# --- what a store holds


def _store(folder: Path, panel: str | None = None) -> Store:
    file = folder / "center.sqlite"
    if not file.exists():
        typer.echo(say("no-store", folder=folder), err=True)
        raise typer.Exit(1)
    store = Store(file)
    if panel is not None and store.key(panel) is None:
        store.close()
        typer.echo(say("no-panel", panel=panel), err=True)
        raise typer.Exit(1)
    return store


@app.command()
def show(folder: _Folder, panel: _OnePanel = None, as_json: _Json = False) -> None:
    """Panels, what is held of their journals, findings. 主机、记录和问题。"""
    store = _store(folder, panel)
    names = store.panels() if panel is None else [panel]
    views = [View(panel=name, standing=_standing(store, name), beat_age_ms=None, **vars(held(store, name)))
             for name in names]  # fmt: skip
    found = [dict(row) for row in store.rows("SELECT at, panel, what, detail FROM findings ORDER BY id DESC LIMIT 20")
             if panel in (None, row["panel"])]  # fmt: skip
    counts = store.counts()
    store.close()
    if as_json:
        typer.echo(json.dumps({"panels": [vars(view) for view in views], "findings": found, "counts": counts}))
        return
    console = Console()
    console.print(screen.panels(views))
    if found:
        table = Table(*(say(name) for name in ("time", "panel", "what", "detail")))
        for row in found:
            table.add_row(*(Text(row[name]) for name in ("at", "panel", "what", "detail")))
        console.print(table)
    console.print(say("counts"), " ".join(f"{name}={n}" for name, n in counts.items()), markup=False, highlight=False)


def _standing(store: Store, panel: str) -> Any:
    return {None: "waiting", True: "online", False: "offline"}[store.online(panel)]


@app.command("alarms")
def alarms_(
    folder: _Folder,
    panel: _OnePanel = None,
    every: Annotated[bool, typer.Option("--all", help="Acknowledged ones too. 包括已确认的。")] = False,
    as_json: _Json = False,
    public: _Public = False,
) -> None:
    """Alarms that nobody acknowledged. 待处理警情。"""
    store = _store(folder, panel)
    found = [alarm for alarm in alarms(store, panel, every) if not (public and alarm.silent)]
    store.close()
    if as_json:
        typer.echo(json.dumps([vars(alarm) | {"silent": alarm.silent} for alarm in found]))
    elif found:
        Console().print(screen.waiting(found))
    else:
        typer.echo(say("no-alarms"))


@app.command("acknowledge")
def acknowledge_(
    panel: _Panel,
    folder: _Folder,
    seq: Annotated[list[int] | None, typer.Argument(help="Records, none for all. 记录序号,留空为全部。")] = None,
    operator: _Operator = "operator",
) -> None:
    """An operator has seen these alarms. 确认警情。"""
    store = _store(folder, panel)
    number = acknowledge(store, panel, (seq or [])[:MAX_SEQS], operator[:64], utc_text(SystemClock().utc()))
    store.close()
    typer.echo(say("acknowledged", n=number))


@app.command("gaps")
def gaps_(folder: _Folder, panel: _OnePanel = None, as_json: _Json = False) -> None:
    """Records that panels have and that are not held; exit code 1 when there are any. 缺口。"""
    store = _store(folder, panel)
    found = [
        (name, journal, first, last)
        for name in (store.panels() if panel is None else [panel])
        for journal, ranges in gaps(store, name).items()
        for first, last in ranges
    ]
    store.close()
    if as_json:
        members = ("panel", "journal", "first", "last")
        typer.echo(json.dumps([dict(zip(members, gap, strict=True)) for gap in found]))
    elif found:
        Console().print(screen.gaps(found))
    else:
        typer.echo(say("no-gaps"))
    if found:
        raise typer.Exit(1)


# --- signed commands


def _send(broker: Broker, folder: Path, order: Order, as_json: bool) -> None:
    try:
        reply = send(broker, folder, order)
    except NotSent as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
    except NoReply as none:
        typer.echo(say("no-reply", seconds=10, counter=none.counter), err=True)
        raise typer.Exit(3) from None
    if as_json:
        typer.echo(json.dumps(reply, ensure_ascii=False))
    else:
        for text in _told(order, reply):
            Console().print(Text(text), highlight=False)
    if reply["result"] != "done":
        raise typer.Exit(1)


def _told(order: Order, reply: dict[str, Any]) -> list[str]:
    """A reply in words."""
    detail = reply.get("detail")
    members = detail if isinstance(detail, dict) else {}
    if reply.get("result") == "done":
        told = [say("done", command=order.command)]
    else:
        told = [say("refused", why=why(str(reply.get("reason"))))]
        if isinstance(reasons := members.get("reasons"), list) and reasons:
            told.append(say("in-the-way", reasons=in_the_way(reasons)))
    rest = {name: value for name, value in members.items() if name != "reasons"}
    return told + ([json.dumps(rest, ensure_ascii=False, indent=2)[:20_000]] if rest else [])


def _areas(command: str, text: str) -> None:
    """Make the command line of a command that is about areas."""

    def ask(
        panel: _Panel,
        folder: _Folder,
        broker: _Broker,
        areas: _Areas = None,
        operator: _Operator = "operator",
        ca: _Ca = None,
        cert: _Cert = None,
        key: _Key = None,
        as_json: _Json = False,
    ) -> None:
        order = Order(panel, command, {"areas": areas or []}, operator)
        _send(_broker(broker, ca, cert, key), folder, order, as_json)

    app.command(command, help=text)(ask)


def _zone(command: str, text: str) -> None:
    """Make the command line of a command that is about one zone."""

    def ask(
        panel: _Panel,
        zone: _Zone,
        folder: _Folder,
        broker: _Broker,
        operator: _Operator = "operator",
        ca: _Ca = None,
        cert: _Cert = None,
        key: _Key = None,
        as_json: _Json = False,
    ) -> None:
        order = Order(panel, command, {"zone": zone}, operator)
        _send(_broker(broker, ca, cert, key), folder, order, as_json)

    app.command(command, help=text)(ask)


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
    ca: _Ca = None,
    cert: _Cert = None,
    key: _Key = None,
    as_json: _Json = False,
) -> None:
    """Arm a panel's areas. 布防。"""
    # Only what is wished for: panels of before these members came would refuse the others.
    wishes = {"part": part, "instant": instant, "override": override}
    args = {"areas": areas or []} | {name: value for name, value in wishes.items() if value}
    _send(_broker(broker, ca, cert, key), folder, Order(panel, "arm", args, operator), as_json)


_areas("disarm", "Disarm a panel's areas. 撤防。")
_areas("silence", "Silence a panel's sirens. 静音。")
_areas("reset", "Reset what a panel indicates and is over. 复位报警指示与故障记忆。")
_areas("postpone", "Put off a panel's automatic arming. 推迟自动布防。")
_zone("bypass", "Bypass a zone. 旁路防区。")
_zone("unbypass", "Remove a zone's bypass. 解除旁路。")


@app.command()
def status(
    panel: _Panel,
    folder: _Folder,
    broker: _Broker,
    operator: _Operator = "operator",
    ca: _Ca = None,
    cert: _Cert = None,
    key: _Key = None,
    as_json: _Json = False,
) -> None:
    """Ask a panel for its state, by a signed command. 查询主机状态。"""
    _send(_broker(broker, ca, cert, key), folder, Order(panel, "status", {}, operator), as_json)


@app.command()
def picture(
    panel: _Panel,
    event: Annotated[str, typer.Argument(help="Record of pictures: JOURNAL-SEQ, or SEQ. 抓拍记录。")],
    number: Annotated[int, typer.Argument(min=1, help="Which of its pictures, from 1. 第几张图像。")],
    folder: _Folder,
    broker: _Broker,
    operator: _Operator = "operator",
    ca: _Ca = None,
    cert: _Cert = None,
    key: _Key = None,
) -> None:
    """Fetch a full picture of a panel; goes on where it was cut; prints its file. 调取主机图像,支持断点续传。"""
    try:
        file = fetch(_broker(broker, ca, cert, key), folder, (panel, event, number), operator, _progress)
    except (NoSuch, NotWhole) as error:
        name = "no-picture" if isinstance(error, NoSuch) else "not-whole"
        typer.echo(say(name, detail=error), err=True)
        raise typer.Exit(1) from None
    except NotSent as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from None
    except NoReply as none:
        typer.echo(say("no-reply", seconds=10, counter=none.counter), err=True)
        raise typer.Exit(3) from None
    typer.echo(str(file))


def _progress(held: int, total: int) -> None:
    if sys.stderr.isatty():
        typer.echo(say("fetched", held=held, total=total) + "\r", err=True, nl=False)


app.command()(conform)
app.command()(consume)
for _enrolment in (invite, invitations, enrol, answer):
    app.command()(_enrolment)


def main(argv: list[str]) -> int:
    """Run the command; the exit code."""
    try:
        app(args=argv, prog_name="fenghuo center")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
