"""`fenghuo users`: who may operate the panel, over the technician's socket of a running one.

Codes are asked for without echo and shown nowhere. The first user of a panel needs no code of a manager; every later
change does. Who may change whom, and which codes are too simple, is the panel's to say (docs/protocol.md).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from pydantic import ValidationError
from rich.table import Table
from rich.text import Text as Styled

from drivers.osdp.cards import printed_26
from firmware.config import BadPanelFile, Loaded, load
from firmware.core.trivial import REASONS
from firmware.language import Text, pick
from firmware.protocol.messages import AskStatus, RemoveUser, RightName, SetUser
from provisioning import codes
from provisioning.technician import NoAnswer, Technician, connected
from provisioning.terminal import console, run

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_REFUSED = 1
EXIT_NOT_UNDERSTOOD = 2

_SET: Text = ("user {id} is set", "用户 {id} 已设置")
_SIMPLE: Text = (
    "the code is too simple for a real panel: {why}",
    "密码过于简单，真实主机将拒绝：{why}",
)
_REMOVED: Text = ("user {id} is removed", "用户 {id} 已删除")
_NONE: Text = (
    "this panel has no users yet; the first: fenghuo users set ID --name NAME --area AREA --level 3",
    "主机尚无用户；添加第一个：fenghuo users set ID --name 姓名 --area 区域 --level 3",
)
_NO_AREA: Text = (
    "--area {area}: not an area of {file}; expected {known}",
    "--area {area}：{file} 中无此区域；应为 {known}",
)
_WRONG: Text = ("{what}: not usable; expected {expected}", "{what}：无效；应为 {expected}")
RIGHTS: tuple[str, ...] = get_args(RightName)
_DAY: Text = ("a day as 2026-12-31", "日期，如 2026-12-31")
_EXPECTED: dict[str, Text] = {
    "id": ("1 to 32 of a-z, 0-9 and -, not beginning with -", "1 至 32 个字符：a-z、0-9 和 -，不以 - 开头"),
    "name": ("at most 64 characters", "至多 64 个字符"),
    "new_card": (
        "123,45678 (26 bits), wiegand-BITS-HEX, raw-BITS-HEX or text-NUMBER",
        "123,45678(26 位)、wiegand-位数-十六进制、raw-位数-十六进制 或 text-卡号",
    ),
    "areas": ("1 to 64 areas", "1 至 64 个区域"),
    "rights": (f"some of {', '.join(RIGHTS)}", f"{'、'.join(RIGHTS)} 中的若干项"),
    "once": ("level 2: an installer's first act would spend it", "2级用户：安装员的首次操作即会用掉该密码"),
    "first_day": _DAY,
    "last_day": _DAY,
}
_OPTIONS = {
    "new_card": "--card",
    "areas": "--area",
    "rights": "--right",
    "first_day": "--from",
    "last_day": "--until",
    "once": "--once",
}
_HEADS: tuple[Text, ...] = (
    ("id", "编号"),
    ("name", "姓名"),
    ("level", "级别"),
    ("areas", "区域"),
    ("rights", "权限"),
    ("days", "有效期"),
    ("once", "一次性"),
)
_ALL: Text = ("all", "全部")
_ONCE: Text = ("once", "一次")
_SPENT: Text = ("used up", "已使用")
_SHOWN = ("name", "level", "areas", "rights", "first_day", "last_day", "once", "spent")
"""What may be shown of a user, whatever core sends."""

Config = Annotated[Path, typer.Option("--config", help="The panel file. 配置文件。")]
CodeStdin = Annotated[
    bool,
    typer.Option(
        "--code-stdin", help="Codes come as lines of standard input, in the order asked. 从标准输入逐行读取密码。"
    ),
]
UserId = Annotated[str, typer.Argument(metavar="ID", help="The user's id: a-z, 0-9, -. 用户编号。")]
DEFAULT_CONFIG = Path("panel.toml")


def main(argv: Sequence[str]) -> int:
    """Add, list and remove users of a running panel. 管理运行中主机的用户。"""
    return run(app, argv, "fenghuo users")


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
    card: Annotated[
        str, typer.Option("--card", help="A card instead of codes: FACILITY,NUMBER, or as its reader names it. 卡号。")
    ] = "",
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Add a user, or change one: asks for the codes. 添加或变更用户，并询问密码。

    With --code-stdin: your own code (only when the panel has users), the new code, the duress code or nothing.
    Example: fenghuo users set wang --name "Wang Li" --area hall --area vault
    A cleaner: fenghuo users set qiu --name Qiu --area hall --right arm --right disarm --until 2026-12-31
    """
    with _told():
        loaded = load(config)
        _check_areas(loaded, area)
        # Arguments out of form are told before anyone has typed a code.
        wish = _wish(
            id=user,
            name=name,
            level=level,
            areas=area,
            rights=right or None,
            first_day=first_day,
            last_day=last_day,
            once=once,
            new_card=_card(card),
        )
        panel = loaded.file.panel
        form = codes.Form(panel.pin_digits, panel.pins == "simulated")
        with connected(loaded) as technician:
            asked = codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()
            own = asked.existing(codes.MANAGER) if _users(technician) else ""
            code = "" if card else asked.fresh(codes.NEW, form)
            duress = "" if card else asked.fresh(codes.DURESS, form, optional=True)
            if not card:
                codes.different(code, duress)
            update = {"new_code": code, "new_duress_code": duress, "code": own}
            answer = technician.ask(wish.model_copy(update=update))
    print(pick(_SET, id=user))
    why = str(answer.detail.get("warning", ""))
    if why in REASONS:
        print(pick(_SIMPLE, why=pick(REASONS[why])), file=sys.stderr)


