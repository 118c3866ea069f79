"""`fenghuo accept` as a person meets it: prompts, wrong answers, Ctrl-C and going on, a full disk, no rights."""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
import tomlkit

from firmware.protocol import messages as m
from hil.fitter import Fitter
from hil.fuzz import reports
from tests.provisioning.person import at_terminal, ended, interrupted
from tests.system.rig import CODE, Rig, rig

FITTER = "577215"


def tiny(text: str) -> str:
    """Two zones and a siren, no center, no camera."""
    file = tomlkit.parse(text)
    kept = ("front-door", "box-tamper")
    file["zone"] = [dict(zone) for zone in file["zone"].unwrap() if zone["id"] in kept]
    for zone in file["zone"]:
        zone.pop("cameras", None)
        zone["input"]["debounce_ms"] = 20
    file["output"] = [o for o in file["output"].unwrap() if o["id"] == "siren-inside"]
    for name in ("part", "camera", "path", "center", "power"):
        file.pop(name, None)
    return tomlkit.dumps(file)


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=tiny) as made:
        begin(made)
        yield made


def begin(panel: Rig) -> None:
    """Core runs, and has an installer and a user who may let him in."""
    panel.start("core")
    everywhere = ["hall", "vault"]
    panel.technician(m.SetUser(id="fitter", name="F", level=3, areas=everywhere, new_code=FITTER))
    panel.technician(m.SetUser(id="boss", name="B", level=2, areas=everywhere, new_code=CODE, code=FITTER))
    panel.settle()


def grant(panel: Rig) -> None:
    since = panel.mark()
    panel.code(CODE, "grant")
    panel.wait("tell", "granted", since=since)


def fitter(panel: Rig, **more: object) -> Fitter:
    return Fitter(panel.panel_toml, panel.run / "desk.sock", user_code=CODE, **more)  # type: ignore[arg-type]


def kept(folder: Path) -> dict[str, str]:
    """Outcomes by step, as they lie in the working folder."""
    return {r["step"]: r["outcome"] for r in json.loads((folder / "run.json").read_text())["results"]}


def test_a_person_is_led_answers_wrongly_stops_goes_on_and_reads_the_result(panel: Rig) -> None:
    words = ("accept", "run", "--by", "王工", "--samples", "1", "--config", "panel.toml")
    person = at_terminal(*words, cwd=panel.folder, lang="zh")
    person.expect("安装员密码：")
    person.sendline("abc")
    assert "密码" in ended(person)[1]

    grant(panel)
    person = at_terminal(*words, cwd=panel.folder, lang="zh")
    person.expect("安装员密码：")
    person.sendline(FITTER)
    person.expect("请触发防区 1 front-door")
    panel.move("front-door", "open")
    person.expect("请恢复")
    panel.move("front-door", "close")
    person.expect("合格")
    person.expect("请触发防区 9 box-tamper")
    code, said = interrupted(person)
    assert (code, "同一命令可继续" in said) == (130, True)
    assert kept(panel.folder / "acceptance") == {"zone:front-door:trip": "passed"}
    assert panel.status()["walk_test"] is False, "the walk test outlived the command"

    person = at_terminal(*words, cwd=panel.folder, lang="en")
    person.expect("installer's code: ")
    person.sendline(FITTER)
    person.expect("1 of 7 steps are done already")
    person.expect("Trip zone 9 box-tamper")
    panel.move("box-tamper", "open")
    person.expect("Bring it to rest")
    panel.move("box-tamper", "close")
    person.expect("line of zone 1 front-door")
    person.sendline("w")
    person.expect("a reason is needed")
    person.sendline("w wires are behind plaster")
    person.expect("waived")
    person.expect("Short the line of zone 1")
    person.sendline("f will not do it")
    person.expect("Enter tries it again")
    person.sendline("f")
    person.expect("standby supply lasted")
    person.sendline("long")
    person.expect("expected hours")
    person.sendline("3")
    person.expect("3 h, at least 8 h")
    person.sendline("")
    person.expect("standby supply lasted")
    person.sendline("8.5")
    person.expect("siren-inside.*y, or n")
    person.sendline("n one was hoarse")
    person.expect("Enter tries it again")
    person.sendline("w the second one comes on Monday")
    person.expect("too few|samples, at least 30")
    person.sendline("f")
    code, said = ended(person)
    assert code == 1
    assert "3 passed, 2 failed, 2 waived" in said
    told = json.loads((panel.folder / "acceptance" / "run.json").read_text())
    waived = {r["step"]: (r["reason"], r["by"]) for r in told["results"] if r["outcome"] == "waived"}
    assert waived["zone:front-door:cut"] == ("wires are behind plaster", "王工")
    [record] = [r for r in panel.records() if r["kind"] == "acceptance.ended"]
    assert {name: record["payload"][name] for name in ("passed", "failed", "waived")} == {
        "passed": 3,
        "failed": 2,
        "waived": 2,
    }
    assert [r["kind"] for r in panel.records()].count("acceptance.begun") == 2


