"""A network camera: an RTSP server on loopback with what FFmpeg encodes, and with a network camera's bad habits.

It speaks as much of RFC 2326 as a camera does to one that plays by TCP: OPTIONS, DESCRIBE, SETUP, PLAY, digest
authentication. The pictures are made by a real `ffmpeg`, whose RTP packets are handed to everyone who plays.
"""

import contextlib
import hashlib
import random
import re
import secrets
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from hil.broker import HOST, free_port

SCENE = "testsrc2=size={size}:rate={rate}"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "{rate}")
"""A key frame each second, as cameras come from the factory."""
H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency", "-x265-params", "log-level=0:keyint={rate}")
MJPEG = ("-c:v", "mjpeg", "-q:v", "5", "-huffman", "default", "-pix_fmt", "yuvj420p")
_REALM = "camera"
_PATIENCE_S = 20.0
_MAX_REQUEST = 16 * 1024


@dataclass(frozen=True)
class Film:
    """What the camera shows: a lavfi graph and how it is encoded; `{size}` and `{rate}` are filled in."""

    codec: tuple[str, ...] = H264
    size: str = "640x480"
    rate: int = 10
    scene: str = SCENE

    def command(self, sdp: Path, port: int) -> list[str]:
        """FFmpeg's, which sends RTP to this port."""
        filled = [word.format(size=self.size, rate=self.rate) for word in (self.scene, *self.codec)]
        shown = ["ffmpeg", "-nostdin", "-loglevel", "error", "-threads", "1", "-re", "-f", "lavfi", "-i", filled[0]]
        target = f"rtp://127.0.0.1:{port}?pkt_size=1400"
        pixels = [] if "-pix_fmt" in filled else ["-pix_fmt", "yuv420p"]
        return [*shown, *filled[1:], *pixels, "-f", "rtp", "-sdp_file", str(sdp), target]


class RtspCamera:
    """Serves `rtsp://127.0.0.1:PORT/live`, to be used in a `with`. `user`, `password`: asked for where given.

    `mute`: packets are not sent, the connection stays. `garbage`: they hold noise instead of pictures. `played`: set
    once somebody plays. `refused`: how many requests had no right password; `answered`: how many had.
    """

    def __init__(
        self, folder: Path, film: Film | None = None, user: str = "", password: str = "", port: int = 0
    ) -> None:
        self.mute, self.garbage, self.played = threading.Event(), threading.Event(), threading.Event()
        self.refused = self.answered = 0
        self._film = film or Film()
        self._sdp = folder / f"{secrets.token_hex(4)}.sdp"
        self._user, self._password = user, password
        self._nonce = secrets.token_hex(8)
        self._listener = socket.create_server((HOST, port or free_port()))
        self.port: int = self._listener.getsockname()[1]
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._began, self._stop = threading.Event(), threading.Event()
        self._clients: set[socket.socket] = set()
        self._players: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        """Without the password."""
        return f"rtsp://127.0.0.1:{self.port}/live"

    def __enter__(self) -> "RtspCamera":
        self._rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        self._rtp.bind(("127.0.0.1", 0))
        self._rtp.settimeout(0.2)
        command = self._film.command(self._sdp, self._rtp.getsockname()[1])
        self._encoder = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._start(self._pump)
        # The description is whole when the first packet is there.
        if not self._began.wait(_PATIENCE_S):
            raise RuntimeError("ffmpeg made no packet")
        self._start(self._serve)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._encoder.kill()
        self._encoder.wait()
        self.cut()
        for thread in self._threads:
            thread.join(_PATIENCE_S)
        self._rtp.close()

    def cut(self) -> None:
        """Hang up on everyone."""
        with self._lock:
            for client in self._clients:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    # --- pictures

    def _pump(self) -> None:
        noise = random.Random(1)  # noqa: S311  # noise, not a secret
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                packet = self._rtp.recv(65536)
                self._began.set()
                if self.garbage.is_set():
                    packet = packet[:12] + noise.randbytes(len(packet) - 12)
                if not self.mute.is_set():
                    self._send(b"$\x00" + struct.pack(">H", len(packet)) + packet)

    def _send(self, packet: bytes) -> None:
        with self._lock:
            for player in list(self._players):
                try:
                    player.sendall(packet)
                except OSError:
                    self._players.discard(player)

    # --- requests

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(_PATIENCE_S)
            with self._lock:
                self._clients.add(client)
            self._start(self._talk, client)

    def _talk(self, client: socket.socket) -> None:
        try:
            for request in _requests(client):
                method, answer = request.split(" ", 1)[0], self._answer(request)
                with self._lock:
                    client.sendall(answer.encode())
                    if method == "PLAY" and answer.startswith("RTSP/1.0 200"):
                        self._players.add(client)
                        self.played.set()
        except OSError:
            pass
        finally:
            with self._lock:
                self._clients.discard(client)
                self._players.discard(client)
            client.close()

    def _answer(self, request: str) -> str:
        method, uri = request.split(" ")[:2]
        sequence = re.search(r"(?i)^cseq: *(\d+)", request, re.MULTILINE)
        head = f"CSeq: {sequence[1] if sequence else 0}\r\n"
        if self._user and method != "OPTIONS" and not self._known(method, uri, request):
            self.refused += 1
            ask = f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{self._nonce}"\r\n'
            return f"RTSP/1.0 401 Unauthorized\r\n{head}{ask}\r\n"
        self.answered += 1
        match method:
            case "OPTIONS":
                return f"RTSP/1.0 200 OK\r\n{head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n"
            case "DESCRIBE":
                sdp = self._sdp.read_text()
                about = f"Content-Base: {self.url}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n"
                return f"RTSP/1.0 200 OK\r\n{head}{about}\r\n{sdp}"
            case "SETUP":
                way = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
                return f"RTSP/1.0 200 OK\r\n{head}{way}Session: 1\r\n\r\n"
        return f"RTSP/1.0 200 OK\r\n{head}Session: 1\r\n\r\n"

    def _known(self, method: str, uri: str, request: str) -> bool:
        given = re.search(r'(?i)^authorization: *digest .*response="([0-9a-f]+)"', request, re.MULTILINE)
        first = _md5(f"{self._user}:{_REALM}:{self._password}")
        wanted = _md5(f"{first}:{self._nonce}:{_md5(f'{method}:{uri}')}")
        return bool(given) and secrets.compare_digest(given[1] if given else "", wanted)


def _md5(text: str) -> str:
    # What RFC 2326 knows; real cameras have nothing better.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _requests(client: socket.socket) -> Iterator[str]:
    """The requests of a client, without its reports between them."""
    data = b""
    while True:
        if data.startswith(b"$") and len(data) >= 4 and len(data) >= 4 + (size := int.from_bytes(data[2:4], "big")):
            data = data[4 + size :]
        elif not data.startswith(b"$") and b"\r\n\r\n" in data:
            head, data = data.split(b"\r\n\r\n", 1)
            yield head.decode("latin-1")
        else:
            try:
                more = client.recv(65536)
            except TimeoutError:
                # Who plays may be silent.
                continue
            if not more or len(data) > _MAX_REQUEST:
                return
            data += more
