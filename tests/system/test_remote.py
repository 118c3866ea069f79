"""An installer from afar, by a real sshd at a real core: nothing before a user has let him in, and it is recorded."""

import subprocess
import sys
from pathlib import Path

from hil.sshd import Sshd
from tests.system.rig import CODE, Rig, rig

INSTALLER = "577215"
TREE = Path(__file__).parents[2]


def far(panel: Rig, sshd: Sshd, *words: str, typed: str) -> "subprocess.CompletedProcess[str]":
    line = [sys.executable, "-m", "firmware.cli", "remote", *sshd.words(panel.folder), *words, "--code-stdin"]
    return subprocess.run(line, input=typed, capture_output=True, text=True, timeout=90, check=False, cwd=TREE)


def test_from_afar_an_installer_needs_a_users_grant_as_at_the_panel(tmp_path: Path) -> None:
    sshd = Sshd.make(tmp_path / "ssh", TREE)
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        new = ("users", "set", "fitter", "--name", "Fitter", "--area", "hall", "--level", "3")
        refused = far(panel, sshd, *new, typed=f"{CODE}\n{INSTALLER}\n\n")
        assert refused.returncode == 1, "a user makes no installer"
        panel.stop("core")
    with rig() as panel:
        panel.start("core")
        whole = ("--area", "hall", "--area", "vault", "--level")
        assert (
            far(panel, sshd, "users", "set", "fitter", "--name", "F", *whole, "3", typed=f"{INSTALLER}\n\n").returncode
            == 0
        )
        boss = far(panel, sshd, "users", "set", "boss", "--name", "B", *whole, "2", typed=f"{INSTALLER}\n{CODE}\n\n")
        assert boss.returncode == 0, boss.stderr
        panel.settle()
        siren = far(panel, sshd, "try", "siren", "--area", "hall", typed=f"{INSTALLER}\n")
        assert siren.returncode == 1
        assert "test.siren" not in panel.kinds()
        assert far(panel, sshd, "users", "grant", typed=f"{CODE}\n").returncode == 0
        siren = far(panel, sshd, "try", "siren", "--area", "hall", typed=f"{INSTALLER}\n")
        assert siren.returncode == 0, siren.stderr
        kinds = panel.kinds()
        assert kinds.index("code.refused") < kinds.index("installer.granted") < kinds.index("test.siren")
        assert "installer.entered" in kinds
