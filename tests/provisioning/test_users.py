"""`fenghuo users` against a small core on a real unix socket: it knows the messages, and nothing of our code."""

import json
import os
import pty
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol.messages import from_technician
from provisioning.users import main
from tests.provisioning.calling import Done, call
from tests.provisioning.person import at_terminal, interrupted

BANK = Path("docs/examples/bank.toml").read_text()
WANG = {
    "name": "Wang Li 王丽",
    "level": 3,
    "areas": ["hall", "vault"],
    "rights": None,
    "first_day": "",
    "last_day": "",
    "once": False,
    "spent": False,
}
MINE, NEW, DURESS = "271828", "314159", "161803"
Reply = dict[str, Any] | bytes


class Core:
    """Answers the technician's socket: status with `users`, everything else with `replies` in turn, else yes."""

    def __init__(self, folder: Path) -> None:
        self.users: dict[str, Any] = {}
        self.replies: list[Reply] = []
        self.asked: list[dict[str, Any]] = []
        (folder / "run").mkdir()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(folder / "run" / "technician.sock"))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as stream:
                for line in stream:
                    stream.write(self._answer(json.loads(line)))
                    stream.flush()

    def _answer(self, message: dict[str, Any]) -> bytes:
        from_technician.validate_python(message)
        self.asked.append(message)
        reply: Reply = {"type": "answer", "ok": True}
        if message["type"] == "status":
            reply = {"type": "answer", "ok": True, "detail": {"users": self.users}}
        if message["type"] != "status" and self.replies:
            reply = self.replies.pop(0)
        return reply if isinstance(reply, bytes) else json.dumps(reply).encode() + b"\n"

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "panel.toml").write_text(BANK)
    return tmp_path


@pytest.fixture
def core(site: Path) -> Iterator[Core]:
    core = Core(site)
    yield core
    core.close()


def users(site: Path, *words: str, typed: str = "", lang: str = "en") -> Done:
    return call(main, *words, "--config", str(site / "panel.toml"), typed=typed, lang=lang)


SET = ("set", "wang", "--name", "Wang Li", "--area", "hall", "--area", "vault", "--code-stdin")


def test_the_first_user_needs_no_other_code(core: Core, site: Path) -> None:
    done = users(site, *SET, "--level", "3", typed=f"{NEW}\n{DURESS}\n")
    assert (done.returncode, done.stdout) == (0, "user wang is set\n"), done.stderr
    assert core.asked[-1] == {
        "type": "user-set",
        "id": "wang",
        "name": "Wang Li",
        "level": 3,
        "areas": ["hall", "vault"],
        "new_code": NEW,
        "new_duress_code": DURESS,
        "code": "",
        "rights": None,
        "first_day": "",
        "last_day": "",
        "once": False,
        "new_card": "",
        "keep": False,
    }


def test_rights_days_and_once_are_passed_on(core: Core, site: Path) -> None:
    more = ["--right", "arm", "--right", "users", "--from", "2026-12-01", "--until", "2028-02-29", "--once"]
    done = users(site, *SET, *more, typed=f"{NEW}\n")
    assert done.returncode == 0, done.stderr
    sent = {name: core.asked[-1][name] for name in ("rights", "first_day", "last_day", "once")}
    assert sent == {"rights": ["arm", "users"], "first_day": "2026-12-01", "last_day": "2028-02-29", "once": True}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--right", "fly"], "--right: "),
        (["--from", "1 May"], "--from: "),
        (["--until", "2026-02-29"], "--until: "),
        (["--level", "5"], "--level"),
    ],
)
def test_options_out_of_form_are_told_before_any_code_is_asked(
    words: list[str], said: str, core: Core, site: Path
) -> None:
    done = users(site, *SET, *words, typed=f"{NEW}\n")
    assert done.returncode == 2
    assert said in done.stderr
    assert core.asked == []


