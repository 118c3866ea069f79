"""The fitter of a simulated site: reads what `fenghuo accept run --json` asks for, and does it on the desk socket.

He moves the pins, switches the mains, cuts the paths that he is given, and answers. What he leaves alone, or does
wrong on purpose, is for the tests to say.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from firmware.protocol import messages as m
from hil.demo_panel import ask

Event = dict[str, Any]
_ZONES = ("trip", "line", "seen", "key", "response", "box")


@dataclass
class Fitter:
    """`paths`: how to cut and how to connect each path. `answers`: instead of his own, by step and what is asked."""

    config: Path
    desk: Path
    paths: Mapping[str, tuple[Callable[[], object], Callable[[], object]]] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    lazy: frozenset[str] = frozenset()
    """Steps for which he does nothing."""
    user_code: str = ""
    """Of the user who lets the installer in again when the run asks for it."""
    stop_at: str = ""
    """At the begin of this step he presses Ctrl-C."""
    events: list[Event] = field(default_factory=list)

    def run(self, code: str, words: Sequence[str] = (), limits: Callable[[], None] | None = None) -> int:
        """Run the command to its end; its exit code."""
        command = [sys.executable, "-m", "provisioning.accept", "run", "--json", "--code-stdin"]
        command += ["--config", str(self.config), *words]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "FENGHUO_LANG": "en"},
            preexec_fn=limits,
        ) as child:
            assert child.stdin is not None  # noqa: S101
            assert child.stdout is not None  # noqa: S101
            assert child.stderr is not None  # noqa: S101
            self._say(child, code)
            for line in child.stdout:
                event = json.loads(line)
                self.events.append(event)
                self._heed(child, event)
            self.said = child.stderr.read()
        return child.returncode

    def results(self) -> dict[str, Event]:
        """The result of each step that was told."""
        return {event["step"]: event for event in self.events if event["event"] == "result"}

    def _say(self, child: "subprocess.Popen[str]", line: str) -> None:
        assert child.stdin is not None  # noqa: S101
        child.stdin.write(f"{line}\n")
        child.stdin.flush()

    def _heed(self, child: "subprocess.Popen[str]", event: Event) -> None:
        step = event.get("step", "")
        if event["event"] == "step" and step == self.stop_at:
            child.send_signal(2)
        elif event["event"] == "grant":
            self._desk(m.Code(digits=self.user_code, wish="grant"))
            self._say(child, "")
        elif event["event"] == "ask":
            self._say(child, self.answers.get(step, {"hours": "9.5", "heard": "y"}.get(event.get("what", ""), "f")))
        elif step in self.lazy:
            if event["event"] == "do" and step in self.answers:
                self._say(child, self.answers[step])
        elif event["event"] == "do":
            self._do(event)
        elif event["event"] == "undo":
            self._undo(event)
            if event["confirm"]:
                self._say(child, "")

    def _do(self, event: Event) -> None:
        act, subject = event["act"], event.get("subject", "")
        if act == "mains":
            self._desk(m.Mains(on=False))
        elif act == "path":
            self.paths[subject][0]()
        elif act in _ZONES:
            self._desk(m.Move(zone=subject, position=event["position"]))

    def _undo(self, event: Event) -> None:
        act, subject = event["act"], event["subject"]
        if act == "mains":
            self._desk(m.Mains(on=True))
        elif act == "path":
            self.paths[subject][1]()
        elif act == "key":
            self._turn_back(subject)
        elif act in _ZONES:
            self._desk(m.Move(zone=subject, position="close"))

    def _turn_back(self, zone: str) -> None:
        """A keyswitch that is turned once more ends the exit delay."""
        self._desk(m.Move(zone=zone, position="close"))
        end = time.monotonic() + 10
        while ask(self.desk, m.AskDesk())["zones"][zone].get("condition") != "normal" and time.monotonic() < end:
            time.sleep(0.05)
        self._desk(m.Press(zone=zone, hold_ms=500))

    def _desk(self, message: BaseModel) -> None:
        ask(self.desk, message)
