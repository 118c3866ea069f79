"""A small HTTPS server on a port of the kernel's: what the fakes of this room that speak HTTPS have in common."""

import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from hil.broker import HOST


class Quiet(BaseHTTPRequestHandler):
    """A handler that writes no log."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is none of the server's errors: nothing is printed into a test's terminal."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class HttpsServer:
    """A context manager: it serves between."""

    def __init__(self, certificate: Path, key: Path, handler: type[BaseHTTPRequestHandler]) -> None:
        """Its own certificate and key, PEM."""
        self._server = _Server((HOST, 0), handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificate), str(key))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def url(self, path: str = "") -> str:
        """The address of a path."""
        return f"https://{HOST}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
