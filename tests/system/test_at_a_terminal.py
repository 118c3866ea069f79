"""A person at a real terminal, at a real panel: wrong answers, Ctrl-C amid a wait, a full card, a second run."""

import os
import re
import resource
import socket
import subprocess
import sys
import zipfile

import pytest

from tests.provisioning.person import at_terminal, ended, interrupted
from tests.system.rig import CODE, rig

NEW = "470011"


def _full() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_tests_wait_and_are_stopped_by_ctrl_c_and_a_wrong_code_begins_nothing() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        person = at_terminal("try", "path", "--for", "300", cwd=panel.folder)
        person.expect("Your own code: ")
        person.sendline("999999")
        code, said = ended(person)
        assert (code, "Wrong code" in said, "999999" in said) == (1, True, False)
        assert "test.manual" not in panel.kinds()
        person = at_terminal("try", "path", "--for", "300", cwd=panel.folder, lang="zh")
        person.expect("您的密码：")
        since = panel.mark()
        person.sendline(CODE)
        panel.wait("record", "test.manual", since=since)
        code, said = interrupted(person)
        assert (code, "已停止等待" in said) == (130, True), said
        assert "test.manual" in panel.kinds(), "what was begun stays recorded"


def test_a_user_is_added_changed_and_revoked_by_a_person_who_slips() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        person = at_terminal(
            "users", "set", "qiu", "--name", "Qiu", "--area", "hall", "--right", "arm", cwd=panel.folder
        )
        person.expect("Your own code: ")
        person.sendline(CODE)
        for typed, repeated in (("12", ""), (NEW, NEW[:-1]), (NEW, NEW)):
            person.expect("New code, .* digits: ")
            person.sendline(typed)
            if repeated:
                person.expect("Again: ")
                person.sendline(repeated)
        person.expect("Duress code, empty for none: ")
        person.sendline("")
        code, said = ended(person)
        assert (code, "user qiu is set" in said) == (0, True), said
        again = at_terminal("users", "change", "qiu", "--area", "vault", cwd=panel.folder)
        again.expect("Your own code: ")
        again.sendline(NEW)
        code, said = ended(again)
        assert (code, "the panel refused" in said) == (1, True), "he manages nobody"
        key = panel.status()["users"]["qiu"]
        assert key["areas"] == ["hall"]
        last = at_terminal("users", "revoke", "qiu", cwd=panel.folder)
        last.expect("Your own code: ")
        last.sendline(CODE)
        assert ended(last)[0] == 0
        assert ended(at_terminal("users", "revoke", "qiu", cwd=panel.folder))[0] == 0, "a second run does no harm"
        assert panel.kinds().count("user.removed") == 1


def test_a_code_that_is_made_is_shown_once_and_counts() -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        words = ("users", "set", "li", "--name", "Li", "--area", "hall", "--area", "vault", "--generate")
        person = at_terminal(*words, cwd=panel.folder)
        person.expect("Your own code: ")
        person.sendline(CODE)
        person.expect(r"code: ([0-9]+) ")
        assert isinstance(person.match, re.Match)
        made = person.match.group(1)
        assert ended(person)[0] == 0
        assert made not in ended(at_terminal("users", "list", cwd=panel.folder))[1]
        granted = at_terminal("users", "grant", cwd=panel.folder)
        granted.expect("The user's code: ")
        granted.sendline(made)
        code, said = ended(granted)
        assert (code, "the installer may enter for" in said) == (0, True), said


def test_a_bundle_on_a_full_card_leaves_nothing_and_a_second_run_writes_over_nothing() -> None:
    with rig() as panel:
        full = at_terminal("support-bundle", "help.zip", cwd=panel.folder, preexec=_full)
        code, said = ended(full)
        assert (code, "Traceback" in said) == (1, False), said
        assert not list(panel.folder.glob("help*"))
        assert ended(at_terminal("support-bundle", "help.zip", cwd=panel.folder))[0] == 0
        assert zipfile.ZipFile(panel.folder / "help.zip").testzip() is None
        code, said = ended(at_terminal("support-bundle", "help.zip", cwd=panel.folder, lang="zh"))
        assert (code, "已存在" in said) == (2, True)


def test_the_doctor_at_a_terminal_speaks_its_language_and_needs_no_panel() -> None:
    with rig() as panel:
        code, said = ended(at_terminal("doctor", cwd=panel.folder, lang="zh"))
        assert (code, "无主机应答" in said, "→" in said) == (1, True, True), said
        assert "no panel answers" not in said


AS_NOBODY = """
import os, sys
from provisioning import doctor, trying
from provisioning.support import commands
commands.main(["warm.zip"])  # what is imported late may stand where only root reads
doctor.main([])
os.remove("warm.zip")
os.setresuid(65534, 65534, 65534)
told = [doctor.main([]), commands.main(["help.zip"])]
told += [trying.main([part, "--code-stdin"]) for part in ("battery", "camera")]
print(told)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_rights_nothing_is_tried_or_written_and_it_says_whose_rights_are_needed() -> None:
    with rig() as panel, socket.socket(socket.AF_UNIX) as core:
        panel.folder.chmod(0o755)
        panel.run.mkdir()
        core.bind(str(panel.run / "technician.sock"))
        (panel.run / "technician.sock").chmod(0o600)
        words = [sys.executable, "-c", AS_NOBODY]
        english = {**os.environ, "FENGHUO_LANG": "en"}
        done = subprocess.run(
            words, cwd=panel.folder, env=english, input=f"{CODE}\n" * 2, capture_output=True, text=True, timeout=60
        )
        assert done.stdout.splitlines()[-1] == "[1, 1, 1, 1]", done.stdout + done.stderr
        assert done.stdout.count("this user may not open the technician's socket") == 1
        assert done.stderr.count("this user may not open the technician's socket") == 2
        assert "help.zip: Permission denied" in done.stderr
        assert not list(panel.folder.glob("*.zip*"))


@pytest.mark.parametrize(("words", "says"), [(("doctor",), ""), (("support-bundle", "help.zip"), "nothing is written")])
def test_ctrl_c_while_the_panel_is_asked_ends_it_and_leaves_nothing(words: tuple[str, ...], says: str) -> None:
    with rig() as panel, socket.socket(socket.AF_UNIX) as silent:
        panel.run.mkdir()
        silent.bind(str(panel.run / "technician.sock"))
        silent.listen()
        silent.settimeout(60)
        before = sorted(panel.folder.rglob("*"))
        person = at_terminal(*words, cwd=panel.folder)
        with silent.accept()[0] as asking:
            assert asking.recv(100), "it asks, and waits for an answer that does not come"
            code, said = interrupted(person)
        assert (code, says in said, "Traceback" in said) == (130, True, False), said
        assert sorted(panel.folder.rglob("*")) == before
