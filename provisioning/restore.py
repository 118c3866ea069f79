"""`fenghuo restore`: brings a panel back on new hardware from the mirror of its journal.

It proves the mirror, says what will be there, asks, and then copies; what comes last is one rename, so that a restore
that is cut short has not happened, and can be done again.
"""

import json
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

import rules
from firmware.clock import SystemClock, utc_text
from firmware.core.keys import load_or_make
from firmware.core.lock import AlreadyRunning, DataLock
from firmware.journal import restoring
from firmware.journal.check import Unsound
from firmware.journal.entries import Moment
from firmware.journal.former import FOLDER
from firmware.journal.opening import Files, describe
from firmware.journal.schema import connect
from firmware.journal.store import Terms
from firmware.language import pick
from firmware.mirror import medium
from firmware.protocol.jws import b64url
from provisioning import restore_texts as t
from provisioning.restore_plan import KEY_FILES, CantRestore, Plan, Wish, plan, refuse, shown
from provisioning.terminal import run
from rules.effects import JsonValue
from rules.state import People, changed
from rules.vocabulary import KINDS

app = typer.Typer(add_completion=False)

EXIT_REFUSED = 1


def main(argv: Sequence[str]) -> int:
    """Bring a panel back from its mirror. 由镜像恢复主机。"""
    return run(app, argv, "fenghuo restore")


@app.command()
def restore(
    mirror: Annotated[Path, typer.Argument(help="The mirror's folder. 镜像目录。", metavar="MIRROR")],
    config: Annotated[Path, typer.Option("--config", help="The panel file; made from the mirror's. 配置文件。")] = Path(
        "panel.toml"
    ),
    keys: Annotated[Path | None, typer.Option("--keys", help="Offline backup of keys/. 密钥离线备份目录。")] = None,
    new_keys: Annotated[bool, typer.Option("--new-keys", help="Make new keys; codes are gone. 生成新密钥。")] = False,
    key: Annotated[Path | None, typer.Option("--key", help="core.jwk to prove it by. 校验用公钥。")] = None,
    replace_: Annotated[bool, typer.Option("--replace", help="Set newer records aside. 另存较新的记录。")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask. 不再询问。")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show. 仅显示。")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, with --yes or --dry-run. JSON。")] = False,
) -> None:
    """Restore the journal and the state of a panel: armed stays armed. 恢复主机日志与状态：布防保持布防。

    Exit code 0: restored, or it was. 1: refused, and nothing changed. 2: not understood.
    Example: fenghuo restore /media/usb/fenghuo --config /etc/fenghuo/panel.toml --keys /media/backup/keys
    """
    wish = Wish(mirror, config, keys, new_keys, key, replace_)
    try:
        code = _run(wish, yes, dry_run, as_json)
    except CantRestore as cant:
        print(json.dumps({"ok": False, "why": str(cant)}, ensure_ascii=False) if as_json else cant, file=_to(as_json))
        code = EXIT_REFUSED
    raise typer.Exit(code)


def _to(as_json: bool) -> Any:
    return sys.stdout if as_json else sys.stderr


def _run(wish: Wish, yes: bool, dry_run: bool, as_json: bool) -> int:
    found = plan(wish)
    told = shown(found)
    if not as_json:
        _show(found, told)
    result: dict[str, Any] = {}
    if not dry_run and not found.done:
        if not yes and (as_json or not _agreed()):
            raise refuse(t.NOT_DONE)
        result = carry_out(found, wish)
    if as_json:
        print(json.dumps({"ok": True, **told, **result}, ensure_ascii=False))
    elif result:
        print(pick(t.DONE, journal=result["new_journal"], seq=told["seq"]))
        if found.keys == "new":
            print(pick(t.ENROLL, kid=result["new_key"]))
    return 0


