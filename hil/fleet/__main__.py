"""`python -m hil.fleet`: play a fleet and say what came of it."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hil.fleet.play import play
from hil.fleet.report import Terms


def main(argv: Sequence[str]) -> int:
    """0 when every record stands at the center once, in its place."""
    words = _parser().parse_args(argv)
    terms = Terms(
        words.panels, words.seconds, words.cut, words.dark, words.alarms, words.statuses, words.tls, words.seed
    )
    with tempfile.TemporaryDirectory(prefix="fh-fleet-") as folder:
        report = play(terms, Path(folder))
    print(json.dumps(report.body(), indent=None if words.json else 1))
    return 1 if report.problems else 0


def _parser() -> argparse.ArgumentParser:
    usual = Terms()
    parser = argparse.ArgumentParser(prog="python -m hil.fleet", description=main.__doc__)
    parser.add_argument("--panels", type=int, default=usual.panels)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of ordinary life")
    parser.add_argument("--cut", nargs="?", choices=("none", "network", "broker"), const="broker", default="none")
    parser.add_argument("--dark", type=float, default=0.0, help="seconds without a broker after the cut")
    parser.add_argument("--alarms", type=float, default=usual.alarms_per_s, help="a second, over all panels")
    parser.add_argument("--statuses", type=float, default=usual.statuses_per_s, help="a second, over all panels")
    parser.add_argument("--tls", action="store_true", help="with a certificate and an ACL for each panel")
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument("--json", action="store_true", help="one line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
