"""The site's network camera: an RTSP server on this machine's loopback, behind a cable that can be pulled.

It begins unplugged, as an installer's last thing to plug in: so a scenario can wait for the end of its trouble, which
core is told with the first picture. One port for all of a run; user and password are made for it.
"""

import secrets
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hil.fault_proxy import FaultProxy
from hil.faults import Weather
from hil.rigs.protocol import CameraFault, RigFault, Unable
from hil.rigs.site import Place
from hil.rtsp import H264, Film, RtspCamera

FILM = Film((*H264[:-1], "7"), "640x480", 15, "testsrc=size={size}:rate={rate}")
"""Some 300 kbit/s with two key frames a second, as docs/cameras.md asks for: a panel may be a tenth of a Pi here."""
SECONDS = 3
"""So long it takes pictures of an alarm; on a patient rig so many times longer: a slow board got none in less."""
SECRET = "lobby.secret"  # noqa: S105  # the name of its file
_USER = "onvif"
_PULLED = Weather(up=False, down=False, welcome="hang")


class NetworkCamera:
    """Started by `start`; `turn` is the hand at its cable."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes what the encoder says of its stream."""
        # What stands in an address only when it is quoted.
        self._password = f"{secrets.token_hex(6)}:@/%"
        self._camera = RtspCamera(folder, FILM, _USER, self._password)
        self._cable = FaultProxy(self._camera.port)
        self._stack = ExitStack()

    def start(self) -> None:
        """From now on its port is known; whoever connects hears nothing. Raises `RigFault`."""
        try:
            self._stack.enter_context(self._camera)
        except (OSError, RuntimeError) as error:
            raise RigFault(f"the network camera does not start (.ci/packages ffmpeg): {error}") from error
        self._stack.enter_context(self._cable)
        self._cable.set(_PULLED)

    def close(self) -> None:
        """End it."""
        self._stack.close()

    @property
    def port(self) -> int:
        """On the loopback."""
        return self._cable.port

    @property
    def secret(self) -> bytes:
        """What stands in the file `SECRET` of the panel."""
        return f"{_USER}:{self._password}\n".encode()

    def at(self, place: Place, host: str, port: int, patience: float) -> Place:
        """The place with this camera, whose address is so for the panel."""
        source, seconds = f"rtsp://{host}:{port}/live", round(SECONDS * patience)
        return replace(place, camera_maker="rtsp", camera_source=source, camera_secret=SECRET, camera_s=seconds)

    def turn(self, fault: CameraFault) -> None:
        """Plug it in, or pull its cable: nobody is told, neither the panel nor the camera."""
        match fault:
            case "plug":
                self._cable.heal()
            case "unplug":
                self._cable.set(_PULLED)
                # The camera forgets its viewer at once, so that it never waits for one who can't hear it.
                self._cable.break_all("half-open")
            case _:
                raise Unable(f"the network camera of a rig has no lens to {fault}")
