"""Network cameras over a loopback RTSP server with streams of a real FFmpeg; USB cameras up to the device itself."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.cameras import Camera, CameraError, Plan, make, sources, stream
from drivers.cameras.address import host_of
from hil.rtsp import H264, H265, MJPEG, Film, RtspCamera

SECRET = "p@ss:/w %1"


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def frames_until_it_fails(camera: Camera, most: int = 100) -> None:
    for _ in range(most):
        camera.frame()


def secret_in(folder: Path, text: str = f"admin:{SECRET}\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return path


def network(url: str, **values: object) -> Camera:
    plan = Plan(id="gate", maker="rtsp", source=url, **values)  # type: ignore[arg-type]
    return make(plan, now_ms, time.time)


@pytest.mark.parametrize("codec", [H264, MJPEG, H265], ids=lambda codec: codec[1])
def test_frames_are_fresh_small_and_full_ones_whole(codec: tuple[str, ...], tmp_path: Path) -> None:
    with RtspCamera(tmp_path, Film(codec, "1280x720", 15), "admin", SECRET) as server:
        camera = network(server.url, still=(1920, 1080), secret=secret_in(tmp_path))
        camera.open()
        try:
            first, second = camera.frame(), camera.frame()
            assert first.rgb.shape == second.rgb.shape == (360, 640, 3)
            assert second.monotonic_ms > first.monotonic_ms
            assert (first.rgb != second.rgb).any(), "the test picture moves"
            assert len({tuple(pixel) for pixel in first.rgb[::40, ::40].reshape(-1, 3)}) > 20, "a picture, in colour"
            assert now_ms() - second.monotonic_ms < 2_000
            still = camera.still()
            assert still is not None
            assert still.rgb.shape == (720, 1280, 3), "as the camera sends it"
            assert server.refused >= 1, "asked first"
        finally:
            camera.close()
        camera.close()


def test_a_wrong_password_is_refused_and_shown_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with RtspCamera(tmp_path, Film(), "admin", "right") as server:
        camera = network(server.url, secret=secret_in(tmp_path))
        with pytest.raises(CameraError, match="network camera 127") as told:
            camera.open()
        camera.close()
        assert server.refused >= 2
        assert not server.played.is_set()
    assert "401" in str(told.value)
    for text in (str(told.value), caplog.text, repr(camera), repr(sources.source_of(camera._plan))):  # type: ignore[attr-defined]
        assert SECRET not in text
        assert "p%40ss" not in text


def test_a_camera_that_goes_away_is_an_error_and_found_again(tmp_path: Path) -> None:
    with RtspCamera(tmp_path) as server:
        camera = network(server.url)
        camera.open()
        camera.frame()
        server.cut()
        with pytest.raises(CameraError):
            frames_until_it_fails(camera)
        camera.close()
        port = server.port
    gone = network(server.url)
    with pytest.raises(CameraError, match="refused"):
        gone.open()
    gone.close()
    with RtspCamera(tmp_path, port=port) as server:
        back = network(server.url)
        back.open()
        assert back.frame().rgb.shape == (480, 640, 3)
        back.close()


def test_a_silent_stream_is_an_error_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.cameras.stream.READ_S", 1.0)
    with RtspCamera(tmp_path) as server:
        camera = network(server.url)
        camera.open()
        server.mute.set()
        began = time.monotonic()
        with pytest.raises(CameraError):
            frames_until_it_fails(camera)
        assert time.monotonic() - began < 6
        camera.close()


def test_silence_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time limit FFmpeg gives what its parser held back, as at a stream's end, and would wait again."""
    times = iter([0.0, 0.1, 0.1, 0.2, 0.3, 0.3 + stream.READ_S])
    asked = 0

    def packets(_: object) -> Iterator[SimpleNamespace]:
        nonlocal asked
        while True:
            asked += 1
            yield SimpleNamespace(size=0)

    monkeypatch.setattr("drivers.cameras.stream.time", SimpleNamespace(monotonic=lambda: next(times)))
    video = SimpleNamespace(codec_context=SimpleNamespace())
    reader = stream.Reader(Plan("gate", "rtsp"), now_ms, stream.Source("rtsp://x/", "x"))
    with pytest.raises(CameraError, match="waited 5 s in vain"):
        reader._read(SimpleNamespace(streams=SimpleNamespace(video=[video]), demux=packets))  # type: ignore[arg-type]
    assert asked == 3


