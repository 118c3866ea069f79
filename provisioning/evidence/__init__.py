"""`fenghuo evidence`: the pictures of alarms, from the list to a bundle, and how well the models do on one's own.

One module for each command. What is heavy (numpy, the models' runtime) is imported when its command runs.
"""

from collections.abc import Sequence

import typer

from provisioning.evidence.evaluate import evaluate
from provisioning.evidence.exporting import export
from provisioning.evidence.holding import hold, release
from provisioning.evidence.listing import list_events, show
from provisioning.evidence.verifying import verify, verify_bundle
from provisioning.terminal import run

app = typer.Typer(add_completion=False, no_args_is_help=True)


def main(argv: Sequence[str]) -> int:
    """Pictures of alarms, and the person models. 报警图像与人员识别模型。"""
    try:
        return run(app, argv, "fenghuo evidence")
    except BrokenPipeError:
        return 0


@app.callback()
def _evidence() -> None:
    """Pictures of alarms. 报警图像。

    Exit code 0: done, or sound. 1: findings, or the panel refused. 2: not understood, or can't be read.
    """


app.command("list")(list_events)
app.command("show")(show)
app.command("verify")(verify)
app.command("export")(export)
app.command("verify-bundle")(verify_bundle)
app.command("hold")(hold)
app.command("release")(release)
app.command("evaluate")(evaluate)
