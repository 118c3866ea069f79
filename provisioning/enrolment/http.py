"""One question to the center's enrolment service over HTTPS, bounded in time and size, without redirects."""

import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

from firmware.protocol.enrolment import MAX_BYTES
from provisioning.enrolment.trouble import FROM_CENTER, Trouble

PATH = "/v1/enrolment"
PATIENCE_S = 20.0
PORT = 443


def ask(url: str, body: bytes, ca: str = "") -> bytes:
    """The answer to a request. `ca`: PEM that the server's certificate must lead to; empty: any certificate.

    Raises `Trouble`: `again` where nothing was decided.
    """
    end = time.monotonic() + PATIENCE_S
    try:
        status, found = _exchange(url, body, _context(ca), end)
    except ssl.SSLCertVerificationError as error:
        raise Trouble("unreached", url=url, detail=error.verify_message) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Trouble("unreached", again=True, url=url, detail=str(error) or type(error).__name__) from None
    if status == 200:
        return found
    raise _declined(url, status, found)


def _exchange(url: str, body: bytes, context: ssl.SSLContext, end: float) -> tuple[int, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port or PORT, timeout=PATIENCE_S, context=context
    )
    # A server that sends a byte now and then keeps within every single wait; the line is cut when the time is over.
    cut = threading.Timer(max(0.0, end - time.monotonic()), _cut, [connection])
    cut.daemon = True
    cut.start()
    try:
        connection.request("POST", PATH, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        found = b""
        while len(found) <= MAX_BYTES and (block := response.read1(MAX_BYTES)):
            found += block
        if response.length:
            raise ConnectionError("the line broke in the middle of the answer")
        return response.status, found
    except (OSError, http.client.HTTPException, ValueError):
        if time.monotonic() >= end:
            raise TimeoutError(f"not all of the answer came in {PATIENCE_S:g} s") from None
        raise
    finally:
        cut.cancel()
        connection.close()


def _cut(connection: http.client.HTTPSConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca:
        context.load_verify_locations(cadata=ca)
    else:
        # Not believed, and need not be: both directions carry a MAC of the one-time code (docs/enrolment.md).
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _declined(url: str, status: int, found: bytes) -> Trouble:
    try:
        reason = json.loads(found.decode())["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Trouble("nonsense", again=status >= 500, url=url, detail=f"HTTP {status}")
    if reason not in FROM_CENTER:
        said = str(reason)[:100].encode("ascii", "backslashreplace").decode()  # it goes to a terminal
        detail = "".join(letter if letter.isprintable() else "?" for letter in said)
        return Trouble("unreached", again=True, url=url, detail=detail)
    return Trouble(str(reason), detail=f"HTTP {status}")
