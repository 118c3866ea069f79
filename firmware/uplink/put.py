"""Putting a picture to an HTTPS address that the center's signed command names: one at a time, in a thread of its own.

Only a host of the panel file, only under the CA of the panel file, no redirect. Where the server tells how much it
holds (308 with `Range`, in answer to an empty PUT with `Content-Range: bytes */TOTAL`), a cut upload goes on there.
A block goes only while no record wants the line, and the kernel holds little of what is sent.
"""

import base64
import http.client
import logging
import os
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from firmware.protocol.messages import PictureOrder
from firmware.protocol.put_url import allowed, split

log = logging.getLogger("fenghuo.uplink.put")

BLOCK = 12 * 1024
SEND_BUFFER = 16 * 1024
"""What the kernel may hold of it ahead of an alarm (Linux doubles it)."""
TIMEOUT_S = 20.0
"""For each step: connect, send a block, answer."""
WHOLE_S = 600.0
ATTEMPTS = 4
PAUSE_S = 2.0
MAX_ANSWER = 4096
DONE = (200, 201, 204)
RESUME = 308
_RANGE = re.compile(r"bytes=0-([0-9]{1,9})")


@dataclass(frozen=True)
class Terms:
    """Of the panel file: the hosts that are allowed, and the CA that counts for them."""

    hosts: tuple[str, ...]
    ca: Path


class Failed(Exception):
    """The server would not have it; the text says why."""


@dataclass
class Put:
    """One upload. `free` is set while the line may be used; `finished` tells the end, `fault` why it failed."""

    order: PictureOrder
    number: int
    """The open file; its owner closes it, after `finished`."""
    terms: Terms
    free: threading.Event
    finished: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    fault: str = ""

    def start(self) -> None:
        """Begin, without waiting."""
        threading.Thread(target=self._run, name="put", daemon=True).start()

    def stop(self) -> None:
        """Give up soon: after the step that is under way."""
        self.stopped.set()

    def _run(self) -> None:
        try:
            self._attempts(time.monotonic() + WHOLE_S)
        except Exception as error:
            self.fault = str(error)[:200] or type(error).__name__
            log.warning("picture %s was not put: %s", self.order.file, self.fault)
        finally:
            self.finished.set()

    def _attempts(self, end: float) -> None:
        if not allowed(self.order.put, self.terms.hosts):
            raise Failed("a host that the panel file does not allow")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cafile=str(self.terms.ca))
        for attempt in range(ATTEMPTS):
            try:
                if self._attempt(context, attempt > 0, end):
                    return
                why = "the server took only a part"
            except ssl.SSLCertVerificationError:
                raise
            except (OSError, http.client.HTTPException) as error:
                why = str(error) or type(error).__name__
            log.info("picture %s: %s", self.order.file, why)
            if self.stopped.wait(PAUSE_S * 2**attempt) or time.monotonic() > end:
                break
        raise Failed(why)

    def _attempt(self, context: ssl.SSLContext, again: bool, end: float) -> bool:
        """One connection; whether the server has it all."""
        host, port, target = split(self.order.put)
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            start = self._held(connection, target) if again else 0
            if start >= self.order.bytes:
                return True
            self._send(connection, target, start, end)
            return self._answer(connection) >= self.order.bytes
        finally:
            connection.close()

    def _held(self, connection: http.client.HTTPSConnection, target: str) -> int:
        """How much the server says that it holds; 0 where it does not say."""
        headers = {"Content-Range": f"bytes */{self.order.bytes}", "Content-Length": "0"}
        connection.request("PUT", target, headers=headers)
        return self._answer(connection, asking=True)

    def _answer(self, connection: http.client.HTTPSConnection, asking: bool = False) -> int:
        """How much it holds, by its answer. Raises `Failed` for one that refuses for good."""
        answer = connection.getresponse()
        answer.read(MAX_ANSWER)
        if answer.status in DONE:
            return self.order.bytes
        if answer.status == RESUME:
            found = _RANGE.fullmatch(answer.headers.get("Range", ""))
            return min(int(found[1]) + 1, self.order.bytes) if found else 0
        if asking:
            return 0
        if answer.status in (408, 429) or answer.status >= 500:
            return 0
        raise Failed(f"the server answered {answer.status}")

    def _send(self, connection: http.client.HTTPSConnection, target: str, start: int, end: float) -> None:
        total = self.order.bytes
        connection.putrequest("PUT", target)
        connection.putheader("Content-Type", "image/jpeg")
        connection.putheader("Content-Length", str(total - start))
        connection.putheader("Content-Range", f"bytes {start}-{total - 1}/{total}")
        digest = base64.b64encode(bytes.fromhex(self.order.sha256)).decode()
        connection.putheader("Repr-Digest", f"sha-256=:{digest}:")
        connection.endheaders()
        at = start
        while at < total:
            self._wait_for_line(end)
            block = os.pread(self.number, min(BLOCK, total - at), at)
            if not block:
                raise Failed("the file is shorter than its record says")
            connection.send(block)
            at += len(block)
            self.sent += len(block)

    def _wait_for_line(self, end: float) -> None:
        while not self.free.wait(0.5):
            self._check(end)
        self._check(end)

    def _check(self, end: float) -> None:
        if self.stopped.is_set():
            raise Failed("given up")
        if time.monotonic() > end:
            raise Failed(f"not done in {WHOLE_S:.0f} s")
