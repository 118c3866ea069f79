"""`fenghuo users`: who may operate the panel, over the technician's socket of a running one.

Codes are asked for without echo, or made here and shown once. The first user of a panel needs no code of a manager;
every later change does. Who may change whom, and which codes are too simple, is the panel's to say (docs/protocol.md).
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from firmware.config import BadPanelFile, Loaded, load
from firmware.core.trivial import REASONS
from firmware.language import Text, pick
from firmware.protocol.messages import Answer, RemoveUser, Session, SetUser
from provisioning import codes
from provisioning.technician import NoAnswer, Refused, Technician, connected
from provisioning.terminal import console, run
from provisioning.user_rows import Row, in_words, known, table
from provisioning.user_wish import RIGHTS, card_named, mistakes, wished

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_REFUSED = 1
EXIT_NOT_UNDERSTOOD = 2
EXIT_STOPPED = 130
TRIES = 8
"""So many codes are made where the panel refuses them for others that are near."""
_NEAR = ("code-in-use", "code-too-close")

_SET: Text = ("user {id} is set", "用户 {id} 已设置")
_SAME: Text = ("user {id} is so already", "用户 {id} 已是如此")
_WOULD_ADD: Text = ("would add user {id}: {what}", "将添加用户 {id}：{what}")
_WOULD_CHANGE: Text = ("would change user {id}: {what}", "将变更用户 {id}：{what}")
_WOULD_REVOKE: Text = ("would revoke user {id}", "将删除用户 {id}")
_NEW_CODE: Text = ("a new code", "新密码")
_SHOWN_ONCE: Text = (
    "code: {code}  (shown this once: write it down, hand it over)",
    "密码：{code}（仅显示一次：请记下并交给本人）",
)
_DURESS_ONCE: Text = ("duress code: {code}", "胁迫密码：{code}")
_SIMPLE: Text = (
    "the code is too simple for a real panel: {why}",
    "密码过于简单，真实主机将拒绝：{why}",
)
_REVOKED: Text = ("user {id} is revoked", "用户 {id} 已删除")
_ABSENT: Text = ("there is no user {id}: nothing to do", "没有用户 {id}：无需操作")
_NO_USER: Text = ("there is no user {id}; known: {known}", "没有用户 {id}；已有：{known}")
_NONE: Text = (
    "this panel has no users yet; the first: fenghuo users set ID --name NAME --area AREA --level 3",
    "主机尚无用户；添加第一个：fenghuo users set ID --name 姓名 --area 区域 --level 3",
)
_NO_AREA: Text = (
    "--area {area}: not an area of {file}; expected {known}",
    "--area {area}：{file} 中无此区域；应为 {known}",
)
_ONE_OF: Text = (
    "give one of --generate, --card and --new-code; --duress goes with --generate",
    "--generate、--card、--new-code 只能用一个；--duress 须与 --generate 同用",
)
_GRANTED: Text = ("the installer may enter for {minutes:.0f} min", "已允许安装员在 {minutes:.0f} 分钟内操作")
_LEFT: Text = ("the installer's session is ended", "安装员操作已结束")
_STOPPED: Text = ("stopped; what stands now: fenghuo users list", "已停止；当前状态：fenghuo users list")

Config = Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")]
CodeStdin = Annotated[
    bool,
    typer.Option(
        "--code-stdin", help="Codes come as lines of standard input, in the order asked. 从标准输入逐行读取密码。"
    ),
]
UserId = Annotated[str, typer.Argument(metavar="ID", help="The user's id: a-z, 0-9, -. 用户编号。")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change. 仅显示将作的更改。")]
Generate = Annotated[bool, typer.Option("--generate", help="Make a code and show it once. 生成密码，仅显示一次。")]
Duress = Annotated[bool, typer.Option("--duress", help="With --generate: a duress code too. 同时生成胁迫密码。")]
Card = Annotated[
    str, typer.Option("--card", help="A card instead of codes: FACILITY,NUMBER, or as its reader names it. 卡号。")
]
DEFAULT_CONFIG = Path("panel.toml")


def main(argv: Sequence[str]) -> int:
    """Add, change, revoke and list users of a running panel. 管理运行中主机的用户。"""
    return run(app, argv, "fenghuo users")


@app.callback()
def _group() -> None:
    """Who may operate a running panel. 管理运行中主机的用户。

    Exit code 0: done, or so already. 1: the panel refused, or none answers. 2: not understood. 130: Ctrl-C.
    Example: fenghuo users set wang --name "Wang Li" --area hall --generate
    """


@dataclass(frozen=True)
class _Asked:
    """How the codes come, and how the result is told."""

    config: Path
    code_stdin: bool
    dry_run: bool
    as_json: bool
    generate: bool = False
    duress: bool = False
    card: str = ""


@app.command("set")
def set_user(
    user: UserId,
    name: Annotated[str, typer.Option("--name", help="The person's name. 姓名。")],
    area: Annotated[list[str], typer.Option("--area", help="May arm and disarm it; repeat. 可布撤防的区域，可重复。")],
    level: Annotated[
        int, typer.Option("--level", min=2, max=4, help="2 user, 3 installer, 4 maker. 2 用户，3 安装员，4 厂家。")
    ] = 2,
    right: Annotated[
        list[str] | None,
        typer.Option(
            "--right", help=f"May do it; repeat; all without one. 权限，可重复，默认全部。 {' '.join(RIGHTS)}"
        ),
    ] = None,
    first_day: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day on which the codes count, YYYY-MM-DD. 起始日期。")
    ] = "",
    last_day: Annotated[str, typer.Option("--until", metavar="DAY", help="Last such day. 截止日期。")] = "",
    once: Annotated[bool, typer.Option("--once", help="The code counts once. 一次性密码。")] = False,
    card: Card = "",
    generate: Generate = False,
    duress: Duress = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add a user, or set one anew with new codes. 添加用户，或以新密码重新设置。

    With --code-stdin: your own code (only when the panel has users), the new code, the duress code or nothing.
    Example: fenghuo users set wang --name "Wang Li" --area hall --area vault
    A cleaner: fenghuo users set qiu --name Qiu --area hall --right arm --right disarm --until 2026-12-31 --generate
    """
    how = _Asked(config, code_stdin, dry_run, as_json, generate, duress, card)
    with _told():
        loaded = load(config)
        _check_areas(loaded, area)
        # Arguments out of form are told before anyone has typed a code.
        wish = wished(
            id=user,
            name=name,
            level=level,
            areas=area,
            rights=right or None,
            first_day=first_day,
            last_day=last_day,
            once=once,
            new_card=card_named(card),
        )
        with connected(loaded) as technician:
            before = {row["id"]: row for row in known(technician)}
            _settle(_Change(loaded, technician, wish, how), before.get(user), bool(before))


