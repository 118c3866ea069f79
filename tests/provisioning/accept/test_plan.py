"""The steps of a site are made from its file: nothing is left out, nothing asked for that its wiring can't tell."""

from pathlib import Path

import pytest

from firmware.config import load
from firmware.language import Language, speaking
from provisioning.accept.clauses import CLAUSES
from provisioning.accept.plan import Act, Step, plan, tellable
from provisioning.accept.words import step_name
from rules.site import Condition, ZoneType
from rules.vocabulary import KINDS
from rules.zones import HOLD_UPS, WALKED

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
FILES = sorted(path for path in EXAMPLES.glob("*.toml") if "[[zone]]" in path.read_text())


def steps(path: Path) -> list[Step]:
    return plan(load(path).file)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_part_of_an_example_has_its_steps(path: Path) -> None:
    file, found = load(path).file, steps(path)
    ids = [step.id for step in found]
    assert len(set(ids)) == len(ids)
    tagged = {zone.id for zone in file.zone if zone.tag is not None}
    assert {s.subject for s in found if s.id.endswith(":trip")} == {zone.id for zone in file.zone} - tagged
    assert {s.subject for s in found if s.act is Act.CAMERA} == {camera.id for camera in file.camera}
    assert {s.subject for s in found if s.act is Act.PATH} == {p.id for p in file.path if p.kind != "sms"}
    assert {s.subject for s in found if s.act is Act.BOX} == {box.id for box in file.box}
    assert {s.clause for s in found} <= CLAUSES.keys()
    for step in found:
        for kind in step.expects:
            assert kind in KINDS or any(known.startswith(kind) for known in KINDS if kind.endswith(".")), kind


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_walked_zones_and_hold_ups_come_first_and_in_a_walk_test_keys_and_receipts_last(path: Path) -> None:
    file, found = load(path).file, steps(path)
    walked = [s for s in found if s.walk and s.act is Act.TRIP]
    assert found[: len(walked)] == walked
    quiet = {zone.id for zone in file.zone if ZoneType(zone.type) in WALKED | HOLD_UPS}
    assert {step.subject for step in walked} == quiet
    last = [step.act for step in found]
    keys = [n for n, act in enumerate(last) if act is Act.KEY]
    assert all(act in (Act.KEY, Act.RECEIPTS) for act in last[keys[0] :]) if keys else True


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_line_is_harmed_only_as_far_as_its_wiring_can_tell(path: Path) -> None:
    file, found = load(path).file, steps(path)
    lines = {(s.subject, s.position) for s in found if s.act is Act.LINE}
    for zone in file.zone:
        told = tellable(zone)
        assert ((zone.id, "cut") in lines) is (Condition.OPEN in told)
        assert ((zone.id, "short") in lines) is (Condition.SHORT in told)
        if zone.input is not None and zone.input.wiring in ("nc", "no"):
            assert not {Condition.OPEN, Condition.SHORT} & told
        if zone.loop is not None and zone.loop.resistors != "single":
            assert {Condition.OPEN, Condition.SHORT} <= told
    assert any(position == "cut" for _, position in lines) or not any(z.loop for z in file.zone)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_step_has_a_name_in_both_languages(lang: Language) -> None:
    with speaking(lang):
        for path in FILES:
            for step in steps(path):
                assert step_name(step)
