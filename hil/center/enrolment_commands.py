"""`fenghuo center invite`, `enrol`, `answer`, `invitations`: new panels at the reference center (docs/enrolment.md)."""

import json
import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509
from rich.console import Console
from rich.table import Table

from firmware.protocol.enrolment_parts import BadPart, put_together
from firmware.protocol.one_time_code import fingerprint, same_fingerprint
from firmware.stopping import StopFlag
from hil.authority import Authority, Life
from hil.center.enrolment import HOURS, MAX_BYTES, Asked, Declined, EnrolmentDesk, Told, read_request
from hil.center.enrolment_server import EnrolmentServer
from hil.center.enrolment_texts import declined, say, standing
from hil.center.keys import Key
from hil.center.renewal import RenewalDesk
from hil.center.store import Store

EXIT_REFUSED, EXIT_WRONG = 1, 2
_Folder = Annotated[Path, typer.Option("--dir", help="Where the center's store and keys lie. 数据与密钥目录。")]
_Authority = Annotated[
    Path | None, typer.Option(help="ca.pem and ca.key of the panels; DIR/authority without. 主机 CA 目录。")
]
_Days = Annotated[int, typer.Option(min=1, max=3650, help="How long a certificate lasts. 证书有效天数。")]
_BrokerCa = Annotated[
    list[Path] | None, typer.Option("--broker-ca", help="CA of the brokers, if another one (PEM). 代理 CA。")
]
_RootKey = Annotated[list[str] | None, typer.Option("--root-key", help="`x` of an offline root key. 离线根公钥。")]
_Serial = Annotated[int, typer.Option("--keys-serial", min=0, help="Number of the list of keys. 密钥列表序号。")]
_Address = Annotated[
    list[str] | None, typer.Option("--address", help="HOST:PORT of a broker, to tell panels. 代理地址。")
]
_Json = Annotated[bool, typer.Option("--json", help="For machines. 输出 JSON。")]


def desk(
    folder: Path,
    authority: Path | None = None,
    days: int = 365,
    broker_ca: list[Path] | None = None,
    root_key: list[str] | None = None,
    serial: int = 0,
    address: list[str] | None = None,
) -> EnrolmentDesk:
    """The desk of a center's folder, whose authority is made where there is none.

    Admitted panels go to its store, its folder of keys, its authority. Raises `OSError`, `ValueError`.
    """
    home = authority or folder / "authority"
    if not (home / "ca.pem").exists():
        Authority.make(home, "fenghuo panels", Life.days(1, 7300)).keep_key()
    issuer = Authority.at(home)
    told = Told(
        Key.at(folder / "keys" / "receipt.jwk"),
        (Key.at(folder / "keys" / "command.jwk").x,),
        tuple(root_key or ()),
        serial,
        tuple(file.read_text() for file in broker_ca or ()),
        tuple(_address(text) for text in address or ()),
    )
    renewals = RenewalDesk(issuer, lambda _: None, lambda: Life.days(1 / 24, days), home / "issued")

    def admit(panel: str, x: str, certificate: x509.Certificate) -> None:
        renewals.enrol(panel, certificate)
        keys = folder / "panels"
        keys.mkdir(exist_ok=True)
        part = keys / f".{panel}.new"
        part.write_text(json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}) + "\n")
        part.replace(keys / f"{panel}.jwk")
        store = Store(folder / "center.sqlite")
        store.register(panel, x)
        store.close()

    return EnrolmentDesk(folder / "enrolment.sqlite", issuer, told, admit, lambda: Life.days(1 / 24, days))


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError(f"--address {text[:80]!r}: expected HOST:PORT")
    return host, int(port)


def _made(*words: object) -> EnrolmentDesk:
    try:
        return desk(*words)  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None


