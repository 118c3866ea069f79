"""Which of the journals on a mirror was in use last."""

from dataclasses import replace
from pathlib import Path

from firmware.journal.restoring import Copied, newest, read
from firmware.protocol.jws import KeyRing
from tests.firmware.journal.rig import PANEL, SIGNER, Rig


def copied(path: Path) -> Copied:
    return read(path, PANEL, KeyRing([SIGNER.public]))


def test_the_one_that_none_follows_of_the_latest_session(rig: Rig, tmp_path: Path) -> None:
    journal = rig.open()
    journal.commit([rig.commit("area.armed", "armed", n=1)])
    journal.snapshot(tmp_path / "first.sqlite")
    journal._fall_back([rig.commit("area.disarmed", "disarmed", n=2)], "the disk failed")
    journal.snapshot(tmp_path / "second.sqlite")
    first, second = copied(tmp_path / "first.sqlite"), copied(tmp_path / "second.sqlite")
    assert first.session == second.session
    assert second.before == (first.journal, first.last)
    assert first.tail is not None
    turned = replace(first, tail=replace(first.tail, lived=("boot-1", 1, "2099-01-01T00:00:00.000Z")))
    for order in ([turned, second], [second, turned]):
        assert newest(order) is second, "whatever a clock said, it began where the first one ended"
    later = replace(first, journal="another", session=first.session + 1, before=None)
    assert newest([turned, second, later]) is later
    assert newest([replace(second, tail=None)]) is None, "a rescued one has no state"
    assert newest([]) is None
