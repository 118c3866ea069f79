"""The kept panel file: the very same as the checked one, and nothing else counts."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.config import Loaded, kept, load, to_site
from firmware.core.wires import output_lines, supply_inputs, zone_inputs

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PEPPER = b"p" * 32


@pytest.fixture(params=["bank", "school", "warehouse"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Loaded:
    """An example that was checked and kept."""
    (tmp_path / "panel.toml").write_bytes((EXAMPLES / f"{request.param}.toml").read_bytes())
    loaded = load(tmp_path / "panel.toml")
    (loaded.data / "keys").mkdir(parents=True)
    (loaded.data / "keys" / "pepper").write_bytes(PEPPER)
    kept.keep(loaded, PEPPER)
    return loaded


def members(value: Any) -> Any:
    """A view as plain tables."""
    if isinstance(value, kept.View):
        return {name: members(member) for name, member in vars(value).items()}
    return [members(item) for item in value] if isinstance(value, list) else value


def test_it_is_the_same_file_for_everything_core_asks(site: Loaded) -> None:
    again = kept.load(site.path)
    assert again is not None
    assert members(again.file) == site.file.model_dump(mode="json")
    assert to_site(again.file) == to_site(site.file)
    assert zone_inputs(again.file) == zone_inputs(site.file)
    assert supply_inputs(again.file) == supply_inputs(site.file)
    assert output_lines(again.file) == output_lines(site.file)
    assert (again.data, again.run, again.sha256) == (site.data, site.run, site.sha256)


def test_it_is_private(site: Loaded) -> None:
    assert (site.data / kept.NAME).stat().st_mode & 0o777 == 0o600


def test_a_changed_file_is_read_anew(site: Loaded) -> None:
    site.path.write_text(site.text + "\n# a comment\n")
    assert kept.load(site.path) is None


def test_another_device_another_version_no_file(site: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "VERSION", "9.9.9")
    assert kept.load(site.path) is None
    monkeypatch.undo()
    assert kept.load(site.path) is not None
    (site.data / "keys" / "pepper").write_bytes(b"q" * 32)
    assert kept.load(site.path) is None
    (site.data / kept.NAME).unlink()
    assert kept.load(site.path) is None
    assert kept.load(site.folder / "none.toml") is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_altered_byte_counts(site: Loaded, data: st.DataObject) -> None:
    file = site.data / kept.NAME
    whole = file.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    try:
        file.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        assert kept.load(site.path) is None
        file.write_bytes(data.draw(st.binary(max_size=200)))
        assert kept.load(site.path) is None
    finally:
        file.write_bytes(whole)
