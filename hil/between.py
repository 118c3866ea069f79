"""Somebody between a new panel and the center's enrolment service: ends its TLS, reads all, changes what he likes."""

import http.client
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hil.broker import HOST

Change = Callable[[bytes], bytes]


def _as_it_is(data: bytes) -> bytes:
    return data


class Between:
    """A context manager, on a port of the kernel's. `seen`: each request and answer that passed, as they came."""

    def __init__(self, center: str, certificate: Path, key: Path) -> None:
        """`center`: https://HOST:PORT behind him; `certificate` and `key` are his own."""
        self.change_request: Change = _as_it_is
        self.change_answer: Change = _as_it_is
        self.instead: tuple[int, dict[str, str], bytes] | None = None
        """What he answers by himself: status, headers, body."""
        self.drips = False
        """He sends his answer a byte at a time, for ever."""
        self.seen: list[bytes] = []
        self._center = urlsplit(center)
        self._pause = threading.Event()
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificate), str(key))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where he listens."""
        return f"https://{HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> "Between":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = self.rfile.read(int(self.headers["Content-Length"]))
                between.seen.append(asked)
                while between.drips:
                    try:
                        self.wfile.write(b"x")
                    except OSError:
                        return
                    between._pause.wait(0.05)
                status, headers, body = between.instead or between._ask(between.change_request(asked))
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection(self._center.hostname or "", self._center.port, timeout=10, context=context)
        try:
            line.request("POST", "/v1/enrolment", body)
            answer = line.getresponse()
            found = answer.read()
        finally:
            line.close()
        self.seen.append(found)
        return answer.status, {}, self.change_answer(found) if answer.status == 200 else found
