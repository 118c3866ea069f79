"""`fenghuo simulate`: years of panel life under a virtual clock, watched by an oracle."""

import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.language import pick
from hil.life import texts
from provisioning.terminal import run

if TYPE_CHECKING:
    from hil.life.life import Makers, Terms
    from hil.life.report import Report

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

MAX_JOBS = 256


def main(argv: Sequence[str]) -> int:
    """Live years of a simulated site, and look for broken promises. 模拟多年运行并检查规则。"""
    return run(app, argv, "fenghuo simulate")


@app.command()
def simulate(
    site: Annotated[
        str, typer.Option(help="bank, warehouse, school, crowded, or a panel file. 内置站点或配置文件。")
    ] = "crowded",
    years: Annotated[float | None, typer.Option(help="How many, in lives of a year each. 年数。", min=0.001)] = None,
    seed: Annotated[int, typer.Option(help="One seed, one life. 随机种子。", min=0)] = 1,
    jobs: Annotated[int, typer.Option(help="Processes. 进程数。", min=1, max=MAX_JOBS)] = 1,
    days: Annotated[int, typer.Option(help="How long each life is. 每段生命的天数。", min=1, max=365)] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")] = False,
    again: Annotated[
        bool, typer.Option("--replay", help="Show the life step by step around its first violation. 逐步重放。")
    ] = False,
    until_violation: Annotated[
        bool, typer.Option("--until-violation", help="End with the first violation. 发现违反即停止。")
    ] = False,
) -> None:
    """Simulate years of a panel's life. 模拟主机多年的运行。

    Exit code 0: no violation. 1: violations. 2: not understood. Ctrl-C shows what was found so far.
    Example: fenghuo simulate --site docs/examples/bank.toml --years 3 --seed 7 --jobs 2
    """
    # Here, not above: `--help` must not load the whole panel.
    from hil.life.life import Terms, derived_seed
    from hil.life.report import Report
    from hil.life.sites import NoSuchSite, ground

    if again and as_json:
        print(pick(texts.NOT_JSON), file=sys.stderr)
        raise typer.Exit(2)
    try:
        place = ground(site)
    except NoSuchSite as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    report = Report(site, days)
    if again:
        raise typer.Exit(show_again(Terms(place, seed, days, until_violation=True), report))
    lives = 1 if years is None else max(1, round(years * 365 / days))
    every = [Terms(place, derived_seed(seed, n), days, until_violation=until_violation) for n in range(lives)]
    report.jobs = min(jobs, lives)
    raise typer.Exit(live_through(every, report, as_json))


def live_through(
    every: "Sequence[Terms]", report: "Report", as_json: bool = False, makers: "Makers | None" = None
) -> int:
    """Live all of them in `report.jobs` processes and print what they come to; the exit code."""
    from hil.life.lives import live_all

    began = time.monotonic()
    progress = _Progress(len(every), report)
    interrupted = False
    try:
        for outcome in live_all(every, report.jobs, progress.lived, makers):
            report.outcomes.append(outcome)
            interrupted = interrupted or outcome.ended_early
            if outcome.findings and every[0].until_violation:
                break
    except KeyboardInterrupt:
        interrupted = True
    report.seconds = time.monotonic() - began
    progress.clear()
    if interrupted:
        print(pick(texts.STOPPED), file=sys.stderr)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        for line in report.lines():
            print(line)
    return 1 if report.findings else 0


class _Progress:
    """One line on a terminal, written over and over; nothing where nobody looks."""

    def __init__(self, lives: int, report: "Report") -> None:
        self._lives = lives
        self._report = report
        self._days = 0
        self._shown = 0.0
        self._looked_at = sys.stderr.isatty()

    def lived(self, days: int) -> None:
        """So many days more."""
        self._days += days
        if self._looked_at and time.monotonic() - self._shown > 0.2:
            self._shown = time.monotonic()
            known = {"done": len(self._report.outcomes), "lives": self._lives, "years": f"{self._days / 365:.2f}"}
            print(f"\r\x1b[K{pick(texts.PROGRESS, found=len(self._report.findings), **known)}", end="", file=sys.stderr)

    def clear(self) -> None:
        """The line goes."""
        if self._looked_at:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def show_again(terms: "Terms", report: "Report", makers: "Makers | None" = None) -> int:
    """Live it once more and print its last steps; the exit code."""
    from hil.life.lives import default_makers, quiet
    from hil.life.replay import replay

    quiet()
    print(pick(texts.REPLAYING, seed=terms.seed, site=report.site))
    outcome, lines = replay(terms, makers or default_makers())
    if not outcome.findings:
        print(pick(texts.CLEAN, days=terms.days))
    for line in lines:
        print(line)
    for finding in outcome.findings:
        for line in report.finding(outcome, finding, last=False):
            print(line)
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
