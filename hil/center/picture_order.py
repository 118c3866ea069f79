"""`fenghuo center picture`: one full picture from the shell, beside a running center; what is here already is kept."""

import json
import queue
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from firmware.clock import SystemClock, utc_text
from firmware.protocol.typ import COMMAND
from hil.center.keys import Key
from hil.center.orders import BEAT_S, Line, NotSent, Order, body_of, fresh_nonce
from hil.center.pictures import Assembly, NoSuch, read_picture, wanted
from hil.center.reader import Garbage
from hil.center.store import Store
from hil.center.wire import Broker

SILENCE_S = 10.0
"""After so long without a chunk the range is asked for again."""
ATTEMPTS = 6
"""So many times in a row; then what is here waits for another try."""
MAX_WAITING = 256


class NotWhole(Exception):
    """It did not arrive, or not all of it; the text says why."""


def fetch(
    broker: Broker,
    folder: Path,
    place: tuple[str, str, int],
    operator: str,
    progress: Callable[[int, int], object] = lambda _held, _total: None,
    beat_s: float = BEAT_S,
    silence_s: float = SILENCE_S,
) -> Path:
    """The file of a picture, whole and held against its record. `place`: panel, event, number.

    Raises `NoSuch`, `NotSent`, `NoReply` (`orders`), `NotWhole`.
    """
    store = Store(folder / "center.sqlite")
    try:
        picture = wanted(store, *place)
        assembly = Assembly(folder, picture)
        if assembly.done:
            return assembly.file
        x = store.key(picture.panel)
        if x is None:
            raise NoSuch(f"unknown panel {picture.panel}")
        key = Key.at(folder / "keys" / "command.jwk")
        came: queue.Queue[bytes] = queue.Queue(MAX_WAITING)
        with Line(broker, picture.panel, x, key.kid, ("picture",), lambda _word, data: _put(came, data)) as line:
            nonce = fresh_nonce(store, line, picture.panel, beat_s)
            offset = assembly.held
            assembly.begun(offset)
            order = Order(
                picture.panel,
                "picture",
                {"event": picture.event, "picture": picture.number, "offset": offset},
                operator,
            )
            now = utc_text(SystemClock().utc())
            try:
                counter, nonce = store.next_command(order.panel, order.command, dict(order.args), operator, now, nonce)
            except LookupError as error:
                raise NotSent(str(error)) from None
            reply = line.ask(counter, key.sign(COMMAND, body_of(order, counter, nonce)))
            if reply["result"] != "done":
                raise NotWhole(f"refused: {reply['reason']}")
            _gather(line, assembly, f"{key.kid}.{counter}", came, progress, silence_s)
            return assembly.file
    finally:
        store.close()


def _put(came: "queue.Queue[bytes]", data: bytes) -> None:
    with suppress(queue.Full):  # asked for again
        came.put_nowait(data)


def _gather(
    line: Line,
    assembly: Assembly,
    transfer: str,
    came: "queue.Queue[bytes]",
    progress: Callable[[int, int], object],
    silence_s: float,
) -> None:
    attempts = 0
    while not assembly.done:
        try:
            body = read_picture(assembly.picture.panel, came.get(timeout=silence_s))
        except (queue.Empty, Garbage):
            attempts += 1
            if attempts > ATTEMPTS:
                raise NotWhole(f"{assembly.held} of {assembly.picture.bytes} bytes came") from None
            line.say("fetch", json.dumps(assembly.ask(transfer)))
            continue
        if body["transfer"] != transfer:
            continue
        if fault := body.get("fault") or assembly.fault:
            raise NotWhole(str(fault))
        if assembly.take(body):
            line.say("fetch", json.dumps(assembly.ask(transfer)))
        if assembly.fault:
            raise NotWhole(assembly.fault)
        attempts = 0
        progress(assembly.held, assembly.picture.bytes)
