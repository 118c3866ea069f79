"""A folder of pictures as a camera: for rigs, tests and replaying what another camera saw.

The files are shown in name order, round and round, one a frame; the frames of an animated GIF, WebP or PNG count as
pictures of their own. Video files are not read: turn one into pictures with `ffmpeg -i VIDEO -r 2 %06d.jpg`.
"""

import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from drivers.cameras.protocol import CameraError, Frame, Plan

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp")
MAX_FILES = 10_000
MAX_PIXELS = 64_000_000
"""Larger pictures are skipped unread: a small file can unpack to gigabytes."""
MAX_FRAMES = 1_000
"""Frames of one animated file."""


class FolderCamera:
    """The pictures of `source` (a folder, or one file), each made to fit the camera's size.

    `skipped` counts files that could not be read; a folder in which none can is an error.
    """

    def __init__(self, plan: Plan, now_ms: Callable[[], int]) -> None:
        self.skipped = 0
        self._plan = plan
        self._now_ms = now_ms
        self._pictures: Iterator[Image.Image] | None = None
        self._shown: Image.Image | None = None
        still = plan.still or (0, 0)
        self._largest = (max(plan.width, still[0]), max(plan.height, still[1]))

    def open(self) -> None:
        """Read the list of files once; files that come later are seen at the next round."""
        self._files()
        self._pictures = self._rounds()

    def frame(self) -> Frame:
        """The next picture."""
        if self._pictures is None:
            raise CameraError("the folder is not open")
        self._shown = next(self._pictures)
        size = (self._plan.width, self._plan.height)
        return Frame(np.asarray(_fitted(self._shown, size)), self._now_ms())

    def still(self) -> Frame | None:
        """The picture that `frame` gave last, larger where the file has more."""
        if self._plan.still is None or self._shown is None:
            return None
        return Frame(np.asarray(_fitted(self._shown, self._plan.still)), self._now_ms())

    def close(self) -> None:
        """Forget where we were: the next round begins with the first file."""
        self._pictures = self._shown = None

    def _files(self) -> list[Path]:
        source = Path(self._plan.source)
        if source.is_file():
            return [source]
        try:
            found = [path for path in islice(source.iterdir(), MAX_FILES) if path.suffix.lower() in SUFFIXES]
        except OSError as error:
            raise CameraError(f"camera {self._plan.id}: {source}: {error.strerror or error}") from None
        if not found:
            raise CameraError(f"camera {self._plan.id}: {source}: found no picture, expected {' '.join(SUFFIXES)}")
        return sorted(found)

    def _rounds(self) -> Iterator[Image.Image]:
        while True:
            shown = 0
            files = self._files()
            for path in files:
                for picture in self._frames_of(path):
                    shown += 1
                    yield picture
            if not shown:
                raise CameraError(f"camera {self._plan.id}: none of the {len(files)} files can be read as a picture")

    def _frames_of(self, path: Path) -> Iterator[Image.Image]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(path) as image:
                    for number in range(min(getattr(image, "n_frames", 1), MAX_FRAMES)):
                        yield self._fit(image, number)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError):
            # What Pillow raises for broken files is not one family.
            self.skipped += 1

    def _fit(self, image: Image.Image, number: int) -> Image.Image:
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("more pixels than allowed")
        if number:
            image.seek(number)
        else:
            image.draft("RGB", self._largest)
        return _fitted(ImageOps.exif_transpose(image).convert("RGB"), self._largest)


def _fitted(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Made smaller where it is larger than `size`."""
    if picture.width <= size[0] and picture.height <= size[1]:
        return picture
    small = picture.copy()
    small.thumbnail(size, Image.Resampling.BILINEAR)
    return small
