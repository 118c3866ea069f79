"""Troubles of a former life: those that nobody would end are ended, the others are left to their sources."""

from dataclasses import replace

import pytest

import rules
from firmware.core.leftovers import Sources, leftovers
from rules.effects import Record
from rules.stimuli import TroubleChanged
from rules.vocabulary import TROUBLES
from tests.rules.branch import branch

SOURCES = Sources({"mains"}, {"center-1"}, {"cam-1"}, frozenset(), {"bell"}, {"cabinet"})


@pytest.mark.parametrize(
    "trouble",
    [
        "driver:gpio",
        "storage",
        "mirror",
        "battery",
        "path:center-2",
        "camera:cam-9",
        "camera-tamper:cam-9",
        "rules:ZoneChanged",
        "rules",
        "siren:horn",
        "box",
        "box:old",
        "bus:rs485-1",
        "battery-missing",
        "charger",
        "overcurrent",
        "jamming",
        "board",
        "program",
        "maintenance:door",
    ],
)
def test_what_nobody_would_end_is_ended(trouble: str) -> None:
    name, _, subject = trouble.partition(":")
    assert leftovers([trouble], "", SOURCES) == [TroubleChanged(name, False, subject)]


@pytest.mark.parametrize(
    "trouble",
    [
        "mains",
        "clock",
        "path:center-1",
        "path:uplink",
        "path:receipts",
        "camera:cam-1",
        "camera-tamper:cam-1",
        "camera:process",
        "paths",
        "battery-test",
        "siren:bell",
        "box:cabinet",
    ],
)
def test_what_is_watched_over_is_left_to_who_watches(trouble: str) -> None:
    assert leftovers([trouble], "", SOURCES) == []


def test_storage_that_is_still_in_trouble_stands() -> None:
    assert leftovers(["storage"], "full: no room", SOURCES) == []


@pytest.mark.parametrize("trouble", ["path:uplink", "path:receipts", "path:center-1", "camera:process"])
def test_without_paths_and_cameras_nobody_watches_them(trouble: str) -> None:
    assert len(leftovers([trouble], "", Sources())) == 1


def test_every_trouble_of_the_vocabulary_was_thought_of() -> None:
    left = {change.trouble for change in leftovers(TROUBLES, "", Sources())}
    assert set(TROUBLES) - left == {"clock", "paths", "battery-test"}


def test_the_rules_take_them_and_nothing_keeps_from_arming() -> None:
    site, state = replace(branch(), paths=("old",)), rules.initial(branch())
    names = [name for name in TROUBLES if name not in ("clock", "paths", "battery-test")]
    for name in names:
        state, _ = rules.step(site, state, TroubleChanged(name, True, "old"), 1)
    assert set(state.durable.troubles) == {*(f"{name}:old" for name in names), "paths"}
    kinds = []
    for change in leftovers(state.durable.troubles, "", Sources()):
        state, effects = rules.step(site, state, change, 2)
        kinds += [effect.kind for effect in effects if isinstance(effect, Record)]
    assert not state.durable.troubles
    assert sorted(kinds) == sorted(f"trouble.{name}-ended" for name in [*names, "paths"])


def test_the_mirror_tells_itself_where_there_is_one() -> None:
    assert leftovers(["mirror"], "", replace(SOURCES, mirror=True)) == []
