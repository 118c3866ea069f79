"""The slots' counters: the format that U-Boot reads, power cuts in the middle of a write, and what RAUC asks."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.boot import slots

names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    return path


@given(st.dictionaries(names, values, min_size=1, max_size=20))
def test_what_was_packed_is_read(found: dict[str, str]) -> None:
    assert slots.unpack(slots.pack(found)) == found


@given(st.binary(max_size=slots.SIZE + 8))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    why = ""
    try:
        slots.unpack(data)
    except slots.BadEnvironment as bad:
        why = str(bad)
    assert not why or "expected" in why or "ASCII" in why


@given(st.integers(0, slots.SIZE - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    block = bytearray(slots.pack(slots.FIRST))
    block[at] ^= by
    with pytest.raises(slots.BadEnvironment):
        slots.unpack(bytes(block))


def test_it_is_the_format_of_u_boot(tmp_path: Path) -> None:
    if not (tool := shutil.which("mkenvimage")):
        pytest.skip("needs mkenvimage (u-boot-tools)")
    text = tmp_path / "env.txt"
    text.write_text("".join(f"{name}={slots.FIRST[name]}\n" for name in sorted(slots.FIRST)))
    made = tmp_path / "env.bin"
    subprocess.run([tool, "-s", str(slots.SIZE), "-p", "0", "-o", str(made), str(text)], check=True, timeout=20)
    assert slots.unpack(made.read_bytes()) == slots.FIRST
    assert made.read_bytes() == slots.pack(slots.FIRST)


def test_a_new_card_begins_with_a(disk: Path) -> None:
    assert slots.read(disk) == slots.FIRST
    assert slots.primary(slots.read(disk)) == "A"


def test_too_much_is_refused_before_anything_is_written(disk: Path) -> None:
    with pytest.raises(ValueError, match="at most"):
        slots.write({"X": "y" * slots.SIZE}, disk)
    assert not any(disk.read_bytes())


@given(cut=st.integers(0, 2 * slots.SIZE))
def test_a_power_cut_in_a_write_leaves_the_old_or_the_new(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    disk = tmp_path_factory.mktemp("cut") / "disk"
    with disk.open("wb") as file:
        file.truncate(2 * 1024 * 1024)
    slots.write(slots.FIRST, disk)
    before = disk.read_bytes()
    new = slots.made_primary(slots.FIRST, "B")
    slots.write(new, disk)
    after = bytearray(before)
    # What reached the card: the first copy up to the cut, then the second.
    done = disk.read_bytes()
    for number, offset in enumerate(slots.COPIES):
        length = max(0, min(slots.SIZE, cut - number * slots.SIZE))
        after[offset : offset + length] = done[offset : offset + length]
    disk.write_bytes(after)
    assert slots.read(disk) in (dict(slots.FIRST), new)
    if cut >= slots.SIZE:
        assert slots.read(disk) == new


def asked(*words: str, disk: Path, cmdline: Path | None = None) -> int:
    return slots.main(words, disk, cmdline or disk)


def test_what_rauc_asks(disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert asked(*words, disk=disk) == 0
        return capsys.readouterr().out.strip()

    assert said("get-primary") == "A"
    assert said("set-primary", "B") == ""
    assert said("get-primary") == "B"
    assert said("get-state", "A") == "good"
    assert said("set-state", "B", "bad") == ""
    assert (said("get-state", "B"), said("get-primary")) == ("bad", "A")
    assert said("set-state", "B", "good") == ""
    assert slots.read(disk) == {"BOOT_ORDER": "A B", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "3"}
    words = tmp_path / "cmdline"
    words.write_text("ro quiet rauc.slot=B panic=10\n")
    assert asked("get-current", disk=disk, cmdline=words) == 0
    assert capsys.readouterr().out == "B\n"


@pytest.mark.parametrize("words", [[], ["get-state"], ["get-state", "C"], ["set-state", "A", "fine"], ["reboot"]])
def test_what_it_does_not_know_is_refused_and_changes_nothing(
    words: list[str], disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(*words, disk=disk) == slots.EXIT_USAGE
    assert "get-primary" in capsys.readouterr().err
    assert not any(disk.read_bytes())


def test_a_slot_without_tries_is_passed_over_and_none_is_hopeless() -> None:
    assert slots.primary({**slots.FIRST, "BOOT_A_LEFT": "0"}) == "B"
    assert slots.primary({**slots.FIRST, "BOOT_A_LEFT": "0", "BOOT_B_LEFT": "0"}) == "A"
    assert slots.primary({**slots.FIRST, "BOOT_ORDER": "B A", "BOOT_B_LEFT": "x"}) == "A"
    assert slots.primary({**slots.FIRST, "BOOT_ORDER": ""}) == "A"
