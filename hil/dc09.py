"""A receiver of SIA DC-09 on loopback, the other side of the wire: it reads, checks the time, answers as it is told.

It acknowledges by default, and takes a message with the number and content of the last one for the same message. What
it answers next can be ordered: `nak`, `duh`, `nothing`, `garbage`, `hang-up`, `plain` (an ACK without encryption).
"""

import re
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from firmware.uplink.dc09.frame import (
    BadFrame,
    Splitter,
    body_of,
    decrypt,
    encrypt,
    moment_of,
    time_text,
    wrapped,
)
from hil.broker import HOST

Answer: TypeAlias = Literal["ack", "nak", "duh", "nothing", "garbage", "hang-up", "plain"]
BEHIND_S, AHEAD_S = 40.0, 20.0
"""The time window of the standard: a message from −40 to +20 s of the receiver's clock counts."""

_MESSAGE = re.compile(
    rb'"(?P<star>\*?)(?P<ident>ADM-CID|SIA-DCS|NULL)"(?P<sequence>\d{4})(?:R(?P<receiver>[0-9A-F]{1,6}))?'
    rb"L(?P<line>[0-9A-F]{1,6})#(?P<account>[0-9A-F]{3,16})\[(?P<rest>.*)",
    re.DOTALL,
)
_REST = re.compile(rb"(?P<data>[^\[\]]*)\](?P<extras>(?:\[[^\[\]]*\])*)(?P<time>_.{19})?", re.DOTALL)


@dataclass(frozen=True)
class Heard:
    """A message as it arrived. `content`: behind the account. `moment`: UTC seconds that it bears."""

    ident: str
    sequence: int
    account: str
    receiver: str
    line: str
    content: str
    extras: tuple[str, ...]
    moment: float | None
    encrypted: bool

    @property
    def record(self) -> str:
        """Journal and number of the record, from the x-data `I`; empty where there is none."""
        found = [extra[1:].split(" ")[0] for extra in self.extras if extra.startswith("I")]
        return found[0] if found else ""


def read_message(found: bytes, key: bytes | None = None) -> Heard:
    """The message in a frame (LF and CR taken off). Raises `BadFrame`."""
    match = _MESSAGE.fullmatch(body_of(found))
    if match is None:
        raise BadFrame("no message: expected ADM-CID, SIA-DCS or NULL")
    encrypted = bool(match["star"])
    plain = match["rest"]
    if encrypted:
        if key is None:
            raise BadFrame("encrypted, and there is no key")
        _, bar, plain = decrypt(key, match["rest"]).partition(b"|")
        if not bar:
            raise BadFrame("not encrypted with this key, or no bar behind the padding")
    rest = _REST.fullmatch(plain)
    if rest is None or (encrypted and rest["time"] is None):
        raise BadFrame("no end of its data, or no time in what was encrypted")
    try:
        data, blocks = (rest[part].decode("cp1252") for part in ("data", "extras"))
    except UnicodeDecodeError:
        raise BadFrame("letters outside Windows-1252") from None
    return Heard(
        match["ident"].decode(),
        int(match["sequence"]),
        match["account"].decode(),
        (match["receiver"] or b"").decode(),
        match["line"].decode(),
        data.removeprefix(f"#{match['account'].decode()}|"),
        tuple(re.findall(r"\[([^\[\]]*)\]", blocks)),
        None if rest["time"] is None else moment_of(rest["time"]),
        encrypted,
    )


