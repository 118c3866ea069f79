"""`python -m hil.rigs.bench check|plan|prove`: a bench's file, its wiring plan, and its wires."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from firmware.language import Text, pick
from hil.rigs.bench.boards import Boards
from hil.rigs.bench.check import self_check
from hil.rigs.bench.file import BadBench, Bench, read_bench
from hil.rigs.bench.plan import plan_svg
from hil.rigs.bench.power import socket_of
from hil.rigs.bench.ssh_panel import SshPanel
from hil.rigs.protocol import RigFault
from provisioning.terminal import run

app = typer.Typer(add_completion=False, no_args_is_help=True)

EXIT_FAULTS, EXIT_MISTAKES = 1, 2
File = Annotated[Path, typer.Argument(help="bench.toml. 试验台文件。", metavar="FILE")]

_FINE: Text = (
    "{file}: {relays} relays, {senses} inputs, {boards} boards",
    "{file}：{relays} 个继电器，{senses} 个输入，{boards} 块板",
)
_PROVEN: Text = ("all {count} wires carry, each alone", "全部 {count} 条线均单独导通")


def main(argv: Sequence[str]) -> int:
    """The bench. 试验台。"""
    return run(app, argv, "python -m hil.rigs.bench")


def _read(file: Path) -> Bench:
    try:
        return read_bench(file)
    except BadBench as bad:
        print(bad, file=sys.stderr)
        raise typer.Exit(EXIT_MISTAKES) from None


@app.command()
def check(file: File) -> None:
    """Find every mistake of a bench file. 检查试验台文件。

    Exit code 0: fine. 2: mistakes. Example: python -m hil.rigs.bench check docs/examples/bench.toml
    """
    bench = _read(file)
    counts = {"relays": len(bench.relay), "senses": len(bench.sense), "boards": len(bench.board)}
    print(pick(_FINE, file=file.name, **counts))


@app.command()
def plan(
    file: File, out: Annotated[Path | None, typer.Option("--out", help="Where to; else printed. 输出文件。")] = None
) -> None:
    """Draw the wiring plan as SVG. 绘制接线图（SVG）。

    Example: python -m hil.rigs.bench plan docs/examples/bench.toml --out bench.svg
    """
    svg = plan_svg(_read(file))
    if out is None:
        print(svg)
    else:
        out.write_text(svg + "\n", encoding="utf-8")


@app.command()
def prove(file: File) -> None:
    """Prove each wire of a bench; its panel's services are stopped for it. 逐线验证试验台。

    Exit code 0: all carry. 1: some do not, each named. 2: mistakes in the file.
    """
    bench = _read(file)
    panel = SshPanel(bench)
    try:
        with Boards(bench.board) as boards:
            socket_of(bench, boards).switch(True)
            faults = [str(fault) for fault in self_check(bench, boards, panel)]
    except RigFault as broken:
        faults = [str(broken)]
    finally:
        panel.went_dark()
    for said in faults:
        print(said, file=sys.stderr)
    if faults:
        raise typer.Exit(EXIT_FAULTS)
    print(pick(_PROVEN, count=len(bench.relay) + len(bench.sense)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
