"""The addresses to which a picture may be put: `https://HOST[:PORT]/PATH`, and nothing that two readers read apart."""

import re

MAX_URL = 500
PATTERN = r"^https://[a-z0-9][a-z0-9.-]{0,252}(:[1-9][0-9]{0,4})?/[!-~]*$"
HOST_PATTERN = r"^[a-z0-9][a-z0-9.-]{0,252}(:[1-9][0-9]{0,4})?$"
_URL = re.compile(r"https://([a-z0-9][a-z0-9.-]{0,252})(?::([1-9][0-9]{0,4}))?(/[!-~]*)")
_HTTPS = 443


def split(url: str) -> tuple[str, int, str]:
    """Host, port and target. Raises `ValueError`."""
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    port = int(found[2] or _HTTPS) if found else 0
    if found is None or port > 0xFFFF:
        raise ValueError(f"no https address: {url[:80]!r}")
    return found[1], port, found[3]


def allowed(url: str, hosts: tuple[str, ...]) -> bool:
    """Whether a list of `host` or `host:port` (443 where none is said) has the address's."""
    try:
        host, port, _ = split(url)
    except ValueError:
        return False
    return any((name, int(number or _HTTPS)) == (host, port) for name, _, number in (h.partition(":") for h in hosts))
