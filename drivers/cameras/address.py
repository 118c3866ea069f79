"""How a network camera's address is written; without PyAV, so that a panel file can be checked without it."""

import re

RTSP = re.compile(r"rtsp://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>/[^\s@]*)?")
"""Without user and password, which stand in a file of their own, and without TLS, which FFmpeg can't verify there."""


def host_of(address: str) -> str:
    """The host of an `rtsp://` address; empty for what is none, or bears user and password."""
    found = RTSP.fullmatch(address)
    return found["host"] if found and int(found["port"] or 554) <= 65535 else ""
