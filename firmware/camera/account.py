"""The account of one capture: what was saved for it, as the marks in its pictures and as its manifest file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firmware.camera.mark import marked
from firmware.camera.store import Folder
from firmware.config import Camera as CameraTable
from firmware.protocol.canonical import canonical
from firmware.protocol.evidence import NAME, CaptureManifest
from firmware.protocol.messages import Box, CaptureOrder, ModelScore, Picture, Sealed


@dataclass(frozen=True)
class Said:
    """What the models have said so far."""

    verdict: str
    score: int
    model: str


class Account:
    """On the thread of its capture only."""

    def __init__(self, panel: str, order: CaptureOrder, camera: CameraTable) -> None:
        self.thinned = 0
        self._panel = panel
        self._order = order
        self._camera = camera
        self._time = datetime.fromisoformat(order.time).astimezone(UTC)
        self._pictures: dict[str, Picture] = {}
        self._thumbnails: list[Picture] = []

    def mark(self, jpeg: bytes, name: str, taken_ms: int, said: Said) -> bytes:
        """The picture with what it is of in it; `taken_ms` is of the boot clock."""
        order = self._order
        offset_ms = taken_ms - order.monotonic_ms
        taken = self._time + timedelta(milliseconds=offset_ms)
        return marked(
            jpeg,
            {
                "panel": self._panel,
                "journal": order.journal,
                "incident": order.incident,
                "kind": order.kind,
                "zone": order.zone,
                "camera": self._camera.id,
                "name": name,
                "time": taken.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
                "clock": order.clock,
                "offset_ms": offset_ms,
                "verdict": said.verdict,
                "score": said.score,
                "model": said.model,
            },
        )

    def add(self, name: str, picture: Picture) -> None:
        """A picture is saved."""
        self._pictures[name] = picture

    def found(self, name: str, boxes: tuple[Box, ...]) -> None:
        """The models have found people in it, told to core or not."""
        if name in self._pictures:
            self._pictures[name] = self._pictures[name].model_copy(update={"boxes": list(boxes)})

    def show(self, thumbnail: Picture) -> None:
        """A thumbnail is saved."""
        self._thumbnails.append(thumbnail)

    def seal(self, folder: Folder, said: Said, models: Iterable[ModelScore], part: int, fault: str) -> Sealed:
        """Write the manifest file; durable when this returns. Raises `OSError`."""
        order, camera = self._order, self._camera
        manifest = CaptureManifest(
            panel=self._panel,
            journal=order.journal,
            incident=order.incident,
            kind=order.kind,
            zone=order.zone,
            camera=camera.id,
            folder=folder.name,
            time=order.time,
            clock=order.clock,
            pictures=sorted(self._pictures.values(), key=lambda picture: picture.offset_ms),
            thumbnails=self._thumbnails,
            verdict="person" if said.verdict == "person" else "unverified",
            score=said.score,
            threshold=camera.threshold,
            model=said.model,
            models=list(models),
            parts=part,
            thinned=self.thinned,
            fault=fault,
        )
        saved = folder.save(NAME, canonical(manifest.model_dump()), last=True)
        folder.settle()
        return Sealed(file=saved.file, sha256=saved.sha256, bytes=saved.bytes)
