"""Cards that were frozen: which are booted, and that another run finds them again."""

from pathlib import Path

import pytest

from hil.updates.booted import chosen, keep, kept
from hil.updates.frozen import Cut, Found

STATES = ("none A", "offered A", "offered A", "restarting B", "restarting B", "good B", "offered B", "restarting A")


@pytest.mark.parametrize(
    ("boots", "names"),
    [
        (99, ["0", "1", "3", "5", "6", "7", "2", "4"]),
        (7, ["0", "1", "3", "5", "6", "7", "2"]),
        (6, ["0", "1", "3", "5", "6", "7"]),
        (3, ["0", "3", "6"]),
        (1, ["0"]),
        (0, []),
    ],
)
def test_of_each_state_the_first_card_spread_over_all_then_the_last(boots: int, names: list[str]) -> None:
    nowhere = Path()
    looked = []
    for number, state in enumerate(STATES):
        stage, starts = state.split()
        found = Found(starts, "0.1.0", True, stage, 1, ())
        looked.append((Cut(str(number), nowhere, nowhere, nowhere), found))
    assert [cut.name for cut, _ in chosen(looked, boots)] == names


def test_cards_that_were_kept_are_found_again_in_their_order(tmp_path: Path) -> None:
    cuts = [Cut(f"proving {n}, 3 s, offered", tmp_path / f"{n}.qcow2", tmp_path / "store", Path()) for n in (2, 1)]
    for cut in cuts:
        keep(tmp_path, cut)
    assert kept(tmp_path) == cuts
