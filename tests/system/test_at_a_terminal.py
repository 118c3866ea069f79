"""A person at a real terminal, at a real panel: wrong answers, Ctrl-C amid a wait, a full card, a second run."""

import re
import resource
import zipfile

from tests.provisioning.person import at_terminal, ended
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
        person.sendintr()
        code, said = ended(person)
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
