"""The root of the command line: finds a command by its name and hands over the remaining words.

Each room brings its commands through the entry-point group `fenghuo.commands`; one is imported only when it is called,
and to list them their sources are read, not run.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, distribution, entry_points
from io import TextIOWrapper

from firmware.language import Text, pick
from firmware.version import VERSION

GROUP = "fenghuo.commands"
_DISTRIBUTION = "fenghuo"
_ROOMS = ("rules", "drivers", "firmware", "provisioning", "hil")

_USAGE: Text = ("Usage: fenghuo [--panel USER@HOST] COMMAND ...", "用法：fenghuo [--panel 用户@主机] 命令 ...")
_ABOUT: Text = ("Fenghuo, an alarm panel. Commands:", "烽火报警主机。命令：")
_MORE: Text = ("fenghuo COMMAND --help tells more.", "fenghuo 命令 --help 查看详情。")
_UNKNOWN: Text = ("fenghuo: there is no command {word}", "fenghuo：没有命令 {word}")
_MEANT: Text = ("Did you mean {close}?", "是否要用 {close}?")
_LISTED: Text = ("Commands: {names}", "命令：{names}")
_MISSING: Text = (
    "fenghuo {name} needs the Python module {module}: pip install 'fenghuo[desk]'",
    "fenghuo {name} 需要 Python 模块 {module}:pip install 'fenghuo[desk]'",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit code: 0 done, 1 failed, 2 not understood, 130 interrupted, 141 unread."""
    _never_fail_to_print()
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"fenghuo {VERSION}")
        return 0
    if words[0] == "--panel":
        words[0] = "remote"
    command = _find(words[0])
    if command is None:
        print(_unknown(words[0]), file=sys.stderr)
        return 2
    return _call(command, words[1:])


def _call(command: EntryPoint, words: list[str]) -> int:
    try:
        code = command.load()(words)
        sys.stdout.flush()
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in _ROOMS:
            raise
        print(pick(_MISSING, name=command.name, module=error.name), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `fenghuo ... | head`: nobody reads on; Python must not complain about it while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return int(code or 0)


def _never_fail_to_print() -> None:
    """A terminal that can't show a character gets an escape for it, not a traceback."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _find(name: str) -> EntryPoint | None:
    """Our own distribution first: looking through all that is installed costs a start-up of core more."""
    try:
        own = distribution(_DISTRIBUTION).entry_points.select(group=GROUP, name=name)
        if found := next(iter(own), None):
            return found
    except PackageNotFoundError:
        pass
    return commands().get(name)


def commands() -> Mapping[str, EntryPoint]:
    """All commands by name, in order."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def _help() -> str:
    from firmware.synopsis import synopsis

    rows = [f"  {name:10} {synopsis(point.value)}" for name, point in commands().items()]
    return "\n".join((pick(_USAGE), "", pick(_ABOUT), *rows, "", pick(_MORE)))


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    names = list(commands())
    close = get_close_matches(word[:40], names, n=1, cutoff=0.5)
    hint = pick(_MEANT, close=f"fenghuo {close[0]}") if close else pick(_LISTED, names=", ".join(names))
    return f"{pick(_UNKNOWN, word=repr(word[:40]))}\n{hint}"


if __name__ == "__main__":
    sys.exit(main())
