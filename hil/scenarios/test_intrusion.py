"""Burglars, and people who come home by the wrong way."""

import pytest

from hil.rigs.protocol import Rig
from hil.rigs.site import CODE, WRONG


@pytest.mark.slice
def test_burglary(rig: Rig) -> None:
    """The front door is forced, nobody types a code: siren, strobe, alarm at the center. 正门被撬,无人输入密码。"""
    rig.arm()
    rig.open("front-door")
    rig.sees("hall", "entry-delay")
    rig.open("hall-pir")
    rig.stays("siren-outside", on=False, for_s=1)
    rig.waits_for("siren-outside")
    rig.waits_for("strobe")
    rig.sees("hall", "alarm")
    rig.center_sees("alarm.entry", zone="front-door")
    rig.center_sees("alarm.intruder", zone="hall-pir")
    rig.disarm()
    rig.waits_for("siren-outside", on=False)


def test_way_in_and_out(rig: Rig) -> None:
    """The owner leaves and comes back in time: no alarm. 主人按时离开和返回,不报警。"""
    rig.code(CODE, "arm")
    rig.open("front-door")
    rig.close("front-door")
    rig.sees("hall", "armed")
    rig.open("front-door")
    rig.sees("hall", "entry-delay")
    rig.open("hall-pir")
    rig.disarm()
    assert not rig.reads("siren-inside")
    rig.center_sees("area.disarmed")
    assert not rig.center_holds("alarm.entry")
    assert not rig.center_holds("alarm.intruder")


@pytest.mark.clause("GB 50394 response 2 s")
def test_wrong_door_first(rig: Rig) -> None:
    """He comes in by the back door, off the entry path: siren at once. 从非出入路线的后门进入,立即报警。"""
    rig.arm()
    since = rig.now()
    rig.open("back-door")
    siren = rig.waits_for("siren-outside", since=since)
    assert siren.ms - since < 2000 * rig.patience
    rig.center_sees("alarm.intruder", zone="back-door")


def test_off_the_entry_path(rig: Rig) -> None:
    """During the entry delay another room: siren at once, its report held until he disarms. 进入延时内偏离路线。"""
    rig.arm()
    rig.open("front-door")
    rig.sees("hall", "entry-delay")
    rig.open("office-pir")
    rig.waits_for("siren-inside", within_s=2)
    rig.center_sees("zone.alarm-held", zone="office-pir")
    rig.disarm()
    rig.center_sees("area.alarm-aborted")
    assert not rig.center_holds("alarm.intruder")


def test_too_slow(rig: Rig) -> None:
    """The code comes after the entry delay: the alarm sounds, then ends with it. 进入延时后才输入密码。"""
    rig.arm()
    rig.open("front-door")
    rig.waits_for("siren-inside")
    rig.sees("hall", "alarm")
    rig.disarm()
    rig.waits_for("siren-inside", on=False)
    rig.center_sees("alarm.entry")
    rig.center_sees("area.alarm-cancelled")


def test_wrong_codes_lock_the_keypad(rig: Rig) -> None:
    """Three wrong codes lock it, and the right one does not count then: the alarm comes. 三次错误密码后键盘锁定。"""
    rig.arm()
    rig.open("front-door")
    rig.sees("hall", "entry-delay")
    for _ in range(3):
        rig.code(WRONG, "disarm")
    rig.center_sees("code.locked-out")
    rig.code(CODE, "disarm")
    rig.waits_for("siren-outside")
    assert rig.mode("hall") == "alarm"
    assert not rig.center_holds("area.disarmed")


def test_exit_door_left_open(rig: Rig) -> None:
    """The door still stands open when the exit delay ends: an exit error. 外出延时结束时门仍开着。"""
    rig.code(CODE, "arm")
    rig.open("front-door")
    rig.center_sees("area.exit-error")
    rig.waits_for("siren-inside")
    assert not rig.reads("siren-outside")
    rig.disarm()
    rig.waits_for("siren-inside", on=False)


def test_vault_door_by_day(rig: Rig) -> None:
    """The vault's door opens while nothing is armed: an alarm all the same. 未布防时金库门打开仍报警。"""
    rig.open("vault-door")
    rig.waits_for("siren-inside")
    rig.center_sees("alarm.24-hour", zone="vault-door")
    rig.close("vault-door")
    rig.center_sees("restore.24-hour", zone="vault-door")
    rig.code(CODE, "disarm")
    rig.waits_for("siren-inside", on=False)


def test_key_switch(rig: Rig) -> None:
    """A turn of the key arms the hall, another one disarms it. 钥匙开关布防与撤防。"""
    rig.press("key-switch")
    rig.sees("hall", "armed")
    rig.center_sees("area.armed-by-key")
    assert rig.mode("vault") == "disarmed"
    rig.press("key-switch")
    rig.center_sees("area.disarmed-by-key")
    rig.sees("hall", "disarmed")
