"""`fenghuo site install` on a panel of real processes: who may, when, what is recorded, and what a cut leaves."""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from firmware.protocol import messages as m
from provisioning import site
from tests.provisioning.calling import Done, call
from tests.provisioning.person import at_terminal, ended, interrupted
from tests.system.rig import CODE, Process, Rig, rig

FITTER = "161803"


def quick(text: str) -> str:
    return text.replace("exit_delay_s = 8", "exit_delay_s = 0")


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=quick) as made:
        made.start("core")
        everywhere = ["hall", "vault"]
        made.technician(m.SetUser(id="fitter", name="F", level=3, areas=everywhere, new_code=FITTER))
        made.technician(m.SetUser(id="boss", name="B", level=2, areas=everywhere, new_code=CODE, code=FITTER))
        made.settle()
        yield made


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def new_file(panel: Rig, edit: Callable[[str], str]) -> Path:
    path = panel.folder / "new.toml"
    path.write_text(edit(panel.panel_toml.read_text()))
    return path


def longer(text: str) -> str:
    assert "entry_delay_s = " in text
    return text + "\n# another one\n"


def install(panel: Rig, path: Path, code: str = FITTER, lang: str = "en", *words: str) -> Done:
    argv = ("install", str(path), "--config", str(panel.panel_toml), "--code-stdin", "--yes", *words)
    return call(site.main, *argv, typed=f"{code}\n", lang=lang)


def grant(panel: Rig) -> None:
    since = panel.mark()
    panel.code(wish="grant")
    panel.wait("tell", "granted", since=since)


def test_an_installer_who_was_let_in_puts_a_file_into_force(panel: Rig) -> None:
    old = sha(panel.panel_toml)
    path = new_file(panel, longer)
    grant(panel)
    done = install(panel, path)
    assert done.returncode == 0, done.stderr
    assert panel.panel_toml.read_bytes() == path.read_bytes()
    assert sha(panel.folder / "panel.toml.old") == old
    assert not (panel.folder / "panel.toml.new").exists()
    assert panel.status()["file"] == sha(path)
    installed = [record for record in panel.records() if record["kind"] == "config.installed"]
    assert installed[-1]["payload"] == {"old": old, "new": sha(path), "user": "fitter"}
    stopped = [record for record in panel.records() if record["kind"] == "panel.stopped"]
    assert stopped[-1]["payload"]["reason"] == f"panel file {sha(path)[:16]} by fitter"
    panel.check_journal()
    again = install(panel, path)
    assert (again.returncode, "in force already" in again.stdout) == (0, True)
    # Back to the one before.
    (panel.folder / "back.toml").write_bytes((panel.folder / "panel.toml.old").read_bytes())
    grant(panel)
    assert install(panel, panel.folder / "back.toml").returncode == 0
    assert sha(panel.panel_toml) == old


def test_who_may_not_and_when_it_may_not_changes_nothing(panel: Rig) -> None:
    before = panel.panel_toml.read_bytes()
    path = new_file(panel, longer)
    refusals = [
        ("without a user's grant", FITTER),
        ("with a user's own code", CODE),
        ("with a code of nobody", "999333"),
    ]
    for what, code in refusals:
        done = install(panel, path, code)
        assert (done.returncode, "the panel refused" in done.stderr) == (1, True), (what, done)
    grant(panel)
    panel.arm()
    armed = install(panel, path)
    assert (armed.returncode, armed.stdout.count("in force")) == (1, 0)
    assert panel.panel_toml.read_bytes() == before
    assert sorted(p.name for p in panel.folder.glob("panel.toml*")) == ["panel.toml"]
    assert panel.kinds().count("config.installed") == 1


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace('id = "bank-', 'id = "tank-', 1), "another panel id"),
        (lambda text: text.replace('pins = "simulated"', 'pins = "board"').replace("clock_rate", "# "), "pins"),
        (
            lambda text: (
                text + '[storage]\ndata = "other"\n'
                if "[storage]" not in text
                else text.replace('data = "data"', 'data = "other"')
            ),
            "journal and users",
        ),
        (lambda text: text.replace('run = "run"', 'run = "r"'), "sockets"),
    ],
)
def test_what_would_make_it_another_panel_is_refused(panel: Rig, edit: Callable[[str], str], said: str) -> None:
    grant(panel)
    done = install(panel, new_file(panel, edit))
    assert (done.returncode, said in done.stderr) == (1, True), done
    assert sorted(p.name for p in panel.folder.glob("panel.toml*")) == ["panel.toml"]
    assert panel.status()["areas"]


