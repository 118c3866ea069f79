"""One capture: the pictures of one camera for one alarm, from before it until `post_s` after it.

The newest frame is saved first, so that something is on disk at once; then what the ring holds from before the alarm;
then what comes. Core hears of them in parts: the first soon, with a verdict, the last at the end with the best one and
the manifest file that lists them all.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from firmware.camera.account import Account, Said
from firmware.camera.outlines import Region
from firmware.camera.person import Look, PersonCheck
from firmware.camera.pictures import decode, thumbnail
from firmware.camera.ring import Ring, Shot
from firmware.camera.store import Folder, Saved, Store
from firmware.clock import Clock
from firmware.config import Camera as CameraTable
from firmware.protocol.messages import Box, CaptureOrder, Manifest, ModelScore, Picture, Sealed

PART_PICTURES = 32
"""Pictures of one manifest: with its thumbnail it stays below 64 KiB on the evidence lane."""
WAIT_MS = 1_000
"""A turn waits no longer for a frame; the first part goes out after the first turn."""
FRESH_MS = 2_000
"""The newest frame is saved at once, even with `pre_s` 0, unless it is older than this."""
LOOKS = 2
"""Pictures that are looked at between two frames; on a slow board a look takes a third of a second."""
MAX_UNSEEN = 16
"""Pictures that wait for a look; beyond, the oldest are saved without one."""
FIRST_MS = 5_000
"""Pictures until so long after the alarm are saved whatever the card has been through."""
THIN_EVERY = 4
"""Of later ones, beyond the day's budget of writing, each fourth is saved, and no full one."""
CLEARER = 50
"""A later thumbnail is sent when its score is better by so many thousandths."""
NO_PICTURES = "none: the camera gave no picture"
ENDED_EARLY = "the camera process ended amid the capture"


class Stopping(Protocol):
    """Whether to come to an end."""

    def is_set(self) -> bool:
        """Whether to stop now."""
        ...


@dataclass(frozen=True)
class Studio:
    """What all captures share. `part` gives the next part number of an incident and a camera; `panel` is its id."""

    store: Store
    person: PersonCheck
    clock: Clock
    send: Callable[[Manifest], None]
    part: Callable[[int, str], int]
    panel: str


@dataclass(frozen=True)
class Film:
    """What a camera has taken and takes: its frames, and its full pictures where it has any."""

    ring: Ring
    stills: Ring


class Best:
    """The picture with the best score so far. `shown` is the score that the last thumbnail had."""

    def __init__(self) -> None:
        self.score = 0
        self.shot: Shot | None = None
        self.boxes: tuple[Box, ...] = ()
        self.models: tuple[ModelScore, ...] = ()
        self.shown: int | None = None

    def see(self, shot: Shot, look: Look) -> None:
        """Take a look into account."""
        if look.score is not None and (look.score > self.score or self.shot is None):
            self.score, self.shot, self.boxes, self.models = look.score, shot, look.boxes, look.models

    def worth_showing(self) -> bool:
        """Whether a thumbnail would tell more than the last one did."""
        return self.shown is None or self.score >= self.shown + CLEARER


