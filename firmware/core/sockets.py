"""Core's unix sockets: one thread, a socket for each role, JSON lines in and out, everything bounded.

A peer that sends too much is read more slowly; one that does not read is dropped; one that sends nonsense
gets an `error` line. Nothing here can hold up the rules thread: others hand in work with `call`.
"""

import contextlib
import grp
import logging
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from firmware.protocol.lines import LineTooLong, Splitter, encode
from firmware.protocol.messages import Error

log = logging.getLogger("fenghuo.core.sockets")

MAX_OUT = 4 * 1024 * 1024
"""Bytes that may wait for one peer; a slower one is dropped, and comes back."""
SLOT_S = 0.1
MAX_LINES = 64
"""Lines of one peer that are read in a slot; the rest waits in the kernel's buffer. Room for a drain, which takes about
1.6 lines for 64 records; and a line about an alarm waits behind it for a slot at most, not for a second.
"""
PAUSE_S = 0.1
"""After an error that nobody expected."""
MAX_CALLS = 4096
"""Work of other threads that may wait (more than a few only while the disk holds the socket thread up)."""
LOOK_AGAIN_S = 5.0
"""How often a socket that could not be opened, or whose file is gone, is opened anew."""


def _nothing(_peer: "Peer") -> None:
    return


@dataclass(frozen=True)
class Role:
    """A socket: where it is, who may open it, what is allowed on it, and who answers."""

    name: str
    path: Path
    adapter: TypeAdapter[Any]
    received: Callable[["Peer", Any], None]
    connected: Callable[["Peer"], None] = _nothing
    closed: Callable[["Peer"], None] = _nothing
    mode: int = 0o660
    peers: int = 4


@dataclass(eq=False)
class Peer:
    """One connection. `send` from the socket thread only; other threads go through `Server.call`."""

    role: Role
    number: int
    socket: socket.socket
    server: "Server"
    splitter: Splitter = field(default_factory=Splitter)
    out: deque[bytes] = field(default_factory=deque)
    waiting: int = 0
    lines: deque[bytes] = field(default_factory=deque)
    read: int = 0
    watching: bool = False
    gone: bool = False

    def send(self, message: BaseModel) -> None:
        """Queue one message; a peer that does not read is dropped."""
        self.send_line(encode(message))

    def send_line(self, data: bytes) -> None:
        """Queue one line that is encoded already, newline included."""
        if self.gone:
            return
        self.out.append(data)
        self.waiting += len(data)
        if self.waiting > MAX_OUT:
            self.server.drop(self, "does not read what it is sent")
        else:
            self.server.flush(self)


