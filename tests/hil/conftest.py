"""A real Mosquitto, a center and a tiny panel for the tests of this folder."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hil.broker import free_port
from hil.center import Center
from tests.hil.tiny_panel import TinyPanel

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Mosquitto on loopback."""
    assert MOSQUITTO, "these tests need Debian's mosquitto"
    port = free_port()
    config = tmp_path_factory.mktemp("mosquitto") / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\npersistence false\n"
    )
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert process.poll() is None, "mosquitto ended"
            time.sleep(0.02)
    yield port
    process.terminate()
    process.wait(5)


@pytest.fixture
def keys() -> dict[str, str]:
    """The keys that the center knows: panel to x."""
    return {}


@pytest.fixture
def center(mosquitto: int, tmp_path: Path, keys: dict[str, str]) -> Iterator[Center]:
    with Center("127.0.0.1", mosquitto, tmp_path / "center", panels=keys.get) as running:
        yield running


_numbers = iter(range(1, 10**6))


@pytest.fixture
def make_panel(mosquitto: int, center: Center, keys: dict[str, str]) -> Iterator[Callable[..., TinyPanel]]:
    """Makes panels that the center knows (or not); each test its own ids, as the broker keeps retained messages."""
    made: list[TinyPanel] = []

    def make(known: bool = True) -> TinyPanel:
        panel = TinyPanel("127.0.0.1", mosquitto, f"panel-{next(_numbers)}")
        panel.trust(center.receipt_key.x, center.command_key.x)
        if known:
            keys[panel.panel] = panel.x
        made.append(panel)
        return panel

    yield make
    for panel in made:
        panel.close()


@pytest.fixture
def panel(make_panel: Callable[..., TinyPanel]) -> TinyPanel:
    return make_panel()
