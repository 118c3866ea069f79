"""The MQTT adapter: does over paho what the delivery logic asks, and hands it what happens, as plain events.

paho's network thread only puts events into a bounded queue and wakes the process's one loop through a file descriptor.
Each connection is a new paho client with a clean session: paho's own queue stays nearly empty, and its reconnecting is
never used. A second connection may be tried beside the first: it comes in its place once it is up, and until then the
first goes on, for as long as the broker leaves it.
"""

import contextlib
import os
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeAlias

from firmware.config import MqttPath
from firmware.uplink.connection import Connection, Left, PahoEvent, Subscribed
from firmware.uplink.events import (
    Acked,
    Closed,
    Connect,
    Disconnect,
    FromPath,
    NotSwitched,
    Opened,
    Publish,
    Received,
    Switched,
)
from firmware.uplink.identity import Identity
from firmware.uplink.tls import BadTlsFiles

Item: TypeAlias = PahoEvent | FromPath

MAX_WAITING = 512
"""Incoming messages that may wait for the loop. More are dropped and counted: the center sends receipts again."""


class MqttLink:
    """One path over MQTT. All methods are for the process's one loop."""

    def __init__(
        self, panel: str, path: MqttPath, identity: Identity | None, utc_text: Callable[[], str], client: str = ""
    ) -> None:
        """`identity`: None for a path in plain text. `utc_text` tells the time of a connection. `client`: the MQTT
        client id, the panel's where empty.
        """
        self.dropped = Counter[str]()
        self._panel = panel
        self._client = client or panel
        self._path = path
        self._identity = identity
        self._utc_text = utc_text
        self._events: deque[tuple[Connection | None, Item]] = deque()
        self._waiting = 0
        self._lock = threading.Lock()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._connection: Connection | None = None
        self._second: Connection | None = None
        self._first_ended: Closed | None = None
        self._tokens: dict[int, int] = {}

    def fileno(self) -> int:
        """Readable when `events` has something."""
        return self._wake

    def connect(self, order: Connect) -> None:
        """Begin to connect; `Opened` or `Closed` will come, or `Switched` or `NotSwitched` for one beside the first."""
        if not order.beside:
            self._drop(graceful=False)
        elif self._connection is None or self._second is not None:
            return
        try:
            tls = None if self._identity is None else self._identity.context(renewed=order.beside)
        except BadTlsFiles as bad:
            with self._lock:
                self._events.append((None, NotSwitched(str(bad)) if order.beside else Closed(str(bad)[:200], True)))
                self._notify()
            return
        connection = Connection(self._panel, self._path, tls, self._put, self._client)
        with self._lock:
            if order.beside:
                self._second = connection
            else:
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
            self._events.append((None, Closed(order.reason)))
        self._notify()

    def events(self) -> list[FromPath]:
        """What happened since the last call, in order."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        with self._lock:
            taken = list(self._events)
            self._events.clear()
            self._waiting = 0
        return [event for connection, item in taken for event in self._translate(connection, item)]

    def give_up_second(self, reason: str) -> bool:
        """The second connection takes too long: `NotSwitched` will come. False where there is none."""
        second, self._second = self._second, None
        if second is None:
            return False
        second.end(graceful=False)
        with self._lock:
            self._events.extend((None, event) for event in self._not_switched(Closed(reason)))
            self._notify()
        return True

    def close(self) -> None:
        """Cut what is open and give everything back."""
        self._drop(graceful=False)
        with self._lock:
            os.close(self._wake)
            self._wake = -1

    def _translate(self, connection: Connection | None, item: Item) -> list[FromPath]:
        if connection is not None and connection is self._second:
            return self._of_second(connection, item)
        if connection is not None and connection is not self._connection:
            return []  # it was given up, or another one came in its place
        match item:
            case Subscribed():
                return [Opened(self._utc_text())]
            case Left():
                # paho may tell of a publish before `publish` returned its id: ids become tokens here, not earlier.
                token = self._tokens.pop(item.mid, None)
                return [] if token is None else [Acked(token, item.failure)]
            case Closed() if connection is not None and self._second is not None:
                # The broker lets a client id in once: the second connection has just thrown the first one out.
                self._first_ended = item
                return []
        return [item]

    def _of_second(self, second: Connection, item: Item) -> list[FromPath]:
        if isinstance(item, Closed):
            self._second = None
            return self._not_switched(item)
        if not isinstance(item, Subscribed):
            return []
        first = self._connection
        with self._lock:
            self._connection, self._second = second, None
        self._first_ended = None
        self._tokens = {}
        if first is not None:
            first.end(graceful=False)
        return [Switched(self._utc_text())]

    def _not_switched(self, why: Closed) -> list[FromPath]:
        ended, self._first_ended = self._first_ended, None
        return [NotSwitched(why.reason), *([Closed(why.reason, why.refused)] if ended is not None else [])]

    def _drop(self, graceful: bool) -> None:
        connections = [each for each in (self._second, self._connection) if each is not None]
        for connection in connections:
            connection.end(graceful)
        if connections:
            with self._lock:
                self._connection = self._second = self._first_ended = None
                self._events.clear()
                self._waiting = 0
                self._tokens = {}

    def _put(self, connection: Connection, event: PahoEvent) -> None:
        """On paho's thread. What an earlier connection still says no longer counts."""
        with self._lock:
            if connection is not self._connection and connection is not self._second:
                return
            if isinstance(event, Received):
                if self._waiting >= MAX_WAITING:
                    self.dropped["queue-full"] += 1
                    return
                self._waiting += 1
            self._events.append((connection, event))
            self._notify()

    def _notify(self) -> None:
        if self._wake >= 0:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_write(self._wake, 1)
