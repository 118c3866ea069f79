"""The enrolment desk over HTTPS: `POST /v1/enrolment`, bounded in everything, one request a connection."""

import json
import logging
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any

from hil.center.enrolment import MAX_BYTES, Declined, EnrolmentDesk

log = logging.getLogger("fenghuo.center.enrolment")

PATH = "/v1/enrolment"
MAX_AT_ONCE = 32
PATIENCE_S, WHOLE_S = 10.0, 30.0
"""For one wait, and for a whole connection."""
STATUS = {"malformed": 400, "too-many": 429, "busy": 503}
"""Of the reasons; the others are 403."""


class EnrolmentServer:
    """A context manager. `port` 0 takes one of the kernel's; `address` tells it."""

    def __init__(self, desk: EnrolmentDesk, host: str, port: int, certificate: Path, key: Path) -> None:
        """Raises `OSError` where port or files can't be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(certificate), str(key))
        self.hang_up_after = 0
        """For rigs: the next so many answers are made, and the line breaks before them."""
        self._server = _Server((host, port), _handler(desk, self), context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True, name="enrolment")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> "EnrolmentServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    """TLS is shaken in the connection's own thread, so a silent client holds up nobody else."""

    daemon_threads = True

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext
    ) -> None:
        self._context = context
        self._places = threading.BoundedSemaphore(MAX_AT_ONCE)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        cut = threading.Timer(WHOLE_S, _cut, [request])
        cut.daemon = True
        try:
            cut.start()
            request.settimeout(PATIENCE_S)
            wrapped = self._context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
            cut.args = [wrapped]
            wrapped.do_handshake()
            super().process_request_thread(wrapped, client_address)
        except (OSError, ValueError) as error:
            log.info("a connection from %s did not come up: %s", client_address[0], error)
            self.shutdown_request(request)
        finally:
            cut.cancel()
            self._places.release()

    def handle_error(self, _request: Any, client_address: Any) -> None:
        log.info("a connection from %s broke", client_address[0])


def _cut(line: socket) -> None:
    with suppress(OSError):
        line.shutdown(SHUT_RDWR)


def _handler(desk: EnrolmentDesk, server: EnrolmentServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                answer = desk.answer(self._body())
            except Declined as declined:
                log.warning("not enrolled: %s", declined)
                self._reply(STATUS.get(declined.reason, 403), json.dumps({"error": declined.reason}).encode())
                return
            if server.hang_up_after > 0:
                server.hang_up_after -= 1
                return
            self._reply(200, answer)

        def _body(self) -> bytes:
            length = self.headers.get("Content-Length", "")
            if self.path != PATH or not length.isdecimal() or int(length) > MAX_BYTES:
                raise Declined("malformed", f"{self.path[:60]!r}, {length[:20]!r} bytes")
            return self.rfile.read(int(length))

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
