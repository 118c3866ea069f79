"""The socket of the camera process: orders out, manifests and health in. Core never waits for it."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.clock import utc_text
from firmware.core.camera_orders import CameraOrders
from firmware.core.damping import Allowance, Damper
from firmware.core.sockets import Peer, Role, Server
from firmware.language import Text, pick
from firmware.protocol import messages as m
from rules.effects import Capture, JsonValue
from rules.stimuli import Noted, TroubleChanged

TEST_INCIDENTS = 10**12
TESTS_A_SESSION = 10_000
"""Pictures of a test have an incident of their own beyond all that the rules count: so many for each start of core."""
TAMPERS: Mapping[str, Text] = {
    "black": ("black", "black 全黑"),
    "bright": ("bright", "bright 强光致盲"),
    "covered": ("covered", "covered 被遮挡"),
    "blurred": ("blurred", "blurred 失焦模糊"),
    "moved": ("moved", "moved 被转动"),
    "frozen": ("frozen", "frozen 画面冻结"),
}
"""The detail of `trouble.camera-tamper`; its English word stands in both, for the center's machines."""
GONE_AFTER_S = 30.0
KEPT_PERSONS = 256
"""Incidents and cameras of which it is remembered that a person was told; beyond, it may be told once more."""
MANIFEST_BURST_BYTES = 1024 * 1024
MANIFEST_BYTES_PER_S = 256
"""What the records of pictures may take in the journal: 22 MB a day, whoever is at the socket."""


@dataclass(frozen=True)
class CameraFacts:
    """What the port needs to know of the panel.

    `journal` and `clock` are asked at each order, from any thread: the journal in use, how far the time can be trusted.
    """

    panel: str
    session: int
    version: str
    cameras: frozenset[str]
    journal: Callable[[], str] = lambda: ""
    clock: Callable[[], str] = lambda: "unset"
    file: str = ""


class CameraPort:
    """On the socket thread only, but for `order`."""

    def __init__(
        self,
        facts: CameraFacts,
        submit: Callable[[Noted | TroubleChanged], object],
        server: Server,
        kept: Callable[[m.Held | m.Stock], None] = lambda _told: None,
    ) -> None:
        """`kept` hears what the camera process says of its store."""
        self._kept = kept
        self.refused = 0
        self._facts = facts
        self._submit = submit
        self._troubled = Damper(submit)
        self._room = Allowance(MANIFEST_BURST_BYTES, MANIFEST_BYTES_PER_S)
        self._server = server
        self._tests = 0
        self._orders = CameraOrders()
        self._persons: OrderedDict[tuple[int, str], None] = OrderedDict()
        self._alone_since: float | None = time.monotonic() if facts.cameras else None

    @property
    def dropped(self) -> int:
        """Orders that nobody got."""
        return self._orders.dropped

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("camera", path, m.from_camera, self._received, self._connected, self._closed, peers=2)

    def attach(self) -> None:
        """Set the regular work up; before the server starts."""
        self._server.every(1.0, self._watch)

    def order(self, capture: Capture, monotonic_ms: int, utc: float) -> None:
        """Ask for pictures of this moment; from any thread, returns at once."""
        cameras = [camera for camera in capture.cameras if camera in self._facts.cameras]
        if not cameras:
            return
        order = m.CaptureOrder(
            incident=capture.incident,
            kind=capture.kind,
            zone=capture.zone,
            cameras=cameras,
            time=utc_text(utc),
            monotonic_ms=monotonic_ms,
            clock=self._facts.clock(),
            journal=self._facts.journal(),
        )
        self._server.call(lambda: self._give(order))

    def test(self, camera: str, monotonic_ms: int, utc: float) -> int:
        """Have this camera take pictures of now; their incident, 0 where nobody would hear it. Socket thread."""
        if not self._server.peers("camera") or self._tests + 1 >= TESTS_A_SESSION:
            return 0
        self._tests += 1
        incident = TEST_INCIDENTS + self._facts.session * TESTS_A_SESSION + self._tests
        self.order(Capture(incident, "test.camera", "", (camera,)), monotonic_ms, utc)
        return incident

    def relearn(self, camera: str) -> bool:
        """Tell the camera process that this camera sees what it should; whether anybody heard. Socket thread."""
        return self.tell(m.Relearn(camera=camera))

    def tell(self, message: m.Relearn | m.Hold | m.Delete) -> bool:
        """Give this to the camera process that is connected now; whether there is one. Socket thread."""
        peers = self._server.peers("camera")
        if peers:
            peers[-1].send(message)
        return bool(peers)

    def _give(self, order: m.CaptureOrder) -> None:
        self._orders.add(order)
        if peers := self._server.peers("camera"):
            self._hand_over(peers[-1])

    def _hand_over(self, peer: Peer) -> None:
        for order in self._orders.take():
            peer.send(order)

    def _connected(self, peer: Peer) -> None:
        facts = self._facts
        peer.send(
            m.Welcome(
                panel=facts.panel, session=facts.session, peer=peer.number, version=facts.version, file=facts.file
            )
        )
        self._alone_since = None
        self._troubled.change(TroubleChanged("camera", False, "process"))
        self._hand_over(peer)

    def _closed(self, _peer: Peer) -> None:
        if not self._server.peers("camera") and self._facts.cameras:
            self._alone_since = time.monotonic()
            self._orders.lost()

    def _received(self, peer: Peer, message: Any) -> None:
        if isinstance(message, m.Held | m.Stock):
            self._kept(message)
        elif message.camera not in self._facts.cameras:
            peer.send(m.Error(reason=f"camera {message.camera!r} is not in the panel file"))
        elif isinstance(message, m.Manifest):
            self._pictures(peer, message)
        else:
            self._troubled.change(TroubleChanged("camera", not message.ok, message.camera, message.detail))
            if message.tampers is not None:
                said = ", ".join(pick(TAMPERS[kind]) for kind in message.tampers)
                self._troubled.change(TroubleChanged("camera-tamper", bool(said), message.camera, said))

    def _pictures(self, peer: Peer, manifest: m.Manifest) -> None:
        self._orders.answered(manifest.incident, manifest.camera)
        person = self._first_person(manifest)
        if self._room.take(len(manifest.model_dump_json()) + len(json.dumps(person))):
            if person:
                self._persons[manifest.incident, manifest.camera] = None
                self._submit(Noted("camera.person", person))
            self._submit(Noted("evidence.pictures", manifest.model_dump(exclude={"type"})))
        else:
            self.refused += 1
            peer.send(
                m.Error(reason="more pictures than the journal has room for; the files stay, the record is left out")
            )

    def _first_person(self, manifest: m.Manifest) -> dict[str, JsonValue]:
        """What goes ahead of pictures that are the first of their incident and camera with a person; else empty."""
        if manifest.verdict != "person" or (manifest.incident, manifest.camera) in self._persons:
            return {}
        while len(self._persons) >= KEPT_PERSONS:
            self._persons.popitem(last=False)
        return {
            "incident": manifest.incident,
            "zone": manifest.zone,
            "camera": manifest.camera,
            "score": manifest.score,
            "threshold": manifest.threshold,
            "part": manifest.part,
        }

    def _watch(self) -> None:
        self._troubled.settle()
        if self._alone_since is not None and time.monotonic() - self._alone_since > GONE_AFTER_S:
            self._troubled.change(TroubleChanged("camera", True, "process", "the camera process is not connected"))
            self._alone_since = None
