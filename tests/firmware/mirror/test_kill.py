"""A mirror's process killed at random moments: the copy is sound each time, and only ever grows."""

import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

from tests.child import child
from tests.firmware.journal.rig import Rig
from tests.firmware.mirror.rig import Stick

KILLS = 12


def mirror_for_ever(folder: Path, first: bool, tell: Connection) -> None:
    """In the child: copy on and on; `first`: a whole turn before it says that it is ready."""
    stick = Stick(Rig(folder), folder / "stick")
    if first:
        stick.turn()
    tell.send_bytes(b"ready")
    while True:
        stick.turn()


def test_sigkill_at_random_moments_leaves_a_sound_copy(rig: Rig, tmp_path: Path) -> None:
    dice = random.Random(20261127)
    journal = rig.open()
    name = journal.mark().journal
    reached = n = 0
    for turn in range(KILLS):
        journal.commit([rig.commit("alarm.intruder", f"s{n + k}", n=n + k, pad="x" * 200) for k in range(60)])
        n += 60
        journal.commit([rig.commit("area.armed", f"state {n}", n=n)])
        # Two of three are killed while they copy, or before.
        with child(mirror_for_ever, tmp_path, turn % 3 == 0) as mirror:
            assert list(mirror.hear(1)) == [b"ready"]
            time.sleep(dice.uniform(0, 0.05))
        found = Stick(rig, tmp_path / "stick").sound().get(name, 0)
        assert reached <= found <= journal.mark().seq
        reached = found
    assert reached > 60, "it was always killed before it had done anything"
    stick = Stick(rig, tmp_path / "stick")
    assert stick.turn() == ("", "")
    assert stick.sound() == {name: journal.mark().seq}
