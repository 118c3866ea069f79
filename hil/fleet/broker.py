"""The broker of a fleet: Mosquitto with one listener for the panels and one for the center.

With TLS it is the broker of docs/examples/mosquitto: a certificate for each panel, and with it one panel's topics.
"""

from pathlib import Path
from types import TracebackType

from firmware.uplink.tls import Files, context
from hil.authority import Authority
from hil.broker import HOST, Mosquitto, free_port
from hil.fleet.wire import Way

LISTENER = """\
allow_anonymous true
max_connections -1
max_packet_size 262144
"""
_TLS = """\
listener {port} {host}
max_connections -1
max_packet_size 262144
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
tls_version tlsv1.2
require_certificate true
use_identity_as_username true
use_username_as_clientid true
acl_file {folder}/acl
"""
_ACL = Path(__file__).parents[2] / "docs/examples/mosquitto/fenghuo.acl"
_CENTER = "topic readwrite fenghuo/v1/#\n"
"""The center has a listener of its own here, and no name."""


class FleetBroker:
    """A context manager. `start` and `kill` may be repeated on the same ports."""

    def __init__(self, folder: Path, tls: bool) -> None:
        self._authority = Authority.make(folder / "tls", "fleet") if tls else None
        self._tls_port = free_port()
        extra = LISTENER
        if self._authority is not None:
            self._authority.issue("broker", [HOST])
            (self._authority.folder / "acl").write_text(_CENTER + _ACL.read_text())
            extra += _TLS.format(port=self._tls_port, host=HOST, folder=self._authority.folder)
        self._broker = Mosquitto(folder, extra)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._broker.pid

    @property
    def center_port(self) -> int:
        """Where the center connects, in the clear."""
        return self._broker.port

    def way(self, panel: str) -> Way:
        """The way of this panel, its certificate made now; in the TLS of the firmware."""
        if self._authority is None:
            return Way(HOST, self._broker.port)
        folder = self._authority.folder
        self._authority.issue(panel, [])
        named = Files(folder / "ca.pem", folder / f"{panel}.pem", folder / f"{panel}.key")
        return Way(HOST, self._tls_port, context("fleet", named))

    def start(self) -> None:
        """Start, and wait until it listens. Raises `RuntimeError`."""
        self._broker.start()

    def kill(self) -> None:
        """As a power cut would."""
        self._broker.kill()

    def __enter__(self) -> "FleetBroker":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
