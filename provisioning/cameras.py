"""`fenghuo cameras`: what a technician does to the cameras of a running panel, over its technician's socket.

`relearn` says that a camera now sees what it should: the one way by which its reference changes, so it takes the code
of an installer and is recorded.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from firmware.config import BadPanelFile, load
from firmware.language import Text, pick
from firmware.protocol.messages import RelearnCamera
from provisioning import codes
from provisioning.technician import NoAnswer, connected
from provisioning.terminal import run
from provisioning.users import DEFAULT_CONFIG, EXIT_NOT_UNDERSTOOD, EXIT_REFUSED, CodeStdin, Config

app = typer.Typer(add_completion=False, no_args_is_help=True)

_LEARNS: Text = (
    "camera {id} learns what it sees now: about a minute of quiet pictures, by light",
    "摄像机 {id} 正在重新学习画面：约需一分钟有光照的静止画面",
)
_NO_CAMERA: Text = (
    "{id}: not a camera of {file}; expected {known}",
    "{id}：{file} 中无此摄像机；应为 {known}",
)


def main(argv: Sequence[str]) -> int:
    """Cameras of a running panel. 运行中主机的摄像机。"""
    return run(app, argv, "fenghuo cameras")


@app.callback()
def _group() -> None:
    """Cameras of a running panel. 运行中主机的摄像机。

    Exit code 0: done. 1: the panel refused, or none answers. 2: not understood.
    """


@app.command()
def relearn(
    camera: Annotated[str, typer.Argument(metavar="ID", help="The camera's id. 摄像机编号。")],
    code_stdin: CodeStdin = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Say that a camera now sees what it should: asks for an installer's code. 重新学习画面，需安装员密码。

    Its standing tampers end, and it compares with what it sees from now on. Example: fenghuo cameras relearn lobby
    """
    try:
        _relearn(camera, code_stdin, config)
    except (BadPanelFile, codes.BadCode) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD) from None
    except NoAnswer as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_REFUSED) from None
    print(pick(_LEARNS, id=camera))


def _relearn(camera: str, code_stdin: bool, config: Path) -> None:
    loaded = load(config)
    known = [row.id for row in loaded.file.camera]
    if camera not in known:
        print(pick(_NO_CAMERA, id=camera, file=loaded.path.name, known=", ".join(known) or "–"), file=sys.stderr)
        raise typer.Exit(EXIT_NOT_UNDERSTOOD)
    with connected(loaded) as technician:
        asked = codes.Lines(sys.stdin) if code_stdin else codes.Keyboard()
        technician.ask(RelearnCamera(camera=camera, code=asked.existing(codes.MANAGER)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
