"""A web server with one bundle on it, read piece by piece: what a URL of `fenghuo update install` leads to."""

import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from hil.authority import Authority
from hil.https_server import HttpsServer, Quiet

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class BundleServer(HttpsServer):
    """A context manager. `read` counts the bytes that were given out."""

    def __init__(self, bundle: Path, folder: Path, host: str) -> None:
        """`host`: the address under which the panel reaches it, for its certificate; its CA is made in `folder`."""
        authority = Authority.make(folder, "bundles web")
        authority.issue("server", [host])
        self.read = 0
        super().__init__(folder / "server.pem", folder / "server.key", _handler(bundle, self))


def _handler(bundle: Path, server: BundleServer) -> type[BaseHTTPRequestHandler]:
    size = bundle.stat().st_size

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            if self.path != f"/{bundle.name}" or wanted is None or int(wanted[1]) >= size:
                self.send_error(404)
                return
            first, last = int(wanted[1]), min(int(wanted[2]), size - 1)
            with bundle.open("rb") as file:
                file.seek(first)
                data = file.read(last - first + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            server.read += len(data)

    return Handler