def test_noise_instead_of_pictures_is_an_error_or_no_picture_and_never_more(tmp_path: Path) -> None:
    with RtspCamera(tmp_path, Film(rate=25)) as server:
        camera = network(server.url)
        camera.open()
        server.garbage.set()
        with pytest.raises(CameraError):
            frames_until_it_fails(camera, 1000)
        camera.close()


def test_a_host_that_never_answers_costs_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.cameras.stream.OPEN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        camera = network(f"rtsp://127.0.0.1:{deaf.getsockname()[1]}/live")
        began = time.monotonic()
        with pytest.raises(CameraError):
            camera.open()
        assert time.monotonic() - began < 5
        camera.close()


def test_a_host_that_never_answers_is_not_said_to_send_nonsense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.cameras.stream.READ_S", 0.5)
    monkeypatch.setattr("drivers.cameras.sources.READ_S", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        camera = network(f"rtsp://127.0.0.1:{deaf.getsockname()[1]}/live")
        with pytest.raises(CameraError, match=r"network camera 127\.0\.0\.1: waited \d+ s in vain"):
            camera.open()
        camera.close()


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("admin:x\n", 0o644, "found mode 0644, expected 0600"),
        ("admin\n", 0o600, "expected one line user:password"),
        ("admin:" + "x" * 300, 0o600, "at most 256 bytes"),
        ("admin:x\nmore:y\n", 0o600, "expected one line"),
    ],
)
def test_a_secret_that_is_not_as_it_must_be(text: str, mode: int, said: str, tmp_path: Path) -> None:
    camera = network("rtsp://127.0.0.1:1/x", secret=secret_in(tmp_path, text, mode))
    with pytest.raises(CameraError, match=said) as told:
        camera.open()
    assert "admin" not in str(told.value)


@pytest.mark.parametrize("source", ["http://host/x", "rtsp://u:p@host/x", "rtsp://host:99999/", "rtsp:///x", ""])
def test_what_is_no_address_of_a_stream(source: str) -> None:
    with pytest.raises(CameraError, match="expected rtsp://"):
        sources.source_of(Plan("gate", "rtsp", source))


@settings(max_examples=300)
@given(st.text(max_size=80) | st.text(max_size=60).map(lambda text: f"rtsp://{text}"))
def test_an_address_has_a_host_or_is_none(address: str) -> None:
    host = host_of(address)
    assert "@" not in host
    if host:
        assert address.startswith(f"rtsp://{host}")
        assert "@" not in address


def test_a_usb_camera_that_is_not_plugged_in(tmp_path: Path) -> None:
    camera = make(Plan("desk", "v4l2", str(tmp_path / "usb-Cam")), now_ms, time.time)
    with pytest.raises(CameraError, match="not plugged in"):
        camera.open()
    (tmp_path / "usb-Cam").write_bytes(b"no device")
    with pytest.raises(CameraError, match="USB camera"):
        camera.open()
    camera.close()


def test_a_usb_camera_is_asked_for_jpeg_first(tmp_path: Path) -> None:
    device = tmp_path / "usb-Cam"
    device.touch()
    source = sources.source_of(Plan("desk", "v4l2", str(device), still=(1280, 720)))
    assert source.format == "v4l2"
    assert source.attempts == (
        {"video_size": "1280x720", "input_format": "mjpeg"},
        {"video_size": "1280x720"},
        {},
    )


def test_a_reader_that_hangs_in_its_driver_holds_the_next_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from drivers.cameras import stream

    free, reopened = threading.Event(), threading.Event()

    def hangs(self: stream.Reader) -> None:
        free.wait(20)

    monkeypatch.setattr(stream.Reader, "_run", hangs)
    monkeypatch.setattr(stream, "CLOSE_S", 0.05)
    monkeypatch.setattr(stream, "FIRST_S", -stream.OPEN_S + 0.05)
    device = tmp_path / "usb-Cam"
    device.touch()

    def attempt() -> None:
        camera = make(Plan("hung", "v4l2", str(device)), now_ms, time.time)
        with pytest.raises(CameraError, match="no picture"):
            camera.open()
        camera.close()

    attempt()

    def once_more() -> None:
        attempt()
        reopened.set()

    again = threading.Thread(target=once_more)
    again.start()
    assert not reopened.wait(0.3), "the device is still held"
    free.set()
    assert reopened.wait(10)
    again.join(10)
