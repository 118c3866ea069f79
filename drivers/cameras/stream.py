"""USB and network cameras through PyAV (FFmpeg): a thread of our own empties the stream, the newest picture counts.

Only what the frame rate needs is decoded: key frames alone where they come often enough, everything else where they
do not; a board that can't keep up falls back to key frames until it has. Every wait on a network has an end. What
FFmpeg says of errors may hold the address with its password, so only its kind of error is told.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from drivers.cameras.pace import Pace
from drivers.cameras.protocol import CameraError, Frame, Plan

OPEN_S = 6.0
"""Connecting, describing and finding the stream's size take at most so long."""
READ_S = 5.0
"""A stream that is silent for so long has failed."""
FIRST_S = 5.0
"""From the opened stream to the first picture: a key frame may be this far away. With `OPEN_S` less than what counts
as hanging (`firmware.camera.watch`)."""
CLOSE_S = 1.0
MAX_PIXELS = 3840 * 2160
"""Of a decoded picture: a small stream can unpack to gigabytes."""
MAX_BAD = 100
"""So many packets in a row that can't be decoded, and the stream has failed."""

# Errors reach us as exceptions; FFmpeg's own lines would bear addresses and passwords into the log.
av.logging.set_level(None)

_stuck: dict[str, threading.Thread] = {}


@dataclass(frozen=True)
class Source:
    """What FFmpeg opens. `label` is how messages name it, without a secret; `attempts`: options, tried in order."""

    url: str = field(repr=False)
    label: str
    format: str | None = None
    attempts: tuple[dict[str, str], ...] = ({},)


class StreamCamera:
    """One stream. `source` is asked at each opening, so a secret is read then and kept nowhere."""

    def __init__(self, plan: Plan, now_ms: Callable[[], int], source: Callable[[], Source]) -> None:
        self._plan = plan
        self._now_ms = now_ms
        self._source = source
        self._reader: Reader | None = None
        self._seen = 0

    def open(self) -> None:
        """Connect; returns with the first picture."""
        if (before := _stuck.pop(self._plan.id, None)) is not None:
            # It holds the device. Who watches us sees that we hang, which is the truth.
            before.join()
        self._reader = Reader(self._plan, self._now_ms, self._source())
        self._seen = 0
        self._reader.start()
        self._reader.newer(0, OPEN_S + FIRST_S)

    def frame(self) -> Frame:
        """The newest picture, scaled into the size of the plan; one that was not given before."""
        taken = self._newest()
        return _frame(taken, self._plan.width, self._plan.height)

    def still(self) -> Frame | None:
        """The newest picture as the camera sends it, at most `plan.still`; may be the one that `frame` gave."""
        if self._plan.still is None or self._reader is None:
            return None
        taken = self._reader.newer(0, READ_S)
        return _frame(taken, *self._plan.still)

    def close(self) -> None:
        """Hang up. A reader that hangs inside a driver is left behind, and the next `open` waits for it."""
        reader, self._reader = self._reader, None
        if reader is not None and not reader.stop(CLOSE_S):
            _stuck[self._plan.id] = reader.thread

    def _newest(self) -> "Taken":
        if self._reader is None:
            raise CameraError("the stream is not open")
        taken = self._reader.newer(self._seen, READ_S + 1)
        self._seen = taken.number
        return taken


@dataclass(frozen=True)
class Taken:
    """A decoded picture, not converted yet; `number` counts from 1."""

    number: int
    picture: VideoFrame
    monotonic_ms: int


