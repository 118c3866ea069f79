"""How a network camera's address is written; without PyAV, so that a panel file can be checked without it."""

import re
from ipaddress import ip_address, ip_network

RTSP = re.compile(r"rtsp://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<path>/[^\s@]*)?")
"""Without user and password, which stand in a file of their own, and without TLS, which FFmpeg can't verify there."""
SITE = tuple(
    ip_network(written)
    for written in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""A site's own network: the image's firewall and the camera's unit let its process reach these, and nothing else."""


def host_of(address: str) -> str:
    """The host of an `rtsp://` address; empty for what is none, or bears user and password."""
    found = RTSP.fullmatch(address)
    return found["host"] if found and int(found["port"] or 554) <= 65535 else ""


def is_outside(host: str) -> bool:
    """Whether this host is an address beyond the site's own network. Of a name nobody knows that before it is asked."""
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return not address.is_loopback and not any(address in network for network in SITE)
