"""Opening a file of the evidence folder, which another process writes: nothing outside it, whatever lies there."""

import os
import stat
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put there must not make us wait.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def opened(folder: Path, file: str) -> int:
    """A descriptor of a regular file below the folder, for the caller to close. Raises `OSError`.

    No step of the way may be a link: the camera process could lay one to what only we may read, as our TLS key.
    """
    *steps, name = file.split("/")
    if any(step in ("", ".", "..") or "\0" in step for step in (*steps, name)):
        raise FileNotFoundError(f"{file!r} is no name of evidence")
    at = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for step in steps:
            below = os.open(step, _FOLDER, dir_fd=at)
            os.close(at)
            at = below
        number = os.open(name, _FILE, dir_fd=at)
    finally:
        os.close(at)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileNotFoundError(f"{file!r} is no file")
    return number
