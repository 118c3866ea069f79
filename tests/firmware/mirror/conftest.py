"""The rig of the mirror's tests."""

from pathlib import Path

import pytest

from tests.firmware.journal.rig import Rig
from tests.firmware.mirror.rig import Stick


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def stick(rig: Rig, tmp_path: Path) -> Stick:
    return Stick(rig, tmp_path / "stick")
