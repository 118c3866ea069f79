"""The root's tree: packages unpacked, what their scripts would have done written down, and our own files over it.

No program of the target runs. Users and enablement are made by the host's `systemd-sysusers` and `systemctl`, which
work on a tree; everything belongs to root, and nothing is setuid.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

from images.packages import Package, unpack
from images.settings import HERE

FILES, UNITS = HERE / "files", HERE / "units"
TOOL_S = 60
PRUNED = (
    *("usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian", "usr/share/bug"),
    *("usr/share/bash-completion", "usr/share/zsh", "usr/share/pixmaps", "usr/share/menu", "usr/share/perl5"),
    *("usr/share/doc-base", "usr/share/initramfs-tools", "usr/share/polkit-1", "usr/share/gdb", "usr/share/gcc"),
    *("usr/lib/python3/dist-packages", "usr/share/python3", "usr/share/dpkg", "usr/share/apport", "usr/share/bugs"),
    *(
        "etc/init.d",
        "etc/rc0.d",
        "etc/rcS.d",
        "etc/cron.daily",
        "etc/cron.weekly",
        "etc/apt",
        "etc/dpkg",
        "etc/default",
    ),
    *("etc/pam.d", "etc/security", "etc/skel", "etc/logrotate.d", "etc/alternatives", "etc/update-motd.d"),
    *("usr/lib/systemd/catalog", "usr/lib/udev/hwdb.d", "var/lib", "var/cache", "var/log", "boot", "usr/lib/init"),
    *("usr/sbin/agetty", "usr/sbin/getty", "usr/sbin/sulogin", "usr/bin/su", "usr/bin/chfn", "usr/bin/chsh"),
    *("usr/bin/newgrp", "usr/bin/passwd", "usr/bin/gpasswd", "usr/bin/expiry", "usr/bin/chage", "usr/bin/mkhomedir"),
    *(f"usr/lib/tmpfiles.d/{name}.conf" for name in ("credstore", "debian", "home", "journal-nocow", "legacy")),
    *(f"usr/lib/tmpfiles.d/{name}.conf" for name in ("openssh-client", "passwd", "provision", "x11")),
    *(f"usr/lib/tmpfiles.d/20-systemd-{name}.conf" for name in ("shell-extra", "ssh-generator", "stub")),
    *("usr/lib/openssh/ssh-keysign", "usr/lib/dbus-1.0/dbus-daemon-launch-helper", "usr/bin/ssh-agent"),
)
"""What a panel never needs: documentation, and every way of login but the installer's key."""
GENERATORS = frozenset({"systemd-fstab-generator", "systemd-debug-generator"})
"""Kept of those that make units at boot. The second takes the test rig's hand, which only a virtual board can pass."""
MOUNT_POINTS = ("boot/firmware", "data", "dev", "media/mirror", "mnt", "proc", "root", "run", "sys", "tmp", "var")


def make(root: Path, packages: Iterable[Package], masked: Iterable[str]) -> None:
    """Make the tree of the base: packages, our files, users, units but for `masked` ones.

    Raises `CalledProcessError`, `OSError`.
    """
    if root.exists():
        shutil.rmtree(root)
    # Its links from /bin, /lib and /sbin to /usr must be there before anything is put behind them.
    for package in sorted(packages, key=lambda p: (p.name != "base-files", p.name)):
        unpack(package, root)
    for name in PRUNED:
        _remove(root / name)
    for generator in sorted((root / "usr/lib/systemd/system-generators").iterdir()):
        if generator.name not in GENERATORS:
            generator.unlink()
    for name in MOUNT_POINTS:
        (root / name).mkdir(parents=True, exist_ok=True)
    _accounts(root)
    _files(root)
    _units(root, masked)


def _accounts(root: Path) -> None:
    """The base's users as `base-passwd` has them, all locked; the others by sysusers.d."""
    masters = root / "usr/share/base-passwd"
    shutil.copyfile(masters / "passwd.master", root / "etc/passwd")
    shutil.copyfile(masters / "group.master", root / "etc/group")
    passwd = (root / "etc/passwd").read_text().splitlines()
    (root / "etc/shadow").write_text("".join(f"{line.split(':')[0]}:*:20000:0:99999:7:::\n" for line in passwd))
    (root / "etc/passwd").write_text("".join(line.replace(":*:", ":x:", 1) + "\n" for line in passwd))
    (root / "etc/gshadow").write_text(
        "".join(f"{line.split(':')[0]}:*::\n" for line in (root / "etc/group").read_text().splitlines())
    )


def _files(root: Path) -> None:
    """What lies under `images/files` and `images/units`."""
    for source in sorted(FILES.rglob("*")):
        target = root / source.relative_to(FILES)
        if source.is_dir():
            target.mkdir(exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(source, target)
            target.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    for unit in sorted(UNITS.iterdir()):
        shutil.copyfile(unit, root / "usr/lib/systemd/system" / unit.name)
        (root / "usr/lib/systemd/system" / unit.name).chmod(0o644)
    _link(root / "etc/resolv.conf", "../run/systemd/resolve/resolv.conf")
    _link(root / "etc/localtime", "../usr/share/zoneinfo/Etc/UTC")
    _link(root / "etc/mtab", "../proc/self/mounts")
    _link(root / "usr/bin/fenghuo", "/opt/fenghuo/bin/fenghuo")
    _link(root / "usr/bin/vi", "busybox")
    _link(root / "usr/bin/less", "busybox")


def _units(root: Path, masked: Iterable[str]) -> None:
    for file in sorted((root / "usr/lib/sysusers.d").glob("*.conf")):
        # "u!" (a locked account) is news to an older systemd-sysusers; all accounts here are locked anyway.
        file.write_text(file.read_text().replace("u! ", "u "))
    _run("systemd-sysusers", f"--root={root}")
    (root / "etc/shadow").chmod(0o600)
    (root / "etc/gshadow").chmod(0o600)
    for left in ("etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-", "etc/.pwd.lock"):
        (root / left).unlink(missing_ok=True)
    _run("systemctl", f"--root={root}", "preset-all")
    for unit in masked:
        _link(root / "etc/systemd/system" / unit, "/dev/null")
    _link(root / "etc/systemd/system/default.target", "/usr/lib/systemd/system/multi-user.target")


def close(root: Path) -> None:
    """Take away what no file of the image may have: setuid and setgid bits, writing by others, lists of the builder."""
    for path in sorted(root.rglob("*")):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            wanted = stat.S_IMODE(mode) & ~(0o7022 if stat.S_ISREG(mode) else 0o6022)
            if wanted != stat.S_IMODE(mode):
                path.chmod(wanted)
    for folder in ("var", "tmp", "run", "dev", "proc", "sys"):
        _remove(root / folder)
        (root / folder).mkdir(mode=0o755)


def _link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    path.symlink_to(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _run(*words: str) -> None:
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_LOG_LEVEL": "warning"}
    subprocess.run(words, env=environment, check=True, capture_output=True, text=True, timeout=TOOL_S)
