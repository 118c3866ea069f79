"""Where a USB or network camera is found, and with what FFmpeg opens it: addresses, secrets, time limits.

The password stands in a file of its own that nobody but its owner may read, and goes into the address only in memory.
"""

import os
import stat
from pathlib import Path
from urllib.parse import quote

from drivers.cameras.address import host_of
from drivers.cameras.protocol import CameraError, Plan
from drivers.cameras.stream import READ_S, Source

MAX_SECRET = 256
_PROTOCOLS = "rtsp,rtp,tcp"
_PROBE = {"probesize": "2000000", "analyzeduration": "3000000"}


def source_of(plan: Plan) -> Source:
    """What the plan's `v4l2` or `rtsp` camera is to FFmpeg. Raises `CameraError`."""
    return _usb(plan) if plan.maker == "v4l2" else _network(plan)


def _usb(plan: Plan) -> Source:
    if not Path(plan.source).exists():
        # FFmpeg's own word for it would be the same for a camera that is there and broken.
        raise CameraError(f"USB camera {plan.source}: not plugged in")
    width, height = plan.still or (plan.width, plan.height)
    size = {"video_size": f"{width}x{height}"}
    # JPEG of the camera needs a tenth of the bus; a camera without it gives what it has, in the size it has.
    attempts: tuple[dict[str, str], ...] = ({**size, "input_format": "mjpeg"}, size, {})
    return Source(plan.source, f"USB camera {plan.source}", "v4l2", attempts)


def _network(plan: Plan) -> Source:
    host = host_of(plan.source)
    if not host:
        raise CameraError(f"camera {plan.id}: source: expected rtsp://HOST[:PORT]/PATH without user and password")
    options = {
        "rtsp_transport": "tcp",
        "timeout": str(int(READ_S * 1_000_000)),
        # A camera that sends us elsewhere is not followed out of these.
        "protocol_whitelist": _PROTOCOLS,
        "allowed_media_types": "video",
        **_PROBE,
    }
    user = _secret(plan.secret) if plan.secret else ""
    label = f"network camera {host}"
    return Source(plan.source.replace("rtsp://", f"rtsp://{user}", 1), label, None, (options,))


def _secret(path: Path) -> str:
    """`user:password@`, quoted, from a file with one line `user:password`. Raises `CameraError`, never telling it."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(number, "rb") as file:
            mode = os.fstat(number).st_mode
            content = file.read(MAX_SECRET + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise CameraError(f"secret_file {path.name}: {error.strerror or error}") from None
    if mode & 0o077:
        raise CameraError(f"secret_file {path.name}: found mode {mode & 0o777:04o}, expected 0600")
    line = content.removesuffix(b"\n").removesuffix(b"\r")
    user, colon, password = line.partition(b":")
    if not (user and colon) or len(content) > MAX_SECRET or any(byte < 0x20 for byte in line):
        raise CameraError(f"secret_file {path.name}: expected one line user:password, at most {MAX_SECRET} bytes")
    return f"{quote(user, safe='')}:{quote(password, safe='')}@"