def test_later_users_need_a_code_first(core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    done = users(site, *SET, typed=f"{MINE}\n{NEW}\n\n")
    assert done.returncode == 0, done.stderr
    sent = core.asked[-1]
    assert (sent["code"], sent["new_code"], sent["new_duress_code"], sent["level"]) == (MINE, NEW, "", 2)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "line 1"),
        ("12\n", "line 1"),
        ("１２３４\n", "line 1"),
        ("314159265\n", "line 1"),
        ("31415\n", "6 to 8 digits here"),
        (
            "123456\n",
            "line 1 should be New code, 6 to 8 digits: this code is too simple (digits that count",
        ),
        (f"{NEW}\nabcd\n", "line 2"),
        (f"{NEW}\n444444\n", "line 2"),
        (f"{NEW}\n{NEW}\n", "another than the code"),
    ],
)
def test_codes_that_are_none_are_not_sent_and_not_shown(typed: str, said: str, core: Core, site: Path) -> None:
    done = users(site, *SET, typed=typed)
    assert done.returncode == 2
    assert said in done.stderr
    assert [message["type"] for message in core.asked] == ["status"]
    for word in typed.split():
        assert word not in done.stderr + done.stdout


def test_on_simulated_pins_a_simple_code_passes_and_is_warned_of(core: Core, site: Path) -> None:
    text = BANK.replace("pin_digits = 6", "pin_digits = 4").replace('pins = "board"', "")
    (site / "panel.toml").write_text(text.replace("[panel]", '[panel]\npins = "simulated"', 1))
    core.replies = [{"type": "answer", "ok": True, "detail": {"warning": "counting"}}]
    done = users(site, *SET, typed="1234\n", lang="zh")
    assert (done.returncode, done.stdout) == (0, "用户 wang 已设置\n"), done.stderr
    assert "数字依次递增或递减" in done.stderr
    assert core.asked[-1]["new_code"] == "1234"


def test_an_unknown_area_is_told_before_any_code_is_asked(core: Core, site: Path) -> None:
    done = users(site, "set", "wang", "--name", "Wang", "--area", "cellar", "--code-stdin", typed="1234\n")
    assert done.returncode == 2
    assert "--area cellar" in done.stderr
    assert "hall, vault" in done.stderr
    assert core.asked == []


@pytest.mark.parametrize(("user", "name", "said"), [("Wang Li", "W", "id: "), ("wang", "W" * 65, "name: ")])
def test_arguments_out_of_form(user: str, name: str, said: str, core: Core, site: Path) -> None:
    done = users(site, "set", user, "--name", name, "--area", "hall", "--code-stdin", typed="1234\n")
    assert done.returncode == 2
    assert said in done.stderr
    assert core.asked == []


def test_a_one_time_code_is_for_users_only(core: Core, site: Path) -> None:
    done = users(
        site, "set", "fit", "--name", "F", "--area", "hall", "--level", "3", "--once", "--code-stdin", typed=""
    )
    assert (done.returncode, core.asked) == (2, [])
    assert "--once: not usable; expected level 2" in done.stderr


def test_a_refusal_is_told_and_exits_1(core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    core.replies = [{"type": "answer", "ok": False, "reason": "code: not that of a user who may change users"}]
    done = users(site, *SET, typed=f"1111\n{NEW}\n")
    assert done.returncode == 1
    assert done.stderr == "the panel refused: code: not that of a user who may change users\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("code-too-close", "密码不可用"),
        ("bad-days", "起始日期不得晚于截止日期"),
        ("once-is-for-users", "一次性密码仅限2级用户"),
        ("no-grant", "须先由用户允许安装员操作"),
    ],
)
def test_reasons_of_the_rules_are_told_in_words(reason: str, said: str, core: Core, site: Path) -> None:
    core.replies = [{"type": "answer", "ok": False, "reason": reason}]
    assert users(site, *SET, typed=f"{NEW}\n", lang="zh").stderr == f"主机拒绝：{said}\n"


