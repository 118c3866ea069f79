"""Serial ports by a name that stays: opened for one process alone, with errors that say what is there and who has it.

`/dev/ttyUSB0` is whichever adapter was plugged in first; `/dev/serial/by-id/…` and `/dev/serial/by-path/…` stay. An
adapter that was pulled out is found again by the same name when it is back.
"""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import serial

from drivers.pins import DriverError

BY_ID = Path("/dev/serial/by-id")
_LISTED = 8


class NoPort(DriverError):
    """A serial port is absent, busy, or not ours to open."""


def open_port(
    port: str,
    baud: int,
    parity: str = "N",
    stop_bits: int = 1,
    read_s: float = 0.0,
    write_s: float = 1.0,
) -> "serial.Serial":
    """The open port, locked for this process. `parity` N, E or O; `read_s`, `write_s`: how long a call may take.

    Raises `NoPort` in both languages.
    """
    import serial

    try:
        return serial.Serial(
            port,
            baud,
            parity=parity,
            stopbits=stop_bits,
            timeout=read_s,
            write_timeout=write_s,
            exclusive=True,
        )
    except (OSError, ValueError) as error:
        raise NoPort(why_not(port, error)) from error


def why_not(port: str, error: Exception) -> tuple[str, str]:
    """Why a port can't be had, in English and Chinese: absent (and which there are), busy (and who), or else."""
    number = getattr(error, "errno", None)
    if not Path(port).exists():
        found = ", ".join(ports()) or "-"
        return (
            f"There is no serial port {port}. Ports of this board: {found}",
            f"没有串口 {port}。本机串口:{found}",
        )
    if number in (errno.EACCES, errno.EPERM):
        return (
            f"Serial port {port} is not ours to open ({error}); the user must be in group dialout.",
            f"无权打开串口 {port}({error});该用户须属于 dialout 组。",
        )
    holders = ", ".join(holders_of(port))
    if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
        who = holders or "?"
        return f"Serial port {port} is in use by {who}.", f"串口 {port} 正被 {who} 占用。"
    return f"Serial port {port} can't be opened: {error}", f"无法打开串口 {port}:{error}"


def ports(by_id: Path = BY_ID, dev: Path = Path("/dev")) -> list[str]:
    """Ports of this board, at most eight: by stable name where there is one, else by device."""
    try:
        stable = {link.resolve(): str(link) for link in sorted(by_id.iterdir())}
    except OSError:
        stable = {}
    plain = [path for kind in ("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS[0-9]") for path in sorted(dev.glob(kind))]
    return [*stable.values(), *(str(path) for path in plain if path.resolve() not in stable)][:_LISTED]


def holders_of(port: str, proc: Path = Path("/proc")) -> list[str]:
    """Who has the port open, as far as this user may see: "name (pid 12)"."""
    device = os.path.realpath(port)
    found: list[str] = []
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.path.realpath(fd) == device for fd in (process / "fd").iterdir()):
                found.append(f"{(process / 'comm').read_text().strip()} (pid {process.name})")
        except OSError:
            continue  # another user's, or gone
    return found[:_LISTED]