@app.command("change")
def change_user(
    user: UserId,
    name: Annotated[str | None, typer.Option("--name", help="Another name. 姓名。")] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help="These areas from now on; repeat. 区域。")] = None,
    level: Annotated[int | None, typer.Option("--level", min=2, max=4, help="Another level. 级别。")] = None,
    right: Annotated[
        list[str] | None, typer.Option("--right", help="These rights from now on; repeat; `all`. 权限；all 为全部。")
    ] = None,
    first_day: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help='First day; "" none. 起始日期。')
    ] = None,
    last_day: Annotated[
        str | None, typer.Option("--until", metavar="DAY", help='Last day; "" none. 截止日期。')
    ] = None,
    once: Annotated[bool | None, typer.Option("--once/--no-once", help="The code counts once. 一次性密码。")] = None,
    new_code: Annotated[bool, typer.Option("--new-code", help="Ask for new codes. 设置新密码。")] = False,
    card: Card = "",
    generate: Generate = False,
    duress: Duress = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Change what is given of a user; his codes stay unless a new one is asked for. 变更用户，密码默认不变。

    With --code-stdin: your own code; with --new-code then the new code, and the duress code or nothing.
    Example: fenghuo users change wang --area hall --until 2027-03-31
    A lost code: fenghuo users change wang --generate
    """
    how = _Asked(config, code_stdin, dry_run, as_json, generate, duress, card)
    fresh = new_code or generate or bool(card)
    with _told():
        if new_code + generate + bool(card) > 1:
            raise codes.BadCode(pick(_ONE_OF))
        loaded = load(config)
        _check_areas(loaded, area or [])
        with connected(loaded) as technician:
            before = {row["id"]: row for row in known(technician)}
            if user not in before:
                raise NoAnswer(pick(_NO_USER, id=user, known=", ".join(before)))
            given = {
                "name": name,
                "level": level,
                "areas": area,
                "rights": right,
                "first_day": first_day,
                "last_day": last_day,
                "once": once,
            }
            row = {**before[user], **{key: value for key, value in given.items() if value is not None}}
            if right == ["all"]:
                row["rights"] = None
            del row["spent"]
            wish = wished(**row, keep=not fresh, new_card=card_named(card))
            _settle(_Change(loaded, technician, wish, how), before[user], True)


@app.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array. 输出 JSON 数组。")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show the users, without any secret. 列出用户，不显示密码。

    Example: fenghuo users list --json
    """
    with _told(), connected(load(config)) as technician:
        users = known(technician)
    if as_json:
        print(json.dumps(users, ensure_ascii=False, indent=2))
    elif not users:
        print(pick(_NONE))
    else:
        console().print(table(users))


