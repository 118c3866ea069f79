"""A child process that is asked things over its pipes: one JSON line in, one JSON line out; it ends with its input."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

STOP_S = 10.0


class Child:
    """The parent's end. The child's first line says that it is ready."""

    def __init__(self, module: str, words: Sequence[object]) -> None:
        """Start `python -m module words`. Raises `RuntimeError` when it ends before it is ready."""
        command = [sys.executable, "-m", module, *map(str, words)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError(f"{module} has no pipes")
        self._in, self._out = self._process.stdin, self._process.stdout
        self.ready = self._read()

    @property
    def pid(self) -> int:
        """For its figures."""
        return self._process.pid

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Its answer. Raises `RuntimeError` or `OSError` when it ended."""
        self._in.write(json.dumps(question).encode() + b"\n")
        self._in.flush()
        return self._read()

    def stop(self) -> None:
        """End it."""
        self._in.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._out.close()

    def _read(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            raise RuntimeError(f"process {self.pid} ended: {self._process.args!r:.200}")
        return dict(json.loads(line))


def serve(ready: Mapping[str, Any], answer: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """The child's end: say that it is ready, then answer until standard input ends."""
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
