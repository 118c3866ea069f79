"""What the commands about events share: their words on the command line, and asking the running panel."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel, ValidationError

from firmware.language import Text, pick
from firmware.protocol.messages import Answer
from provisioning.evidence.events import Shelf
from provisioning.journal_source import BadUse
from provisioning.technician import NoAnswer, Technician, connected

EXIT_FINDINGS = 1
EXIT_USE = 2

EventWord = Annotated[
    str, typer.Argument(metavar="EVENT", help="Number of the incident, as 7 or 8f14e45f:7. 警情编号。")
]
Place = Annotated[
    Path | None, typer.Option("--data", help="A data folder instead of a running panel's. 数据目录。", metavar="DIR")
]
Config = Annotated[Path | None, typer.Option("--config", help="The panel file. 配置文件。")]
By = Annotated[str, typer.Option("--by", help="Who you are; it is recorded. 操作人姓名，将被记录。", metavar="NAME")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is recorded. 事由，将被记录。")]

NOT_RECORDED: Text = (
    "no panel runs here: this is not recorded anywhere",
    "此处无运行中的主机：本次操作未被记录",
)
NEEDS_PANEL: Text = (
    "it has to be recorded: run it where the panel runs, with --config panel.toml",
    "此操作必须被记录：请在运行中的主机上执行，并给出 --config panel.toml",
)
BAD_NAME: Text = ("--by or --reason: {why}", "--by 或 --reason：{why}")


@contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong is said in words. Ends with 2 for what can't be understood or read, 1 where the panel says no."""
    try:
        yield
    except BadUse as bad:
        print(bad, file=sys.stderr)
        raise typer.Exit(EXIT_USE) from None
    except NoAnswer as none:
        print(none, file=sys.stderr)
        raise typer.Exit(EXIT_FINDINGS) from None
    except OSError as error:
        print(f"{error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        raise typer.Exit(EXIT_USE) from None


def shelf_of(data: Path | None, config: Path | None) -> Shelf:
    """Journals and pictures that the options name; `panel.toml` here where none is given. Raises `BadUse`."""
    return Shelf.of(data, config or (None if data else Path("panel.toml")))


@contextmanager
def panel_of(shelf: Shelf) -> Iterator[Technician]:
    """The running panel. Raises `BadUse` where none runs, `NoAnswer` where it can't be asked."""
    loaded = shelf.source.loaded
    if loaded is None or not shelf.source.running:
        raise BadUse(pick(NEEDS_PANEL))
    with connected(loaded) as technician:
        yield technician


def ask(technician: Technician, model: type[BaseModel], **members: object) -> Answer:
    """Ask the panel. Raises `BadUse` for what it would not even read, `NoAnswer` where it says no."""
    try:
        question = model.model_validate(members)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadUse(pick(BAD_NAME, why=f"{'.'.join(map(str, first['loc']))}: {first['msg']}")) from None
    return technician.ask(question)
