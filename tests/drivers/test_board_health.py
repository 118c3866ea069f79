"""What the kernel's files tell of the board, from trees of files as boards have them, and from none."""

from pathlib import Path

import pytest

from drivers.board_health import BoardHealth, BoardReading, celsius_of


def board(sys: Path, alarm: str | None = "0", throttled: str | None = None, temp: str | None = "45230") -> BoardHealth:
    """A tree like that of a Raspberry Pi: the processor's sensor comes first."""
    for number, name in enumerate(("cpu_thermal", "rpi_volt")):
        folder = sys / f"class/hwmon/hwmon{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(f"{name}\n")
    if alarm is not None:
        (sys / "class/hwmon/hwmon1/in0_lcrit_alarm").write_text(f"{alarm}\n")
    if throttled is not None:
        firmware = sys / "devices/platform/soc/soc:firmware"
        firmware.mkdir(parents=True, exist_ok=True)
        (firmware / "get_throttled").write_text(f"{throttled}\n")
    if temp is not None:
        thermal = sys / "class/thermal/thermal_zone0"
        thermal.mkdir(parents=True, exist_ok=True)
        (thermal / "temp").write_text(f"{temp}\n")
    return BoardHealth(sys)


@pytest.mark.parametrize(
    ("alarm", "throttled", "temp", "found"),
    [
        ("0", None, "45230", BoardReading(False, None, 45.23)),
        ("1", None, "45230", BoardReading(True, None, 45.23)),
        ("0", "0", "45230", BoardReading(False, False, 45.23)),
        ("0", "50000", "45230", BoardReading(False, False, 45.23)),  # it was so, and is no more
        ("0", "50005", "81000", BoardReading(True, True, 81.0)),
        ("1", "80008", "81000", BoardReading(True, True, 81.0)),
        (None, None, None, BoardReading()),
        ("nonsense", "zz", "warm", BoardReading()),
        ("0", None, "99999999", BoardReading(False)),
    ],
)
def test_what_a_board_tells(
    tmp_path: Path, alarm: str | None, throttled: str | None, temp: str | None, found: BoardReading
) -> None:
    assert board(tmp_path, alarm, throttled, temp).look() == found


def test_another_boards_alarm_of_the_same_name_does_not_count(tmp_path: Path) -> None:
    found = board(tmp_path, alarm=None)
    (tmp_path / "class/hwmon/hwmon0/in0_lcrit_alarm").write_text("1\n")
    assert found.look().under_voltage is None


def test_a_board_that_tells_nothing_and_files_that_are_none_raise_nothing(tmp_path: Path) -> None:
    assert BoardHealth(tmp_path / "nowhere").look() == BoardReading()
    assert celsius_of(tmp_path) is None
    (tmp_path / "t").write_bytes(b"\xff\xfe" * 500)
    assert celsius_of(tmp_path / "t") is None


def test_what_changes_is_seen_at_the_next_look(tmp_path: Path) -> None:
    found = board(tmp_path)
    assert found.look().under_voltage is False
    (tmp_path / "class/hwmon/hwmon1/in0_lcrit_alarm").write_text("1\n")
    assert found.look().under_voltage is True
