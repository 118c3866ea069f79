"""Each kind of the vocabulary is reached: by a short scenario that the real rules decide, or as another part's note."""

from collections.abc import Mapping

import pytest

from rules import (
    Condition,
    Noted,
)
from rules.vocabulary import KINDS, Lane
from tests.rules.branch import kinds, payload
from tests.rules.scenarios import (
    MADE_BEFORE,
    SCENARIOS,
)
from tests.rules.shop import (
    MINUTE_MS,
    armed,
    fresh,
)
from tests.rules.test_vocabulary import LOG

NOTED = {name for name, kind in KINDS.items() if kind.noted}


def test_every_kind_is_reached() -> None:
    assert set(SCENARIOS) | NOTED == set(KINDS)


@pytest.mark.parametrize("kind", SCENARIOS)
def test_a_scenario_records_its_kind(kind: str) -> None:
    panel = fresh()
    assert kind in MADE_BEFORE or kind not in kinds(effect for _, effect in panel.log)
    begun = len(panel.log)
    recorded = kinds(SCENARIOS[kind](panel))
    assert recorded.count(kind) == 1
    assert kinds(effect for _, effect in panel.log[begun:]).count(kind) == 1


LOG_MEMBERS: Mapping[str, set[str]] = {
    "set": {"areas", "by"},
    "unset": {"areas", "by"},
    "hold-up": {"areas", "incident"},
    "intruder": {"zone", "zone_number", "areas"},
    "verified": {"zone", "areas"},
    "reinstatement": {"areas"},
    "tamper": set(),
    "detector fault": {"zone", "condition"},
    "hold-up fault": {"zone", "condition"},
    "masked": {"zone", "condition"},
    "inhibit": {"zone", "by", "user"},
    "isolate": {"zone", "by", "user"},
    "override": {"areas", "by", "user", "reasons"},
    "restore": set(),
    "session": set(),
    "wrong codes": {"by"},
    "users": {"user"},
    "site data": set(),
    "software": {"old", "new"},
    "start": set(),
    **{row: {"subject"} for row in ("interconnection", "mains", "battery", "transmission", "siren", "other", "clock")},
}
"""Row of the mandatory log (digest §1.10) → what each of its records tells: who, which, why."""


@pytest.mark.clause(
    "EN 50131-1 log set",
    "EN 50131-1 log unset",
    "EN 50131-1 log hold-up",
    "EN 50131-1 log intruder",
    "EN 50131-1 log verified",
    "EN 50131-1 log reinstatement",
    "EN 50131-1 log tamper",
    "EN 50131-1 log detector fault",
    "EN 50131-1 log hold-up fault",
    "EN 50131-1 log interconnection",
    "EN 50131-1 log mains",
    "EN 50131-1 log battery",
    "EN 50131-1 log transmission",
    "EN 50131-1 log siren",
    "EN 50131-1 log other",
    "EN 50131-1 log inhibit",
    "EN 50131-1 log isolate",
    "EN 50131-1 log override",
    "EN 50131-1 log restore",
    "EN 50131-1 log session",
    "EN 50131-1 log wrong codes",
    "EN 50131-1 log users",
    "EN 50131-1 log site data",
    "EN 50131-1 log software",
    "EN 50131-1 log start",
)
@pytest.mark.parametrize("row", sorted(set(LOG) - {"filling"}))
def test_each_row_of_the_mandatory_log_is_recorded(row: str) -> None:
    names, _ = LOG[row]
    for kind in names.split():
        if kind not in NOTED:
            effects = SCENARIOS[kind](fresh())
            assert payload(effects, kind).keys() >= LOG_MEMBERS[row], kind


@pytest.mark.clause("EN 50131-1 log masked")
def test_a_masked_detector_is_recorded_as_masked() -> None:
    assert payload(fresh().read("pir", Condition.MASKED), "zone.fault")["condition"] == "masked"


@pytest.mark.clause("EN 50131-1 log reinstatement", "Confirmation reinstatement", "Confirmation messages")
def test_a_reinstatement_names_the_detector_that_it_inhibits() -> None:
    panel = armed(fresh())
    panel.read("window")
    effects = panel.wait(31 * MINUTE_MS)
    assert payload(effects, "area.reinstated")["inhibited"] == ["window"]
    assert payload(effects, "zone.bypassed")["zone"] == "window"


GB_12663_KINDS: Mapping[str, str] = {
    "alarm": "alarm.intruder",
    "fault": "zone.fault",
    "tamper": "alarm.sensor-tamper",
    "arm": "area.armed",
    "disarm": "area.disarmed",
    "reset": "panel.reset",
    "isolate": "zone.isolated",
    "temporary isolate": "zone.bypassed",
    "password change": "user.set",
    "transmission fault": "trouble.path",
    "software change": "panel.software-changed",
    "data change": "config.installed",
    "mains loss": "trouble.mains",
    "battery low": "trouble.battery",
}
"""What class C of GB 12663-2001 records, but for the clock that is set, which another part of the panel knows."""


@pytest.mark.clause("GB 12663 twelve kinds")
@pytest.mark.parametrize("what", GB_12663_KINDS)
def test_what_gb_12663_asks_for_is_recorded(what: str) -> None:
    assert GB_12663_KINDS[what] in kinds(SCENARIOS[GB_12663_KINDS[what]](fresh()))


@pytest.mark.clause("GB 12663 twelve kinds")
@pytest.mark.parametrize("kind", sorted(NOTED))
def test_a_noted_kind_is_recorded_as_it_is(kind: str) -> None:
    effects = fresh().play(Noted(kind, {"note": 1}))
    assert kinds(effects) == [kind]
    assert KINDS[kind].lane in Lane


@pytest.mark.parametrize("kind", sorted(set(KINDS) - NOTED))
def test_nobody_else_may_note_what_the_rules_decide(kind: str) -> None:
    assert kinds(fresh().play(Noted(kind, {"note": 1}))) == []
