"""MQTT 5 brokers on this machine's loopback: `iotcore` (rumqttd, from PyPI) for the demo, Mosquitto for tests.

Both are children, listen on 127.0.0.1 only and keep nothing: a desk's brokers, not a center's.
"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from itertools import count, islice
from pathlib import Path
from types import TracebackType

from iotcore import Broker

HOST = "127.0.0.1"
MAX_PACKET_BYTES = 256 * 1024

# Only a v5 listener: with the plain options iotcore would speak MQTT 3.1.1.
_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 4096
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10

[v5.1]
name = "fenghuo-desk"
listen = "{host}:{port}"
next_connection_delay_ms = 1
    [v5.1.connections]
    connection_timeout_ms = 60000
    max_payload_size = {max_bytes}
    max_inflight_count = 100
    dynamic_filters = true
"""


def is_free(port: int) -> bool:
    """Whether nobody listens on this TCP port of the loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A TCP port of the loopback that nobody uses, and that stays so until it is listened on. Raises `OSError`.

    Not one of those that the kernel lends to outgoing connections: one of them could take it meanwhile, or who calls a
    broker that is away could be connected to itself. No process gets one twice, and processes begin far apart.
    """
    lent = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    first = 10_000 if lent > 12_000 else 1_024
    span = lent - first
    for number in islice(_NUMBERS, span):
        if is_free(port := first + number % span):
            return port
    raise OSError(f"no port from {first} to {lent - 1} is free")


_NUMBERS = count(os.getpid() * 7_919)


class EmbeddedBroker:
    """The one in the wheel; it ends by itself when its parent is gone.

    A context manager; `start` and `stop` may be repeated on the same port.
    """

    def __init__(self, port: int | None = None) -> None:
        self.host = HOST
        self.port = port or free_port()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._broker: Broker | None = None

    def start(self) -> None:
        """Start and wait until it accepts connections. Raises `OSError` when the port is taken, `RuntimeError` else."""
        if self._broker is not None:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="fenghuo-broker-")
        config = Path(self._folder.name) / "broker.toml"
        config.write_text(_CONFIG.format(host=HOST, port=self.port, max_bytes=MAX_PACKET_BYTES))
        broker = Broker(config_path=str(config))
        try:
            broker.start()
        except BaseException:
            self._folder.cleanup()
            raise
        self._broker = broker

    def stop(self) -> None:
        """Stop it and give the port free. Its clients' wills are lost with it, as in a power cut of the broker."""
        if self._broker is not None:
            self._broker.stop()
            self._broker = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def __enter__(self) -> "EmbeddedBroker":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Mosquitto:
    """The real one, of Debian. A context manager; `start` and `kill` may be repeated on the same port."""

    def __init__(
        self, folder: Path, extra: str = "allow_anonymous true\n", program: str = "/usr/sbin/mosquitto"
    ) -> None:
        """`folder` takes the configuration file, `extra` its lines for the listener (users, certificates)."""
        self.host = HOST
        self.port = free_port()
        self._program = program
        self._config = folder / f"mosquitto-{self.port}.conf"
        # As root it would become another user, who may not read a test's folder.
        self._config.write_text(f"user root\nmax_queued_messages 0\nlistener {self.port} {HOST}\n{extra}")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process; 0 while it is not running."""
        return self._process.pid if self._process is not None else 0

    def start(self, timeout_s: float = 10.0) -> None:
        """Start and wait until it accepts connections. Raises `RuntimeError` when it does not."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stdout=quiet, stderr=quiet)
        end = time.monotonic() + timeout_s
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError("mosquitto did not start: is its configuration right?")
            time.sleep(0.01)

    def kill(self) -> None:
        """End it as a power cut would: no goodbye to anyone, no wills."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
            self._process = None

    stop = kill

    def hang(self) -> None:
        """Nothing comes from it any more, and no connection ends: what its clients see of a cut line."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It was only hanging."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def __enter__(self) -> "Mosquitto":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
