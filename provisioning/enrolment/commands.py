"""`fenghuo enroll`: a panel's first certificate, over HTTPS, by file or by QR code (docs/enrolment.md)."""

import json
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from firmware.clock import utc_text
from firmware.config import load
from firmware.protocol.enrolment import MAX_BYTES
from firmware.protocol.enrolment_parts import BadPart, Collection, put_together
from firmware.protocol.one_time_code import read_code
from firmware.uplink.pair import ends_at
from provisioning.enrolment.drop import BadDrop, Drop, center_url, forget, read_drop
from provisioning.enrolment.enrolling import Done, Enrolling
from provisioning.enrolment.telling import finish, give, in_words, listed, show_answer, show_dry, was
from provisioning.enrolment.texts import say
from provisioning.enrolment.trouble import EXIT_REFUSED, EXIT_WRONG, Trouble
from provisioning.enrolment.typed import code_of
from provisioning.terminal import run

app = typer.Typer(add_completion=False, invoke_without_command=True)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
MAX_PASTED = 256

Config = Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")]
PathId = Annotated[str, typer.Option("--path", help="Path of the file; the first with tls without. 路径编号。")]
CodeFile = Annotated[
    Path | None, typer.Option("--code-file", help="The code is this file's first line; - is input. 注册码文件。")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object. 输出 JSON。")]
Again = Annotated[bool, typer.Option("--again", help="Though it is enrolled. 重新注册。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show. 仅显示。")]
TakeKeys = Annotated[
    bool, typer.Option("--take-keys", help="Put the center's keys into the panel file. 将中心密钥写入配置文件。")
]
DEFAULT_CONFIG = Path("panel.toml")


def main(argv: Sequence[str]) -> int:
    """Get a new panel its certificate from the center. 为新主机申请证书。"""
    return run(app, argv, "fenghuo enroll")


@app.callback()
def enroll(
    context: typer.Context,
    center: Annotated[str, typer.Option("--center", help="https://HOST:PORT of its service. 中心注册服务地址。")] = "",
    code_file: CodeFile = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="CA of that server, PEM. 服务器 CA。")] = None,
    drop: Annotated[Path | None, typer.Option("--from", help="An enrol.json: nobody attends. 无人值守文件。")] = None,
    patience: Annotated[float, typer.Option("--for", min=0, help="With --from: try so long, s. 重试秒数。")] = 3600,
    path: PathId = "",
    again: Again = False,
    take_keys: TakeKeys = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Get a new panel its certificate from the center. 为新主机申请证书。

    The code is asked for without echo. Exit code 0: enrolled, or it was. 1: refused, not reached, not written; the old
    identity, if any, works on. 2: not understood.
    Example: fenghuo enroll --center https://enrol.example.org:8443 --config panel.toml
    """
    if context.invoked_subcommand is not None:
        return
    with in_words(as_json):
        wish = _wish(drop, center, ca)
        it = Enrolling(load(config), path or (wish.path if isinstance(wish, Drop) else ""))
        if dry_run:
            show_dry(it, wish, None if again else it.place.current(), as_json)
            return
        found = it.in_force(again)
        if found is not None:
            if drop is not None:
                forget(drop)
            was(it, found, as_json)
        elif isinstance(wish, Drop):
            done = _unattended(it, wish, again, patience, as_json)
            if drop is not None:
                forget(drop)
            finish(it, done, wish.take_keys or take_keys, as_json)
        else:
            url, pem = wish
            code = code_of(code_file)
            if not as_json:
                print(say("asks", panel=it.place.panel, url=url))
            finish(it, it.ask(url, code, pem), take_keys, as_json, code_stdin=str(code_file) == "-")


@app.command()
def request(
    out: Annotated[Path | None, typer.Option("--out", help="Write it here. 请求文件。")] = None,
    qr: Annotated[bool, typer.Option("--qr", help="As QR codes in this terminal. 终端二维码。")] = False,
    png: Annotated[Path | None, typer.Option("--png", help="As QR pictures in this folder. PNG 目录。")] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="Likewise, SVG. SVG 目录。")] = None,
    no_code: Annotated[
        bool, typer.Option("--no-code", help="Two people compare fingerprints instead. 以指纹核对代替注册码。")
    ] = False,
    code_file: CodeFile = None,
    path: PathId = "",
    again: Again = False,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Make a request that is carried to the center: a file, or QR codes. 生成离线注册请求（文件或二维码）。

    Example: fenghuo enroll request --out panel.enrol
    """
    with in_words(as_json):
        it = Enrolling(load(config), path)
        if (found := it.in_force(again)) is not None:
            was(it, found, as_json)
            return
        made = it.request("" if no_code else code_of(code_file))
        give(made, out, qr, {"png": png, "svg": svg}, as_json)


