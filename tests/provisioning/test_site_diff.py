"""`fenghuo site diff` in words, as data, and what it says needs care."""

import json
from pathlib import Path

import pytest

from firmware.config import PanelFile, load
from provisioning import site
from provisioning.site_care import places
from provisioning.site_diff import TABLES
from provisioning.site_difference import differences
from tests.provisioning.calling import Done, call

EXAMPLES = Path("docs/examples")
BANK = (EXAMPLES / "bank.toml").read_text()


def diff(folder: Path, *edits: tuple[str, str], json_: bool = False, lang: str = "en") -> Done:
    """Of the bank and the bank with these edits."""
    text = BANK
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "new.toml").write_text(text)
    words = ["diff", str(EXAMPLES / "bank.toml"), str(folder / "new.toml")]
    return call(site.main, *words, *(["--json"] if json_ else []), lang=lang)


def without(begin: str) -> tuple[str, str]:
    """An edit that takes out the row that begins so."""
    at = BANK.index(begin)
    return BANK[at : BANK.index("\n\n", at)], ""


CAMERA = '[[camera]]\nid = "lobby"'
PATH_1 = '''[[path]]
id = "center-1"'''
PATH_2 = """[[path]]
id = "second"
host = "alarm-2.example.org"
tls = { ca = "keys/center-ca.pem", certificate = "keys/uplink.pem", key = "keys/uplink.key" }

"""

PLAIN = """[[path]]
id = "plain"
host = "192.0.2.9"
plaintext = "I accept that anyone on the network can read and drop reports"

"""

CASES = [
    (('type = "follower"', 'type = "entry-exit"'), "zone hall-pir: type from follower to entry-exit", "a less strict"),
    (('type = "follower"', 'type = "instant"'), "zone hall-pir: type from follower to instant", ""),
    (("exit_delay_s = 60", "exit_delay_s = 45"), "area hall: exit_delay_s from 60 to 45", ""),
    (("entry_delay_s = 30", "entry_delay_s = 45"), "area hall: entry_delay_s from 30 to 45", "an alarm comes later"),
    (("entry_delay_s = 30", "entry_delay_s = 20"), "area hall: entry_delay_s from 30 to 20", ""),
    (("siren_s = 300", "siren_s = 200"), "timings: siren_s from 300 to 200", "sounds shorter"),
    (("input = { line = 22 }", "input = { line = 2 }"), "zone hall-pir: input.line from 22 to 2", ""),
    (without('[[output]]\nid = "siren-inside"'), "output siren-inside: removed", "one siren or strobe less"),
    (without('[[output]]\nid = "vault-light"'), "output vault-light: removed", ""),
    (without('[[zone]]\nid = "side-exit"'), "zone side-exit: removed", "guarded no longer"),
    (
        ('host = "alarm.example.org"', 'host = "x.org"'),
        "path center-1: host from alarm.example.org to x.org",
        "elsewhere",
    ),
    ((PATH_1, PATH_2 + PATH_1), "path second: added", ""),
    ((PATH_1, PLAIN + PATH_1), "path plain: added", "anyone on the network"),
    (('mirror = "/media/usb/fenghuo"', "#"), "storage: mirror from /media/usb/fenghuo to nothing", "no copy"),
    (('id = "bank-0001"', 'id = "bank-2"'), "panel: id from bank-0001 to bank-2", "another panel"),
    (('hours = "closed"', 'hours = "08:00-09:00"'), "day 2026-10-01: hours from closed to 08:00-09:00", ""),
    (("battery_line = 7", "#"), "power: battery_line from 7 to nothing", "told no longer"),
    (("until_min = 10", "until_min = 11"), "tour night-round: stops from [{zone tour-hall", ""),
]


@pytest.mark.parametrize(("edit", "line", "care"), CASES)
def test_a_difference_is_one_line(edit: tuple[str, str], line: str, care: str, tmp_path: Path) -> None:
    done = diff(tmp_path, edit)
    assert done.returncode == 1, done.stdout
    (said,) = [row for row in done.stdout.splitlines() if row.startswith(line)]
    assert ("CARE" in said) is bool(care)
    assert care in said


def test_no_difference_and_only_comments(tmp_path: Path) -> None:
    same = diff(tmp_path)
    assert (same.returncode, same.stdout) == (0, "no difference\n")
    written = diff(tmp_path, ("# Fenghuo panel file", "# My panel file"))
    assert written.returncode == 0
    assert "no difference but in comments" in written.stdout


def test_json_has_places_values_and_care_in_both_languages(tmp_path: Path) -> None:
    done = diff(tmp_path, ("siren_s = 300", "siren_s = 200"), ('name = "Back door 后门"', 'name = "后门"'), json_=True)
    told = json.loads(done.stdout)
    by = {".".join(row["place"]): row for row in told["differences"]}
    assert set(by) == {"timings.siren_s", "zone.back-door.name"}
    assert (by["timings.siren_s"]["old"], by["timings.siren_s"]["new"]) == (300, 200)
    assert by["timings.siren_s"]["care"]["zh"] == "警号鸣响时间缩短"
    assert by["zone.back-door.name"]["care"] is None
    assert told["old_sha256"] == load(EXAMPLES / "bank.toml").sha256 != told["new_sha256"]


def test_in_chinese(tmp_path: Path) -> None:
    out = diff(tmp_path, ("siren_s = 300", "siren_s = 200"), lang="zh").stdout
    assert "时间参数：siren_s 由 300 改为 200   注意：警号鸣响时间缩短" in out
    assert "1 处差异，1 处需注意" in out


def test_the_order_of_paths_counts(tmp_path: Path) -> None:
    school = (EXAMPLES / "school.toml").read_text()
    begin, end = school.index("[[path]]"), school.index("[center]")
    first, second = (f"[[path]]{part}" for part in school[begin:end].split("[[path]]")[1:])
    (tmp_path / "new.toml").write_text(school[:begin] + second + first + school[end:])
    done = call(site.main, "diff", str(EXAMPLES / "school.toml"), str(tmp_path / "new.toml"))
    assert done.returncode == 1
    assert "paths: their order   CARE: another path is used first" in done.stdout


def test_mistakes_exit_2_and_are_told(tmp_path: Path) -> None:
    done = diff(tmp_path, ("siren_s = 300", "siren_s = 1"))
    assert done.returncode == 2
    assert "outside the limits" in done.stdout


def test_examples_of_other_sites_differ_in_every_area() -> None:
    bank, school = (load(EXAMPLES / f"{name}.toml").file for name in ("bank", "school"))
    changes = differences(bank, school)
    assert {c.place[1] for c in changes if c.what == "removed" and c.place[0] == "area"} == {"hall", "vault"}
    assert {c.place[1] for c in changes if c.what == "added" and c.place[0] == "zone"} == {
        z.id for z in school.zone
    } - {z.id for z in bank.zone}


def test_every_table_has_a_word_and_every_rule_names_a_table() -> None:
    assert set(TABLES) == set(PanelFile.model_fields)
    assert {place.split(".")[0] for place in places()} <= set(TABLES)
