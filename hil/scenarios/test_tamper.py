"""Hands on cables and cabinets: cut, shorted, opened."""

import pytest

from hil.rigs.protocol import Rig
from hil.rigs.site import CODE


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 50394 tamper always")
def test_cut_cable_by_day(rig: Rig) -> None:
    """A door's cable is cut while nothing is armed: a tamper, and arming is refused. 未布防时剪断电缆。"""
    rig.cut("front-door")
    rig.center_sees("alarm.sensor-tamper", zone="front-door", condition="open")
    rig.waits_for("siren-inside")
    rig.code(CODE, "disarm")
    rig.waits_for("siren-inside", on=False)
    rig.code(CODE, "arm")
    rig.center_sees("area.arming-refused")
    rig.close("front-door")
    rig.center_sees("restore.sensor-tamper", zone="front-door")


@pytest.mark.clause("GB 55029 3.5.1(3) short")
def test_shorted_cable_while_armed(rig: Rig) -> None:
    """A cable is shorted to hide a door: while armed every siren sounds. 布防时短接电缆。"""
    rig.arm()
    rig.short("front-door")
    rig.waits_for("siren-outside")
    rig.center_sees("alarm.sensor-tamper", zone="front-door", condition="short")


def test_hold_up_cable_cut(rig: Rig) -> None:
    """The cable of a hold-up button is cut: a tamper of its line, and no hold-up. 紧急按钮电缆被剪断。"""
    rig.cut("holdup-1")
    rig.center_sees("alarm.sensor-tamper", zone="holdup-1", condition="open")
    assert not rig.center_holds("alarm.hold-up")
    rig.close("holdup-1")
    rig.center_sees("restore.sensor-tamper", zone="holdup-1")


def test_cabinet_opened(rig: Rig) -> None:
    """The panel's cabinet is opened by day: a tamper alarm. 主机箱被打开。"""
    rig.open("box-tamper")
    rig.center_sees("alarm.tamper", zone="box-tamper")
    rig.waits_for("siren-inside")
    rig.close("box-tamper")
    rig.center_sees("restore.tamper", zone="box-tamper")
    rig.code(CODE, "disarm")
    rig.waits_for("siren-inside", on=False)


@pytest.mark.clause("EN 50131-1 tamper set")
def test_siren_cover_while_armed(rig: Rig) -> None:
    """Somebody lifts the cover of the outdoor siren while all is armed: every siren sounds. 布防时拆警号外罩。"""
    rig.arm()
    rig.open("siren-tamper")
    rig.waits_for("siren-outside")
    rig.center_sees("alarm.tamper", zone="siren-tamper")
    rig.disarm()
    rig.waits_for("siren-outside", on=False)
