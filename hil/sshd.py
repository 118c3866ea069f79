"""A real sshd for tests, with keys made for each: ssh starts it as its proxy command, so no port is open."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HOST = "panel.test"
_SSHD = """\
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
AuthenticationMethods publickey
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PermitUserEnvironment no
PidFile none
LogLevel ERROR
"""
_SSH = """\
Host {host}
    ProxyCommand {sshd} -i -f {folder}/sshd_config
    IdentityFile {folder}/installer
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking yes
    LogLevel ERROR
"""
_PROGRAM = """\
#!/bin/sh
PYTHONPATH={tree} exec {python} -m firmware.cli "$@"
"""


@dataclass(frozen=True)
class Sshd:
    """`config`: for `ssh -F`. `program`: what the far side calls `fenghuo`. `known`: the hosts that ssh believes."""

    config: Path
    program: Path
    known: Path

    @classmethod
    def make(cls, folder: Path, tree: Path) -> "Sshd":
        """Keys and files in `folder`; `tree`: where the code lies that the far side runs."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("host", "installer"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True
            )
        shutil.copy(folder / "installer.pub", folder / "authorized_keys")
        (folder / "sshd_config").write_text(_SSHD.format(folder=folder))
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin") or "sshd"
        config, known = folder / "ssh_config", folder / "known_hosts"
        config.write_text(_SSH.format(folder=folder, host=HOST, sshd=program))
        known.write_text(f"{HOST} {(folder / 'host.pub').read_text()}")
        far = folder / "fenghuo"
        far.write_text(_PROGRAM.format(tree=tree, python=sys.executable))
        far.chmod(0o755)
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's service makes it
        return cls(config, far, known)

    def words(self, folder: Path) -> list[str]:
        """The options of `fenghuo remote` for a panel whose file lies in this folder, and the host."""
        return ["--ssh-config", str(self.config), "--program", str(self.program), "--folder", str(folder), HOST]