def test_the_list_shows_no_secret_whatever_core_sends(core: Core, site: Path) -> None:
    core.users = {
        "wang": {**WANG, "key": "5ec12e7", "duress_key": "0ddba11"},
        "li": {"name": "[b]", "level": 2, "areas": []},
        "qiu": {**WANG, "rights": ["arm", "disarm"], "last_day": "2026-12-31", "once": True, "spent": True},
    }
    done = users(site, "list")
    assert done.returncode == 0
    for word in ("wang", "Wang Li 王丽", "3", "hall, vault", "[b]", "all", "arm, disarm", "… 2026-12-31", "used up"):
        assert word in done.stdout
    assert "5ec12e7" not in done.stdout + users(site, "list", "--json").stdout
    assert json.loads(users(site, "list", "--json").stdout)[0] == {"id": "wang", **WANG}


def test_an_empty_list_tells_how_to_begin(core: Core, site: Path) -> None:
    assert "fenghuo users set" in users(site, "list").stdout
    assert "主机尚无用户" in users(site, "list", lang="zh").stdout


def test_revoking_and_once_more(core: Core, site: Path) -> None:
    core.users = {"li": WANG}
    would = users(site, "revoke", "li", "--dry-run")
    assert (would.returncode, would.stdout) == (0, "would revoke user li\n")
    done = users(site, "revoke", "li", "--code-stdin", typed="1234\n")
    assert (done.returncode, done.stdout) == (0, "user li is revoked\n")
    assert core.asked[-1] == {"type": "user-remove", "id": "li", "code": "1234"}
    core.users = {}
    again = users(site, "revoke", "li", "--json")
    assert (again.returncode, json.loads(again.stdout)["act"]) == (0, "absent")
    assert [message["type"] for message in core.asked].count("user-remove") == 1


NONSENSE: list[Reply] = [
    {"type": "error", "reason": "not allowed here"},
    {"type": "answer", "ok": "maybe"},
    {"type": "answer", "ok": True, "surprise": 1},
    b"[]\n",
    b"{\n",
    b"\xff\xfe\n",
    b"x" * 300_000,
]


@pytest.mark.parametrize("reply", NONSENSE)
def test_nonsense_from_the_socket_is_told(reply: Reply, core: Core, site: Path) -> None:
    core.replies, core.users = [reply], {"li": WANG}
    done = users(site, "revoke", "li", "--code-stdin", typed="1234\n")
    assert done.returncode == 1
    assert done.stderr.startswith("the panel ")
    assert "Traceback" not in done.stderr


def test_no_panel_runs(site: Path) -> None:
    done = users(site, "list")
    assert done.returncode == 1
    assert "no panel answers at" in done.stderr
    assert "fenghuo run all --config" in done.stderr


def test_a_broken_panel_file(site: Path) -> None:
    (site / "panel.toml").write_text("[panel]\n")
    done = users(site, "list")
    assert done.returncode == 2
    assert "panel.toml" in done.stderr


def test_without_terminal_and_without_code_stdin_nothing_is_read(core: Core, site: Path) -> None:
    core.users = {"li": WANG}
    done = users(site, "revoke", "li", typed="1234\n")
    assert done.returncode == 2
    assert "--code-stdin" in done.stderr
    assert [message["type"] for message in core.asked] == ["status"]


