"""Long nights of seeded chance under the oracle: hypothesis finds the small strange cases, this the crowded ones."""

from random import Random

import pytest

from rules import CodeEntered, Condition, DeadlinePassed, RemoteCommand, Stimulus, Wish, ZoneChanged, next_deadline
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, WRONG, Panel
from tests.rules.oracle import Oracle

NIGHTS, STEPS = 25, 120


def _something(chance: Random, panel: Panel, counter: int) -> Stimulus:
    if chance.random() < 0.72:
        calm, rare = [Condition.ACTIVE, Condition.NORMAL] * 12, list(Condition)
        return ZoneChanged(chance.choice(list(panel.site.zones)), chance.choice(calm + rare))
    if chance.random() < 0.15:
        wish = chance.choice([Wish.ARM, Wish.DISARM, Wish.SILENCE, Wish.STATUS, Wish.BYPASS])
        return RemoteCommand(counter - chance.choice([0, 0, 0, 2]), "Li", wish, (), "window")
    key = chance.choice([MANAGER, MANAGER, MANAGER, CLERK, MANAGER_DURESS, WRONG])
    wish = chance.choice([Wish.ARM] * 6 + [Wish.TOGGLE] * 2 + [Wish.SILENCE, Wish.BYPASS, Wish.UNBYPASS])
    areas = chance.choice([(), (), ("hall",), ("vault",)])
    return CodeEntered(chance.choice(["kp", "kp-2"]), key, wish, areas, chance.choice(["window", "pir", "door"]))


@pytest.mark.parametrize("seed", range(12))
def test_a_busy_night(seed: int) -> None:
    chance = Random(seed)
    heard = 0
    for _ in range(NIGHTS):
        panel = Panel()
        oracle = Oracle(panel.view())
        oracle.users = {"manager": ({MANAGER, MANAGER_DURESS}, {"hall", "vault"}), "clerk": ({CLERK}, {"hall"})}
        oracle.key_rested = True
        panel.armed()
        oracle.view, oracle.on = panel.view(), panel.on()
        for counter in range(1, STEPS):
            end = panel.now + chance.choice([0, 1, 500, 3_000, 3_000, 8_000, 8_000, 20_000, 30_000, 60_000, 300_000])
            while (due := next_deadline(panel.state)) is not None and due <= end:
                panel.now = max(panel.now, due)
                oracle.watch(DeadlinePassed(), panel.now, panel.play(DeadlinePassed()), panel.view())
            panel.now = end
            stimulus = _something(chance, panel, counter)
            oracle.watch(stimulus, panel.now, panel.play(stimulus), panel.view())
        assert oracle.on == panel.on()
        heard += len(oracle.alarms)
    assert heard > 10 * NIGHTS, "the nights were too quiet to show anything"
