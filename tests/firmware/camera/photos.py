"""Real photos for the person models, from the scikit-image wheel: its data folder, without importing the library."""

from importlib.util import find_spec
from pathlib import Path

from PIL import Image

WITH_A_PERSON = ("astronaut.png", "camera.png")
WITHOUT = ("coffee.png", "chelsea.png", "rocket.jpg", "brick.png", "motorcycle_left.png")


def photo_path(name: str) -> Path:
    found = find_spec("skimage")
    assert found is not None, "scikit-image is a test dependency (pyproject, dev)"
    assert found.origin is not None
    return Path(found.origin).parent / "data" / name


def photo(name: str) -> Image.Image:
    return Image.open(photo_path(name)).convert("RGB")
