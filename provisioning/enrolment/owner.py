"""Whose a file is: each process of the panel has a user of its own, and a file that root makes goes to that user.

On a desk, where one user is all of them, nothing is given away. A folder may belong to a process that was captured, so
files are made anew by name, never followed through a link.
"""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

UPLINK, CORE = "fenghuo-uplink", "fenghuo-core"


@dataclass(frozen=True)
class Owner:
    """A user and its group; None of them where nothing is given away."""

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def of(cls, user: str, folder: Path) -> "Owner":
        """Of a process's files. As root: that user where there is one, else the folder's owner."""
        if os.geteuid() != 0:
            return cls()
        try:
            found = pwd.getpwnam(user)
            return cls(found.pw_uid, found.pw_gid)
        except KeyError:
            there = next(each for each in (folder, *folder.parents) if each.exists())
            status = there.stat()
            return cls(status.st_uid, status.st_gid)

    def folder(self, path: Path, mode: int = 0o700) -> None:
        """Make a folder that is missing, and those above it. Raises `OSError`."""
        missing = [each for each in (path, *path.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode)
            if self.uid is not None and self.gid is not None:
                os.chown(each, self.uid, self.gid)

    def write(self, path: Path, data: bytes, mode: int) -> None:
        """Write a file anew under its own name, durable. Raises `OSError`; then there is none of that name."""
        path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL  # which follows no link
        try:
            with os.fdopen(os.open(path, flags, mode), "wb") as file:
                file.write(data)
                if self.uid is not None and self.gid is not None:
                    os.fchown(file.fileno(), self.uid, self.gid)
                os.fchmod(file.fileno(), mode)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise

    def give(self, path: Path) -> None:
        """A file that somebody else made. Raises `OSError`."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)
