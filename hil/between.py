"""Somebody between a new panel and the center's enrolment service: ends its TLS, reads all, changes what he likes."""

import http.client
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from hil.https_server import HttpsServer, Quiet

Change = Callable[[bytes], bytes]


def _as_it_is(data: bytes) -> bytes:
    return data


class Between(HttpsServer):
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
        super().__init__(certificate, key, self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        between = self

        class Handler(Quiet):
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