@app.command("revoke")
def revoke_user(
    user: UserId,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Take a user away; asks for your own code. 删除用户，需输入您的密码。

    Example: fenghuo users revoke qiu
    """
    with _told(), connected(load(config)) as technician:
        if user not in [row["id"] for row in known(technician)]:
            _say(as_json, pick(_ABSENT, id=user), {"user": user, "act": "absent", "dry_run": dry_run})
            return
        if not dry_run:
            technician.ask(RemoveUser(id=user, code=_source(code_stdin).existing(codes.MANAGER)))
    done = _WOULD_REVOKE if dry_run else _REVOKED
    _say(as_json, pick(done, id=user), {"user": user, "act": "revoked", "dry_run": dry_run})


@app.command("grant")
def grant(as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG) -> None:
    """A user lets the installer in for a while, with the user's code; as `*90` at a keypad. 用户允许安装员操作。

    Example: fenghuo users grant
    """
    with _told(), connected(load(config)) as technician:
        answer = technician.ask(Session(act="grant", code=_source(code_stdin).existing(codes.USER)))
    for_ms = int(answer.detail.get("for_ms", 0))
    _say(as_json, pick(_GRANTED, minutes=for_ms / 60_000), {"act": "granted", "for_s": for_ms // 1000})


@app.command("leave")
def leave(as_json: AsJson = False, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG) -> None:
    """The installer is done: ends his session, with his code; as `*91` at a keypad. 安装员结束操作。

    Example: fenghuo users leave
    """
    with _told(), connected(load(config)) as technician:
        technician.ask(Session(act="leave", code=_source(code_stdin).existing(codes.MANAGER)))
    _say(as_json, pick(_LEFT), {"act": "left"})


@dataclass(frozen=True)
class _Change:
    """A user's change on its way to the panel."""

    loaded: Loaded
    technician: Technician
    wish: SetUser
    how: _Asked


def _settle(change: _Change, before: Row | None, staffed: bool) -> None:
    """Make the change, or say it. `staffed`: somebody's code is needed for it."""
    wish, how = change.wish, change.how
    if (how.generate and how.card) or (how.duress and not how.generate):
        raise codes.BadCode(pick(_ONE_OF))
    after = wish.model_dump(include={"id", "name", "level", "areas", "rights", "first_day", "last_day", "once"})
    what = in_words(before, after)
    act = "added" if before is None else "changed"
    told: dict[str, Any] = {"user": wish.id, "act": act, "dry_run": how.dry_run}
    if wish.keep and not what:
        _say(how.as_json, pick(_SAME, id=wish.id), {**told, "act": "same"})
    elif how.dry_run:
        text = _WOULD_ADD if before is None else _WOULD_CHANGE
        what = ", ".join(part for part in (what, "" if wish.keep else pick(_NEW_CODE)) if part)
        _say(how.as_json, pick(text, id=wish.id, what=what), {**told, "what": what})
    else:
        made, answer = _with_codes(change, staffed)
        _done(change, made, answer, told)


def _done(change: _Change, made: Mapping[str, str], answer: Answer, told: Mapping[str, Any]) -> None:
    lines = [pick(_SET, id=change.wish.id)]
    if "code" in made:
        lines.append(pick(_SHOWN_ONCE, code=made["code"]))
    if "duress_code" in made:
        lines.append(pick(_DURESS_ONCE, code=made["duress_code"]))
    _say(change.how.as_json, "\n".join(lines), {**told, **made})
    why = str(answer.detail.get("warning", ""))
    if why in REASONS:
        print(pick(_SIMPLE, why=pick(REASONS[why])), file=sys.stderr)


def _with_codes(change: _Change, staffed: bool) -> tuple[dict[str, str], Answer]:
    """Ask for codes and send it; what was made here, and the panel's answer."""
    how, wish, form = change.how, change.wish, codes.form_of(change.loaded.file)
    asked = _source(how.code_stdin)
    own = asked.existing(codes.MANAGER) if staffed else ""
    if how.generate:
        return _generated(change, form, own)
    if wish.keep or wish.new_card:
        return {}, change.technician.ask(wish.model_copy(update={"code": own}))
    code = asked.fresh(codes.NEW, form)
    duress = asked.fresh(codes.DURESS, form, optional=True)
    codes.different(code, duress)
    return {}, change.technician.ask(wish.model_copy(update={"new_code": code, "new_duress_code": duress, "code": own}))


def _generated(change: _Change, form: codes.Form, own: str) -> tuple[dict[str, str], Answer]:
    """Others where somebody has the first ones, or near ones, already."""
    for left in reversed(range(TRIES)):
        made = {"code": codes.generated(form)}
        if change.how.duress:
            made["duress_code"] = codes.generated(form, made["code"])
        update = {"new_code": made["code"], "new_duress_code": made.get("duress_code", ""), "code": own}
        try:
            return made, change.technician.ask(change.wish.model_copy(update=update))
        except Refused as no:
            if no.reason not in _NEAR or not left:
                raise
    raise AssertionError


def _source(code_stdin: bool) -> codes.Lines | codes.Keyboard:
    return codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()


def _say(as_json: bool, text: str, told: Mapping[str, Any]) -> None:
    print(json.dumps({"ok": True, **told}, ensure_ascii=False, indent=2) if as_json else text)


@contextmanager
def _told() -> Iterator[None]:
    """Turns what can go wrong into words and an exit code."""
    try:
        yield
    except (BadPanelFile, codes.BadCode, ValidationError) as error:
        print(mistakes(error) if isinstance(error, ValidationError) else error, file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    except NoAnswer as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED) from None
    except (KeyboardInterrupt, EOFError):
        print(f"\n{pick(_STOPPED)}", file=sys.stderr)
        raise typer.Exit(EXIT_STOPPED) from None


def _check_areas(loaded: Loaded, areas: Sequence[str]) -> None:
    there = [area.id for area in loaded.file.area]
    for area in areas:
        if area not in there:
            print(pick(_NO_AREA, area=area, file=loaded.path.name, known=", ".join(there)), file=sys.stderr)
            raise typer.Exit(EXIT_NOT_UNDERSTOOD)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
