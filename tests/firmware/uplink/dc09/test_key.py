"""The key of a DC-09 path: two ways to write it, and a file that others must not read."""

from pathlib import Path

import pytest

from firmware.uplink.dc09.key import BadKey, Encoding, read_key


def written(folder: Path, text: bytes, mode: int = 0o600) -> Path:
    file = folder / "key"
    file.write_bytes(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("encoding", "text", "key"),
    [
        ("hex", b"000102030405060708090A0B0C0D0E0F", bytes(range(16))),
        ("hex", b"000102030405060708090a0b0c0d0e0f1011121314151617\n", bytes(range(24))),
        ("hex", bytes(range(32)).hex().encode() + b"\r\n", bytes(range(32))),
        ("text", b"AAAAAAAAAAAAAAAA", b"A" * 16),
        ("text", b"0123456789ABCDEF01234567\n", b"0123456789ABCDEF01234567"),
    ],
)
def test_a_key_as_hex_or_as_text(tmp_path: Path, encoding: Encoding, text: bytes, key: bytes) -> None:
    assert read_key(written(tmp_path, text), encoding) == key


@pytest.mark.parametrize(
    ("encoding", "text", "why"),
    [
        ("hex", b"0001", "4 characters, expected 32, 48 or 64 hex digits"),
        ("hex", b"0" * 33, "33 characters"),
        ("hex", b"x" * 32, "32 characters"),
        ("hex", b"", "0 characters"),
        ("text", b"short", "5 bytes, expected 16, 24 or 32"),
        ("text", b"\x00" * 16, "16 bytes"),
        ("text", b"A" * 10_000, "257 bytes"),
    ],
)
def test_what_is_no_key_is_named_without_being_shown(tmp_path: Path, encoding: Encoding, text: bytes, why: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(BadKey, match=why) as caught:
        read_key(file, encoding)
    assert str(file) in str(caught.value)
    assert "short" not in str(caught.value)


def test_a_key_that_others_can_read_is_none(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="mode 0640, expected 0600"):
        read_key(written(tmp_path, b"0" * 32, 0o640), "hex")
    with pytest.raises(BadKey, match="No such file"):
        read_key(tmp_path / "gone", "hex")