def _wish(**members: object) -> SetUser:
    """What is wished for, still without codes. Raises `ValidationError`."""
    return SetUser.model_validate(members)


def _card(text: str) -> str:
    """A card as its reader names it; from the two numbers printed on it where it is of 26 bits.

    A wrong one is left as it is, and refused by the message.
    """
    facility, comma, number = text.partition(",")
    if comma and facility.strip().isdecimal() and number.strip().isdecimal():
        with suppress(ValueError):
            return printed_26(int(facility), int(number))
    return text


@app.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array. 输出 JSON 数组。")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Show the users, without any secret. 列出用户，不显示密码。"""
    with _told(), connected(load(config)) as technician:
        users = _users(technician)
    if as_json:
        print(json.dumps(users, ensure_ascii=False, indent=2))
    elif not users:
        print(pick(_NONE))
    else:
        _show(users)


@app.command("remove")
def remove_user(user: UserId, code_stdin: CodeStdin = False, config: Config = DEFAULT_CONFIG) -> None:
    """Remove a user: asks for your own code. 删除用户，需输入您的密码。"""
    with _told(), connected(load(config)) as technician:
        asked = codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()
        technician.ask(RemoveUser(id=user, code=asked.existing(codes.MANAGER)))
    print(pick(_REMOVED, id=user))


@contextmanager
def _told() -> Iterator[None]:
    """Turns what can go wrong into words and an exit code."""
    try:
        yield
    except (BadPanelFile, codes.BadCode, ValidationError) as error:
        print(_say(error) if isinstance(error, ValidationError) else error, file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    except NoAnswer as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED) from None


def _say(error: ValidationError) -> str:
    """Which argument, never its value: it may be a code."""
    names = dict.fromkeys(str(item["loc"][0]) for item in error.errors(include_input=False, include_url=False))
    other: Text = ("another value", "其他值")
    return "\n".join(
        pick(_WRONG, what=_OPTIONS.get(name, name), expected=pick(_EXPECTED.get(name, other))) for name in names
    )


def _check_areas(loaded: Loaded, areas: Sequence[str]) -> None:
    known = [area.id for area in loaded.file.area]
    for area in areas:
        if area not in known:
            print(pick(_NO_AREA, area=area, file=loaded.path.name, known=", ".join(known)), file=sys.stderr)
            raise typer.Exit(EXIT_NOT_UNDERSTOOD)


def _users(technician: Technician) -> list[dict[str, Any]]:
    """Only what may be shown, whatever core sends."""
    users = technician.ask(AskStatus()).detail.get("users")
    rows = users if isinstance(users, dict) else {}
    return [
        {"id": str(id_), **{name: row.get(name) for name in _SHOWN}}
        for id_, row in rows.items()
        if isinstance(row, dict)
    ]


def _show(users: Sequence[dict[str, Any]]) -> None:
    table = Table()
    for head in _HEADS:
        table.add_column(pick(head), overflow="fold")
    for user in users:
        cells = (
            user["id"],
            user["name"],
            user["level"],
            _list(user["areas"]),
            pick(_ALL) if user["rights"] is None else _list(user["rights"]),
            _days(user),
            pick(_SPENT) if user["spent"] else pick(_ONCE) if user["once"] else "",
        )
        table.add_row(*(Styled(str(cell)) for cell in cells))
    console().print(table)


def _list(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else ""


def _days(user: dict[str, Any]) -> str:
    first, last = user["first_day"] or "", user["last_day"] or ""
    return f"{first} … {last}".strip() if first or last else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
