"""Pictures of an alarm, by cameras whose drivers, libraries and network the panel needs for them."""

import pytest

from hil.rigs.protocol import Rig

LONG_S = 60.0


@pytest.mark.long
@pytest.mark.site(camera=True, csi=True)
def test_pictures_by_a_pis_own_camera(rig: Rig) -> None:
    """A Raspberry Pi's camera sees an alarm, through libcamera and picamera2. 树莓派摄像机的报警图像。"""
    rig.without("camera", within_s=LONG_S)
    rig.arm()
    before, troubles = rig.now(), len(rig.center_holds("trouble.camera"))
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door")
    last = rig.center_sees("evidence.pictures", camera="lobby", last=True, since=before, within_s=LONG_S)
    taken = [picture for record in rig.center_holds("evidence.pictures") for picture in record["payload"]["pictures"]]
    # How many a slow board takes in the time is not the question.
    assert {(picture["width"], picture["height"]) for picture in taken} == {(320, 240)}
    assert last["payload"]["sealed"] is not None
    assert len(rig.center_holds("trouble.camera")) == troubles


@pytest.mark.long
@pytest.mark.site(camera=True, rtsp=True)
def test_pictures_by_a_network_camera(rig: Rig) -> None:
    """A network camera sees an alarm, is lost, comes back, sees the next. 网络摄像机的报警图像、中断与恢复。"""
    _plugged_in(rig, _lost(rig))
    _pictures_of_an_alarm(rig)
    rig.disarm()
    rig.close("back-door")
    before = rig.center_holds("trouble.camera-ended")[-1]["header"]["seq"]
    rig.camera("unplug")
    _plugged_in(rig, _lost(rig, before))
    _pictures_of_an_alarm(rig)


def _lost(rig: Rig, after: int = 0) -> int:
    """Until the center knows that the camera gives no pictures; the record's number."""
    gone = rig.center_sees("trouble.camera", subject="lobby", after=after, within_s=LONG_S)
    return int(gone["header"]["seq"])


def _plugged_in(rig: Rig, after: int) -> None:
    """Plug it in, until its first picture has ended its trouble."""
    rig.camera("plug")
    rig.center_sees("trouble.camera-ended", subject="lobby", after=after, within_s=LONG_S)


def _pictures_of_an_alarm(rig: Rig) -> None:
    rig.arm()
    before = rig.status()["seq"]
    rig.open("back-door")
    rig.waits_for("siren-outside", within_s=2)
    rig.center_sees("alarm.intruder", zone="back-door", after=before)
    last = rig.center_sees("evidence.pictures", camera="lobby", last=True, after=before, within_s=LONG_S)
    assert last["payload"]["sealed"] is not None
    told = [record for record in rig.center_holds("evidence.pictures") if record["header"]["seq"] > before]
    taken = [picture for record in told for picture in record["payload"]["pictures"]]
    # Of the stream's 640 by 480, what the panel file asks for.
    assert {(picture["width"], picture["height"]) for picture in taken} == {(320, 240)}
    assert all(picture["bytes"] > 0 for picture in taken)
