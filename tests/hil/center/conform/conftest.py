"""A Mosquitto of its own: played panels leave retained messages, as panels do, which others' counts would show."""

from collections.abc import Iterator

import pytest

from hil.broker import Mosquitto


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker.port
