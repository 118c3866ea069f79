"""Small decisions of core by themselves: the battery test, how full the disk is, codes nobody may choose."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.config import load
from firmware.core.battery import answer
from firmware.core.fullness import Fullness, Use, use_of
from firmware.core.trivial import near, site_numbers, trivial
from rules.effects import Request
from rules.site import Condition
from rules.stimuli import Noted, TestDone
from rules.vocabulary import KINDS


@pytest.mark.parametrize(
    ("has_line", "reads", "ok", "detail"),
    [
        (True, Condition.NORMAL, True, "line only, no load test"),
        (True, Condition.ACTIVE, False, "the battery line reads active"),
        (True, Condition.FAULT, False, "the battery line reads fault"),
        (True, None, False, "the battery line was not read yet"),
        (False, None, False, "no battery line"),
    ],
)
def test_a_battery_is_tested_by_its_line(has_line: bool, reads: Condition | None, ok: bool, detail: str) -> None:
    assert answer(Request("battery"), has_line, reads) == TestDone("battery", ok, detail, has_line)


def test_a_test_that_nobody_knows_has_failed() -> None:
    assert answer(Request("moon"), True, Condition.NORMAL) == TestDone("moon", False, "unknown test")


class Disk:
    """A file system that fills and empties; what was told of it."""

    def __init__(self) -> None:
        self.percent = 0
        self.told: list[Noted] = []
        self.room = True
        self.fullness = Fullness(self._use, self._submit)

    def _use(self) -> Use:
        if self.percent < 0:
            raise OSError("gone")
        return Use(self.percent, 100 - self.percent)

    def _submit(self, noted: Noted) -> bool:
        if self.room:
            self.told.append(noted)
        return self.room

    def at(self, *percents: int) -> list[str]:
        """The kinds told while it was so full, one look each."""
        before = len(self.told)
        for self.percent in percents:
            self.fullness.look()
        return [noted.kind for noted in self.told[before:]]


@pytest.fixture
def disk() -> Iterator[Disk]:
    made = Disk()
    yield made
    assert all(KINDS[noted.kind].noted for noted in made.told)


HALF, NEARLY = "journal.half-full", "journal.nearly-full"


@pytest.mark.clause("EN 50131-1 log filling")
def test_each_mark_is_told_once_until_the_use_fell_well_below_it(disk: Disk) -> None:
    assert disk.at(49) == []
    assert disk.at(50, 51, 49, 46, 50) == [HALF]
    assert disk.at(89, 90, 99, 86, 90) == [NEARLY]
    assert disk.at(84, 90) == [NEARLY]
    assert disk.at(44, 50) == [HALF]
    assert disk.told[0].payload == {"used_percent": 50, "free_mib": 50}


def test_a_disk_that_is_full_at_once_tells_both(disk: Disk) -> None:
    assert disk.at(95) == [HALF, NEARLY]


def test_what_found_no_room_is_told_at_the_next_look_and_a_disk_that_is_gone_harms_nothing(disk: Disk) -> None:
    disk.room = False
    assert disk.at(60) == []
    disk.room = True
    assert disk.at(-1, 60) == [HALF]


def test_the_use_of_a_real_file_system_is_what_df_says(tmp_path: Path) -> None:
    import shutil

    use, usage = use_of(tmp_path), shutil.disk_usage(tmp_path)
    assert abs(use.percent - 100 * usage.used / (usage.used + usage.free)) <= 1
    assert abs(use.free_mib - usage.free / 2**20) <= 64


@pytest.mark.parametrize(("length", "days"), [(4, 748), (5, 0), (6, 84_035)])
def test_of_each_length_120_codes_are_too_simple_and_those_that_read_as_a_day(length: int, days: int) -> None:
    found = Counter(trivial(f"{n:0{length}}") for n in range(10**length))
    assert found["repeated"] + found["counting"] + found["in-turn"] == 120
    assert found["day"] == days


@pytest.mark.parametrize("code", ["0412", "3112", "1985", "850412", "120485", "19850412", "29022000", "290204"])
def test_days(code: str) -> None:
    assert trivial(code) == "day"


def test_numbers_of_the_site_are_too_simple() -> None:
    file = load(Path("docs/examples/bank.toml")).file
    found = site_numbers(file)
    assert {"0001", "53010200491177000001"} <= found
    assert trivial("700000", found) == "site"
    assert trivial("27000101", found) == "site"
    assert not trivial("271828", found)


@pytest.mark.parametrize(
    "code", ["1234", "4321", "7890", "0987", "0000", "1212", "50505", "12345678", "98765432", "12121212"]
)
def test_simple_ones(code: str) -> None:
    assert trivial(code)


@pytest.mark.parametrize("code", ["1235", "1243", "2468", "4554", "4455", "271828", "123454"])
def test_others(code: str) -> None:
    assert not trivial(code)


@pytest.mark.parametrize(
    ("code", "others"),
    [
        ("1234", ("1232", "1233", "1235", "1236")),
        ("0001", ("0000", "0002", "0003")),
        ("0000", ("0001", "0002")),
        ("9999", ("9997", "9998")),
        ("99999998", ("99999996", "99999997", "99999999")),
    ],
)
def test_neighbours_have_as_many_digits_and_do_not_go_round(code: str, others: tuple[str, ...]) -> None:
    assert near(code) == others