class Server:
    """The socket thread."""

    def __init__(self) -> None:
        self.dropped = 0
        self.refused = 0
        self.calls_dropped = 0
        self.errors = 0
        self._roles: list[Role] = []
        self._peers: list[Peer] = []
        self._numbers = 0
        self._select = selectors.DefaultSelector()
        self._calls: deque[Callable[[], None]] = deque()
        self._timers: list[tuple[float, float, Callable[[], None]]] = []
        self._once: set[Callable[[], None]] = set()
        self._lock = threading.Lock()
        self._wake_in, self._wake_out = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)
        self._slot = 0
        self._ending = False
        self._closed = False
        self._listeners: dict[str, socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="sockets", daemon=True)

    def add(self, role: Role) -> None:
        """One more socket. Before `start` only."""
        self._roles.append(role)

    def start(self) -> None:
        """Open the sockets and start the thread. One that can't be opened is tried again: the others work meanwhile."""
        self._open_missing()
        self.every(LOOK_AGAIN_S, self._open_missing)
        self._select.register(self._wake_in, selectors.EVENT_READ, None)
        self._thread.start()

    def stop(self) -> None:
        """Send what is queued as far as it goes, close everything, end the thread."""
        self._ending = True
        self._wake()
        if self._thread.is_alive():
            self._thread.join(2.0)
        for role in self._roles:
            with contextlib.suppress(OSError):
                role.path.unlink(missing_ok=True)

    def alive(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def call(self, work: Callable[[], None], once: bool = False) -> None:
        """Run `work` on the socket thread. With `once`, it is not queued again while it waits.

        Never blocks: when too much waits, `work` is dropped and counted (but for `once`). After the end nothing runs.
        """
        with self._lock:
            if once:
                if work in self._once:
                    return
                self._once.add(work)
            elif len(self._calls) >= MAX_CALLS:
                self.calls_dropped += 1
                return
            self._calls.append(work)
        self._wake()

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Run `work` on the socket thread again and again. Before `start` only."""
        self._timers.append((time.monotonic() + seconds, seconds, work))

    def peers(self, role: str) -> list[Peer]:
        """The connections of a role, oldest first. On the socket thread only."""
        return [peer for peer in self._peers if peer.role.name == role]

    def broadcast(self, role: str, message: BaseModel) -> None:
        """Send to every peer of a role. On the socket thread only."""
        for peer in self.peers(role):
            peer.send(message)

    # --- the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ending:
            try:
                self._turn()
            except Exception:
                # Nobody outside is heard any more without this thread: whatever it is, it goes on.
                self.errors += 1
                log.exception("the socket thread goes on after an error")
                time.sleep(PAUSE_S)
        self._close_all()

    def _turn(self) -> None:
        ready = self._select.select(self._patience())
        if self._ending:
            return
        self._new_slot()
        for key, events in ready:
            if key.fd == self._wake_in:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_in, 4096)
            else:
                self._serve(key.data, key.fileobj, events)
        self._do_calls()
        self._do_timers()

    def _patience(self) -> float:
        if any(peer.lines and peer.read < MAX_LINES for peer in self._peers):
            return 0.0
        now = time.monotonic()
        wait = min((due for due, _, _ in self._timers), default=now + 1.0) - now
        return min(max(0.0, wait), SLOT_S - now % SLOT_S if self._held() else 1.0)

    def _held(self) -> bool:
        return any(peer.read >= MAX_LINES for peer in self._peers)

    def _new_slot(self) -> None:
        slot = int(time.monotonic() / SLOT_S)
        if slot != self._slot:
            self._slot = slot
            for peer in self._peers:
                peer.read = 0
        for peer in list(self._peers):
            self._take_lines(peer)
            self._interest(peer)

    def _serve(self, data: Any, source: Any, events: int) -> None:
        if isinstance(data, Role):
            self._accept(data, source)
        elif isinstance(data, Peer) and not data.gone:
            if events & selectors.EVENT_WRITE:
                self.flush(data)
            if events & selectors.EVENT_READ:
                self._read(data)

    def _accept(self, role: Role, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        present = self.peers(role.name)
        if len(present) >= role.peers:
            # The newest counts: a hung peer must not keep its successor out.
            self.drop(present[0], f"{role.peers} connections are the most; the oldest goes")
        self._numbers += 1
        peer = Peer(role, self._numbers, connection, self)
        self._peers.append(peer)
        self._select.register(connection, selectors.EVENT_READ, peer)
        self._guard(peer, role.connected, peer)

    def _read(self, peer: Peer) -> None:
        try:
            data = peer.socket.recv(65536)
            lines = peer.splitter.feed(data)
        except BlockingIOError:
            return
        except OSError as error:
            self.drop(peer, str(error), expected=True)
            return
        except LineTooLong as error:
            self.refused += 1
            peer.send(Error(reason=str(error)))
            self.drop(peer, str(error))
            return
        if not data:
            self.drop(peer, "closed", expected=True)
            return
        peer.lines.extend(lines)
        self._take_lines(peer)
        self._interest(peer)

    def _take_lines(self, peer: Peer) -> None:
        while peer.lines and peer.read < MAX_LINES and not peer.gone:
            peer.read += 1
            self._take(peer, peer.lines.popleft())

    def _take(self, peer: Peer, line: bytes) -> None:
        try:
            message = peer.role.adapter.validate_json(line)
        except ValidationError as error:
            self.refused += 1
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "message"
            peer.send(Error(reason=f"{place}: {first['msg']}"[:500]))
            return
        self._guard(peer, peer.role.received, peer, message)

    def _guard(self, peer: Peer, call: Callable[..., None], *args: Any) -> None:
        try:
            call(*args)
        except Exception:
            log.exception("%s socket: a message could not be handled", peer.role.name)
            peer.send(Error(reason="internal error, see the log"))

    def flush(self, peer: Peer) -> None:
        """Send as much as the peer takes now."""
        try:
            while peer.out:
                sent = peer.socket.send(peer.out[0])
                peer.waiting -= sent
                if sent < len(peer.out[0]):
                    peer.out[0] = peer.out[0][sent:]
                    break
                peer.out.popleft()
        except BlockingIOError:
            pass
        except OSError as error:
            self.drop(peer, str(error), expected=True)
            return
        self._interest(peer)

    def _interest(self, peer: Peer) -> None:
        if peer.gone:
            return
        # A peer over its limit is not read: the kernel's buffer fills, and it has to wait.
        events = (selectors.EVENT_READ if not peer.lines else 0) | (selectors.EVENT_WRITE if peer.out else 0)
        with contextlib.suppress(KeyError):
            self._select.unregister(peer.socket)
        if events:
            self._select.register(peer.socket, events, peer)

    def drop(self, peer: Peer, why: str, expected: bool = False) -> None:
        """Close a connection."""
        if peer.gone:
            return
        peer.gone = True
        if not expected:
            self.dropped += 1
            log.warning("%s socket: connection %d dropped: %s", peer.role.name, peer.number, why)
        with contextlib.suppress(KeyError):
            self._select.unregister(peer.socket)
        peer.socket.close()
        self._peers.remove(peer)
        self._guard(peer, peer.role.closed, peer)

    def _do_calls(self) -> None:
        for _ in range(len(self._calls)):
            with self._lock:
                work = self._calls.popleft()
                self._once.discard(work)
            _do(work)

    def _do_timers(self) -> None:
        now = time.monotonic()
        for i, (due, seconds, work) in enumerate(self._timers):
            if due <= now:
                self._timers[i] = (max(due + seconds, now), seconds, work)
                _do(work)

    def _wake(self) -> None:
        # Under the lock: once closed, the number may stand for another file of the process, a journal for one.
        with self._lock, contextlib.suppress(BlockingIOError):
            if not self._closed:
                os.write(self._wake_out, b"\0")

    def _open_missing(self) -> None:
        for role in self._roles:
            if role.name in self._listeners and role.path.is_socket():
                continue
            try:
                self._listen(role)
            except OSError as error:
                log.error("%s socket: can't be opened, tried again: %s", role.name, error)

    def _listen(self, role: Role) -> None:
        if old := self._listeners.pop(role.name, None):
            log.warning("%s socket: its file is gone, opened anew", role.name)
            self._select.unregister(old)
            old.close()
        role.path.parent.mkdir(parents=True, exist_ok=True)
        role.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _bind(listener, role)
        except OSError:
            listener.close()
            raise
        self._select.register(listener, selectors.EVENT_READ, role)
        self._listeners[role.name] = listener

    def _close_all(self) -> None:
        for peer in list(self._peers):
            self.flush(peer)
            self.drop(peer, "core stops", expected=True)
        for listener in self._listeners.values():
            listener.close()
        self._select.close()
        with self._lock:
            self._closed = True
            os.close(self._wake_in)
            os.close(self._wake_out)


def _bind(listener: socket.socket, role: Role) -> None:
    old = os.umask(0o777 & ~role.mode)
    try:
        listener.bind(str(role.path))
    finally:
        os.umask(old)
    _hand_over(role)
    listener.listen(8)
    listener.setblocking(False)


def _hand_over(role: Role) -> None:
    """Give the file to the group of the role's process, where the machine has one (an image does): no process may open
    another one's socket. Elsewhere all run as one user, and nothing changes."""
    if not role.mode & 0o070:
        return
    try:
        os.chown(role.path, -1, grp.getgrnam(f"fenghuo-{role.name}").gr_gid)
    except KeyError:
        return
    except OSError as error:
        log.error("%s socket: its process can't open it: %s", role.name, error)


def _do(work: Callable[[], None]) -> None:
    try:
        work()
    except Exception:
        log.exception("work on the socket thread failed")
