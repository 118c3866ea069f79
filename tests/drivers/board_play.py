"""Plays a panel over the board's pins on the lgpio double; prints one JSON object per step. Run by test_board.py."""

import json
import queue
import time
from pathlib import Path
from typing import Any

import lgpio  # the double: tests put it first on the path

from drivers.gpio import GpioDriver
from drivers.pins import DriverError, open_factory
from drivers.wiring import Input, OutputLine

RATE = 20


def say(step: str, **values: Any) -> None:
    print(json.dumps({"step": step, **values}))


def main() -> None:
    told: queue.Queue[tuple[str, str]] = queue.Queue()
    troubles: queue.Queue[tuple[str, bool]] = queue.Queue()
    factory = open_factory("board", 0, Path("run"))
    driver = GpioDriver(
        factory,
        [Input("door", 17), Input("spi", 8)],
        [OutputLine("siren", 4), OutputLine("failsafe", 5, False), OutputLine("off-chip", 60)],
        lambda: time.monotonic_ns() * RATE // 1_000_000,
        lambda zone, condition: told.put((zone, str(condition))),
        lambda name, present: troubles.put((name, present)),
        RATE,
    )
    lgpio.held_by[8] = "spi0 CS0"
    driver.claim_outputs({"siren": True})
    say("outputs", calls=lgpio.calls, siren=driver.read_back("siren"), failsafe=driver.read_back("failsafe"))
    lgpio.calls.clear()
    lgpio.levels[17] = 0
    driver.start()
    say("first", told=sorted(told.get(timeout=10) for _ in range(2)), trouble=troubles.get(timeout=10))
    say("input", calls=[call for call in lgpio.calls if call[1] == 17], mode=lgpio.modes[17])
    health = driver.health()
    say("errors", spi=health["zones"]["spi"]["error"], off_chip=health["outputs"]["off-chip"]["error"])
    lgpio.move(17, 1)
    say("moved", told=told.get(timeout=10))
    del lgpio.held_by[8]
    say("freed", told=told.get(timeout=10))
    lgpio.calls.clear()
    driver.switch("siren", False)
    say("switched", calls=[call for call in lgpio.calls if call[1] == 4], siren=driver.read_back("siren"))
    driver.switch("siren", True)
    lgpio.gone = True
    say("gone", told=sorted(told.get(timeout=10) for _ in range(2)), switched=driver.switch("siren", False))
    lgpio.gone = False
    lgpio.calls.clear()
    say("back", told=sorted(told.get(timeout=10) for _ in range(2)))
    lgpio.calls.clear()
    driver.close()
    factory.close()
    say("closed", calls=lgpio.calls, levels=[lgpio.levels[4], lgpio.levels[5]])
    try:
        open_factory("board", 3, Path("run"))
    except DriverError as error:
        say("chip", text=error.text[0])


if __name__ == "__main__":
    main()
