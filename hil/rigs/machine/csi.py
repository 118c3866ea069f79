"""A Raspberry Pi's own camera for the machine rig: libcamera's virtual one, under the real libcamera and picamera2.

No board's sensor can be emulated. libcamera makes pictures by itself where a file says so, in buffers of udmabuf, since
Debian's kernel has no dma heap. What is shown is all that is above the sensor: the image's libraries, their Python, the
driver, and the sandbox that they run in.
"""

import io

from PIL import Image, ImageOps

from hil.rigs.desk import scene
from hil.rigs.machine.agent import GuestAgent

SIZE = (320, 240)
"""As the site's panel file wants its camera."""
FOLDER = "/run/rig-csi"
READ_HERE = "/usr/share/libcamera/pipeline/virtual"
CAMERA = f"""\
%YAML 1.1
---
"Lobby":
  supported_formats:
  - width: {SIZE[0]}
    height: {SIZE[1]}
    frame_rates: [5, 10]
  frames:
    path: "{FOLDER}/frames/"
    scale_mode: "fill"
  location: "CameraLocationBack"
  model: "Virtual"
"""
# picamera2 asks each camera for its raw formats, which a virtual one has not: it tells those of its pictures, as a USB
# camera does.
RAW = """\
import libcamera
from libcamera import StreamRole

_asked = libcamera.Camera.generate_configuration


def _without_raw(camera, roles):
    return _asked(camera, [StreamRole.Viewfinder if role == StreamRole.Raw else role for role in roles])


libcamera.Camera.generate_configuration = _without_raw
"""
# A board's heaps are among the devices that the unit names; what stands for one here is not.
UNIT = f"[Service]\nDeviceAllow=/dev/udmabuf rw\nEnvironment=PYTHONPATH={FOLDER}\n"
UNIT_FOLDER = "/run/systemd/system/fenghuo-camera.service.d"


def plug_in(agent: GuestAgent) -> None:
    """Before the camera's process starts. Raises `AgentError`."""
    agent.must("mkdir", "-p", f"{FOLDER}/frames", UNIT_FOLDER)
    view = Image.open(io.BytesIO(scene())).convert("RGB")
    # Two views in turn, so that pictures differ.
    for number, shown in enumerate((view, ImageOps.mirror(view))):
        taken = io.BytesIO()
        shown.save(taken, "JPEG")
        agent.put(f"{FOLDER}/frames/{number}.jpg", taken.getvalue(), 0o644)
    agent.put(f"{FOLDER}/virtual.yaml", CAMERA.encode(), 0o644)
    agent.put(f"{FOLDER}/sitecustomize.py", RAW.encode(), 0o644)
    agent.must("mount", "--bind", FOLDER, READ_HERE)
    # Of another name than what the rig has for each service: in /etc, one of the same name would count.
    agent.put(f"{UNIT_FOLDER}/csi.conf", UNIT.encode(), 0o644)
    agent.must("chgrp", "fenghuo-camera", "/dev/udmabuf")
    agent.must("chmod", "0660", "/dev/udmabuf")
    agent.must("systemctl", "daemon-reload")


def works(agent: GuestAgent) -> bool:
    """Whether the camera's process has it open: picamera2 says so in the log, and core is told only of a trouble."""
    return agent.run("journalctl", "-u", "fenghuo-camera", "-q", "--grep", "Camera started").code == 0
