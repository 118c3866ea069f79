"""The command line of what writes a part of docs: the files or folders to write, and `--help`.

A word like `--help` must not become a file's name.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path


def places(words: Sequence[str], about: str | None) -> list[Path]:
    """The places that these words name, one at least. Exits with 0 after `--help`, with 2 at another option.

    `about`: the module's docstring.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", nargs="+", type=Path, help="what is written")
    found: list[Path] = parser.parse_args(words).place
    return found
