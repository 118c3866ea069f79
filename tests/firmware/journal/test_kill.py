"""A writing process killed at random moments: what it was told is durable is there, once, and the chain holds."""

import json
import random
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.child import child
from tests.firmware.journal.rig import Rig, everything

KILLS = 60


def write_for_ever(folder: Path, n: int, tell: Connection) -> None:
    """In the child: commit batches, and say how far it is durable."""
    rig = Rig(folder)
    rig.clock.now_ms += n
    journal = rig.open()
    while True:
        batch = []
        for _ in range(1 + n % 5):
            n += 1
            batch.append(rig.commit("area.armed" if n % 7 == 0 else "alarm.intruder", f"state {n}", n=n))
        journal.commit(batch)
        if n % 3 == 0:
            journal.mark_delivered(journal.mark().journal, "alarm", [(1, n // 2)])
        tell.send_bytes(b"%d" % n)


def acknowledged_before_the_kill(folder: Path, start: int, lines: int) -> int:
    """Let a child write until it has acknowledged so often, kill it, and say how far it came."""
    with child(write_for_ever, folder, start) as writer:
        said = list(writer.hear(lines))
        writer.kill()
        # What was said before the kill was acknowledged; what came after may be there or not.
        return max([start, *map(int, [*said, *writer.hear()])])


@pytest.mark.clause("GB 50394 nothing lost")
def test_sigkill_at_sixty_random_moments(rig: Rig, tmp_path: Path) -> None:
    dice = random.Random(20261123)
    last = 0
    for _ in range(KILLS):
        acknowledged = acknowledged_before_the_kill(tmp_path, last, dice.randint(1, 60))
        assert acknowledged > last
        journal = rig.open()
        found = [json.loads(r.payload or b"null").get("n") for r in everything(journal)]
        present = [n for n in found if n is not None]
        assert present == list(range(1, present[-1] + 1)), "missing, twice or out of order"
        last = present[-1]
        assert acknowledged <= last <= acknowledged + 5
        assert journal.restored.state == f"state {last}".encode()
        assert journal.restored.trouble == ""
        journal._store.close()
    assert rig.verify().findings == []
