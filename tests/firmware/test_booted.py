"""What this boot is, as the initramfs tells: anything else than a hash or a slot is nothing."""

from pathlib import Path

import pytest

from firmware import booted


def test_slot_and_hash_are_read(tmp_path: Path) -> None:
    (tmp_path / "root-hash").write_text("ab" * 32 + "\n")
    (tmp_path / "slot").write_text("B\n")
    assert (booted.root_hash(tmp_path), booted.slot(tmp_path)) == ("ab" * 32, "B")


@pytest.mark.parametrize("text", [b"", b"AB" * 32, b"ab" * 31, b"ab" * 64 + b"x" * 10_000, b"\xff\xfe"])
def test_what_is_none_is_nothing(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "root-hash").write_bytes(text)
    (tmp_path / "slot").write_bytes(text)
    assert (booted.root_hash(tmp_path), booted.slot(tmp_path)) == ("", "")


def test_no_image_is_nothing(tmp_path: Path) -> None:
    assert (booted.root_hash(tmp_path / "none"), booted.slot(tmp_path / "none")) == ("", "")
