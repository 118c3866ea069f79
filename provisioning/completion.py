"""`fenghuo completion bash|zsh|fish`: completes commands, options, choices and names of the site at a shell.

The script that it prints asks `fenghuo completion words` for what fits; where nothing does, the shell completes files.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from enum import EnumMeta
from importlib import import_module
from typing import Any, get_args

import typer

from firmware.cli import commands
from firmware.language import Text, pick
from provisioning import completion_names

EXIT_NOT_UNDERSTOOD = 2

SCRIPTS: Mapping[str, str] = {
    "bash": """_fenghuo() {
    local IFS=$'\\n'
    COMPREPLY=($(fenghuo completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _fenghuo fenghuo
""",
    "zsh": """#compdef fenghuo
_fenghuo() {
    local -a found
    found=("${(@f)$(fenghuo completion words -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    [[ -n "${found[1]}" ]] && compadd -a found || _files
}
compdef _fenghuo fenghuo
""",
    "fish": """function __fenghuo
    set -l found (fenghuo completion words -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
    test -n "$found"; and printf '%s\\n' $found; or __fish_complete_path (commandline -ct)
end
complete -c fenghuo -f -a '(__fenghuo)'
""",
}
_USAGE: Text = (
    "Usage: fenghuo completion bash|zsh|fish\nFor bash: fenghuo completion bash >> ~/.bashrc",
    "用法：fenghuo completion bash|zsh|fish\nbash：fenghuo completion bash >> ~/.bashrc",
)


def main(argv: Sequence[str]) -> int:
    """Print a script for completion at a shell. 输出命令补全脚本。"""
    match list(argv):
        case ["-h" | "--help"]:
            print(pick(_USAGE))
        case [shell] if shell in SCRIPTS:
            print(SCRIPTS[shell], end="")
        case ["words", "--", *words]:
            print("\n".join(fitting(words)))
        case _:
            print(pick(_USAGE), file=sys.stderr)
            return EXIT_NOT_UNDERSTOOD
    return 0


def fitting(words: Sequence[str]) -> list[str]:
    """What may stand in place of the last word, which may be empty."""
    *before, last = words or [""]
    if before[:1] == ["--panel"]:
        # The command stands behind the host, which ssh knows and we do not.
        return fitting([*before[2:], last]) if len(before) > 1 else []
    if not before:
        found: Iterator[str] = iter([*commands(), "--panel"])
    else:
        found = _of_command(before, last)
    return sorted({word for word in found if word.startswith(last)})


def _of_command(before: Sequence[str], last: str) -> Iterator[str]:
    here = _command(before[0])
    for word in before[1:]:
        here = getattr(here, "commands", {}).get(word, here)
    if here is None:
        return
    options = [param for param in here.params if any(name.startswith("-") for name in param.opts)]
    taking = next((option for option in options if before[-1] in option.opts and not option.is_flag), None)
    if taking is not None:
        yield from _choices(taking) or completion_names.of_option(before[-1], before)
    elif last.startswith("-"):
        yield from (name for option in options for name in option.opts)
        yield "--help"
    else:
        yield from getattr(here, "commands", {}) or completion_names.of_argument(before)


def _command(name: str) -> Any:
    """The typer command behind a name; None for those that are none, and those that lack a package here."""
    point = commands().get(name)
    if point is None:
        return None
    try:
        app = getattr(import_module(point.module), "app", None)
    except ImportError:
        return None
    return typer.main.get_command(app) if isinstance(app, typer.Typer) else None


def _choices(option: Any) -> list[str]:
    """The words of an option with a choice, as the typer of this machine keeps them: it has changed that before."""
    known = getattr(getattr(option, "type", None), "choices", ())
    annotation = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    if isinstance(annotation, EnumMeta):
        known = [member.value for member in annotation]  # type: ignore[var-annotated]
    return [str(choice) for choice in known or get_args(annotation) if isinstance(choice, str)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
