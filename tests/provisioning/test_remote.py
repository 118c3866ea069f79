"""`fenghuo remote` through a real ssh and a real sshd: codes, exit codes, Ctrl-C and JSON as at the panel itself."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from hil.sshd import Sshd
from provisioning.remote import FOLDER, Shell, ssh
from tests.provisioning.person import at_terminal, ended, interrupted
from tests.provisioning.test_users import BANK, MINE, NEW, WANG, Core

TREE = Path(__file__).parents[2]
PLAIN = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "panel.toml").write_text(BANK)
    return tmp_path


@pytest.fixture
def core(site: Path) -> Iterator[Core]:
    core = Core(site)
    core.users = {"wang": WANG}
    yield core
    core.close()


@pytest.fixture
def sshd(tmp_path: Path) -> Sshd:
    return Sshd.make(tmp_path / "ssh", TREE)


def far(sshd: Sshd, site: Path, *words: str, typed: str = "", lang: str = "en") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "firmware.cli", "--panel", *sshd.words(site), *words],
        input=typed,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env={**os.environ, "FENGHUO_LANG": lang, "PYTHONPATH": str(TREE)},
    )


def test_json_comes_clean_and_the_exit_code_is_the_far_ones(sshd: Sshd, core: Core, site: Path) -> None:
    done = far(sshd, site, "users", "list", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["name"] == "Wang Li 王丽"
    assert far(sshd, site, "users", "change", "nobody", "--level", "2").returncode == 1
    wrong = far(sshd, site, "users", "set", "x y", "--name", "it's; $(reboot)", "--area", "hall", lang="zh")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "id：无效" in wrong.stderr


def test_codes_come_by_standard_input_and_stand_in_no_argument(sshd: Sshd, core: Core, site: Path) -> None:
    words = ("users", "set", "li", "--name", "Li Wei", "--area", "hall", "--code-stdin")
    done = far(sshd, site, *words, typed=f"{MINE}\n{NEW}\n\n")
    assert (done.returncode, done.stdout) == (0, "user li is set\n"), done.stderr
    assert (core.asked[-1]["code"], core.asked[-1]["new_code"], core.asked[-1]["name"]) == (MINE, NEW, "Li Wei")


def test_at_a_terminal_a_code_is_asked_for_there_without_echo(sshd: Sshd, core: Core, site: Path) -> None:
    person = at_terminal("remote", *sshd.words(site), "users", "revoke", "wang", cwd=site)
    person.expect("Your own code: ")
    person.sendline(MINE)
    code, said = ended(person)
    assert (code, MINE in said) == (0, False), said
    assert "user wang is revoked" in said
    assert core.asked[-1] == {"type": "user-remove", "id": "wang", "code": MINE}


def test_ctrl_c_reaches_the_far_command(sshd: Sshd, core: Core, site: Path) -> None:
    person = at_terminal("--panel", *sshd.words(site), "users", "revoke", "wang", cwd=site)
    person.expect("Your own code: ")
    code, said = interrupted(person)
    assert (code, "stopped" in said) == (130, True), said
    assert [message["type"] for message in core.asked] == ["status"]


def test_a_host_that_is_not_known_gets_nothing(sshd: Sshd, core: Core, site: Path) -> None:
    sshd.known.write_text("")
    done = far(sshd, site, "users", "list")
    assert (done.returncode, done.stdout) == (255, "")
    assert "Host key verification failed" in done.stderr
    assert core.asked == []


def test_a_key_that_the_panel_does_not_know_gets_nothing(sshd: Sshd, core: Core, site: Path) -> None:
    (sshd.config.parent / "authorized_keys").write_text("")
    done = far(sshd, site, "users", "list")
    assert (done.returncode, core.asked) == (255, [])
    assert "Permission denied" in done.stderr


@given(words=st.lists(PLAIN, min_size=1, max_size=5), folder=PLAIN)
def test_whatever_the_words_are_the_far_shell_gets_them_whole(words: list[str], folder: str) -> None:
    words = ["users", *words]
    line = ssh("root@192.0.2.7", words, Shell(folder=folder), terminal=False)
    assert line[-2] == "root@192.0.2.7"
    assert line[-3] == "--"
    assert shlex.split(line[-1])[:4] == ["cd", folder, "&&", "exec"]
    assert shlex.split(line[-1])[6:] == ["fenghuo", *words]


@pytest.mark.parametrize("host", ["-oProxyCommand=reboot", "a b", "", "root@x;reboot", "x\n"])
def test_what_is_no_host_never_reaches_ssh(host: str) -> None:
    with pytest.raises(typer.Exit) as exit_:
        ssh(host, ["doctor"], Shell(), terminal=False)
    assert exit_.value.exit_code == 2


@pytest.mark.parametrize("words", [["desk", "status"], ["remote", "x", "doctor"], ["doctor", "a\x1b]"]])
def test_what_is_for_here_or_can_not_be_sent(words: list[str]) -> None:
    with pytest.raises(typer.Exit):
        ssh("root@x", words, Shell(), terminal=False)


def test_a_terminal_is_asked_for_where_a_person_sits() -> None:
    assert "-t" in ssh("root@x", ["walk-test"], Shell(), terminal=True)
    assert "-T" in ssh("root@x", ["walk-test"], Shell(), terminal=False)
    assert FOLDER in ssh("root@x", ["walk-test"], Shell(), terminal=False)[-1]
