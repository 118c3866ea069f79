"""What stands inside each JPEG of the evidence store: whose it is, of what, when, and what the models had said by then.

Two segments are put behind the start of the file, so nothing is encoded anew: EXIF for any viewer, and a comment with
all of it in canonical JSON. The manifest is what counts: it also has what the models said later.
"""

from collections.abc import Mapping

from PIL import Image
from PIL.ExifTags import IFD, Base

from firmware.protocol.canonical import canonical
from firmware.version import VERSION

FORMAT = "fenghuo.picture.v1"
MAX_BYTES = 2048
"""What a mark takes at most, with ids as long as they may be."""
_SOI, _APP0, _APP1, _COM = b"\xff\xd8", b"\xff\xe0", b"\xff\xe1", b"\xff\xfe"


def marked(jpeg: bytes, about: Mapping[str, str | int]) -> bytes:
    """The same picture with `about` in it. `about["time"]` is UTC as in records; what is no JPEG stays as it is."""
    if not jpeg.startswith(_SOI):
        return jpeg
    comment = canonical({"format": FORMAT, **about})
    at = _behind_jfif(jpeg)
    return jpeg[:at] + _segment(_APP1, _exif(about)) + _segment(_COM, comment) + jpeg[at:]


def _exif(about: Mapping[str, str | int]) -> bytes:
    time = str(about["time"])
    exif = Image.Exif()
    exif[Base.ImageDescription] = f"{about['panel']} {about['camera']} #{about['incident']} {about['verdict']}"
    exif[Base.Software] = f"Fenghuo {VERSION}"
    own = exif.get_ifd(IFD.Exif)
    own[Base.DateTimeOriginal] = f"{time[:10].replace('-', ':')} {time[11:19]}"
    own[Base.SubsecTimeOriginal] = time[20:23]
    own[Base.OffsetTimeOriginal] = "+00:00"
    return exif.tobytes()


def _segment(marker: bytes, content: bytes) -> bytes:
    return marker + (len(content) + 2).to_bytes(2, "big") + content


def _behind_jfif(jpeg: bytes) -> int:
    """JFIF's own segment has to stay the first."""
    return 4 + int.from_bytes(jpeg[4:6], "big") if jpeg[2:4] == _APP0 else 2
