"""`fenghuo flash IMAGE DEVICE`: a signed image onto a card, with the site's panel file, read back and compared.

It proves the image, says what will be lost, asks, and then writes. It can be stopped and run again at any time.
"""

import errno
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from firmware.config import BadPanelFile, load
from firmware.language import pick
from firmware.protocol.one_time_code import printed
from provisioning.enrolment.drop import BadDrop, Drop
from provisioning.enrolment.trouble import Trouble
from provisioning.enrolment.typed import code_of
from provisioning.flash import texts as t
from provisioning.flash.capacity import marks
from provisioning.flash.disks import Kernel
from provisioning.flash.drop import drop_into
from provisioning.flash.extras import BadExtra, read_extras
from provisioning.flash.job import Enrolment, Job
from provisioning.flash.listing import show_disks
from provisioning.flash.medium import Medium
from provisioning.flash.progress import shown
from provisioning.flash.refusal import CantFlash, refuse, said
from provisioning.flash.release import KEYS, find_release, prove
from provisioning.flash.source import Source
from provisioning.flash.target import Target, find_target
from provisioning.flash.writing import Outcome, flash, gib
from provisioning.terminal import run

app = typer.Typer(add_completion=False)

EXIT_REFUSED, EXIT_NOT_UNDERSTOOD, EXIT_STOPPED = 1, 2, 130
_NOT_OPENED = {
    errno.EACCES: t.NO_RIGHTS,
    errno.EPERM: t.NO_RIGHTS,
    errno.EBUSY: t.BUSY,
    errno.EROFS: t.READ_ONLY,
}


def main(argv: Sequence[str]) -> int:
    """Write a signed image and a panel file onto a card. 烧录存储卡：写入签名镜像与配置文件。"""
    return run(app, argv, "fenghuo flash")


@dataclass(frozen=True)
class _Wish:
    image: Path
    device: Path
    keys: tuple[Path, ...]
    config: Path | None
    enrol: Path | None
    center: str
    code_file: Path | None
    ssh_keys: Path | None
    networks: tuple[Path, ...]
    force: bool
    yes: bool
    dry_run: bool
    as_json: bool


