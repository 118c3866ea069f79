"""The reference alarm center: what a center must do with a panel's messages, in a form that rigs and tests can run.

`Center` takes in, checks, stores and receipts; `chain` and `store` know what is held; `commands` is `fenghuo center`.
"""

from hil.center.center import Center, Heads
from hil.center.intake import Arrival

__all__ = ["Arrival", "Center", "Heads", "main"]


def main(argv: list[str]) -> int:
    """Run the reference alarm center, look at what it holds, send commands. 运行参考报警中心。"""
    from hil.center.commands import main as command_main

    return command_main(argv)