def test_a_script_stopped_amid_goes_on_and_a_second_run_does_nothing_again(panel: Rig) -> None:
    run = panel.folder / "acc"
    words = ("--by", "Wang", "--dir", str(run), "--patience", "20")
    grant(panel)
    first = fitter(panel, stop_at="standby")
    assert first.run(FITTER, words) == 130
    done = kept(run)
    second = fitter(panel)
    assert second.run(FITTER, words) == 0, second.said
    assert not done.keys() & second.results().keys()
    assert set(kept(run).values()) == {"passed"}
    third = fitter(panel)
    assert third.run(FITTER, words) == 0
    assert third.results() == {}
    assert oct((run / "run.json").stat().st_mode & 0o777) == "0o600"

    panel.rewrite(lambda text: text + "\n# another file\n")
    other = fitter(panel)
    assert (other.run(FITTER, words), "another panel file" in other.said) == (2, True)
    (run / "run.json").write_text('{"panel": 1}')
    broken = fitter(panel)
    assert (broken.run(FITTER, words), "--new" in broken.said) == (2, True)


def with_a_battery(text: str) -> str:
    """A sensor measures the battery's current, so its load is known when a test has cut the charger off."""
    file = tomlkit.parse(tiny(text))
    battery = {"cells": 6, "capacity_mah": 12_000, "ina219": {"address": 65}, "charger_line": 52}
    file["power"] = {"battery": battery}
    file["timings"]["battery_test_s"] = 20
    return tomlkit.dumps(file)


def test_the_standby_time_is_worked_out_where_the_file_knows_the_battery_and_typed_where_a_person_measured_it() -> None:
    with rig(edit=with_a_battery, clock_rate=20) as panel:
        begin(panel)
        run = panel.folder / "acc"
        words = ("--by", "Wang", "--dir", str(run), "--patience", "20")
        grant(panel)
        taking = fitter(panel, answers={"standby": ""}, stop_at="siren")
        assert taking.run(FITTER, words) == 130, taking.said
        told = taking.results()["standby"]["figures"]
        load_ma = panel.status()["health"]["load_ma"]
        assert (told["basis"], told["capacity_mah"]) == ("load-measured", 12_000)
        assert told["load_ma"] == load_ma, "measured: the file says none"
        assert 8 <= told["hours"] <= 12_000 / load_ma
        [asked] = [event for event in taking.events if event.get("what") == "hours"]
        assert (asked["computed"], "Enter takes it" in asked["text"]) == (told["hours"], True)
        typing = fitter(panel, answers={"standby": "8.5"}, stop_at="siren")
        assert typing.run(FITTER, (*words, "--again", "standby")) == 130, typing.said
        assert typing.results()["standby"]["figures"] == {"hours": 8.5, "basis": "typed", "least_h": 8.0}


