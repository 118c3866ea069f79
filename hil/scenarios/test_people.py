"""Staff under threat, and staff at work: hold-up, duress, bypass, walk test, orders of the center."""

import pytest

from hil.rigs.protocol import Rig
from hil.rigs.site import CODE, DURESS

LOUD = ("siren-outside", "siren-inside", "strobe")


@pytest.mark.clause("EN 50131-1 hold-up unset")
@pytest.mark.slice
def test_hold_up(rig: Rig) -> None:
    """A hold-up button is pressed: the center knows, and nothing on site shows it. 按下紧急按钮:现场无任何显示。"""
    since = rig.now()
    rig.press("holdup-1")
    rig.center_sees("alarm.hold-up", zone="holdup-1", since=since)
    for output in LOUD:
        rig.stays(output, on=False, for_s=0.3)
    assert rig.status()["zones"]["holdup-1"]["condition"] == "normal"
    assert not [name for name in rig.status()["indications"] if "hold-up" in str(name)]


@pytest.mark.clause("GB 50394 nothing lost")
def test_hold_up_without_a_line(rig: Rig) -> None:
    """The line was cut before: the button stays silent, its alarm waits for the center. 断网时紧急报警。"""
    rig.network(False)
    rig.press("holdup-1")
    for output in LOUD:
        rig.stays(output, on=False, for_s=0.5)
    rig.network(True)
    rig.center_sees("alarm.hold-up", zone="holdup-1", within_s=60)


@pytest.mark.clause("GB 55029 3.5.1(4)(5) duress")
def test_duress(rig: Rig) -> None:
    """A robber makes him disarm: it disarms as ever, and the center gets the silent alarm. 被胁迫撤防:静默报警。"""
    rig.arm()
    rig.open("front-door")
    rig.sees("hall", "entry-delay")
    rig.code(DURESS, "disarm")
    rig.sees("hall", "disarmed")
    rig.center_sees("alarm.duress")
    for output in LOUD:
        rig.stays(output, on=False, for_s=0.3)


def test_bypass(rig: Rig) -> None:
    """A door that can't be shut is bypassed for one night; its neighbours are watched. 旁路无法关闭的门。"""
    rig.open("back-door")
    rig.code(CODE, "arm")
    rig.center_sees("area.arming-refused")
    rig.code(CODE, "bypass", zone="back-door")
    rig.center_sees("zone.bypassed", zone="back-door")
    rig.arm()
    rig.close("back-door")
    rig.open("back-door")
    rig.stays("siren-outside", on=False, for_s=1)
    rig.open("office-pir")
    rig.waits_for("siren-outside")
    rig.center_sees("alarm.intruder", zone="office-pir")
    rig.disarm()
    rig.center_sees("zone.unbypassed", zone="back-door")


def test_walk_test(rig: Rig) -> None:
    """In a walk test each tripped zone is recorded once, and nothing alarms. 步测:逐个记录,不报警。"""
    rig.code(CODE, "walk-test")
    rig.center_sees("test.walk-started")
    for zone in ("front-door", "hall-pir", "vault-door"):
        rig.open(zone)
        rig.center_sees("test.zone-seen", zone=zone)
        rig.close(zone)
    assert not rig.reads("siren-outside")
    rig.code(CODE, "end-test")
    rig.center_sees("test.walk-ended")
    assert not rig.center_holds("alarm.24-hour")


def test_siren_test(rig: Rig) -> None:
    """The sirens are tried at the keypad: they sound for their seconds and end by themselves. 警号测试。"""
    rig.code(CODE, "siren-test")
    rig.waits_for("siren-inside")
    rig.center_sees("test.siren-ended")
    rig.waits_for("siren-inside", on=False)


def test_the_center_arms_and_disarms(rig: Rig) -> None:
    """Signed commands of the center arm and disarm, and say who gave them. 报警中心远程布防与撤防。"""
    assert rig.command("arm", {"areas": ["hall"]})["result"] == "done"
    rig.sees("hall", "armed")
    rig.center_sees("area.armed-remotely")
    rig.open("back-door")
    rig.waits_for("siren-outside")
    assert rig.command("silence", {"areas": []}, operator="Zhao Min")["result"] == "done"
    rig.waits_for("siren-outside", on=False)
    assert rig.command("disarm", {"areas": ["hall"]})["result"] == "done"
    rig.sees("hall", "disarmed")
