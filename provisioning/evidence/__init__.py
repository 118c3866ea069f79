"""`fenghuo evidence`: the pictures of alarms, and how well the person models do on pictures of one's own.

One module for each command. What is heavy (numpy, the models' runtime) is imported when its command runs.
"""

from collections.abc import Sequence

import typer

from provisioning.evidence.evaluate import evaluate
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
    """Pictures of alarms. 报警图像。"""


app.command("evaluate")(evaluate)
