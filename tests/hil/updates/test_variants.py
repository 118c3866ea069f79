"""A variant is the same tree but for its version and what is broken in it; the built tree stays as it is."""

from pathlib import Path

import pytest

from hil.updates.variants import CORES, Harm, Variant, change


@pytest.fixture
def built(tmp_path: Path) -> Path:
    site = tmp_path / "built/opt/fenghuo/lib/firmware"
    for name, text in (("version.py", 'VERSION = "0.1.0"\nFLOOR = "0.1.0"\n'), ("core/main.py", "def main(): ...\n")):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text)
        cache = (site / name).parent / "__pycache__"
        cache.mkdir()
        (cache / f"{Path(name).stem}.cpython-313.pyc").write_bytes(b"x")
    return tmp_path / "built"


def linked(built: Path, tree: Path) -> Path:
    """As `cp -al` makes it: the same files under other names."""
    for file in [path for path in built.rglob("*") if path.is_file()]:
        target = tree / file.relative_to(built)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(file)
    return tree / "opt/fenghuo/lib/firmware"


def test_another_version_is_said_and_the_built_tree_stays_as_it_was(built: Path, tmp_path: Path) -> None:
    site = linked(built, tmp_path / "tree")
    change(tmp_path / "tree", Variant("0.2.0"))
    assert (site / "version.py").read_text() == 'VERSION = "0.2.0"\nFLOOR = "0.1.0"\n'
    assert (site / "core/main.py").read_text() == "def main(): ...\n"
    # Compiled forms of what was exchanged would win over it.
    assert [path.name for path in site.rglob("*.pyc")] == ["main.cpython-313.pyc"]
    assert 'VERSION = "0.1.0"' in (built / "opt/fenghuo/lib/firmware/version.py").read_text()


@pytest.mark.parametrize("harm", CORES)
def test_one_whose_panel_dies_or_hangs_has_no_core(harm: Harm, built: Path, tmp_path: Path) -> None:
    site = linked(built, tmp_path / "tree")
    change(tmp_path / "tree", Variant("0.2.9", harm=harm))
    assert (site / "core/main.py").read_text() == CORES[harm]
    assert not list(site.rglob("*.pyc"))
