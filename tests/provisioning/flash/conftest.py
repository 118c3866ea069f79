"""A small signed release, made once; each test copies nothing of it that it does not change."""

import shutil
from pathlib import Path

import pytest

from hil.small_release import SmallRelease, make_release


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> SmallRelease:
    """Not to be changed."""
    return make_release(tmp_path_factory.mktemp("release"))


@pytest.fixture
def own_release(release: SmallRelease, tmp_path: Path) -> SmallRelease:
    """A copy that a test may break."""
    folder = tmp_path / "release"
    shutil.copytree(release.folder, folder)
    return SmallRelease(folder, release.version, release.signer, folder / release.key.name)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card that held something else: 24 MiB of no zeros."""
    path = tmp_path / "card"
    path.write_bytes(b"\xa5" * (24 * 2**20))
    return path
