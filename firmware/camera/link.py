"""The line to core: orders come in, manifests and health go out, and it is laid anew whenever core restarts.

Manifests that are made while core is away wait here, bounded; how the cameras are is told afresh on each connection.
"""

import contextlib
import logging
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from firmware.camera.health import Health
from firmware.protocol.lines import Client, LineTooLong
from firmware.protocol.messages import (
    CameraHealth,
    CaptureOrder,
    Delete,
    Error,
    Held,
    Hold,
    Manifest,
    Relearn,
    Stock,
    Welcome,
    to_camera,
)
from firmware.stopping import StopFlag

log = logging.getLogger("fenghuo.camera.link")

MAX_OUT = 256
"""Messages that wait for core; beyond, the oldest are dropped and counted (their pictures stay on disk)."""
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class Outbox:
    """Messages for core, put in by any thread, taken out by the main one."""

    def __init__(self) -> None:
        self.dropped = 0
        self._messages: deque[Manifest | CameraHealth | Held | Stock] = deque()
        self._lock = threading.Lock()
        self._wake_in, self._wake_out = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def put(self, message: Manifest | CameraHealth | Held | Stock) -> None:
        """Queue a message; never blocks."""
        with self._lock:
            if isinstance(message, CameraHealth):
                # Only how the camera is now counts: what waits of it is out of date.
                self._messages = deque(m for m in self._messages if not _of(m, message.camera))
            elif isinstance(message, Stock):
                self._messages = deque(m for m in self._messages if not isinstance(m, Stock))
            self._messages.append(message)
            if len(self._messages) > MAX_OUT:
                self._messages.popleft()
                self.dropped += 1
        # A full pipe wakes as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_out, b"!")

    def fileno(self) -> int:
        """Readable when something was put in."""
        return self._wake_in

    def calm(self) -> None:
        """Take the wake-ups back, before the messages are taken."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_in, 4096):
                pass

    def first(self) -> Manifest | CameraHealth | Held | Stock | None:
        """The oldest message, left in its place until it is sent."""
        with self._lock:
            return self._messages[0] if self._messages else None

    def sent(self, message: Manifest | CameraHealth | Held | Stock) -> None:
        """It is on its way: forget it."""
        with self._lock:
            if self._messages and self._messages[0] is message:
                self._messages.popleft()


def _of(message: Manifest | CameraHealth | Held | Stock, camera: str) -> bool:
    return isinstance(message, CameraHealth) and message.camera == camera


class Link:
    """Runs on the main thread. `turn` is called at least every `every_s` seconds, connected or not."""

    def __init__(
        self,
        path: Path,
        outbox: Outbox,
        health: Health,
        take: Callable[[CaptureOrder], None],
        relearn: Callable[[str], None],
        keep: Callable[[Hold | Delete | Welcome], None],
    ) -> None:
        self.garbage = 0
        self.welcomed = False
        """Whether core has answered since the start."""
        self.core_file = ""
        """SHA-256 of the panel file that core runs by, as it said last."""
        self._path = path
        self._outbox = outbox
        self._health = health
        self._take = take
        self._relearn = relearn
        self._keep = keep
        self._client: Client | None = None
        self._answered = False
        """On this connection."""

    def run(self, stop: StopFlag, turn: Callable[[], None], every_s: float) -> None:
        """Until the stop flag is set; core may come and go meanwhile."""
        pause = FIRST_PAUSE_S
        while not stop.is_set():
            try:
                self._client = client = Client(self._path)
            except OSError as error:
                log.debug("core does not answer at %s: %s", self._path.name, error)
                stop.wait(min(pause, every_s))
                pause = min(pause * 2, LONGEST_PAUSE_S)
                turn()
                continue
            self._health.tell_all()
            try:
                self._talk(client, stop, turn, every_s)
            except OSError as error:
                log.warning("core is gone: %s", error)
                self.close()
                # What accepts us and talks nonsense is not core: it is asked less and less often.
                pause = FIRST_PAUSE_S if self._answered else min(pause * 2, LONGEST_PAUSE_S)
                stop.wait(pause)

    def flush(self) -> None:
        """Send what waits, as far as core takes it; at the end."""
        if self._client is not None:
            try:
                self._send(self._client)
            except OSError as error:
                log.warning("core did not take the last messages: %s", error)

    def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _talk(self, client: Client, stop: StopFlag, turn: Callable[[], None], every_s: float) -> None:
        self._answered = False
        while not stop.is_set():
            self._outbox.calm()
            self._send(client)
            ready = select.select([client.fileno(), stop.fileno(), self._outbox.fileno()], [], [], every_s)[0]
            if client.fileno() in ready:
                while (value := client.receive(0.0)) is not None:
                    self._received(value)
            turn()

    def _send(self, client: Client) -> None:
        while (message := self._outbox.first()) is not None:
            try:
                client.send(message)
            except LineTooLong:
                log.error("a message was too long for core, and is dropped")
                self._outbox.dropped += 1
            self._outbox.sent(message)

    def _received(self, value: dict[str, object]) -> None:
        try:
            message = to_camera.validate_python(value)
        except ValidationError as error:
            self.garbage += 1
            log.warning("a message of core does not count: %d mistakes, %d so far", error.error_count(), self.garbage)
            return
        if isinstance(message, CaptureOrder):
            self._take(message)
        elif isinstance(message, Relearn):
            self._relearn(message.camera)
        elif isinstance(message, Hold | Delete):
            self._keep(message)
        elif isinstance(message, Error):
            log.warning("core refused a message: %s", message.reason)
        elif isinstance(message, Welcome):
            self.welcomed = self._answered = True
            self.core_file = message.file
            self._keep(message)
            log.info("connected to core %s, session %d", message.version, message.session)