class Terminal:
    """A person at a real terminal: what the command shows, and what is typed when it asks."""

    def __init__(self, site: Path, *words: str) -> None:
        self._master, slave = pty.openpty()
        argv = [sys.executable, "-m", "firmware.cli", "users", *words, "--config", str(site / "panel.toml")]
        environment = {**os.environ, "FENGHUO_LANG": "en", "TERM": "dumb"}
        self._process = subprocess.Popen(
            argv, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.shown = ""

    def answer(self, question: str, typed: str) -> None:
        """Type it after the next time the question is shown."""
        seen = self.shown.count(question)
        end = time.monotonic() + 15
        while self.shown.count(question) == seen:
            assert select.select([self._master], [], [], end - time.monotonic())[0], self.shown
            self.shown += os.read(self._master, 4096).decode()
        os.write(self._master, typed.encode() + b"\n")

    def end(self) -> int:
        while True:
            try:
                data = os.read(self._master, 4096)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            self.shown += data.decode()
        os.close(self._master)
        return self._process.wait(15)


def test_at_a_terminal_codes_are_not_echoed_and_a_slip_may_be_corrected(core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    terminal = Terminal(site, "set", "li", "--name", "Li", "--area", "hall")
    terminal.answer("Your own code: ", "1234")
    terminal.answer("New code, 6 to 8 digits: ", "470011")
    terminal.answer("Again: ", "470012")
    terminal.answer("New code, 6 to 8 digits: ", "470011")
    terminal.answer("Again: ", "470011")
    terminal.answer("Duress code, empty for none: ", "")
    assert terminal.end() == 0, terminal.shown
    assert "the two are not the same" in terminal.shown
    assert "user li is set" in terminal.shown
    assert "1234" not in terminal.shown
    assert "4700" not in terminal.shown
    assert core.asked[-1]["new_code"] == "470011"


def test_at_a_terminal_three_slips_end_it(core: Core, site: Path) -> None:
    terminal = Terminal(site, "set", "li", "--name", "Li", "--area", "hall")
    for _ in range(3):
        terminal.answer("New code, 6 to 8 digits: ", "47")
    assert terminal.end() == 2
    assert [message["type"] for message in core.asked] == ["status"]


def test_a_card_is_given_by_the_two_numbers_printed_on_it(core: Core, site: Path) -> None:
    done = users(site, *SET, "--card", "16,0")
    assert done.returncode == 0, done.stderr
    assert (core.asked[-1]["new_card"], core.asked[-1]["new_code"]) == (f"wiegand-26-{1 << 25 | 16 << 17 | 1:07x}", "")


def test_a_card_that_can_not_be_is_refused_with_what_is_expected(core: Core, site: Path) -> None:
    done = users(site, *SET, "--card", "300,1")
    assert done.returncode == 2
    assert "--card: not usable; expected 123,45678 (26 bits)" in done.stderr


# changing one, making codes, letting an installer in


def test_a_change_keeps_the_codes_and_all_that_is_not_given(core: Core, site: Path) -> None:
    core.users = {"wang": {**WANG, "rights": ["arm", "users"], "last_day": "2026-12-31"}}
    words = ("change", "wang", "--area", "hall", "--until", "2027-03-31")
    would = users(site, *words, "--dry-run")
    assert would.stdout == "would change user wang: areas hall, vault → hall, days … 2026-12-31 → … 2027-03-31\n"
    assert [message["type"] for message in core.asked] == ["status"]
    done = users(site, *words, "--code-stdin", typed=f"{MINE}\n")
    assert (done.returncode, done.stdout) == (0, "user wang is set\n"), done.stderr
    sent = core.asked[-1]
    assert (sent["keep"], sent["new_code"], sent["code"], sent["areas"]) == (True, "", MINE, ["hall"])
    assert (sent["name"], sent["level"], sent["rights"]) == ("Wang Li 王丽", 3, ["arm", "users"])
    assert users(site, "change", "wang", "--right", "all", "--dry-run").stdout.endswith("rights arm, users → all\n")


def test_a_change_that_changes_nothing_asks_for_no_code(core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    done = users(site, "change", "wang", "--level", "3", "--json")
    assert (done.returncode, json.loads(done.stdout)["act"]) == (0, "same")
    assert [message["type"] for message in core.asked] == ["status"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("change", "nobody", "--level", "2"), 1, "there is no user nobody; known: wang"),
        (("change", "wang", "--area", "cellar"), 2, "--area cellar"),
        (("change", "wang", "--once"), 2, "--once: not usable"),
        (("change", "wang", "--generate", "--card", "16,0"), 2, "give one of --generate"),
        (("change", "wang", "--duress"), 2, "--duress goes with --generate"),
        ((*SET, "--generate", "--card", "16,0"), 2, "give one of --generate"),
    ],
)
def test_changes_that_can_not_be(words: tuple[str, ...], code: int, said: str, core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    done = users(site, *words, typed=f"{MINE}\n")
    assert done.returncode == code
    assert said in done.stderr
    assert {message["type"] for message in core.asked} <= {"status"}


def test_a_code_that_is_made_is_shown_once_and_another_one_is_made_where_it_is_taken(core: Core, site: Path) -> None:
    core.users = {"wang": WANG}
    near: Reply = {"type": "answer", "ok": False, "reason": "code-too-close"}
    core.replies = [near, near]
    done = users(site, "set", "li", "--name", "Li", "--area", "hall", *GENERATE, typed=f"{MINE}\n")
    assert done.returncode == 0, done.stderr
    sent = [message for message in core.asked if message["type"] == "user-set"]
    assert len({message["new_code"] for message in sent}) == 3
    told = json.loads(done.stdout)
    assert (told["code"], told["duress_code"]) == (sent[-1]["new_code"], sent[-1]["new_duress_code"])
    assert all(message["code"] == MINE for message in sent)
    assert done.stderr == ""


GENERATE = ("--generate", "--duress", "--json", "--code-stdin")


def test_a_refusal_for_another_reason_makes_no_second_code(core: Core, site: Path) -> None:
    core.replies = [{"type": "answer", "ok": False, "reason": "too-many-users"}]
    done = users(site, "set", "li", "--name", "Li", "--area", "hall", *GENERATE)
    assert (done.returncode, done.stdout) == (1, "")
    assert [message["type"] for message in core.asked] == ["status", "user-set"]


def test_a_user_lets_the_installer_in_and_he_leaves(core: Core, site: Path) -> None:
    core.replies = [{"type": "answer", "ok": True, "detail": {"for_ms": 300_000}}]
    done = users(site, "grant", "--code-stdin", typed=f"{MINE}\n", lang="zh")
    assert (done.returncode, done.stdout) == (0, "已允许安装员在 5 分钟内操作\n"), done.stderr
    assert core.asked[-1] == {"type": "session", "act": "grant", "code": MINE}
    assert users(site, "leave", "--json", "--code-stdin", typed=f"{MINE}\n").returncode == 0
    assert core.asked[-1]["act"] == "leave"


def test_ctrl_c_amid_a_code_changes_nothing_and_exits_130(core: Core, site: Path) -> None:
    person = at_terminal("users", "set", "li", "--name", "Li", "--area", "hall", cwd=site)
    person.expect("New code, 6 to 8 digits: ")
    person.sendline("470011")
    person.expect("Again: ")
    code, said = interrupted(person)
    assert (code, "Traceback" in said) == (130, False), said
    assert [message["type"] for message in core.asked] == ["status"]


AS_NOBODY = """
import os, sys
from provisioning.users import main
os.environ["FENGHUO_LANG"] = "en"
main(["list"])  # what is imported late may stand where only root reads
os.setresuid(65534, 65534, 65534)
sys.exit(main(["list"]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_open_the_socket_is_told_who_may() -> None:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        site = Path(folder)
        site.chmod(0o755)
        (site / "panel.toml").write_text(BANK)
        core = Core(site)
        (site / "run" / "technician.sock").chmod(0o600)
        try:
            done = subprocess.run(
                [sys.executable, "-c", AS_NOBODY], cwd=site, capture_output=True, text=True, timeout=60, check=False
            )
        finally:
            core.close()
    assert (done.returncode, "this user may not open the technician's socket" in done.stderr) == (1, True), done.stderr
    assert len(core.asked) == 1
