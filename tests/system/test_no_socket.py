"""A socket that can't be opened, as on a run folder in disorder: the panel sounds, and listens as soon as it can."""

import time

from firmware.protocol.lines import Client
from tests.system.rig import Rig, rig


def quick(text: str) -> str:
    """The demo's bank with an exit delay of a second."""
    return text.replace("exit_delay_s = 8", "exit_delay_s = 1")


def test_a_core_whose_socket_cant_be_opened_still_sounds() -> None:
    with rig(edit=quick) as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        panel.arm()
        panel.kill("core")
        for name in ("uplink.sock", "camera.sock"):
            (panel.run / name).unlink()
            (panel.run / name).mkdir()
        panel.start("core")
        since = panel.mark()
        panel.move("back-door", "open")
        panel.wait("output", "siren-outside", True, since=since)
        (panel.run / "uplink.sock").rmdir()
        panel.wait("record", "alarm.intruder", since=since)
        again = heard_again(panel)
        assert again["type"] == "welcome"


def heard_again(panel: Rig) -> dict[str, object]:
    """What core's uplink socket says first, once it is there."""
    end = time.monotonic() + 15
    while not (panel.run / "uplink.sock").is_socket():
        assert time.monotonic() < end, "the socket did not come back"
        time.sleep(0.05)
    return Client(panel.run / "uplink.sock").receive(5.0) or {}
