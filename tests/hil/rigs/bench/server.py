"""A real SSH server on the loopback with keys made for it, as a board's on the bench would answer."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hil.broker import HOST, free_port

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")


@contextmanager
def ssh_server(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[tuple[str, ...]]:
    """Options of ssh to reach it. `environment`: of what it starts."""
    for name in ("host", "installer"):
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name), check=True)
    shutil.copy(folder / "installer.pub", folder / "authorized_keys")
    port, config = free_port(), folder / "sshd_config"
    given = " ".join(f'"{name}={value}"' for name, value in (environment or {}).items())
    config.write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {folder / 'host'}\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nPermitRootLogin prohibit-password\nAllowTcpForwarding no\n"
        + (f"SetEnv {given}\n" if given else "")
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    assert SSHD
    with (folder / "sshd.log").open("wb") as log:
        server = subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=log)
    known = folder / "known_hosts"
    known.write_text(f"[{HOST}]:{port} {(folder / 'host.pub').read_text()}")
    try:
        _answers(port, server)
        yield ("-p", str(port), "-i", str(folder / "installer"), "-o", f"UserKnownHostsFile={known}")
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        try:
            with socket.create_connection((HOST, port), 1) as link:
                assert link.recv(4) == b"SSH-"
                return
        except OSError:
            assert server.poll() is None
            threading.Event().wait(0.02)
    raise AssertionError("sshd does not listen")