def _agreed() -> bool:
    print(pick(t.ASK), end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes", "是")


def _show(found: Plan, told: dict[str, Any]) -> None:
    if found.done:
        print(pick(t.ALREADY, data=told["data"], seq=told["seq"], journal=told["journal"]))
        return
    print(pick(t.PANEL, panel=told["panel"], kid=told["key"]))
    print(pick(t.FROM, journal=told["journal"], seq=told["seq"], utc=told["written"]))
    print(pick(t.JOURNALS, count=told["journals"], records=told["records"], mib=told["bytes"] // 2**20 + 1))
    for item in told["left_out"]:
        print(pick(t.LEFT_OUT, name=item["file"], count=item["findings"]))
    for area, mode in told["areas"].items():
        alarm = f", {pick(t.IN_ALARM)}" if area in told["in_alarm"] else ""
        print(pick(t.AREA, id=area, mode=mode) + alarm)
    for names, text in ((told["bypassed"], t.BYPASSED), (told["troubles"], t.TROUBLES)):
        if names:
            print(pick(text, zones=", ".join(names), troubles=", ".join(names)))
    if told["users_stay"]:
        print(pick(t.USERS, count=len(told["users"])))
    elif told["users"]:
        print(pick(t.USERS_GONE, names=", ".join(told["users"])))
    file = {"there": t.FILE, "other": t.FILE_OTHER, "copied": t.FILE_COPIED}[found.file]
    print(pick(file, place=found.loaded.path))
    print(pick(t.INTO, data=told["data"]))
    print(pick(t.COMPARE))


def carry_out(found: Plan, wish: Wish) -> dict[str, Any]:
    """Do it. Raises `CantRestore`; whatever fails, nothing is in force then."""
    data = found.loaded.data
    try:
        lock = DataLock(data)
    except AlreadyRunning:
        raise refuse(t.TAKEN, data=data) from None
    except OSError as error:
        raise refuse(t.FAILED, data=data, why=describe(error)) from None
    try:
        return _restored(found, wish)
    except (OSError, sqlite3.Error, Unsound) as error:
        restoring.drop_staged(data)
        why = str(error) if isinstance(error, Unsound) else describe(error)
        raise refuse(t.FAILED, data=data, why=why) from None
    finally:
        lock.release()


def _restored(found: Plan, wish: Wish) -> dict[str, Any]:
    held, loaded, data = found.held, found.loaded, found.loaded.data
    restoring.stage(held.copies, data)
    if found.keys == "backup" and wish.keys is not None:
        for name in KEY_FILES:
            medium.put(data / "keys" / name, (wish.keys / name).read_bytes())
    signer = load_or_make(data / "keys").signer
    for public in (held.public, *held.former):
        _former(data / "keys", b64url(public.public_bytes_raw()), signer.kid)
    if found.file == "copied":
        medium.put(loaded.path, loaded.text.encode())
    clock = SystemClock()
    now = Moment(utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())
    terms = Terms(
        held.panel,
        signer,
        lambda state: rules.encode(state),  # type: ignore[arg-type]
        lambda kind: KINDS[kind].lane,
        lambda kind: KINDS[kind].checkpoint,
    )
    restoring.clear(data, found.replace)
    state, gone = _state(found)
    told: dict[str, JsonValue] = {"former_key": held.kid, "users_removed": list(gone)}
    journal, session = restoring.take_over(terms, Files(data, loaded.run, connect), held.source, now, state, told)
    return {"new_journal": journal, "session": session, "new_key": signer.kid}


def _former(keys: Path, x: str, kid: str) -> None:
    """Keep the public key that the old journals are signed with, where it is another one now."""
    from firmware.protocol.jws import key_id, load_public

    old = key_id(load_public(x))
    if old != kid:
        jwk = {"crv": "Ed25519", "kid": old, "kty": "OKP", "x": x}
        medium.put(keys / FOLDER / f"{old}.jwk", json.dumps(jwk, sort_keys=True).encode() + b"\n")


def _state(found: Plan) -> tuple[bytes, list[str]]:
    """The state to go on with, and the users whose codes are worth nothing any more: none may keep the others out."""
    held = found.held
    if held.state is None:
        return b"", []
    if found.users_stay:
        return held.source.tail.state.state if held.source.tail else b"", []
    durable = changed(held.state.durable, people=People({}))
    return rules.encode(replace(held.state, durable=durable)), sorted(held.state.durable.people.users)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
