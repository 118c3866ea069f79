"""`fenghuo accept`: the completion acceptance of a site, the report of its trial run, and the check of both.

One module for each command; the commands themselves are imported when they are called.
"""

from collections.abc import Sequence

import typer

from provisioning.accept.marking import mark
from provisioning.accept.reporting import report
from provisioning.accept.running import run
from provisioning.accept.trial import trial
from provisioning.accept.verifying import verify
from provisioning.terminal import run as run_app

app = typer.Typer(add_completion=False, no_args_is_help=True)
_KNOWN = ("run", "report", "verify", "trial", "mark")


def main(argv: Sequence[str]) -> int:
    """Acceptance runs and reports. 验收测试与报告。"""
    words = list(argv)
    if (not words or words[0] not in _KNOWN) and not {"--help", "-h"} & set(words):
        words = ["run", *words]
    return run_app(app, words, "fenghuo accept")


@app.callback()
def _accept() -> None:
    """The completion acceptance of a site, and its trial run (GB 55029). 竣工验收与试运行。

    Without a command it is `run`. Example: fenghuo accept --by "Wang Gong"
    """


app.command("run")(run)
app.command("report")(report)
app.command("verify")(verify)
app.command("trial")(trial)
app.command("mark")(mark)