class Capture:
    """Runs once, on a thread of its own; whatever happens, at least one manifest is sent."""

    def __init__(self, order: CaptureOrder, camera: CameraTable, film: Film, studio: Studio, stop: Stopping) -> None:
        self._order = order
        self._camera = camera
        self._ring = film.ring
        self._stills = film.stills
        # What another capture asked for before this alarm is not of it.
        self._still = self._first_still = film.stills.number
        self._studio = studio
        self._stop = stop
        self._folder: Folder | None = None
        self._first = self._last = 0
        self._newest: Shot | None = None
        self._untold: dict[str, Picture] = {}
        self._unseen: deque[Shot] = deque(maxlen=MAX_UNSEEN)
        self._best = Best()
        self._region = Region.of(camera.region)
        self._account = Account(studio.panel, order, camera)
        self._why_none = NO_PICTURES
        self._fault: OSError | None = None

    @property
    def thinned(self) -> int:
        """Pictures left out to keep within the day's budget of writing."""
        return self._account.thinned

    def run(self) -> OSError | None:
        """Take, save, look, tell; returns after the last part, with what went wrong on the medium."""
        end = self._studio.clock.monotonic_ms() + self._camera.post_s * 1000
        before = self._before()
        try:
            self._folder = self._studio.store.begin(self._order.time[:10], self._order.incident, self._camera.id)
            for shot in reversed(before):
                self._save(self._folder, shot)
            self._unseen.extend(before)
            self._look()
            self._after(self._folder, end)
        except OSError as error:
            # A full card does not keep the models from looking at what is in memory.
            self._fault = error
            self._unseen.extend(before[-LOOKS:])
        self._look()
        self._tell(last=True)
        return self._fault

    def _before(self) -> list[Shot]:
        """What the ring holds of the time before the alarm, oldest first; numbers the files from there."""
        shots = self._ring.after(0)
        since = self._order.monotonic_ms - self._camera.pre_s * 1000
        fresh = self._studio.clock.monotonic_ms() - FRESH_MS
        kept = [s for s in shots if s.monotonic_ms >= since or (s is shots[-1] and s.monotonic_ms >= fresh)]
        self._last = shots[-1].number if shots else 0
        self._first = kept[0].number if kept else self._last + 1
        return kept

    def _after(self, folder: Folder, end_ms: int) -> None:
        told = False
        while (left := end_ms - self._studio.clock.monotonic_ms()) > 0 and not self._stop.is_set():
            self._keep(folder, self._ring.wait(self._last, min(left, WAIT_MS) / 1000))
            self._keep_stills(folder, end_ms)
            self._look()
            if (self._untold and not told) or len(self._untold) >= PART_PICTURES:
                self._tell()
                told = True
        # Looking may have taken longer than the time that was left: what came meanwhile is in the ring.
        self._keep(folder, [shot for shot in self._ring.after(self._last) if shot.monotonic_ms <= end_ms])
        self._keep_stills(folder, end_ms)

    def _keep(self, folder: Folder, shots: list[Shot]) -> None:
        for shot in shots:
            self._last = shot.number
            if self._spared(shot) and shot.number % THIN_EVERY:
                self._account.thinned += 1
                continue
            self._save(folder, shot)
            self._unseen.append(shot)

    def _save(self, folder: Folder, shot: Shot) -> None:
        """One JPEG; its number is that of the frame, so a frame that was missed leaves a gap."""
        name = self._name(shot)
        picture = self._saved(folder, name, shot)
        if self._newest is None or shot.number > self._newest.number:
            self._newest = shot
        self._untold[name] = picture

    def _spared(self, shot: Shot) -> bool:
        """Whether the card has been written to enough today for a picture of so long after the alarm."""
        late = shot.monotonic_ms > self._order.monotonic_ms + FIRST_MS
        return late and self._studio.store.over_budget(self._order.time[:10])

    def _saved(self, folder: Folder, name: str, shot: Shot) -> Picture:
        saved = folder.save(name, self._account.mark(shot.jpeg, name, shot.monotonic_ms, self._said()))
        picture = self._picture(saved, shot.monotonic_ms, shot.width, shot.height)
        self._account.add(name, picture)
        return picture

    def _said(self) -> Said:
        """What the models have said so far."""
        best = self._best
        looked = best.shot is not None
        person = looked and best.score >= self._camera.threshold
        model = self._studio.person.model if looked else self._why_none
        return Said("person" if person else "unverified", best.score, model)

    def _name(self, shot: Shot) -> str:
        return f"{shot.number - self._first:04d}.jpg"

    def _keep_stills(self, folder: Folder, end_ms: int) -> None:
        """The full pictures that came; beside the frames, with numbers of their own."""
        for shot in self._stills.after(self._still):
            self._still = shot.number
            if shot.monotonic_ms > end_ms:
                continue
            if self._spared(shot):
                self._account.thinned += 1
                continue
            name = f"full-{shot.number - self._first_still:04d}.jpg"
            self._untold[name] = self._saved(folder, name, shot)

    def _look(self) -> None:
        """Look at a few pictures, the newest first."""
        for _ in range(min(LOOKS, len(self._unseen))):
            shot = self._unseen.pop()
            look = self._studio.person.look(decode(shot.jpeg), self._region)
            self._best.see(shot, look)
            self._why_none = look.why
            name = self._name(shot)
            self._account.found(name, look.boxes)
            if look.boxes and name in self._untold:
                self._untold[name] = self._untold[name].model_copy(update={"boxes": list(look.boxes)})

    def _tell(self, last: bool = False) -> None:
        """Send what is saved and not told yet, oldest first; nothing at all is told too."""
        pictures = sorted(self._untold.values(), key=lambda picture: picture.offset_ms)
        self._untold.clear()
        self._settle()
        *before, end = [
            pictures[start : start + PART_PICTURES] for start in range(0, max(len(pictures), 1), PART_PICTURES)
        ]
        for part in before:
            self._send(part, last=False)
        self._send(end, last)

    def _send(self, pictures: list[Picture], last: bool) -> None:
        order, said = self._order, self._said()
        part = self._studio.part(order.incident, self._camera.id)
        thumbnail = self._thumbnail(part) if self._best.worth_showing() else None
        sealed = self._seal(part) if last else None
        manifest = Manifest(
            incident=order.incident,
            zone=order.zone,
            camera=self._camera.id,
            pictures=pictures,
            thumbnail=thumbnail,
            verdict="person" if said.verdict == "person" else "unverified",
            score=said.score,
            model=said.model,
            models=list(self._best.models),
            threshold=self._camera.threshold,
            part=part,
            last=last,
            sealed=sealed,
            fault=self._why(),
        )
        self._studio.send(manifest)

    def _seal(self, part: int) -> Sealed | None:
        """The manifest file; None where there is no folder for it, or no room."""
        if self._folder is None:
            return None
        try:
            return self._account.seal(self._folder, self._said(), self._best.models, part, self._why())
        except OSError as error:
            self._fault = error
            return None

    def _why(self) -> str:
        """Why pictures are missing, as far as it is known."""
        if self._fault is not None:
            return (self._fault.strerror or str(self._fault))[:200]
        return ENDED_EARLY if self._stop.is_set() else ""

    def _thumbnail(self, part: int) -> Picture | None:
        """The best picture, or the newest where none was looked at."""
        shot = self._best.shot or self._newest
        if shot is None or self._folder is None:
            return None
        data, width, height = thumbnail(shot.jpeg)
        name = f"thumbnail-{part}.jpg"
        try:
            saved = self._folder.save(name, self._account.mark(data, name, shot.monotonic_ms, self._said()))
            self._folder.settle()
        except OSError as error:
            self._fault = error
            return None
        self._best.shown = self._best.score
        picture = self._picture(saved, shot.monotonic_ms, width, height)
        picture = picture.model_copy(update={"boxes": list(self._best.boxes)})
        self._account.show(picture)
        return picture

    def _settle(self) -> None:
        try:
            if self._folder is not None:
                self._folder.settle()
        except OSError as error:
            self._fault = error

    def _picture(self, saved: Saved, taken_ms: int, width: int, height: int) -> Picture:
        return Picture(
            file=saved.file,
            sha256=saved.sha256,
            bytes=saved.bytes,
            offset_ms=taken_ms - self._order.monotonic_ms,
            width=width,
            height=height,
            boxes=[],
        )
