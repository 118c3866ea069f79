"""The web server of bundles gives pieces, over TLS, as many on one connection as are asked for."""

import http.client
import ssl
from pathlib import Path

from hil.broker import HOST
from hil.updates.web import BundleServer


def test_pieces_of_a_bundle_on_one_connection(tmp_path: Path) -> None:
    bundle = tmp_path / "x.raucb"
    bundle.write_bytes(bytes(range(100)))
    with BundleServer(bundle, tmp_path / "web", HOST) as web:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(tmp_path / "web" / "ca.pem")
        line = http.client.HTTPSConnection(HOST, web.port, context=trust, timeout=10)
        for first, last, content in ((0, 3, bytes(range(4))), (96, 200, bytes(range(96, 100)))):
            line.request("GET", "/x.raucb", headers={"Range": f"bytes={first}-{last}"})
            answer = line.getresponse()
            assert (answer.status, answer.read()) == (206, content)
            assert answer.getheader("Content-Range") == f"bytes {first}-{min(last, 99)}/100"
        line.request("GET", "/other.raucb", headers={"Range": "bytes=0-3"})
        assert line.getresponse().status == 404
        line.close()
    assert web.read == 8
