"""Pictures of an alarm, by cameras that only a whole board can have."""

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
