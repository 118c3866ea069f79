"""A server to which pictures are put, for rigs and tests: over TLS, with resume, and with the faults of real ones."""

import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from hil.https_server import HttpsServer, Quiet

_RANGE = re.compile(r"bytes (\*|([0-9]+)-([0-9]+))/([0-9]+)")
BLOCK = 4096


class PutServer(HttpsServer):
    """Holds what was put, by path. A context manager; its port is the kernel's."""

    def __init__(self, certificate: Path, key: Path, resumes: bool = True) -> None:
        """`resumes`: it tells how much it holds of what was cut."""
        self.held: dict[str, bytes] = {}
        self.answers: list[int] = []
        """Statuses to answer with before anything else, in order."""
        self.cut_after: list[int] = []
        """For the next uploads: hang up after so many bytes."""
        self.asked: list[str] = []
        """`Content-Range` of each request."""
        self._resumes = resumes
        super().__init__(certificate, key, self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(Quiet):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                server._put(self)

        return Handler

    def _put(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Content-Range", "")
        self.asked.append(asked)
        found = _RANGE.fullmatch(asked)
        length = int(handler.headers.get("Content-Length", "0"))
        if self.answers:
            handler.rfile.read(length)
            self._answer(handler, self.answers.pop(0))
            return
        if found is None:
            self._answer(handler, 400)
            return
        held = self.held.get(handler.path, b"") if self._resumes else b""
        if found[1] == "*":
            self._tell(handler, held, int(found[4]))
            return
        held = held[: int(found[2])]
        most = self.cut_after.pop(0) if self.cut_after else length
        while length and most > 0:
            block = handler.rfile.read(min(BLOCK, length, most))
            if not block:
                break
            held += block
            length, most = length - len(block), most - len(block)
        self.held[handler.path] = held
        if length:
            handler.close_connection = True
            return
        self._tell(handler, held, int(found[4]))

    def _tell(self, handler: BaseHTTPRequestHandler, held: bytes, total: int) -> None:
        if len(held) >= total:
            self._answer(handler, 201)
        elif not self._resumes:
            self._answer(handler, 400)
        else:
            self._answer(handler, 308, f"bytes=0-{len(held) - 1}" if held else "")

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, held: str = "") -> None:
        handler.send_response(status)
        if held:
            handler.send_header("Range", held)
        if status == 302:
            handler.send_header("Location", self.url("/elsewhere"))
        handler.send_header("Content-Length", "0")
        handler.end_headers()
