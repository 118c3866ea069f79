"""The reference center as a child of the fleet: in a process of its own, so that its cost can be told from the panels'.

Started as `python -m hil.fleet.center PORT FOLDER KEYS`; one JSON line in gives one JSON line out. `{}` asks for its
counts, `{"heads": {panel: [journal, seq, hash]}}` for a check of everything that it holds.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.broker import HOST
from hil.center import Center

START_S = 30.0


class CenterProcess:
    """The parent's end."""

    def __init__(self, port: int, folder: Path, keys: Mapping[str, str]) -> None:
        """`keys`: the `x` of each panel's public key. Raises `RuntimeError` when it does not start."""
        folder.mkdir(parents=True)
        known = folder / "panels.json"
        known.write_text(json.dumps(dict(keys)))
        words = [sys.executable, "-m", "hil.fleet.center", str(port), str(folder), str(known)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the fleet's center has no pipes")
        self._in, self._out = self._process.stdin, self._process.stdout
        self.receipt_x = str(self._read()["receipt"])

    @property
    def pid(self) -> int:
        """For its figures."""
        return self._process.pid

    def counts(self) -> dict[str, int]:
        """`Center.counts`."""
        return dict(self._ask({}))

    def problems(self, heads: Mapping[str, tuple[str, int, str]]) -> list[str]:
        """What is wrong or missing of what panels have recorded, by panel: journal, `seq` and hash of the last."""
        return list(self._ask({"heads": dict(heads)})["problems"])

    def stop(self) -> None:
        """End it."""
        self._in.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        self._in.write(json.dumps(question).encode() + b"\n")
        self._in.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            raise RuntimeError("the fleet's center ended")
        return dict(json.loads(line))


def main(port: int, folder: Path, keys: Path) -> None:
    """Until standard input ends."""
    known: dict[str, str] = json.loads(keys.read_text())
    with Center(HOST, port, folder, panels=known.get) as center:
        _say({"receipt": center.receipt_key.x})
        for line in sys.stdin:
            asked = json.loads(line)
            _say({"problems": _problems(center, asked["heads"])} if "heads" in asked else center.counts())


def _problems(center: Center, heads: Mapping[str, tuple[str, int, str]]) -> list[str]:
    found: list[str] = []
    for panel, (journal, seq, hash_) in heads.items():
        found += [f"{panel}: {problem}" for problem in center.complete(panel, {journal: (seq, hash_)})]
    return found


def _say(answer: Mapping[str, object]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
