"""A panel taken down while somebody looks: no line is called broken because it was given back."""

import logging
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from drivers.simulated_pins import SimulatedFactory
from firmware.clock import SystemClock
from firmware.config import load
from firmware.core import outside
from firmware.core.panel import Panel
from firmware.protocol import messages as m
from firmware.protocol.lines import Client

FILE = """
[panel]
id = "bank-7"
name = "Bank 7"
pins = "simulated"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[zone]]
id = "front-door"
number = 1
name = "Front door"
type = "entry-exit"
areas = ["hall"]
input = { line = 17 }

[[output]]
id = "siren"
line = 22
areas = ["hall"]
kind = "siren"
"""


def gone() -> bool:
    raise OSError("unknown handle")


def close_as_a_board_s(self: SimulatedFactory) -> None:
    """Simulated pins can be read when they were given back; a board's can't."""
    pins = list(self.pins.values())
    MockFactory.close(self)
    for pin in pins:
        pin._get_state = gone


def test_who_asks_while_the_panel_ends_is_told_of_lines_that_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "panel.toml"
    file.write_text(FILE)
    loaded = load(file)
    panel = Panel(loaded, SystemClock())
    panel.start()
    panel.open()
    asking, answers = Client(loaded.run / "technician.sock"), list[Any]()
    stop = outside.Outside.stop

    def ask_and_stop(self: outside.Outside) -> None:
        """The last moment in which somebody can ask."""
        asking.send(m.AskStatus())
        answers.append(asking.receive(10.0))
        stop(self)

    monkeypatch.setattr(outside.Outside, "stop", ask_and_stop)
    monkeypatch.setattr(SimulatedFactory, "close", close_as_a_board_s)
    with caplog.at_level(logging.WARNING):
        panel.stop("asked to stop")
    asking.close()
    [answer] = answers
    assert (answer["detail"]["health"]["lines_failing"], answer["detail"]["health"]["line_errors"]) == (0, 0)
    assert [record.message for record in caplog.records if "siren" in record.message] == []
    again = Panel(loaded, SystemClock())  # lines and folder are free
    again.start()
    again.stop("asked to stop")
