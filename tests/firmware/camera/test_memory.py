"""What the camera process may hold: by its cameras, and a gulp that fails at the kernel's limit."""

import mmap
import subprocess
import sys

import pytest

from firmware.camera.memory import FIRST_MIB, FURTHER_MIB, limit_mib, resident_mib
from firmware.config import Camera

USUAL = {"id": "a", "name": "A", "maker": "drawn"}
GULP = """
from firmware.camera import memory
memory.tame()
memory.bound(150)
kept = bytearray(100 * memory.MIB)
try:
    bytearray(4096 * memory.MIB)
except MemoryError:
    print("refused")
"""


@pytest.mark.parametrize(
    ("cameras", "limit"),
    [
        ([USUAL], FIRST_MIB),
        ([USUAL, USUAL, USUAL], FIRST_MIB + 2 * FURTHER_MIB),
        ([{**USUAL, "maker": "rtsp", "still_width": 1920, "still_height": 1080}], FIRST_MIB + 20),
        ([{**USUAL, "width": 160, "height": 120}], FIRST_MIB),
    ],
)
def test_the_limit_grows_with_cameras_and_pictures(cameras: list[dict[str, object]], limit: int) -> None:
    assert limit_mib([Camera.model_validate(camera) for camera in cameras]) == limit


def test_a_gulp_fails_and_what_is_usual_does_not() -> None:
    done = subprocess.run([sys.executable, "-c", GULP], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("refused\n", 0), done.stderr


def test_what_is_held_is_seen() -> None:
    before = resident_mib()
    # Pages of its own: what malloc gives may be some that were held before.
    with mmap.mmap(-1, 30 * 2**20) as kept:
        kept.write(b"x" * len(kept))
        assert resident_mib() - before > 25
