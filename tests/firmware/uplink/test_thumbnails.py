"""A thumbnail goes out only when it is the very picture that the record names."""

from pathlib import Path

import pytest

from firmware.protocol.canonical import sha256_hex
from firmware.protocol.envelope import MAX_THUMBNAIL_BYTES
from firmware.protocol.records import Record
from firmware.uplink.thumbnails import thumbnail, thumbnails
from tests.firmware.uplink.test_packing import records_of

JPEG = b"\xff\xd8 a picture"


def record(thumbnail_member: object, lane: str = "evidence") -> Record:
    (made,) = records_of(["x"], lane)
    return made.model_copy(update={"payload": {"thumbnail": thumbnail_member}})


def test_the_named_picture_is_read(tmp_path: Path) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "a.jpg").write_bytes(JPEG)
    named = record({"file": "day/a.jpg", "sha256": sha256_hex(JPEG)})
    assert thumbnail(tmp_path, named) == JPEG
    assert thumbnails(tmp_path, [named]) == {named.header.seq: JPEG}
    assert thumbnails(tmp_path, [record({"file": "day/a.jpg", "sha256": sha256_hex(JPEG)}, "status")]) == {}


@pytest.mark.parametrize(
    "named",
    [
        None,
        "a.jpg",
        {"sha256": sha256_hex(JPEG)},
        {"file": 7, "sha256": sha256_hex(JPEG)},
        {"file": "gone.jpg", "sha256": sha256_hex(JPEG)},
        {"file": "a.jpg", "sha256": sha256_hex(b"another")},
        {"file": "a.jpg"},
        {"file": ".", "sha256": sha256_hex(JPEG)},
        {"file": "../outside.jpg", "sha256": sha256_hex(JPEG)},
        {"file": "link.jpg", "sha256": sha256_hex(JPEG)},
        {"file": "large.jpg", "sha256": sha256_hex(b"x" * (MAX_THUMBNAIL_BYTES + 1))},
    ],
)
def test_anything_else_goes_out_without(tmp_path: Path, named: object) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(JPEG)
    (folder / "large.jpg").write_bytes(b"x" * (MAX_THUMBNAIL_BYTES + 1))
    (tmp_path / "outside.jpg").write_bytes(JPEG)
    (folder / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    assert thumbnail(folder, record(named)) is None


def test_a_file_name_with_a_null_byte_is_no_file(tmp_path: Path) -> None:
    assert thumbnail(tmp_path, record({"file": "a\0.jpg", "sha256": sha256_hex(JPEG)})) is None