@app.command("flash")
def flash_(
    image: Annotated[Path | None, typer.Argument(help="fenghuo-VERSION.img or .img.zst. 镜像文件。")] = None,
    device: Annotated[Path | None, typer.Argument(help="The card, as /dev/sdb. 存储卡设备。")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="The site's panel file. 配置文件。")] = None,
    enrol: Annotated[Path | None, typer.Option("--enrol", help="enrol.json for the first boot. 入网文件。")] = None,
    center: Annotated[
        str, typer.Option("--center", help="https://HOST:PORT; asks for the one-time code. 入网中心，将询问注册码。")
    ] = "",
    code_file: Annotated[
        Path | None, typer.Option("--code-file", help="The code is its first line; - is input. 注册码文件。")
    ] = None,
    ssh_keys: Annotated[
        Path | None, typer.Option("--ssh-keys", help="Public keys of who may log in. 允许登录的 SSH 公钥。")
    ] = None,
    network: Annotated[
        list[Path] | None, typer.Option("--network", help="NAME.network of systemd-networkd. 网络配置。")
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option("--key", help=f"Trusted release key or folder; {KEYS}. 发布公钥。")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show removable disks. 列出可移动磁盘。")] = False,
    force: Annotated[bool, typer.Option("--force", help="A fixed disk or a file too. 允许固定磁盘或文件。")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask. 不再询问。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, write nothing. 仅检查，不写入。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出 JSON。")] = False,
) -> None:
    """Prove an image, write it onto a card, read it back. 校验镜像，写入存储卡并读回核对。

    Exit code 0: the card holds it all. 1: refused or failed. 2: not understood. 130: stopped; run it again to go on.
    Example: sudo fenghuo flash fenghuo-1.2.0.img.zst /dev/sdb --config panel.toml --enrol enrol.json
    """
    signal.signal(signal.SIGTERM, _stop)
    try:
        if list_:
            show_disks(Kernel(), force, as_json)
            return
        if image is None or device is None:
            raise _NotUnderstood(pick(t.NEEDS_BOTH))
        files = (config, enrol, center, code_file, ssh_keys, tuple(network or ()))
        wish = _Wish(image, device, tuple(key or [KEYS]), *files, force, yes, dry_run, as_json)
        _run(wish)
    except (CantFlash, BadPanelFile, BadDrop, BadExtra, Trouble, _NotUnderstood, KeyboardInterrupt) as why:
        raise typer.Exit(_tell_why(why, as_json)) from None


class _NotUnderstood(Exception):
    """The words on the command line, or a file that they name."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell_why(why: BaseException, as_json: bool) -> int:
    stopped = isinstance(why, KeyboardInterrupt)
    text = pick(t.STOPPED) if stopped else why.say() if isinstance(why, BadPanelFile) else str(why)
    if as_json:
        print(json.dumps({"ok": False, "why": text}, ensure_ascii=False))
    else:
        print(text, file=sys.stderr)
    return EXIT_STOPPED if stopped else EXIT_REFUSED if isinstance(why, CantFlash) else EXIT_NOT_UNDERSTOOD


def _run(wish: _Wish) -> None:
    if wish.as_json and not (wish.yes or wish.dry_run):
        raise _NotUnderstood(pick(t.NEEDS_YES))
    loaded = load(wish.config) if wish.config else None
    enrolment = _enrolment(wish)
    extras = read_extras(wish.ssh_keys, wish.networks)
    release = find_release(wish.image, wish.keys)
    target = find_target(wish.device, wish.image, wish.force, Kernel())
    job = Job(Source(release), target, tuple(target.lost()), loaded, enrolment, extras)
    if not wish.as_json:
        job.show()
    result = _checked(job, wish) if wish.dry_run else _written(job, wish)
    if wish.as_json:
        print(json.dumps({"ok": True, **job.told(), **result}, ensure_ascii=False))


def _enrolment(wish: _Wish) -> Enrolment | None:
    """Of the file that is named, or by a code that is asked for."""
    if wish.enrol is not None:
        return Enrolment.read(wish.enrol)
    if not wish.center:
        return None
    try:
        return Enrolment.made(Drop(center=wish.center, code=printed(code_of(wish.code_file))))
    except ValidationError as error:
        why = error.errors(include_input=False, include_url=False, include_context=False)[0]["msg"]
        raise BadDrop(f"--center {wish.center}: {why}") from None


def _checked(job: Job, wish: _Wish) -> dict[str, Any]:
    disk, path = job.target.disk, job.target.path
    _room(job, disk.size if disk else path.stat().st_size if path.exists() else 0)
    _prove(job, wish)
    drop_into(job.source, job.files, job.for_firmware)
    if not wish.as_json:
        print(pick(t.DRY))
    return {"dry_run": True}


def _written(job: Job, wish: _Wish) -> dict[str, Any]:
    with _opened(job.target) as medium:
        _room(job, medium.size)
        if not wish.yes and not _agreed(job.target):
            raise refuse(t.NOT_DONE)
        began = time.monotonic()
        outcome = _carry_out(job, medium, wish)
    seconds = round(time.monotonic() - began, 1)
    if not wish.as_json:
        text = t.DONE if outcome.written else t.EQUAL
        print(pick(text, written=gib(outcome.written), equal=gib(outcome.equal), seconds=seconds))
    return {"dry_run": False, "seconds": seconds, "written_bytes": outcome.written, "equal_bytes": outcome.equal}


def _carry_out(job: Job, medium: Medium, wish: _Wish) -> Outcome:
    """Nothing is written before the whole image is proven, and the drop is in it."""
    _prove(job, wish)
    source = drop_into(job.source, job.files, job.for_firmware)
    if medium.size == 0:
        medium.grow(source.size)
    marked = marks(medium.size, source.size, source.release.contents)
    totals = {"marks": sum(len(mark.data) for mark in marked), "write": source.total, "verify": source.total}
    with shown(totals, wish.as_json) as told:
        return flash(medium, source, marked, told)


def _prove(job: Job, wish: _Wish) -> None:
    release = job.source.release
    with shown({"check": release.image.stat().st_size}, wish.as_json) as told:
        prove(release, lambda count: told("check", count))


def _opened(target: Target) -> Medium:
    try:
        return Medium(target.path)
    except OSError as error:
        text = _NOT_OPENED.get(error.errno or 0, t.NO_DEVICE)
        raise refuse(text, device=target.path, why=said(error)) from None


def _room(job: Job, size: int) -> None:
    """A file of no bytes will grow."""
    if size < job.source.size and (size or job.target.disk):
        raise refuse(t.TOO_SMALL, device=job.target.path, size=gib(size), need=gib(job.source.size))


def _agreed(target: Target) -> bool:
    print(pick(t.ASK, name=target.name), end="", flush=True)
    return sys.stdin.readline().strip().removeprefix("/dev/") == target.name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
