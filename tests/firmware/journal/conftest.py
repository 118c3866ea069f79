"""The rig of the journal tests."""

from pathlib import Path

import pytest

from tests.firmware.journal.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
