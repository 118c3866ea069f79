"""`fenghuo remote HOST COMMAND…`, or `fenghuo --panel HOST COMMAND…`: the same command on a panel, over SSH.

This process becomes the system's ssh client: its keys, its checks of the host, its exit codes and Ctrl-C are ssh's own.
Who may log in is the panel's sshd to say; what he may there is said by his code, and by a user's grant.
"""

import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from firmware.language import Text, language, pick
from provisioning.terminal import run

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_FAILED = 1
EXIT_NOT_UNDERSTOOD = 2
FOLDER = "/data/fenghuo"
"""Where a panel's file lies in our image."""
OPTIONS: Mapping[str, str] = {
    "ConnectTimeout": "15",
    # A line that is lost ends the command, and with it a walk test, within 15 s.
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
}
_HOST = re.compile(r"(ssh://)?[A-Za-z0-9_@.:%\[\]/-]{1,255}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_BAD_HOST: Text = (
    "{host!r}: not a host; expected user@host, or ssh://user@host:port",
    "{host!r}：不是主机名；应为 user@host 或 ssh://user@host:port",
)
_BAD_WORD: Text = ("{word!r}: control characters can't be sent", "{word!r}：不可包含控制字符")
_LOCAL: Text = ("fenghuo {word} is for here, not for a panel", "fenghuo {word} 仅在本机使用")
_NO_SSH: Text = (
    "there is no ssh on this machine: apt install openssh-client",
    "没有 ssh：apt install openssh-client",
)
LOCAL = ("remote", "--panel", "flash", "completion", "demo", "desk", "simulate", "center")
"""Commands that make no sense on a panel."""


def main(argv: Sequence[str]) -> int:
    """Run a command on a panel over SSH. 通过 SSH 在主机上执行命令。"""
    return run(app, argv, "fenghuo remote")


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def remote(
    host: Annotated[str, typer.Argument(metavar="HOST", help="user@host or ssh://user@host:port. 主机。")],
    words: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="As it is typed on the panel. 命令。")],
    ssh_config: Annotated[
        Path | None, typer.Option("--ssh-config", "-F", help="ssh's own configuration file. ssh 配置文件。")
    ] = None,
    folder: Annotated[str, typer.Option("--folder", help="Where panel.toml lies there. 远端配置文件目录。")] = FOLDER,
    program: Annotated[str, typer.Option("--program", help="The command there. 远端程序。")] = "fenghuo",
) -> None:
    """Run a command on a panel over SSH; files that it names are the panel's. 通过 SSH 在主机上执行命令。

    Codes are asked for at the terminal, or come with --code-stdin; no secret stands in an argument.
    The exit code is the command's; 255: ssh could not connect.
    Example: fenghuo remote root@192.0.2.7 doctor --json
    Example: fenghuo --panel root@192.0.2.7 walk-test
    """
    line = ssh(host, words, Shell(ssh_config, folder, program), sys.stdin.isatty() and sys.stdout.isatty())
    if which(line[0]) is None:
        _fail(pick(_NO_SSH), EXIT_FAILED)
    sys.stdout.flush()
    os.execvp(line[0], line)  # noqa: S606 - no shell here; the far one gets quoted words


class Shell:
    """How the far side is called."""

    def __init__(self, config: Path | None = None, folder: str = FOLDER, program: str = "fenghuo") -> None:
        self.config = config
        self.folder = folder
        self.program = program


def ssh(host: str, words: Sequence[str], shell: Shell, terminal: bool) -> list[str]:
    """The line that is run here. `terminal`: a person sits at both ends. Exits 2 for what can't be sent."""
    if not _HOST.match(host) or host.startswith("-"):
        _fail(pick(_BAD_HOST, host=host), EXIT_NOT_UNDERSTOOD)
    if words[0] in LOCAL:
        _fail(pick(_LOCAL, word=words[0]), EXIT_NOT_UNDERSTOOD)
    for word in (*words, shell.folder, shell.program):
        if _CONTROL.search(word):
            _fail(pick(_BAD_WORD, word=word), EXIT_NOT_UNDERSTOOD)
    call = shlex.join(["env", f"FENGHUO_LANG={language()}", shell.program, *words])
    far = f"cd {shlex.quote(shell.folder)} && exec {call}"
    options = [word for name, value in OPTIONS.items() for word in ("-o", f"{name}={value}")]
    config = ["-F", str(shell.config)] if shell.config else []
    return ["ssh", *config, *options, "-t" if terminal else "-T", "--", host, far]


def _fail(why: str, code: int) -> None:
    print(why, file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
