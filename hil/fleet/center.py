"""The reference center as a child of the fleet, so that its cost can be told from that of the panels."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.broker import HOST
from hil.center import Center
from hil.child import Child, serve


class CenterProcess(Child):
    """The parent's end."""

    def __init__(self, port: int, folder: Path, keys: Mapping[str, str]) -> None:
        """`keys`: the `x` of each panel's public key. Raises `RuntimeError` when it does not start."""
        folder.mkdir(parents=True)
        known = folder / "panels.json"
        known.write_text(json.dumps(dict(keys)))
        super().__init__("hil.fleet.center", (port, folder, known))
        self.receipt_x = str(self.ready["receipt"])

    def counts(self) -> dict[str, int]:
        """`Center.counts`."""
        return self.ask({})

    def problems(self, heads: Mapping[str, tuple[str, int, str]]) -> list[str]:
        """What is wrong or missing of what panels have recorded, by panel: journal, `seq` and hash of the last."""
        return list(self.ask({"heads": dict(heads)})["problems"])


def main(port: int, folder: Path, keys: Path) -> None:
    """Until standard input ends."""
    known: dict[str, str] = json.loads(keys.read_text())
    with Center(HOST, port, folder, panels=known.get) as center:

        def answer(asked: dict[str, Any]) -> Mapping[str, Any]:
            return {"problems": _problems(center, asked["heads"])} if "heads" in asked else center.counts()

        serve({"receipt": center.receipt_key.x}, answer)


def _problems(center: Center, heads: Mapping[str, tuple[str, int, str]]) -> list[str]:
    found: list[str] = []
    for panel, (journal, seq, hash_) in heads.items():
        found += [f"{panel}: {problem}" for problem in center.complete(panel, {journal: (seq, hash_)})]
    return found


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