def test_a_full_disk_costs_the_step_at_hand_and_nothing_before_it(panel: Rig) -> None:
    run = panel.folder / "acc"
    words = ("--by", "Wang", "--dir", str(run), "--patience", "20")
    grant(panel)
    assert fitter(panel, stop_at="standby").run(FITTER, words) == 130
    before = (run / "run.json").read_bytes()

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, len(before) // 2))

    stopped = fitter(panel)
    assert stopped.run(FITTER, words, full) == 1
    assert "too large" in stopped.said.lower()
    assert (run / "run.json").read_bytes() == before
    assert [path.name for path in run.iterdir()] == ["run.json"]
    assert fitter(panel).run(FITTER, words) == 0


def test_without_rights_a_panel_or_a_name_nothing_begins(panel: Rig) -> None:
    run = panel.folder / "acc"
    nameless = fitter(panel)
    assert nameless.run(FITTER, ("--dir", str(run))) == 2
    user = fitter(panel)
    assert user.run(CODE, ("--by", "Wang", "--dir", str(run))) == 1
    refused = fitter(panel)
    assert refused.run(FITTER, ("--by", "Wang", "--dir", str(run))) == 1
    assert not run.exists()
    panel.arm()
    grant_refused = fitter(panel)
    assert grant_refused.run(FITTER, ("--by", "Wang", "--dir", str(run))) == 1
    assert "acceptance.begun" not in panel.kinds()
    plan = subprocess.run(
        [sys.executable, "-m", "provisioning.accept", "--dry-run", "--json", "--config", str(panel.panel_toml)],
        capture_output=True,
        text=True,
        env={**os.environ, "FENGHUO_LANG": "en"},
    )
    steps = [json.loads(line)["id"] for line in plan.stdout.splitlines()]
    assert (plan.returncode, steps[0], len(steps)) == (0, "zone:front-door:trip", 7)
    if os.geteuid() == 0:
        panel.stop("core")
        gone = fitter(panel)
        assert (
            gone.run(
                FITTER,
                (
                    "--by",
                    "Wang",
                ),
            ),
            "no panel answers" in gone.said,
        ) == (1, True)


def marked(panel: Rig) -> dict[int, tuple[str, str]]:
    """What the journal tells of alarms, by the number of the record; the newest counts."""
    told = [record["payload"] for record in panel.records() if record["kind"] == "acceptance.alarm-marked"]
    assert {(one["by"], one["user"]) for one in told} <= {("王工", "boss")}
    return {one["seq"]: (one["says"], one["reason"]) for one in told}


def marker(panel: Rig, *more: str, lang: str = "en", code: str = CODE) -> "pexpect.spawn[str]":
    """Somebody who has begun to mark, and given his code."""
    words = ("accept", "mark", "--by", "王工", "--config", "panel.toml", *more)
    person = at_terminal(*words, cwd=panel.folder, lang=lang)
    person.expect("Your code.*: " if lang == "en" else "您的密码.*：")
    person.sendline(code)
    return person