def test_mistakes_are_told_before_anything_is_asked(panel: Rig) -> None:
    done = install(panel, new_file(panel, lambda text: text.replace('type = "follower"', 'type = "x"')))
    assert (done.returncode, "not one of the choices" in done.stderr) == (2, True)


def test_a_dry_run_shows_and_json_tells(panel: Rig) -> None:
    path = new_file(panel, lambda text: text.replace('name = "Back door', 'name = "Rear door'))
    shown = install(panel, path, FITTER, "en", "--dry-run")
    assert (shown.returncode, "Rear door" in shown.stdout) == (0, True)
    told = json.loads(install(panel, path, FITTER, "en", "--dry-run", "--json").stdout)
    assert (told["installed"], len(told["differences"])) == (False, 1)


def _ask(panel: Rig, path: Path) -> None:
    """As the command does; raises `Refused`."""
    packed = base64.b64encode(zlib.compress(path.read_bytes())).decode()
    panel.technician(m.InstallFile(sha256=sha(path), packed=packed, code=FITTER))


def _until(done: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if done():
                return
        except (OSError, KeyError):
            pass
        time.sleep(0.1)
    raise AssertionError("it did not come")


def test_a_person_reads_what_changes_says_yes_and_types_the_code(panel: Rig) -> None:
    path = new_file(panel, lambda text: text.replace("exit_delay_s = 0", "exit_delay_s = 20", 1))
    grant(panel)
    words = ("site", "install", str(path), "--config", str(panel.panel_toml))
    person = at_terminal(*words, cwd=panel.folder)
    person.expect("exit_delay_s from 0 to 20")
    person.expect("into force.*")
    person.sendline("")
    code, said = ended(person)
    assert (code, "Nothing has changed" in said) == (1, True)

    person = at_terminal(*words, cwd=panel.folder)
    person.expect("into force.*")
    person.sendline("y")
    person.expect("installer's code: ")
    assert interrupted(person)[0] == 130
    assert panel.panel_toml.read_bytes() != path.read_bytes()

    person = at_terminal(*words, cwd=panel.folder, lang="zh")
    person.expect("确认启用.*")
    person.sendline("y")
    person.expect("安装员密码：")
    person.sendline(FITTER)
    code, said = ended(person)
    assert (code, "已启用" in said, FITTER in said) == (0, True, False)
    assert panel.panel_toml.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("delay_s", [0.0, 0.6, 1.2])
def test_killed_at_any_moment_one_whole_file_is_in_force(panel: Rig, delay_s: float) -> None:
    old, path = sha(panel.panel_toml), new_file(panel, longer)
    grant(panel)
    _ask(panel, path)
    time.sleep(delay_s)
    panel.kill("core")
    found = sha(panel.panel_toml)
    assert found in (old, sha(path))
    panel.processes["core"] = Process(panel, "core").wait_ready()
    assert panel.status()["file"] == found

    def recorded() -> bool:
        hashes = [r["payload"]["new"] for r in panel.records() if r["kind"] == "config.installed"]
        return bool(hashes[-1] == found)

    _until(recorded)
    panel.check_journal()


def test_the_uplink_starts_anew_by_the_new_file(panel: Rig) -> None:
    panel.start("uplink")
    grant(panel)
    assert install(panel, new_file(panel, longer)).returncode == 0
    assert panel.processes["uplink"].popen.wait(20) == 1
