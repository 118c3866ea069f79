"""The users of a panel as a technician may see them: rows without any secret, a table, and what a change changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text as Styled

from firmware.language import Text, pick
from firmware.protocol.messages import AskStatus
from provisioning.technician import Technician

Row = dict[str, Any]

_HEADS: Mapping[str, Text] = {
    "id": ("id", "编号"),
    "name": ("name", "姓名"),
    "level": ("level", "级别"),
    "areas": ("areas", "区域"),
    "rights": ("rights", "权限"),
    "days": ("days", "有效期"),
    "once": ("once", "一次性"),
}
_ALL: Text = ("all", "全部")
_ONCE: Text = ("once", "一次")
_SPENT: Text = ("used up", "已使用")
_NOTHING: Text = ("none", "无")
SHOWN = ("name", "level", "areas", "rights", "first_day", "last_day", "once", "spent")
"""What may be shown of a user, whatever core sends."""


def known(technician: Technician) -> list[Row]:
    """The panel's users; only what may be shown, whatever core sends."""
    users = technician.ask(AskStatus()).detail.get("users")
    rows = users if isinstance(users, dict) else {}
    return [
        {"id": str(id_), **{name: row.get(name) for name in SHOWN}}
        for id_, row in rows.items()
        if isinstance(row, dict)
    ]


def table(users: Sequence[Row]) -> Table:
    """One row each."""
    drawn = Table()
    for head in _HEADS.values():
        drawn.add_column(pick(head), overflow="fold")
    for user in users:
        drawn.add_row(*(Styled(cell) for cell in _cells(user).values()))
    return drawn


def in_words(before: Row | None, after: Row) -> str:
    """What is set, or what becomes of what; empty where nothing changes."""
    new = _cells(after)
    if before is None:
        return ", ".join(f"{pick(_HEADS[name])} {cell}" for name, cell in new.items() if cell and name != "id")
    old = _cells(before)
    return ", ".join(
        f"{pick(_HEADS[name])} {old[name] or pick(_NOTHING)} → {cell or pick(_NOTHING)}"
        for name, cell in new.items()
        if old[name] != cell
    )


def _cells(user: Row) -> dict[str, str]:
    return {
        "id": str(user["id"]),
        "name": str(user["name"]),
        "level": str(user["level"]),
        "areas": _list(user["areas"]),
        "rights": pick(_ALL) if user["rights"] is None else _list(user["rights"]),
        "days": _days(user),
        "once": pick(_SPENT) if user.get("spent") else pick(_ONCE) if user["once"] else "",
    }


def _list(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else ""


def _days(user: Row) -> str:
    first, last = user["first_day"] or "", user["last_day"] or ""
    return f"{first} … {last}".strip() if first or last else ""
