"""Real photos for the person models, from the wheels of scikit-image, Matplotlib and scikit-learn: their data folders,
without importing the libraries."""

from importlib.util import find_spec
from pathlib import Path

from PIL import Image

WITH_A_PERSON = ("astronaut.png", "camera.png", "grace_hopper.jpg")
WITHOUT = (
    *("coffee.png", "chelsea.png", "rocket.jpg", "brick.png", "motorcycle_left.png"),
    *("china.jpg", "flower.jpg"),
)
_FOLDERS = {
    "grace_hopper.jpg": ("matplotlib", "mpl-data/sample_data"),
    "china.jpg": ("sklearn", "datasets/images"),
    "flower.jpg": ("sklearn", "datasets/images"),
}


def photo_path(name: str) -> Path:
    package, folder = _FOLDERS.get(name, ("skimage", "data"))
    found = find_spec(package)
    assert found is not None, f"{package} is a test dependency (pyproject, dev)"
    assert found.origin is not None
    return Path(found.origin).parent / folder / name


def photo(name: str) -> Image.Image:
    return Image.open(photo_path(name)).convert("RGB")
