"""The MQTT adapter: does over paho what the delivery logic asks, and hands it what happens, as plain events.

paho's network thread only puts events into a bounded queue and wakes the process's one loop through a file descriptor.
Each connection is a new paho client with a clean session: paho's own queue stays nearly empty, and its reconnecting is
never used.
"""

import contextlib
import os
import ssl
import threading
from collections import Counter, deque
from collections.abc import Callable

from firmware.config import MqttPath
from firmware.uplink.connection import Connection, Left, PahoEvent, Subscribed
from firmware.uplink.events import Acked, Closed, Connect, Disconnect, FromPath, Opened, Publish, Received

MAX_WAITING = 512
"""Incoming messages that may wait for the loop. More are dropped and counted: the center sends receipts again."""


class MqttLink:
    """One path over MQTT. All methods are for the process's one loop."""

    def __init__(
        self, panel: str, path: MqttPath, tls: ssl.SSLContext | None, utc_text: Callable[[], str], client: str = ""
    ) -> None:
        """`utc_text` tells the time of a connection. `client`: the MQTT client id, the panel's where empty."""
        self.dropped = Counter[str]()
        self._panel = panel
        self._client = client or panel
        self._path = path
        self._tls = tls
        self._utc_text = utc_text
        self._events: deque[PahoEvent] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._connection: Connection | None = None
        self._tokens: dict[int, int] = {}

    def fileno(self) -> int:
        """Readable when `events` has something."""
        return self._wake

    def trust(self, tls: ssl.SSLContext | None) -> None:
        """From the next connection on, with this context."""
        self._tls = tls

    def connect(self, order: Connect) -> None:
        """Begin to connect; `Opened` or `Closed` will come."""
        self._drop(graceful=False)
        connection = Connection(self._panel, self._path, self._tls, self._put, self._client)
        with self._lock:
            self._connection = connection
        connection.start(order)

    def publish(self, order: Publish) -> None:
        """Publish; `Acked` will come, or `Closed`. Does nothing without a connection."""
        mid = self._connection.publish(order) if self._connection else None
        if mid is not None:
            self._tokens[mid] = order.token

    def disconnect(self, order: Disconnect) -> None:
        """End the connection, in good order or so that the broker sends the last will. `Closed` will come."""
        self._drop(order.graceful)
        with self._lock:
            self._events.append(Closed(order.reason))
        self._notify()

    def events(self) -> list[FromPath]:
        """What happened since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        with self._lock:
            taken = list(self._events)
            self._events.clear()
            self._waiting = 0
        return [event for item in taken if (event := self._translate(item)) is not None]

    def close(self) -> None:
        """Cut what is open and give everything back."""
        self._drop(graceful=False)
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def _translate(self, item: PahoEvent) -> FromPath | None:
        if isinstance(item, Subscribed):
            return Opened(self._utc_text())
        if isinstance(item, Left):
            # paho may tell of a publish before `publish` returned its id, so ids become tokens here and not earlier.
            token = self._tokens.pop(item.mid, None)
            return None if token is None else Acked(token, item.failure)
        return item

    def _drop(self, graceful: bool) -> None:
        connection = self._connection
        if connection is None:
            return
        connection.end(graceful)
        with self._lock:
            self._connection = None
            self._events.clear()
            self._waiting = 0
            self._tokens = {}

    def _put(self, connection: Connection, event: PahoEvent) -> None:
        """On paho's thread. What an earlier connection still says no longer counts."""
        with self._lock:
            if connection is not self._connection:
                return
            if isinstance(event, Received):
                if self._waiting >= MAX_WAITING:
                    self.dropped["queue-full"] += 1
                    return
                self._waiting += 1
            self._events.append(event)
            self._notify()

    def _notify(self) -> None:
        if self._wake >= 0:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_write(self._wake, 1)
