"""Serial ports by stable names, on real ptys: absent, busy, taken; and who has them."""

import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bus import ports


@pytest.fixture
def pty_port() -> Iterator[str]:
    """The name of a pty that nobody has open but this test."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(theirs)
    os.close(ours)


def test_a_port_opens_for_one_alone_and_the_next_one_learns_who_has_it(pty_port: str) -> None:
    with ports.open_port(pty_port, 9600), pytest.raises(ports.NoPort) as error:
        ports.open_port(pty_port, 9600)
    english, chinese = error.value.text
    assert f"{pty_port} is in use by" in english
    assert f"(pid {os.getpid()})" in english
    assert f"(pid {os.getpid()})" in chinese


def test_an_absent_port_names_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ports.NoPort) as error:
        ports.open_port(str(tmp_path / "usb-FTDI"), 9600)
    assert f"There is no serial port {tmp_path}/usb-FTDI. Ports of this board: " in str(error.value)


def test_a_port_that_is_no_port_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(ports.NoPort, match="can't be opened"):
        ports.open_port(str(tmp_path / "notes.txt"), 9600)


def test_stable_names_come_first_and_hide_their_device(tmp_path: Path) -> None:
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    for name in ("ttyUSB0", "ttyUSB1", "ttyS0", "tty1"):
        (tmp_path / name).touch()
    (by_id / "usb-FTDI_A1").symlink_to(tmp_path / "ttyUSB1")
    assert ports.ports(by_id, tmp_path) == [
        str(by_id / "usb-FTDI_A1"),
        str(tmp_path / "ttyUSB0"),
        str(tmp_path / "ttyS0"),
    ]


def test_a_port_found_again_by_its_stable_name_after_it_moved(tmp_path: Path, pty_port: str) -> None:
    link = tmp_path / "usb-FTDI_A1"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(ports.NoPort, match="There is no serial port"):
        ports.open_port(str(link), 9600)
    link.unlink()
    link.symlink_to(pty_port)
    ports.open_port(str(link), 9600).close()