def test_a_person_says_of_each_alarm_whether_it_was_false_and_the_trial_s_report_tells_it(panel: Rig) -> None:
    for zone in ("box-tamper", "front-door") * 2:
        since = panel.mark()
        panel.move(zone, "cut")
        panel.wait("record", "alarm.tamper" if zone == "box-tamper" else "alarm.sensor-tamper", since=since)
        panel.move(zone, "close")
        panel.wait("record", "restore.tamper" if zone == "box-tamper" else "restore.sensor-tamper", since=since)
    alarms = [r["seq"] for r in panel.records() if r["kind"].startswith("alarm.")]
    person = marker(panel, code=FITTER)
    person.expect("1/4")
    person.sendline("t")
    code, said = ended(person)
    assert (code, "let the installer in" in said) == (1, True), said
    person = marker(panel, lang="zh")
    person.expect("1/4.*box-tamper.*未复核")
    person.sendline("f")
    person.expect("须说明原因")
    for typed in ("yes", f"t {'x' * 201}"):
        person.sendline(typed)
        person.expect("应为 t、f 加原因、o，或回车")
    person.sendline("f 老鼠咬线 mouse")
    person.expect("2/4.*front-door")
    code, said = interrupted(person)
    assert (code, "属实 0，误报 1，未判定 3" in said) == (130, True), said
    assert marked(panel) == {alarms[0]: ("false", "老鼠咬线 mouse")}
    person = marker(panel)
    for n, typed in (("1/3", "t"), ("2/3", ""), ("3/3", "f the lid was loose")):
        person.expect(n)
        person.sendline(typed)
    code, said = ended(person)
    assert (code, "1 true, 2 false, 1 undecided" in said) == (0, True), said
    person = marker(panel, "--again")
    for n, typed in (("1/4.*false: 老鼠咬线 mouse", ""), ("2/4", "o"), ("3/4", ""), ("4/4", "t a burglar")):
        person.expect(n)
        person.sendline(typed)
    code, said = ended(person)
    assert (code, "1 true, 1 false, 2 undecided" in said) == (0, True), said
    assert marked(panel) == {
        alarms[0]: ("false", "老鼠咬线 mouse"),
        alarms[1]: ("open", ""),
        alarms[3]: ("true", "a burglar"),
    }
    grant(panel)
    person = at_terminal(
        "accept", "trial", "--out", "trial", "--no-pdf", "--by", "Wang", "--config", "panel.toml", cwd=panel.folder
    )
    person.expect("installer's code: ")
    person.sendline(FITTER)
    assert ended(person)[0] == 1, "a trial of a minute is too short"
    figures = json.loads((panel.folder / "trial" / "trial.json").read_text())["figures"]
    assert figures["marked"] == {"true": 1, "false": 1, "open": 2}
    assert "误报：老鼠咬线 mouse（王工 [boss]）" in (panel.folder / "trial" / "report.zh.html").read_text()
    code, said = ended(at_terminal("accept", "verify", "trial", "--config", "panel.toml", cwd=panel.folder))
    assert (code, "Traceback" in said) == (0, False), said
    assert not (panel.folder / "acceptance").exists(), "marks are in the journal alone"
    panel.check_journal()


def test_what_is_not_seen_fails_and_is_told_with_its_reason(panel: Rig) -> None:
    run = panel.folder / "acc"
    grant(panel)
    lazy = fitter(
        panel,
        lazy=frozenset({"zone:front-door:trip", "zone:front-door:cut"}),
        answers={
            "zone:front-door:cut": "w no access",
        },
    )
    assert lazy.run(FITTER, ("--by", "Wang", "--dir", str(run), "--patience", "2")) == 1
    found = lazy.results()
    assert (found["zone:front-door:trip"]["outcome"], found["zone:front-door:trip"]["why"]) == ("failed", "not-seen")
    assert found["zone:front-door:cut"]["outcome"] == "waived"
    # On a second call only what failed is done again.
    again = fitter(panel)
    assert again.run(FITTER, ("--by", "Wang", "--dir", str(run))) == 0
    assert set(again.results()) == {"zone:front-door:trip"}

    strange = panel.folder / "strange.zip"
    strange.write_bytes(reports.zipped(reports.parts(reports.sound())))
    words = [sys.executable, "-m", "provisioning.accept", "verify", str(strange)]
    english = {**os.environ, "FENGHUO_LANG": "en"}
    own = subprocess.run(
        [*words, "--config", str(panel.panel_toml)], capture_output=True, text=True, env=english, check=False
    )
    assert own.returncode == 1
    assert "not signed by the panel's key" in own.stdout
    assert "journal does not tell of this report" in own.stdout
    alone = subprocess.run(words, capture_output=True, text=True, env=english, check=False)
    assert (alone.returncode, "give --key or --config" in alone.stdout) == (0, True)