class Receiver:
    """Listens on loopback; each connection has a thread of its own, and all end with `close`."""

    def __init__(self, key: bytes | None = None, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.heard: list[Heard] = []
        """Every message that could be read, NULL and retransmissions too."""
        self.events: list[Heard] = []
        """What was acknowledged, without NULL, and what came twice only once."""
        self.bad: list[str] = []
        self.orders: deque[Answer] = deque()
        """How to answer the next messages; then `standing`."""
        self.standing: Answer = "ack"
        self.clock_ahead_s = 0.0
        """Of the receiver."""
        self.connections = 0
        self._key = key
        self._tls = tls
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((HOST, port))
        self.port = int(self._listener.getsockname()[1])
        self._ending = False
        threading.Thread(target=self._accept, name="dc09-receiver", daemon=True).start()

    def close(self) -> None:
        """No longer listen, and end all connections."""
        self._ending = True
        # A thread in `accept` keeps the port until it wakes.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def hang_up(self) -> None:
        """End all connections."""
        with self._changed:
            for connection in self._open:
                with_no_error(lambda connection=connection: connection.shutdown(socket.SHUT_RDWR))  # type: ignore[misc]

    def wait(self, what: Callable[[], object], why: str, seconds: float = 15.0) -> None:
        """Wait until this is true of what was heard; fails with `why`."""
        with self._changed:
            if not self._changed.wait_for(what, seconds):
                raise AssertionError(
                    f"waited {seconds:g} s in vain: {why}; heard {self.heard[-5:]}, bad {self.bad[-5:]}"
                )

    def codes(self) -> list[str]:
        """The contents of the events."""
        with self._changed:
            return [event.content for event in self.events]

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- threads -------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._ending:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        except OSError as error:
            why = str(error)
            self._note(lambda: self.bad.append(why))
            plain.close()
            return
        with connection:
            self._note(lambda: self._open.add(connection))
            self.connections += 1
            splitter = Splitter()
            try:
                while not self._ending and (data := connection.recv(4096)):
                    for found in splitter.feed(data):
                        self._take(found, connection)
            except OSError:
                pass
            finally:
                self._note(lambda: self._open.discard(connection))

    def _take(self, found: bytes, connection: socket.socket) -> None:
        try:
            message = read_message(found, self._key)
        except BadFrame as bad:
            text = str(bad)
            self._note(lambda: self.bad.append(text))
            return
        answer = self._judge(message)
        if answer in ("ack", "plain"):
            self._keep(message)
        if answer == "hang-up":
            connection.shutdown(socket.SHUT_RDWR)
        elif (reply := self._reply(message, answer)) is not None:
            connection.sendall(reply)
        self._note(lambda: self.heard.append(message))

    def _judge(self, message: Heard) -> Answer:
        if self.orders:
            return self.orders.popleft()
        late_s = 0.0 if message.moment is None else time.time() + self.clock_ahead_s - message.moment
        return self.standing if -AHEAD_S <= late_s <= BEHIND_S else "nak"

    def _keep(self, message: Heard) -> None:
        last = self.events[-1] if self.events else None
        again = last is not None and (last.sequence, last.content) == (message.sequence, message.content)
        if message.ident != "NULL" and not again:
            self.events.append(message)

    def _reply(self, message: Heard, answer: Answer) -> bytes | None:
        now = time_text(time.time() + self.clock_ahead_s)
        receiver = f"R{message.receiver}" if message.receiver else ""
        place = f"{message.sequence:04d}{receiver}L{message.line}#{message.account}["
        match answer:
            case "ack" if message.encrypted and self._key is not None:
                return wrapped(f'"*ACK"{place}'.encode() + encrypt(self._key, _padded(f"|]{now}".encode())))
            case "ack" | "plain":
                return wrapped(f'"ACK"{place}]'.encode())
            case "nak":
                return wrapped(f'"NAK"0000{receiver}L{message.line}A0[]{now}'.encode())
            case "duh":
                return wrapped(f'"DUH"{place}]'.encode())
            case "garbage":
                return b'\n00000019"ACK"0001L0#1234[]\r\x00\xff\n'
        return None

    def _note(self, do: Callable[[], object]) -> None:
        with self._changed:
            do()
            self._changed.notify_all()


def _padded(plain: bytes) -> bytes:
    return b"P" * (16 - len(plain) % 16) + plain


def with_no_error(do: Callable[[], object]) -> None:
    """A connection that the other side ended can't be ended again."""
    try:
        do()
    except OSError:
        return
