"""The whole play: every scene in its order, then the verdicts of all points."""

import time
from collections.abc import Callable, Iterable

from firmware.clock import SystemClock, utc_text
from hil.center.conform import scenes_commands, scenes_records
from hil.center.conform.journal import Journal
from hil.center.conform.player import Player
from hil.center.conform.points import POINTS, Result
from hil.center.conform.said import Reader
from hil.center.conform.trial import Operator, Pace, Trial
from hil.center.keys import Key
from hil.center.wire import Broker

SCENES: dict[str, Callable[[Trial], None]] = {
    "begin": scenes_records.begin,
    "batches": scenes_records.batches,
    "order": scenes_records.order,
    "refused": scenes_records.refused,
    "tolerated": scenes_records.tolerated,
    "pictures": scenes_records.pictures,
    "noise": scenes_records.noise,
    "journals": scenes_records.journals,
    "reconnect": scenes_records.reconnect,
    "away": scenes_records.away,
    "commands": scenes_commands.commands,
    "forgery": scenes_records.forgery,
    "missed": scenes_commands.missed,
    "retained": scenes_commands.retained,
}
"""By their names, in the order in which they are played: the forgery late, as it leaves an alert at the center."""


def play(
    broker: Broker,
    panel: str,
    key: Key,
    receipt_keys: list[str],
    command_keys: list[str],
    pace: Pace,
    operator: Operator,
    scenes: Iterable[str] = SCENES,
    told: Callable[[str], None] = lambda _: None,
) -> list[Result]:
    """Try a center; the result of each point. Raises `NoBroker`, `ValueError` for a key that is none.

    `told` hears the name of each scene as it begins. The first scene is always played: all others stand on it.
    """
    began = time.monotonic()
    player = Player(broker, panel, key)
    journal = Journal(panel, time=utc_text(SystemClock().utc()))
    trial = Trial(player, Reader(receipt_keys), Reader(command_keys), pace, operator, journal)
    player.connect()
    try:
        for name in ("begin", *(name for name in scenes if name != "begin")):
            if name != "commands" or command_keys:  # without a key nothing could be said of them
                told(name)
                SCENES[name](trial)
        scenes_commands.close(trial, time.monotonic() - began)
    finally:
        player.close()
    return [trial.results.get(name) or Result(point, "not-seen") for name, point in POINTS.items()]
