"""Cards that fail or lie, served by the kernel: found, named, and never called done; and going on after it"""

import json
from pathlib import Path

import pytest

from hil.bad_cards import Fault, served
from hil.logged_disk import why_not
from hil.small_release import MIB, SmallRelease
from provisioning.flash.capacity import marks
from tests.provisioning.flash.test_flash import flash, holds

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"a served card {why_not()}")

CLAIMED = 256 * MIB
FAULTS = {
    "false capacity that wraps, a power of two": (Fault(wraps_at=64 * MIB), "false capacity"),
    "false capacity that wraps, another size": (Fault(wraps_at=57 * MIB), "false capacity"),
    "false capacity that wraps inside the image": (Fault(wraps_at=16 * MIB), "false capacity"),
    "false capacity that forgets": (Fault(ends_at=100 * MIB), "false capacity"),
    "false capacity that forgets the last block alone": (Fault(ends_at=CLAIMED - 4096), "false capacity"),
    "worn out: it keeps nothing": (Fault(deaf=1), "false capacity"),
    "a place that can't be written": (Fault(write_fails_at=12 * MIB), "write at byte"),
    "a place that can't be read": (Fault(read_fails_at=12 * MIB), "reading back"),
    "a bit that is read wrong": (Fault(flips_at=13 * MIB + 5), f"at byte {13 * MIB + 5}"),
    "full": (Fault(full_at=8 * MIB), "write at byte"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_found(name: str, release: SmallRelease, tmp_path: Path) -> None:
    fault, why = FAULTS[name]
    with served(_card(tmp_path), fault) as card:
        done = flash(release.image, card, release)
    assert (done.returncode, why in done.stderr, "done:" in done.stdout) == (1, True, False), done.stderr


def test_a_sound_card_served_the_same_way_is_done(release: SmallRelease, tmp_path: Path) -> None:
    """The control: it is the faults that are found."""
    with served(_card(tmp_path), Fault()) as card:
        done = flash(release.packed, card, release)
        assert (done.returncode, holds(tmp_path / "held", release)) == (0, True), done.stderr


def test_a_worn_card_that_is_equal_by_chance_needs_no_write(release: SmallRelease, tmp_path: Path) -> None:
    held = _card(tmp_path)
    flash(release.image, held, release)
    with served(held, Fault(deaf=1)) as card:
        assert "nothing to write" in flash(release.image, card, release).stdout


@pytest.mark.parametrize("megabytes", [1, 5, 9])
def test_after_a_card_was_pulled_out_the_same_command_goes_on(
    megabytes: int, release: SmallRelease, tmp_path: Path
) -> None:
    held = _card(tmp_path)
    with served(held, Fault(writes_left=megabytes * MIB)) as card:
        done = flash(release.packed, card, release)
        assert (done.returncode, "run the same command" in done.stderr) == (1, True), done.stderr
    with served(held, Fault()) as card:
        again = json.loads(flash(release.packed, card, release, "--json").stdout)
    assert (again["ok"], holds(held, release)) == (True, True)
    assert (again["equal_bytes"] > 4 * MIB) == (megabytes > 5)


def test_the_marks_reach_each_power_of_two_and_the_last_block() -> None:
    found = [mark.offset for mark in marks(CLAIMED, 18 * MIB, "seed")]
    assert {32 * MIB - 4096, 64 * MIB - 4096, 128 * MIB - 4096, CLAIMED - 4096} <= set(found)
    assert min(found) >= 18 * MIB
    assert len({mark.data for mark in marks(CLAIMED, 18 * MIB, "seed")}) == len(found)
    assert marks(18 * MIB, 18 * MIB, "seed") == []


def _card(folder: Path) -> Path:
    path = folder / "held"
    with path.open("wb") as file:
        file.truncate(CLAIMED)
    return path
