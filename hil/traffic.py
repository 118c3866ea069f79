"""Traffic of all lanes on a stand: hands that move the simulated site, and a camera that answers core's orders.

Both are threads that come back by themselves when core was killed, and draw all they do from one seed.
"""

import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from firmware.protocol import messages as m
from firmware.protocol.lines import Client, LineTooLong
from hil.demo_panel import Refused
from hil.stand import CODE, DURESS

MOVED = ("front-door", "hall-pir", "back-door", "office-pir", "vault-door", "vault-vibration", "box-tamper")
BUTTONS = ("holdup-1", "holdup-2")
CODES = (CODE, CODE, CODE, CODE, DURESS)
WISHES: tuple[m.WishName, ...] = ("arm", "disarm", "toggle")
_RETRY_S = 0.05
_ANSWER_S = 30.0


class _Visitor:
    """A thread with one connection to a socket of core, made anew when it is gone."""

    def __init__(self, name: str, socket: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._socket = socket
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join(_ANSWER_S + 5)

    def _run(self) -> None:
        while not self._ended.wait(_RETRY_S):
            try:
                client = Client(self._socket)
            except OSError:
                continue
            try:
                self._visit(client)
            except (OSError, ValueError, LineTooLong, Refused):
                self.counts["hung-up"] += 1
            finally:
                client.close()

    def _visit(self, client: Client) -> None:
        raise NotImplementedError


class Hands(_Visitor):
    """Somebody who never rests: opens, presses, arms, disarms, at `per_s` acts a second on average."""

    def __init__(self, run: Path, chance: Random, per_s: float) -> None:
        super().__init__("hands", run / "desk.sock")
        self._chance = chance
        self._per_s = per_s

    def _visit(self, client: Client) -> None:
        while not self._ended.wait(self._chance.expovariate(self._per_s)):
            act = self._act()
            client.send(act)
            answer = client.receive(_ANSWER_S)
            if answer is None:
                raise Refused("core did not answer the desk")
            self.counts["done" if answer.get("ok") else "refused"] += 1

    def _act(self) -> Any:
        chance = self._chance
        what = chance.random()
        if what < 0.45:
            return m.Move(zone=chance.choice(MOVED), position=chance.choice(("open", "close", "close")))
        if what < 0.75:
            return m.Press(zone=chance.choice(BUTTONS), hold_ms=chance.randrange(400, 800))
        # Overriding: else an open door would keep the site disarmed for most of the time.
        wish: m.WishName = chance.choice(WISHES)
        return m.Code(digits=chance.choice(CODES), wish=wish, override=wish != "disarm")


class DrawnCamera(_Visitor):
    """A camera process without a model: for each order one small picture on disk, and its manifest."""

    def __init__(self, run: Path, evidence: Path, seed: int) -> None:
        super().__init__("camera", run / "camera.sock")
        self._evidence = evidence
        self._seed = seed

    def _visit(self, client: Client) -> None:
        while not self._ended.is_set():
            order = client.receive(0.5)
            if order is not None and order.get("type") == "capture":
                for camera in order["cameras"]:
                    client.send(self._take(order, camera))
                    self.counts["manifests"] += 1

    def _take(self, order: dict[str, Any], camera: str) -> m.Manifest:
        self.counts["orders"] += 1
        data = b"\xff\xd8" + Random(self._seed + self.counts["orders"]).randbytes(1500) + b"\xff\xd9"  # noqa: S311
        name = f"{order['incident']}-{order['zone']}/{os.urandom(4).hex()}.jpg"
        file = self._evidence / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        picture = m.Picture(
            file=name,
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            offset_ms=0,
            width=160,
            height=120,
            boxes=[],
        )
        return m.Manifest(
            incident=order["incident"],
            zone=order["zone"],
            camera=camera,
            pictures=[picture],
            thumbnail=picture,
            verdict="unverified",
            score=0,
            model="drawn",
            part=1,
        )


class Ear(_Visitor):
    """Hears what core tells its uplink, as a second one that never asks: heads, and what was receipted."""

    def __init__(self, run: Path, heard: Callable[[dict[str, Any]], None]) -> None:
        """`heard`: each message, in the ear's thread."""
        super().__init__("ear", run / "uplink.sock")
        self._heard = heard

    def _visit(self, client: Client) -> None:
        while not self._ended.is_set():
            message = client.receive(0.5)
            if message is not None:
                with suppress(Exception):
                    self._heard(message)