def invite(
    panel: Annotated[str, typer.Argument(help="Panel id. 主机编号。")],
    folder: _Folder,
    hours: Annotated[float, typer.Option(min=0.01, max=8760, help="How long the code counts. 有效小时数。")] = HOURS,
    authority: _Authority = None,
    as_json: _Json = False,
) -> None:
    """Print a one-time code for a new panel, this once; one before counts no more. 为新主机生成一次性注册码。

    Example: fenghuo center invite bank-7 --dir center
    """
    try:
        code, expires = _made(folder, authority).invite(panel, hours)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        typer.echo(json.dumps({"panel": panel, "code": code, "expires": expires}))
    else:
        typer.echo(say("invited", panel=panel, code=code, expires=expires))


def invitations(folder: _Folder, authority: _Authority = None, as_json: _Json = False) -> None:
    """Which panels are invited, and what became of it; never a code. 邀请及其状态。"""
    rows = _made(folder, authority).invitations()
    if as_json:
        typer.echo(json.dumps(rows))
        return
    table = Table(*(say(name) for name in ("panel", "standing", "made", "expires", "wrong")))
    for row in rows:
        table.add_row(row["panel"], standing(row["standing"]), row["made"], row["expires"], str(row["wrong"]))
    Console().print(table)


def enrol(
    folder: _Folder,
    listen: Annotated[str, typer.Option(help="HOST:PORT, port 0 for any. 监听地址。")],
    cert: Annotated[Path, typer.Option(help="Certificate of this server (PEM). 服务器证书。")],
    key: Annotated[Path, typer.Option(help="Its key (PEM). 证书私钥。")],
    authority: _Authority = None,
    days: _Days = 365,
    broker_ca: _BrokerCa = None,
    root_key: _RootKey = None,
    serial: _Serial = 0,
    address: _Address = None,
) -> None:
    """Answer invited panels over HTTPS until Ctrl-C. 通过 HTTPS 应答已邀请的主机。"""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    ended = StopFlag().install()
    made = _made(folder, authority, days, broker_ca, root_key, serial, address)
    try:
        host, port = listen.rpartition(":")[0], int(listen.rpartition(":")[2])
        server = EnrolmentServer(made, host, port, cert, key)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    with server:
        typer.echo(say("listening", url=f"https://{host}:{server.port}"))
        sys.stdout.flush()
        ended.wait()
    ended.close()


def answer(
    request: Annotated[Path, typer.Argument(help="File of the request; - for pasted parts. 请求文件,- 为粘贴。")],
    folder: _Folder,
    out: Annotated[Path, typer.Option(help="Write the answer here. 应答文件。")],
    fingerprint_: Annotated[
        str, typer.Option("--fingerprint", help="Of a request without a code, as read out. 电话核对的指纹。")
    ] = "",
    authority: _Authority = None,
    days: _Days = 365,
    broker_ca: _BrokerCa = None,
    root_key: _RootKey = None,
    serial: _Serial = 0,
    address: _Address = None,
) -> None:
    """Answer a request that came as a file or as QR codes. 离线应答注册请求。

    One with a code proves itself. Without, type what the technician reads out from the panel's screen.
    """
    made = _made(folder, authority, days, broker_ca, root_key, serial, address)
    try:
        data = _read(request)
        asked = read_request(data)
        found = made.answer(data) if asked.mac else _compared(made, asked, fingerprint_)
        out.write_bytes(found)
    except (Declined, BadPart) as error:
        typer.echo(declined(error.reason) if isinstance(error, Declined) else str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from None
    except OSError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_REFUSED) from None
    typer.echo(say("answered", panel=asked.panel, file=out))
    if not asked.mac:
        typer.echo(say("read-out", fingerprint=fingerprint(str(json.loads(found)["answer"]))))


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return put_together(sys.stdin.read(4 * MAX_BYTES).encode())
    with file.open("rb") as opened:
        return put_together(opened.read(4 * MAX_BYTES))


def _compared(made: EnrolmentDesk, asked: Asked, typed: str) -> bytes:
    typed = typed or (typer.prompt(say("type", panel=asked.panel)) if sys.stdin.isatty() else "")
    if not same_fingerprint(typed, asked.token):
        raise Declined("fingerprint", asked.panel)
    return made.answer_compared(asked)
