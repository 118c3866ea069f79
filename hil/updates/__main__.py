"""`python -m hil.updates`: updates of the very image in the virtual machine, and power cuts on their way.

    python -m hil.updates [--only first-boot,waits,cuts,…] [--cuts 40] [--boots 10] [--out DIR] [--folder DIR]

Needs what `python -m images.make` built, with its keys for trials. Each part prints what it found, and the end is one
table for docs/reliability.md; the exit code is 1 where a panel did not run afterwards, or lost something. With
`--folder` the frozen cards stay there, and `--only boots` goes on with them.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from firmware.version import VERSION
from hil.updates import plays
from hil.updates.ground import Ground
from images.settings import BUILD, TEST_KEYS

log = logging.getLogger("hil.updates")


def main(words: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m hil.updates", description=__doc__)
    parser.add_argument("--only", default=",".join(name for name in plays.PLAYS if name != "boots"))
    parser.add_argument("--cuts", type=int, default=40, help="of one update, at most: the card is frozen")
    parser.add_argument("--boots", type=int, default=10, help="of those, so many are booted too")
    parser.add_argument("--built", type=Path, default=BUILD)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--folder", type=Path, help="of this run, which stays")
    told = parser.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with tempfile.TemporaryDirectory(prefix="updates-") as passing:
        folder = told.folder or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        ground = Ground(told.built, told.built / TEST_KEYS.name, told.out or told.built / "variants", folder, VERSION)
        results = {}
        for name in told.only.split(","):
            begun = time.monotonic()
            results[name] = plays.PLAYS[name](ground, told.cuts, told.boots)
            log.info("%s: %.0f s %s", name, time.monotonic() - begun, json.dumps(results[name], ensure_ascii=False))
    print(json.dumps(results, ensure_ascii=False, indent=2))
    return int(any(result.get("faults") for result in results.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
