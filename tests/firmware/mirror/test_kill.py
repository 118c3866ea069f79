"""A mirror's process killed at random moments: the copy is sound each time, and only ever grows."""

import os
import random
import signal
import time
from pathlib import Path

from tests.firmware.journal.rig import Rig
from tests.firmware.mirror.rig import Stick

KILLS = 12


def test_sigkill_at_random_moments_leaves_a_sound_copy(rig: Rig, tmp_path: Path) -> None:
    dice = random.Random(20261127)
    journal = rig.open()
    name = journal.mark().journal
    reached = n = 0
    for turn in range(KILLS):
        journal.commit([rig.commit("alarm.intruder", f"s{n + k}", n=n + k, pad="x" * 200) for k in range(60)])
        n += 60
        journal.commit([rig.commit("area.armed", f"state {n}", n=n)])
        ready, told = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                stick = Stick(rig, tmp_path / "stick")
                if turn % 3 == 0:  # the other ones are killed while they copy, or before
                    stick.turn()
                os.write(told, b".")
                while True:
                    stick.turn()
            finally:
                os._exit(1)
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        time.sleep(dice.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = Stick(rig, tmp_path / "stick").sound().get(name, 0)
        assert reached <= found <= journal.mark().seq
        reached = found
    assert reached > 60, "it was always killed before it had done anything"
    stick = Stick(rig, tmp_path / "stick")
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: journal.mark().seq}
