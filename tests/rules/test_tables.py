"""The tables are total, the docs show them, the vocabulary has what the rules say, and the room is pure."""

import ast
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import rules
from rules import AreaMode, Condition, ZoneType
from rules.diagram import main, rewritten
from rules.notices import NOTICES, REASONS
from rules.table import FOLLOWING, PRECEDENCE, SET_MODES, AreaEvent
from rules.vocabulary import KINDS
from rules.zones import ALARM_KINDS, REACTIONS, RESTORE_KINDS, Reaction, tamper_kind

ROOM = Path(rules.__file__).parent
DOCS = ROOM.parent / "docs" / "rules.md"
STDLIB = {
    "ast",
    "collections",
    "dataclasses",
    "enum",
    "functools",
    "importlib",
    "json",
    "pathlib",
    "sys",
    "types",
    "typing",
}


def test_every_mode_and_event_is_decided() -> None:
    assert set(FOLLOWING) == set(product(AreaMode, AreaEvent))


@pytest.mark.clause("GB 50394 power off")
def test_only_disarm_leads_to_disarmed_and_it_always_does() -> None:
    for (mode, event), after in FOLLOWING.items():
        if event is AreaEvent.DISARM:
            assert after is AreaMode.DISARMED
        elif mode is not AreaMode.DISARMED:
            assert after is not AreaMode.DISARMED


def test_only_arming_leads_out_of_disarmed() -> None:
    left = {event for event in AreaEvent if FOLLOWING[AreaMode.DISARMED, event] is not AreaMode.DISARMED}
    assert left == {AreaEvent.ARM, AreaEvent.ARM_NOW}


def test_every_mode_can_be_reached() -> None:
    reached = {AreaMode.DISARMED}
    for _ in AreaMode:
        reached |= {after for (mode, _), after in FOLLOWING.items() if mode in reached}
    assert reached == set(AreaMode)


def test_precedence_ranks_every_mode_and_unset_before_set() -> None:
    assert set(PRECEDENCE) == set(AreaMode)
    assert [mode in SET_MODES for mode in PRECEDENCE] == [False, False, True, True, True]


def test_every_zone_type_condition_and_mode_has_its_reaction() -> None:
    assert set(REACTIONS) == set(product(ZoneType, Condition, AreaMode))
    for zone_type, mode in product(ZoneType, AreaMode):
        assert REACTIONS[zone_type, Condition.NORMAL, mode] is Reaction.NOTHING
        assert REACTIONS[zone_type, Condition.OPEN, mode] is Reaction.TAMPER
        assert REACTIONS[zone_type, Condition.SHORT, mode] is Reaction.TAMPER


def test_only_a_pressed_hold_up_is_silent() -> None:
    silent = {key[:2] for key, reaction in REACTIONS.items() if reaction is Reaction.SILENT}
    assert silent == {(ZoneType.HOLD_UP, Condition.ACTIVE), (ZoneType.DURESS, Condition.ACTIVE)}
    assert {t for t, kind in ALARM_KINDS.items() if KINDS[kind].silent} == {ZoneType.HOLD_UP, ZoneType.DURESS}


def test_every_alarm_kind_has_its_restore() -> None:
    used = set(ALARM_KINDS.values()) | {tamper_kind(zone_type) for zone_type in ZoneType}
    assert used == set(RESTORE_KINDS)
    assert set(RESTORE_KINDS) | set(RESTORE_KINDS.values()) <= set(KINDS)
    for alarm, restore in RESTORE_KINDS.items():
        assert KINDS[alarm].silent is KINDS[restore].silent


def _sources() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in sorted(ROOM.glob("*.py"))]


def test_every_kind_that_the_rules_name_is_in_the_vocabulary() -> None:
    name = re.compile(r"^(alarm|restore|area|siren|zone|code|user|config|panel|command|trouble)\.[a-z0-9-]+$")
    named = {
        node.value
        for path, tree in _sources()
        if path.name not in ("vocabulary.py", "notices.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and name.match(node.value)
    }
    assert len(named) > 30
    assert named <= set(KINDS)


def test_every_kind_of_the_rules_lanes_has_both_languages() -> None:
    for kind in KINDS.values():
        assert kind.en
        assert re.search("[\u4e00-\u9fff]", kind.zh), kind.name


def test_every_notice_that_is_told_has_its_texts() -> None:
    told = set()
    for _, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tell":
                told |= {c.value for c in ast.walk(node.args[1]) if isinstance(c, ast.Constant)}
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Outcome":
                told |= {c.value for arg in node.args[1:2] for c in ast.walk(arg) if isinstance(c, ast.Constant)}
            match node:
                case ast.Tuple([ast.Constant(bool()), ast.Constant(str(notice)), _]):
                    told.add(notice)
    assert len(told) > 40
    assert told <= set(NOTICES)
    for english, chinese in (*NOTICES.values(), *REASONS.values()):
        assert english
        assert re.search("[\u4e00-\u9fff]", chinese)


def test_the_docs_show_the_tables_as_they_are() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert rewritten(text) == text, "run: python -m rules.diagram docs/rules.md"


def test_the_diagram_command_rewrites_a_drifted_file(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    drifted = tmp_path / "rules.md"
    drifted.write_text(text.replace("disarmed --> exit_delay: arm", "disarmed --> armed: arm"), encoding="utf-8")
    assert drifted.read_text(encoding="utf-8") != text
    assert main([str(drifted)]) == 0
    assert drifted.read_text(encoding="utf-8") == text


def test_the_diagram_command_refuses_a_file_without_markers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.md"
    other.write_text("nothing here", encoding="utf-8")
    assert main([str(other)]) == 2
    assert "other.md: found no <!-- generated: states -->" in capsys.readouterr().err
    assert other.read_text(encoding="utf-8") == "nothing here"


def test_the_room_imports_only_itself_and_a_pure_part_of_the_standard_library() -> None:
    for path, tree in _sources():
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in STDLIB | {"rules"}, f"{path.name} imports {name}"


def test_importing_the_rules_brings_no_clock_no_threads_and_no_other_room() -> None:
    code = (
        "import sys; before = set(sys.modules); import rules; "
        "print([m for m in set(sys.modules) - before if m.split('.')[0] in "
        "('firmware', 'drivers', 'provisioning', 'hil', 'random', 'threading', 'socket', 'sqlite3', 'asyncio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOM.parent)
    assert done.stdout.strip() == "[]"