class Reader:
    """The thread that opens and empties one stream, and lets go of it itself."""

    def __init__(self, plan: Plan, now_ms: Callable[[], int], source: Source) -> None:
        self.thread = threading.Thread(target=self._run, name=f"stream {plan.id}", daemon=True)
        self._plan = plan
        self._now_ms = now_ms
        self._source = source
        self._news = threading.Condition()
        self._taken: Taken | None = None
        self._failed = ""
        self._stop = False
        self._bad = 0
        self._asked = 0.0
        """When FFmpeg was last asked for something (`time.monotonic`)."""

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask it to end; whether it has."""
        self._stop = True
        self.thread.join(timeout_s)
        # A network read ends by its own time limit; only a driver can hold it for longer.
        if self.thread.is_alive() and self._source.format is None:
            self.thread.join(READ_S)
        return not self.thread.is_alive()

    def newer(self, number: int, timeout_s: float) -> Taken:
        """The newest picture, waiting for one after `number`. Raises `CameraError` when the stream has failed."""
        with self._news:
            self._news.wait_for(lambda: self._failed or self._number() > number, timeout_s)
            if self._taken is not None and self._taken.number > number:
                return self._taken
            raise CameraError(f"{self._source.label}: {self._failed or f'no picture in {timeout_s:.0f} s'}")

    def _number(self) -> int:
        return self._taken.number if self._taken else 0

    def _run(self) -> None:
        failed = "the stream ended"
        try:
            with self._opened() as container:
                self._read(container)
        except av.FFmpegError as error:
            # Of a camera that does not answer FFmpeg says at its opening that its data are invalid.
            failed = self._silence() or error.strerror or type(error).__name__
        except CameraError as error:
            failed = str(error)
        except Exception as error:
            # PyAV raises ValueError and others for streams that make no sense to it; their texts may hold the URL.
            failed = type(error).__name__
        with self._news:
            self._failed = failed
            self._news.notify_all()

    def _silence(self) -> str:
        """How long FFmpeg has waited, where that was too long."""
        waited = time.monotonic() - self._asked
        return f"waited {waited:.0f} s in vain" if waited >= READ_S else ""

    def _opened(self) -> InputContainer:
        *first, last = self._source.attempts
        for options in first:
            with contextlib.suppress(av.FFmpegError):
                return self._open(options)
        return self._open(last)

    def _open(self, options: dict[str, str]) -> InputContainer:
        self._asked = time.monotonic()
        return av.open(
            self._source.url,
            format=self._source.format,
            options=options,
            timeout=(OPEN_S, READ_S),
            metadata_errors="replace",
        )

    def _read(self, container: InputContainer) -> None:
        if not container.streams.video:
            raise CameraError("found no video stream")
        stream = container.streams.video[0]
        codec = stream.codec_context
        codec.options = {"max_pixels": str(MAX_PIXELS)}
        # One thread: the others would cost memory and hold pictures back.
        codec.thread_count = 1
        pace = Pace(self._plan.frames_per_s)
        self._asked = time.monotonic()
        for packet in container.demux(stream):
            if self._stop:
                return
            # FFmpeg takes a time limit for the stream's end: it gives what its parser holds, and waits once more.
            if silence := self._silence():
                raise CameraError(silence)
            if packet.size and pace.worth(packet.is_keyframe, self._seconds(packet, stream), self._now_ms()):
                self._decode(stream, packet)
            self._asked = time.monotonic()

    @staticmethod
    def _seconds(packet: Any, stream: VideoStream) -> float | None:
        moment = packet.dts if packet.dts is not None else packet.pts
        return None if moment is None or stream.time_base is None else float(moment * stream.time_base)

    def _decode(self, stream: VideoStream, packet: Any) -> None:
        try:
            pictures = stream.decode(packet)
        except av.FFmpegError as error:
            self._bad += 1
            if self._bad >= MAX_BAD:
                raise CameraError(f"{MAX_BAD} packets in a row can't be decoded: {error.strerror}") from None
            return
        for picture in pictures:
            self._bad = 0
            if picture.width * picture.height > MAX_PIXELS:
                raise CameraError(f"found {picture.width}x{picture.height} pixels, expected at most {MAX_PIXELS}")
            with self._news:
                self._taken = Taken(self._number() + 1, picture, self._now_ms())
                self._news.notify_all()


def _frame(taken: Taken, width: int, height: int) -> Frame:
    """The picture as RGB, made to fit, never larger than it is; both sides even."""
    picture = taken.picture
    scale = min(1.0, width / picture.width, height / picture.height)
    size = [max(2, round(side * scale / 2) * 2) for side in (picture.width, picture.height)]
    rgb = picture.to_ndarray(format="rgb24", width=size[0], height=size[1])
    return Frame(np.asarray(rgb, np.uint8), taken.monotonic_ms)
