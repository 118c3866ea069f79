"""`mask` and `region` of `[[camera]]`: outlines of something, or a mistake that says which one and why."""

from math import cos, sin, tau
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.config import BadPanelFile, load
from firmware.config.check_outlines import CHECKS
from firmware.config.rows import Document

BANK = Path("docs/examples/bank.toml").read_text()
LOBBY = 'maker = "picamera2"'


def said(folder: Path, line: str) -> list[tuple[str, str]]:
    assert LOBBY in BANK
    (folder / "panel.toml").write_text(BANK.replace(LOBBY, f"{LOBBY}\n{line}", 1))
    try:
        load(folder / "panel.toml")
    except BadPanelFile as bad:
        return [(mistake.key.rsplit(": ", 1)[-1], mistake.text[0]) for mistake in bad.mistakes]
    return []


@pytest.mark.parametrize(
    "outlines",
    [
        "[[0, 0, 300, 0, 300, 1000, 0, 1000]]",
        "[[0, 0, 300, 0, 0, 300], [700, 0, 1000, 0, 1000, 300]]",
        "[[0, 0, 300, 0, 300, 1000, 0, 1000, 0, 0]]",
        "[[0, 0, 900, 0, 900, 900, 500, 900, 500, 400, 400, 400, 400, 900, 0, 900]]",
        "[]",
    ],
)
@pytest.mark.parametrize("key", ["mask", "region"])
def test_outlines(tmp_path: Path, key: str, outlines: str) -> None:
    assert said(tmp_path, f"{key} = {outlines}") == []


@pytest.mark.parametrize(
    ("outlines", "text"),
    [
        ("[[0, 0, 300, 0, 300, 1000, 0]]", "a number is missing"),
        ("[[0, 0, 300, 300, 600, 600]]", "surrounds nothing"),
        ("[[100, 100, 100, 100, 100, 100]]", "surrounds nothing"),
        ("[[0, 0, 1000, 800, 1000, 0, 0, 1000]]", "crosses or touches itself"),
        ("[[0, 0, 500, 0, 500, 500, 250, 0, 0, 500]]", "crosses or touches itself"),
        ("[[0, 0, 300, 0]]", "too few entries"),
        ("[[0, 0, 300, 0, 300, 1001]]", "too large"),
        ("[0, 0, 300, 0, 300, 1000]", "wrong type"),
        ('[["a", 0, 300, 0, 300, 1000]]', "wrong type"),
    ],
)
@pytest.mark.parametrize("key", ["mask", "region"])
def test_what_is_no_outline(tmp_path: Path, key: str, outlines: str, text: str) -> None:
    found = said(tmp_path, f"{key} = {outlines}")
    assert found
    assert all(text in said_text for _, said_text in found)
    assert all(key in place for place, _ in found)


def test_too_many_are_told_by_their_number(tmp_path: Path) -> None:
    corners = ", ".join(f"{n}, 0" for n in range(33))
    assert [text for _, text in said(tmp_path, f"mask = [[{corners}]]")] == ["too many entries"]
    many = ", ".join(["[0, 0, 9, 0, 9, 9]"] * 17)
    assert [text for _, text in said(tmp_path, f"mask = [{many}]")] == ["too many entries"]


def faults(outline: object) -> int:
    return sum(1 for check in CHECKS for _ in check(Document({"camera": [{"mask": [outline]}]})))


@given(st.lists(st.integers(50, 500), min_size=5, max_size=32), st.integers(0, 31))
def test_stars_around_a_middle_never_cross_and_a_turned_pair_does(radii: list[int], place: int) -> None:
    """Corners by rising angle make no crossing; swapping two of a convex ring does."""
    count = len(radii)
    around = [(cos(tau * n / count), sin(tau * n / count)) for n in range(count)]
    star = [round(500 + r * part) for r, at in zip(radii, around, strict=True) for part in at]
    ring = [(round(500 + 480 * x), round(500 + 480 * y)) for x, y in around]
    here, there = place % count, (place + 1) % count
    ring[here], ring[there] = ring[there], ring[here]
    assert faults(star) == 0
    assert faults([n for corner in ring for n in corner]) == 1


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=40))
def test_whatever_stands_there_breaks_nothing(value: object) -> None:
    assert faults(value) in (0, 1)
    camera = {"mask": value, "region": value}
    found = [finding for check in CHECKS for finding in check(Document({"camera": [camera]}))]
    assert all(finding.loc[:2] == ("camera", 0) for finding in found)
