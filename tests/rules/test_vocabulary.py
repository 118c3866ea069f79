"""The event vocabulary against the Contact ID ↔ SIA table and the mandatory log of EN 50131-1 (digest §4.4, §1.10)."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from rules.vocabulary import KINDS, TROUBLES, Kind, Lane
from tests.conformance.en50131_log import LOG_ROWS, STANDARD

NEW, RESTORE = 1, 3


@dataclass(frozen=True)
class Row:
    """One row of the table: what SIA calls it, and the priority that the digest suggests."""

    sia: Mapping[int, str]
    priority: int


def _table() -> dict[int, Row]:
    with Path(__file__).with_name("contact-id-sia.csv").open(encoding="utf-8", newline="") as file:
        return {
            int(row["cid"]): Row(
                {NEW: row["sia_new"].rstrip("*"), RESTORE: row["sia_restore"]}, int(row["gb28181_priority"])
            )
            for row in csv.DictReader(file)
        }


TABLE = _table()

OTHER_SIA = {
    # The digest §4.4: codes of DC-03 without a number of their own in Contact ID, which has one "programming changed".
    "user.set": ("JV", "306 is YG; SIA tells a changed user code apart"),
    "user.removed": ("JX", "306 is YG; SIA tells a deleted user code apart"),
    "user.spent": ("JX", "306 is YG; a one-time code that is used up is deleted"),
    # The table gives these one form only.
    "area.reinstated": ("CL", "463 is a closing, so it goes with qualifier 3; SIA has the one code"),
    "trouble.clock-ended": ("JT", "626 has no restore form; JT means that the time changed"),
}
"""Kinds whose SIA code is not that of their Contact ID row: which, and why."""

SIA_ONLY = {"area.alarm-aborted": "AB"}
"""Kinds with an SIA code and no Contact ID number (digest §4.4)."""

OTHER_PRIORITY = {
    "area.exit-error": (3, "a door stands open at an armed site: as heavy as its alarm, 374"),
    "tour.missed": (3, "391 is borrowed from inactive sensors; a guard who does not come is more"),
    "tour.late": (3, "like the missed checkpoint that it ends"),
}
"""Kinds whose GB/T 28181 priority is not the one that the table suggests: which, and why."""

LOCAL = {
    *("journal.thinned", "journal.thinned-ended", "journal.removed"),
    *("area.exit-started", "area.exit-restarted", "area.arming-refused", "area.entry-started", "area.entry-route"),
    *("area.entry-cancelled", "area.alarm-ended", "area.alarm-reset", "siren.silenced", "siren.stopped"),
    *("zone.alarm-held", "zone.soak-tripped", "code.lock-out-ended", "installer.granted", "panel.reset"),
    *("power.mains-dip", "test.camera", "test.siren-ended", "test.battery", "test.battery-ended"),
    *("tour.started", "tour.reached", "tour.out-of-order", "tour.ended"),
    "path.certificate-renewed",
    "path.enrolled",
    *("journal.begun", "journal.checkpoint", "journal.base", "evidence.pictures", "evidence.sent"),
    *("camera.relearned", "camera.person"),
    *("acceptance.begun", "acceptance.ended", "acceptance.signed", "acceptance.alarm-marked"),
    *("evidence.viewed", "evidence.exported", "evidence.held", "evidence.released", "evidence.deleted"),
    *("telemetry.health", "telemetry.zone", "telemetry.sms", "telemetry.modem", "telemetry.dropped"),
    "telemetry.delivery",
    *("update.offered", "update.consented", "update.checked", "update.installing", "update.installed"),
    *("update.restarting", "update.trying", "update.going-back", "update.refused"),
}
"""Kinds that have no code at all: they travel by MQTT only."""

ENDS = {
    **{f"trouble.{name}": f"trouble.{name}-ended" for name in TROUBLES},
    **{name: f"{name}-ended" for name in KINDS if f"{name}-ended" in KINDS},
    "zone.bypassed": "zone.unbypassed",
    "zone.isolated": "zone.unisolated",
    "zone.swinger-shutdown": "zone.swinger-ended",
    "test.walk-started": "test.walk-ended",
    "tour.missed": "tour.late",
    "area.disarmed": "area.armed",
    "area.disarmed-remotely": "area.armed-remotely",
    "area.disarmed-by-key": "area.armed-by-key",
    **{f"alarm.{end.partition('.')[2]}": end for end in KINDS if end.startswith("restore.")},
}
"""Begin → end: one number of Contact ID with its two qualifiers, where both have a code."""


def test_no_row_hides_another() -> None:
    source = Path(__file__).parents[2].joinpath("rules", "vocabulary.py").read_text(encoding="utf-8")
    names = Counter(re.findall(r'\bKind\(\s*"([^"]+)"', source))
    assert len(names) > 80
    assert [name for name, count in names.items() if count > 1] == []
    assert set(names) | {k for k in KINDS if k.startswith("trouble.")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda k: k.name)
def test_each_kind_is_whole(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", kind.name)
    assert kind.lane in Lane
    assert kind.priority in (1, 2, 3, 4)
    assert kind.en.isascii()
    assert kind.en.strip() == kind.en != ""
    assert re.search("[\u4e00-\u9fff]", kind.zh)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_two_kinds_are_said_alike(language: str) -> None:
    said = Counter(getattr(kind, language) for kind in KINDS.values())
    assert [text for text, count in said.items() if count > 1] == []


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.cid], ids=lambda k: k.name)
def test_codes_are_those_of_the_table(kind: Kind) -> None:
    qualifier, number = divmod(kind.cid, 1000)
    assert qualifier in (NEW, RESTORE)
    assert number in TABLE
    expected = OTHER_SIA[kind.name][0] if kind.name in OTHER_SIA else TABLE[number].sia[qualifier]
    assert kind.sia == expected


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.cid], ids=lambda k: k.name)
def test_priorities_are_those_of_the_table(kind: Kind) -> None:
    suggested = TABLE[kind.cid % 1000].priority
    assert kind.priority == (OTHER_PRIORITY[kind.name][0] if kind.name in OTHER_PRIORITY else suggested)


def test_exceptions_are_exceptions() -> None:
    assert [n for n, (p, _) in OTHER_PRIORITY.items() if p == TABLE[KINDS[n].cid % 1000].priority] == []
    assert [n for n, (s, _) in OTHER_SIA.items() if s == TABLE[KINDS[n].cid % 1000].sia[KINDS[n].cid // 1000]] == []


def test_kinds_without_a_code_are_known() -> None:
    assert {k.name for k in KINDS.values() if not k.cid} == LOCAL | set(SIA_ONLY)
    assert {k.name: k.sia for k in KINDS.values() if not k.cid and k.sia} == SIA_ONLY


def test_a_begin_and_its_end_bear_one_number() -> None:
    pairs = [(KINDS[begin], KINDS[end]) for begin, end in ENDS.items()]
    assert len(pairs) > 40
    wrong = [(b.name, e.name) for b, e in pairs if b.cid and e.cid and (b.cid % 1000 != e.cid % 1000 or b.cid == e.cid)]
    assert wrong == []
    assert [(b.name, e.name) for b, e in pairs if b.silent is not e.silent] == []


def test_alarms_go_out_first_and_nothing_else_does() -> None:
    for kind in KINDS.values():
        alarming = kind.name.startswith("alarm.") or kind.name in {
            f"trouble.{n}" for n in TROUBLES if n in ("box", "camera-tamper")
        }
        assert (kind.lane is Lane.ALARM) is alarming, kind.name
    assert {k.name for k in KINDS.values() if k.lane is Lane.EVIDENCE} == {"evidence.pictures"}


def test_the_silent_kinds() -> None:
    assert {k.name for k in KINDS.values() if k.silent} == {
        *("alarm.hold-up", "alarm.hold-up-confirmed", "alarm.duress", "alarm.duress-button", "restore.hold-up"),
    }


LOG: Mapping[str, tuple[str, set[int]]] = {
    "set": (
        "area.armed area.part-armed area.armed-remotely area.armed-by-key area.armed-automatically",
        {401, 403, 407, 408, 409, 441},
    ),
    "unset": ("area.disarmed area.disarmed-remotely area.disarmed-by-key", {401, 403, 407, 408, 409, 441}),
    "hold-up": ("alarm.hold-up alarm.audible-hold-up alarm.duress alarm.duress-button", {120, 121, 122, 123}),
    "intruder": ("alarm.intruder alarm.entry alarm.day alarm.24-hour", set(range(130, 137))),
    "verified": ("alarm.confirmed alarm.hold-up-confirmed", {139, 129}),
    "reinstatement": ("zone.unconfirmed area.reinstated zone.bypassed", {378, 463, 573, 570}),
    "tamper": ("alarm.tamper alarm.sensor-tamper trouble.box", {137, 144, 145, 341, 383}),
    "detector fault": ("zone.fault zone.fire-fault", {380, 389, 373}),
    "hold-up fault": ("zone.hold-up-fault", {376}),
    "masked": ("zone.fault", {380}),
    "interconnection": ("trouble.bus trouble.driver trouble.jamming", {333, 381, 382, 344, 330}),
    "mains": ("trouble.mains trouble.mains-ended", {301}),
    "battery": (
        "trouble.battery trouble.battery-missing trouble.battery-test trouble.charger trouble.overcurrent",
        {302, 311, 309, 314, 312},
    ),
    "transmission": ("trouble.path trouble.paths", {350, 351}),
    "siren": ("trouble.siren", {321, 322}),
    "other": ("trouble.storage trouble.mirror trouble.board trouble.program trouble.rules", {300, 303, 304, 307}),
    "inhibit": ("zone.bypassed zone.unbypassed", {570, 573}),
    "isolate": ("zone.isolated zone.unisolated", {570, 572}),
    "override": ("area.arming-overridden", {574}),
    "restore": (
        "restore.intruder restore.entry restore.day restore.24-hour"
        " restore.hold-up restore.audible-hold-up restore.tamper restore.sensor-tamper"
        " zone.fault-ended trouble.mains-ended trouble.path-ended panel.reset",
        {130, 133, 134, 135, 122, 123, 137, 144, 380, 301, 351},
    ),
    "session": ("installer.entered installer.left command.done command.refused", {627, 628, 412, 413}),
    "wrong codes": ("code.locked-out", {461}),
    "users": ("user.set user.removed user.spent", {306}),
    "site data": ("config.installed config.keys", {306}),
    "software": ("panel.software-changed", {306}),
    "clock": ("clock.set trouble.clock", {625, 626}),
    "start": ("panel.started panel.stopped", {305, 308}),
    "filling": ("journal.half-full journal.nearly-full journal.lost", {622, 623, 624}),
}
"""Row of the mandatory log (digest §1.10) → the kinds that fill it, and the Contact ID numbers it names."""


def test_each_row_of_the_mandatory_log_has_its_kind() -> None:
    gaps = {clause.id for clause in STANDARD.clauses if clause.gap}
    assert [f"{STANDARD.prefix} {row}" for row in LOG] == [row for row in LOG_ROWS if row not in gaps]


@pytest.mark.parametrize("row", LOG)
def test_the_kinds_of_a_row_are_recorded_with_its_numbers(row: str) -> None:
    names, numbers = LOG[row]
    kinds = [KINDS[name] for name in names.split()]
    assert {kind.cid % 1000 for kind in kinds if kind.cid} <= numbers
    assert all(kind.lane in (Lane.ALARM, Lane.STATUS) for kind in kinds)
