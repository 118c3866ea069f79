"""What breaks inside the panel: its processes, its bus, its disk, its camera."""

import pytest

from hil.rigs.protocol import Rig
from hil.rigs.site import BUS

LONG_S = 60.0


def test_core_killed_with_the_siren_on(rig: Rig) -> None:
    """Core is killed while the siren sounds: again within seconds; the gap is measured. 警号鸣响时核心被杀。"""
    rig.arm()
    rig.open("back-door")
    rig.waits_for("siren-outside")
    rig.center_sees("alarm.intruder", zone="back-door")
    since = rig.now()
    rig.kill("core")
    rig.step("the siren's gap")
    again = rig.waits_for("siren-outside", since=since)
    assert again.ms - since < 5000 * rig.patience
    rig.sees("hall", "alarm")
    rig.center_sees("panel.started", since=since, cause="restart")


@pytest.mark.slice
def test_core_hung(rig: Rig) -> None:
    """Core hangs while armed: the watchdog ends it, the next one is armed and alarms. 核心挂起,看门狗重启。"""
    rig.arm()
    since = rig.now()
    rig.hang("core")
    rig.center_sees("panel.started", since=since, within_s=LONG_S, cause="restart")
    rig.sees("hall", "armed", within_s=LONG_S)
    rig.open("back-door")
    rig.waits_for("siren-outside", since=since)


def test_uplink_killed(rig: Rig) -> None:
    """The uplink is killed at the moment of an alarm: the siren sounds, the report follows. 报警时上行进程被杀。"""
    rig.arm()
    rig.kill("uplink")
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)


def test_uplink_hung(rig: Rig) -> None:
    """The uplink hangs: whoever guards it starts another, and the alarm arrives. 上行进程挂起。"""
    rig.arm()
    rig.hang("uplink")
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door", within_s=LONG_S)


@pytest.mark.site(bus=True)
def test_bus_unplugged_and_back(rig: Rig) -> None:
    """The adapter of the bus is pulled out and plugged in again: told, restored, working. 拔出总线适配器。"""
    seq = rig.without("bus", within_s=LONG_S)  # a slow start may have had one of its own
    rig.unplug(BUS)
    begun = rig.center_sees("trouble.bus", after=seq, subject=BUS)
    rig.plug(BUS)
    rig.center_sees("trouble.bus-ended", after=begun["header"]["seq"], subject=BUS, within_s=LONG_S)
    rig.open("roof")
    rig.center_sees("alarm.24-hour", zone="roof")


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.site(camera=True)
def test_camera_covered(rig: Rig) -> None:
    """The lens is covered: a camera tamper after half a minute; uncovered: its restore. 摄像机被遮挡。"""
    rig.camera("cover")
    rig.center_sees("trouble.camera-tamper", within_s=LONG_S)
    rig.camera("uncover")
    rig.center_sees("trouble.camera-tamper-ended", within_s=3 * LONG_S)


@pytest.mark.site(camera=True)
def test_camera_gone_during_an_alarm(rig: Rig) -> None:
    """The camera is unplugged, then the alarm comes: it waits for no picture. 摄像机断开时报警。"""
    rig.camera("unplug")
    rig.center_sees("trouble.camera", within_s=LONG_S)
    rig.arm()
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door")
    rig.camera("plug")
    rig.center_sees("trouble.camera-ended", within_s=LONG_S)


@pytest.mark.site(small_disk=True)
def test_disk_full(rig: Rig) -> None:
    """The journal's disk is full: siren and report go on, arming is refused, and it is told. 存储已满。"""
    rig.arm()
    rig.disk_full(True)
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door")
    rig.center_sees("trouble.storage", within_s=LONG_S)
    rig.disarm()
    rig.disk_full(False)
    rig.center_sees("trouble.storage-ended", within_s=LONG_S)
    rig.close("back-door")
    rig.arm()


@pytest.mark.slice
def test_board_hung(rig: Rig) -> None:
    """The computer hangs while armed: its watchdog resets it, the panel is armed again. 主板死机,硬件看门狗复位。"""
    rig.arm()
    since = rig.now()
    rig.hang_board()
    rig.center_sees("panel.started", since=since, within_s=3 * LONG_S)
    rig.sees("hall", "armed", within_s=LONG_S)
    rig.open("back-door")
    rig.waits_for("siren-outside", since=since)
