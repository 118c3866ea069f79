"""The center's end of a rig: what it can't get is the rig's fault, and what it never sees is told in words."""

from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from hil.rigs.far_end import FarEnd
from hil.rigs.protocol import NotSeen, RigFault
from hil.rigs.recording import Recording
from hil.updates.cutting import copy_of


def far_end(folder: Path) -> FarEnd:
    return FarEnd(folder, "rig-1", ("10.0.2.100",), lambda: None, Recording())


@pytest.mark.parametrize("program", ["/nonexistent/mosquitto", "/bin/false"])
def test_a_broker_that_does_not_start_is_a_rig_fault(program: str, tmp_path: Path, mocker: MockerFixture) -> None:
    from hil.broker import Mosquitto

    mocker.patch("hil.rigs.far_end.Mosquitto", lambda folder, extra: Mosquitto(folder, extra, program))
    with pytest.raises(RigFault, match="the alarm center's end does not start"):
        far_end(tmp_path).start()


def test_a_panel_that_is_silent_is_not_seen(tmp_path: Path) -> None:
    far = far_end(tmp_path).start()
    try:
        with pytest.raises(NotSeen, match=r"no alarm\.entry within 0 s"):
            far.wait_held("alarm.entry", lambda _: True, 0)
        with pytest.raises(NotSeen, match="no heartbeat"):
            far.command("arm", {}, "x", 0.05)
        assert far.count("no-journal") == 0
        far.replace_broker()
        assert set(far.identity()) == {"ca.pem", "panel.pem", "panel.key"}
    finally:
        far.close()


def test_a_center_goes_back_to_what_it_held_at_some_moment(tmp_path: Path) -> None:
    far = far_end(tmp_path / "far").start()
    try:
        far.center.store.register("rig-1", "early")
        copy_of(tmp_path / "far" / "center" / "center.sqlite", tmp_path / "center.sqlite")
        far.center.store.register("rig-2", "late")
        before = far.center
        far.center_of(tmp_path)
        assert far.center is not before
        assert (far.center.store.key("rig-1"), far.center.store.key("rig-2")) == ("early", None)
        # It answers: its keys and its place at the broker are those of before.
        assert far.center.receipt_key.x == before.receipt_key.x
        with pytest.raises(NotSeen, match="no heartbeat"):
            far.command("arm", {}, "x", 0.05)
    finally:
        far.close()