@app.command()
def answer(
    file: Annotated[Path, typer.Argument(help="The center's answer; - for parts that are pasted. 应答文件。")],
    fingerprint_: Annotated[
        str, typer.Option("--fingerprint", help="Of an answer without a code, as read out. 应答指纹。")
    ] = "",
    take_keys: TakeKeys = False,
    path: PathId = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Put the center's answer in force. 启用中心的应答。

    Example: fenghuo enroll answer answer.enrol
    """
    with in_words(as_json):
        it = Enrolling(load(config), path)
        if (found := it.in_force(again=True)) is not None:
            was(it, found, as_json)
            return
        waiting = it.place.waiting()
        if waiting is None:
            raise Trouble("nothing-waits")
        data = _answer_of(file)
        typed = fingerprint_
        if not waiting.answer_key and not typed and sys.stdin.isatty():
            typed = input(say("type"))
        if dry_run:
            show_answer(it, utc_text(ends_at(it.looked_at(data, waiting, typed).leaf)), as_json)
        else:
            finish(it, it.take(data, waiting, typed), take_keys, as_json)


@app.command()
def status(path: PathId = "", as_json: Json = False, config: Config = DEFAULT_CONFIG) -> None:
    """Whether the panel is enrolled, and what waits. Changes nothing. 注册状态。

    Exit code 0: enrolled. 1: not.
    Example: fenghuo enroll status --json
    """
    with in_words(as_json):
        found = Enrolling(load(config), path).standing()
    if as_json:
        print(json.dumps({"ok": True, **found}, ensure_ascii=False, indent=2))
    else:
        name = "enrolled" if found["enrolled"] else "ended" if "not_after" in found else "none"
        until, paths = found.get("not_after", ""), ", ".join(found["paths"])
        print(say(name, panel=found["panel"], until=until, paths=paths))
        if found["waiting"]:
            print(say("waits", made=found["waiting"]))
    if not found["enrolled"]:
        raise typer.Exit(EXIT_REFUSED)


# --- the way there


def _wish(drop: Path | None, center: str, ca: Path | None) -> Drop | tuple[str, str]:
    """What is asked of whom: an unattended file, or URL and CA. Raises `Trouble`."""
    try:
        if drop is not None:
            return read_drop(drop)
        pem = ca.read_text() if ca else ""
        if ca:
            x509.load_pem_x509_certificates(pem.encode())
    except BadDrop as bad:
        raise Trouble("option", code=EXIT_WRONG, option="--from", detail=bad) from None
    except (OSError, ValueError) as error:
        raise Trouble("option", code=EXIT_WRONG, option="--ca", detail=error) from None
    try:
        return center_url(center), pem
    except ValueError as error:
        raise Trouble("option", code=EXIT_WRONG, option="--center", detail=error) from None


def _unattended(it: Enrolling, wish: Drop, again: bool, patience: float, as_json: bool) -> Done:
    """Try until it is done, by whomever, or refused, or the time is over. Raises `Trouble`."""
    end, pause = time.monotonic() + patience, FIRST_PAUSE_S
    while True:
        try:
            if (found := it.in_force(again)) is not None:
                return Done(found, None, "no")
            return it.ask(wish.center, read_code(wish.code), wish.ca)
        except Trouble as trouble:
            left = end - time.monotonic()
            if not trouble.again or left <= 0:
                raise
            wait = min(left, pause * random.uniform(0.5, 1.0))  # noqa: S311
            if not as_json:
                print(say("again-in", why=trouble, seconds=round(wait)), file=sys.stderr, flush=True)
            time.sleep(wait)
            pause = min(LONGEST_PAUSE_S, pause * 2)


def _answer_of(file: Path) -> bytes:
    """A file, or parts as they come. Raises `Trouble`."""
    try:
        if str(file) != "-":
            with file.open("rb") as opened:
                return put_together(opened.read(4 * MAX_BYTES))
        if not sys.stdin.isatty():
            return put_together(sys.stdin.read(4 * MAX_BYTES).encode())
        return _pasted()
    except (OSError, BadPart) as error:
        raise Trouble("not-ours", detail=error) from None


def _pasted() -> bytes:
    """Line by line from a person or a scanner that types; a damaged one is told, and asked for again."""
    print(say("paste"))
    collection = Collection()
    for _ in range(MAX_PASTED):
        line = sys.stdin.readline(4096)
        if not line:
            break
        if line.lstrip()[:1] == "{":
            return line.encode()
        try:
            if line.strip():
                number = collection.add(line)
                print(say("got", number=number, count=collection.count, missing=listed(collection.missing)))
        except BadPart as bad:
            print(bad, file=sys.stderr)
        if collection.count and not collection.missing:
            break
    return collection.whole()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
