"""What the tree of an image must not have, looked for at the end of each build: a build with any of it is none."""

import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

from images import panel
from images.architecture import Architecture

MAX_TEXT = 4 * 1024 * 1024
_SECRET = re.compile(rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\r?\n[A-Za-z0-9+/=\r\n]{40}")
_TOOLS = re.compile(
    r"^(.*-)?(gcc|g\+\+|cc|ld|as|swig|make|pip3?|apt(-get)?|dpkg|gdb|strace|tcpdump|nc|telnetd|sudo|su)(-[0-9.]+)?$"
)
_USERS, _NAME = re.compile(r"skuid (\{[^}]*\}|\S+)"), re.compile(r'"([^"]+)"')
_ELF = b"\x7fELF"
_NEEDED = re.compile(r"^File: (.+)$|\(NEEDED\).*\[(.+)\]", re.MULTILINE)
_PLUGINS = "ai_edge_litert/vendors/"
"""Of a runtime for chips that no panel has; loaded only where their makers' libraries are."""
TOOL_S = 120
WRITABLE = ("data", "run", "var", "tmp", "dev", "proc", "sys", "boot/firmware", "media/mirror")
"""Where something else is mounted; all else is the verified root. fstab and the initramfs mount them."""


def faults(root: Path, whose: Architecture) -> list[str]:
    """Each thing that must not be there, with its path; empty for a good tree."""
    return [*_files(root, whose), *_panel(root), *_accounts(root), *_firewall(root), *_mounts(root), *_libraries(root)]


def _files(root: Path, whose: Architecture) -> Iterator[str]:
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        name = path.relative_to(root)
        if stat.S_ISLNK(mode) or stat.S_ISDIR(mode):
            continue
        if not stat.S_ISREG(mode):
            yield f"{name}: neither file, folder nor link"
            continue
        if mode & (stat.S_ISUID | stat.S_ISGID):
            yield f"{name}: setuid or setgid"
        if mode & 0o022:
            yield f"{name}: others may write it"
        if mode & 0o100 and "bin" in path.parent.name and _TOOLS.match(path.name):
            yield f"{name}: a tool that no panel needs"
        yield from _content(path, name, whose)


def _content(path: Path, name: Path, whose: Architecture) -> Iterator[str]:
    with path.open("rb") as file:
        head = file.read(20)
        if head.startswith(_ELF):
            if int.from_bytes(head[18:20], "little") != whose.elf:
                yield f"{name}: not for this architecture"
        elif path.stat().st_size <= MAX_TEXT and _SECRET.search(head + file.read()):
            yield f"{name}: a private key"


def _panel(root: Path) -> Iterator[str]:
    site = root / panel.SITE
    for name in panel.LEFT_OUT:
        if (site / name).exists():
            yield f"{panel.SITE}/{name}: belongs to a desk, not to a panel"
    for room in ("hil", "tests", "images", "iotcore"):
        if (site / room).exists():
            yield f"{panel.SITE}/{room}: belongs to a desk, not to a panel"
    if not (site / "firmware/cli.py").exists():
        yield f"{panel.SITE}: no panel in it"


def _accounts(root: Path) -> Iterator[str]:
    for line in (root / "etc/shadow").read_text().splitlines():
        name, password = line.split(":")[:2]
        if password not in ("*", "!*", "!"):
            yield f"etc/shadow: {name} has a password"
    for line in (root / "etc/passwd").read_text().splitlines():
        name, *_, shell = line.split(":")
        if name not in ("root", "sync") and not shell.endswith(("nologin", "false")):
            yield f"etc/passwd: {name} has the shell {shell}"


def _firewall(root: Path) -> Iterator[str]:
    """One name that is not known, and the whole file is refused: then there is no firewall."""
    known = {line.split(":")[0] for line in (root / "etc/passwd").read_text().splitlines()}
    rules = root / "etc/nftables.conf"
    for words in _USERS.findall(rules.read_text() if rules.exists() else ""):
        for name in _NAME.findall(words):
            if name not in known:
                yield f"etc/nftables.conf: there is no user {name}"


def _mounts(root: Path) -> Iterator[str]:
    for name in WRITABLE:
        if not (root / name).is_dir():
            yield f"{name}: not there to be mounted on"
        elif any((root / name).iterdir()):
            yield f"{name}: has something in it that a mount would hide"


def _libraries(root: Path) -> Iterator[str]:
    """What was left out with a package that another one's program or library loads: it would not start."""
    there = [path for path in sorted(root.rglob("*")) if path.is_symlink() or path.is_file()]
    names = {path.name for path in there}
    programs = [str(path) for path in there if _PLUGINS not in str(path) and _is_program(path)]
    # It also ends with 1 for a file that it can't read; the file of a name is told only where there are more than one.
    done = subprocess.run(
        ["readelf", "-d", *programs, "/dev/null"], capture_output=True, text=True, timeout=TOOL_S, check=False
    )
    file = ""
    for found in _NEEDED.finditer(done.stdout):
        file = found[1] or file
        if found[2] and found[2] not in names:
            yield f"{Path(file).relative_to(root)}: needs {found[2]}, which is not there"


def _is_program(path: Path) -> bool:
    if path.is_symlink():
        return False
    with path.open("rb") as file:
        return file.read(len(_ELF)) == _ELF
