"""A real Mosquitto for the tests of the whole way."""

from tests.hil.conftest import mosquitto

__all__ = ["mosquitto"]
