"""`[storage] mirror`: elsewhere than the journal, and optional."""

from pathlib import Path

import pytest

from firmware.config import BadPanelFile, load

BANK = Path("docs/examples/bank.toml").read_text()
LINE = next(line for line in BANK.splitlines() if line.startswith("mirror"))


def loaded(tmp_path: Path, line: str) -> Path | None:
    (tmp_path / "panel.toml").write_text(BANK.replace(LINE, line))
    return load(tmp_path / "panel.toml").mirror


def test_where_the_mirror_lies(tmp_path: Path) -> None:
    assert loaded(tmp_path, LINE) == Path("/media/usb/fenghuo")
    assert loaded(tmp_path, 'mirror = "stick"') == tmp_path / "stick"
    assert loaded(tmp_path, "") is None


@pytest.mark.parametrize("place", ["data", "run", "data/mirror", "."])
def test_not_beside_the_journal(tmp_path: Path, place: str) -> None:
    with pytest.raises(BadPanelFile) as bad:
        loaded(tmp_path, f'mirror = "{place}"')
    (mistake,) = bad.value.mistakes
    assert "[storage] mirror: " in mistake.say("en")
    assert mistake.found == f'"{place}"'
    assert "/media/usb/fenghuo" in mistake.expected[0]
