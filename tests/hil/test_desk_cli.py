"""`fenghuo desk` as a process, with a core that the test plays at the other end of the socket, and without one."""

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

WAIT_S = 20.0
ROOT = Path(__file__).parents[2]

PANEL = """
[panel]
id = "desk-test"
name = "Desk"
pins = "{pins}"

[[area]]
id = "hall"
number = 1
name = "Hall"

[[zone]]
id = "front-door"
number = 1
name = "Front door"
type = "entry-exit"
areas = ["hall"]
input = {{ line = 17, line_no = 27, wiring = "changeover" }}

[[zone]]
id = "hall-pir"
number = 2
name = "PIR"
type = "follower"
sensor = "pir"
areas = ["hall"]
input = {{ line = 22 }}

[storage]
run = "r"
"""


class Core:
    """Plays core on the desk socket: answers each line with what the test laid out."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self.answers: list[list[Any] | None] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        # A command that ends amid an answer leaves a reset behind.
        with peer, peer.makefile("rwb") as stream, contextlib.suppress(ConnectionError):
            for line in stream:
                self.heard.put(json.loads(line))
                answer = self.answers.pop(0) if self.answers else []
                if answer is None:
                    return
                for item in answer:
                    stream.write(item if isinstance(item, bytes) else json.dumps(item).encode() + b"\n")
                stream.flush()

    def close(self) -> None:
        """Hang up."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "panel.toml").write_text(PANEL.format(pins="simulated"))
    return tmp_path


@pytest.fixture
def core(folder: Path) -> Iterator[Core]:
    made = Core(folder / "r" / "desk.sock")
    yield made
    made.close()


def start(folder: Path, *words: str, language: str = "en") -> subprocess.Popen[str]:
    """The command, started."""
    environment = {**os.environ, "FENGHUO_LANG": language, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    code = "import sys; from hil.desk import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def desk(folder: Path, *words: str, language: str = "en") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, run to its end."""
    process = start(folder, *words, "--dir", str(folder), language=language)
    out, err = process.communicate(timeout=WAIT_S)
    return process.returncode, out, err


def ok(**detail: Any) -> dict[str, Any]:
    return {"type": "answer", "ok": True, "reason": "", "detail": detail}


SUPPLY: dict[str, Any] = {
    **dict.fromkeys(("battery_mv", "loaded_mv", "ma", "celsius", "under_voltage", "board_c")),
    "type": "supply",
    "auto": False,
}


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["open", "front-door"], {"type": "move", "zone": "front-door", "position": "open"}),
        (["press", "hall-pir", "--hold-ms", "250"], {"type": "press", "zone": "hall-pir", "hold_ms": 250}),
        (["mains", "off"], {"type": "mains", "on": False}),
        (["battery", "11.4"], SUPPLY | {"battery_mv": 11_400}),
        (
            ["battery", "12.6", "--loaded", "10.9", "--ma", "-350", "--celsius", "40"],
            SUPPLY | {"battery_mv": 12_600, "loaded_mv": 10_900, "ma": -350, "celsius": 40},
        ),
        (["battery", "auto"], SUPPLY | {"auto": True}),
        (["board", "under-voltage"], SUPPLY | {"under_voltage": True}),
        (["board", "hot", "--celsius", "95"], SUPPLY | {"board_c": 95}),
        (["board", "well"], SUPPLY | {"under_voltage": False, "board_c": 45}),
    ],
)
def test_words_become_messages(folder: Path, core: Core, words: list[str], sent: dict[str, Any]) -> None:
    core.answers = [[ok()]]
    code, out, err = desk(folder, *words)
    assert (code, err) == (0, "")
    assert out
    assert core.heard.get(timeout=WAIT_S) == sent


def test_what_the_wiring_cannot_tell_is_told_to_the_user(folder: Path, core: Core) -> None:
    core.answers = [[ok(wiring="nc", seen="normal", visible=False)]]
    code, out, _ = desk(folder, "short", "hall-pir")
    assert code == 0
    assert "Wiring nc can't tell: a short line reads normal there." in out


def test_a_refusal_is_told_in_the_users_language_and_exits_1(folder: Path, core: Core) -> None:
    detail = {"zone": "hall", "known": ["front-door", "hall-pir"]}
    core.answers = [[{"type": "answer", "ok": False, "reason": "unknown-zone", "detail": detail}]]
    assert desk(folder, "open", "hall", language="zh") == (1, "", "没有防区 hall。现有防区:front-door, hall-pir\n")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([{"type": "answer", "ok": False, "reason": "unknown-zone", "detail": {}}], "The panel refused: unknown-zone"),
        ([{"type": "error", "reason": "not allowed"}], "The panel refused: not allowed"),
        ([b"[]\n"], "core sent list"),
        ([b"\xff\xfe{\n"], "The panel closed the connection"),
        ([b"x" * 300_000], "a line of more than"),
        (None, "core closed the connection"),
    ],
)
def test_whatever_core_sends_gives_an_error_and_no_traceback(
    folder: Path, core: Core, answer: list[Any] | None, says: str
) -> None:
    core.answers = [answer]
    code, _, err = desk(folder, "open", "front-door")
    assert code == 1
    assert says in err
    assert "Traceback" not in err


def tell(name: str, source: str, **args: Any) -> dict[str, Any]:
    value = {"source": source, **args}
    return {"type": "seen", "what": "tell", "name": name, "value": value, "monotonic_ms": 1, "utc": ""}


def test_a_code_is_typed_and_the_keypads_word_shown(folder: Path, core: Core) -> None:
    other = tell("armed", "keypad-2")
    core.answers = [[ok()], [other, ok(), tell("disarmed", "keypad-1", areas=["hall", "vault"], exit_delay_ms=8000)]]
    code, out, err = desk(folder, "code", "1234#", "--wish", "disarm", "--area", "hall")
    assert (code, out, err) == (0, "Keypad: Disarmed · hall, vault · 8 s\n", "")
    assert core.heard.get(timeout=WAIT_S) == {"type": "watch", "replay": False}
    sent = core.heard.get(timeout=WAIT_S)
    assert (sent["digits"], sent["wish"], sent["areas"]) == ("1234#", "disarm", ["hall"])


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (
            ["--wish", "arm", "--part", "night", "--instant", "--override"],
            {"wish": "arm", "part": "night", "instant": True, "override": True, "quiet": False},
        ),
        (
            ["--wish", "walk-test", "--quiet", "--hold-up", "--keypad", "keypad-2"],
            {"wish": "walk-test", "quiet": True, "hold_up": True, "source": "keypad-2"},
        ),
        (["--wish", "isolate", "--zone", "hall-pir"], {"wish": "isolate", "zone": "hall-pir", "instant": False}),
        (["--wish", "grant"], {"wish": "grant", "source": "keypad-1"}),
    ],
)
def test_all_wishes_can_be_asked_for(folder: Path, core: Core, words: list[str], members: dict[str, Any]) -> None:
    core.answers = [[ok()], [ok(), tell("status", str(members.get("source", "keypad-1")))]]
    assert desk(folder, "code", "1234", *words)[0] == 0
    core.heard.get(timeout=WAIT_S)
    sent = core.heard.get(timeout=WAIT_S)
    assert {name: sent[name] for name in members} == members


STATUS = {
    "mains": False,
    "zones": {
        "front-door": {
            "position": "cut",
            "wiring": "changeover",
            "levels": ["high", "high"],
            "condition": "open",
            "short_pulses": 3,
            "error": None,
        },
        "[red]": {"position": "close"},
    },
    "outputs": {"siren": {"on": True, "wanted": True, "error": None}},
    "panel": {
        "areas": {
            "hall": {"mode": "armed", "part": "night", "instant": True, "alarm": True, "memory": ["front-door"]},
            "vault": {"mode": "alarm", "part": "", "alarm": False, "memory": []},
            "yard": {"mode": "disarmed", "part": "", "alarm": False, "memory": []},
        },
        "zones": {"front-door": {"bypassed": True, "isolated": True}, "[red]": {"bypassed": False}},
        "troubles": ["mains", "[b]"],
        "trouble_memory": ["battery"],
        "indications": [
            {"kind": "alarm.entry", "zone": "front-door", "areas": ["hall"]},
            {"kind": "trouble.box", "zone": "", "areas": ["hall", "vault"]},
            {"kind": "alarm.new", "zone": "gone", "areas": []},
        ],
        "walk_test": True,
        "installer": False,
    },
}


def test_status_is_a_readable_table_or_json(folder: Path, core: Core) -> None:
    core.answers = [[ok(**STATUS)]]
    code, out, _ = desk(folder, "status")
    assert code == 0
    rows = [" ".join(line.replace("│", " ").split()) for line in out.splitlines()]
    assert "front-door changeover cut high high open bypassed, isolated 3" in rows
    assert "[red] close" in rows, "a name was taken for markup"
    assert "siren on on" in rows
    assert "hall armed night, instant ALARM front-door" in rows
    assert "vault alarm in full" in rows
    assert "yard disarmed" in rows
    first = rows.index("1. entry/exit zone alarm: zone 1 Front door (hall)")
    assert rows[first + 1 : first + 3] == ["2. cabinet opened: hall, vault", "3. alarm.new: zone ? gone ()"]
    assert "Troubles: mains, [b]" in rows
    assert "Troubles that were, until somebody resets them: battery" in rows
    assert "A walk test runs." in rows
    assert "An installer is at work." not in rows
    assert "Mains: off" in rows


def test_status_as_json_is_what_core_said(folder: Path, core: Core) -> None:
    core.answers = [[ok(**STATUS)]]
    code, out, _ = desk(folder, "status", "--json")
    assert code == 0
    assert json.loads(out) == STATUS


def test_watch_prints_until_interrupted(folder: Path, core: Core) -> None:
    seen = {
        "type": "seen",
        "what": "output",
        "name": "siren",
        "value": True,
        "monotonic_ms": 5,
        "utc": "2026-03-14T23:09:26.123Z",
    }
    core.answers = [[ok(), seen, {**seen, "what": "record", "name": "alarm.entry", "value": {"zone": "front-door"}}]]
    process = start(folder, "watch", "--dir", str(folder))
    assert process.stdout is not None
    assert process.stdout.readline() == "23:09:26.123  output     siren  True\n"
    assert process.stdout.readline() == "23:09:26.123  record     alarm.entry  zone=front-door\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0
    assert "Traceback" not in err


def test_watch_tells_when_core_ends(folder: Path, core: Core) -> None:
    core.answers = [None]
    code, _, err = desk(folder, "watch")
    assert code == 1
    assert "core closed the connection" in err


def world(folder: Path) -> Any:
    return json.loads((folder / "r" / "desk.json").read_text())


def test_without_core_the_site_is_changed_and_that_is_said(folder: Path) -> None:
    code, out, err = desk(folder, "cut", "front-door")
    assert (code, out) == (0, "front-door: cut\n")
    assert err.startswith("The panel is not running: the simulated site was changed")
    assert desk(folder, "mains", "off")[0] == 0
    assert world(folder) == {"positions": {"front-door": "cut"}, "mains": False}


def test_without_core_a_zone_must_exist_all_the_same(folder: Path) -> None:
    code, _, err = desk(folder, "open", "nowhere")
    assert code == 1
    assert err == "There is no zone nowhere. Zones: front-door, hall-pir\n"
    assert not (folder / "r").exists()


def test_a_socket_that_a_killed_core_left_does_not_matter(folder: Path) -> None:
    (folder / "r").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "r" / "desk.sock"))
    assert desk(folder, "open", "hall-pir")[0] == 0
    assert world(folder)["positions"] == {"hall-pir": "open"}


@pytest.mark.parametrize("words", [["press", "hall-pir"], ["code", "1234"], ["status"], ["watch"]])
def test_what_needs_core_says_that_it_does_not_run(folder: Path, words: list[str]) -> None:
    code, out, err = desk(folder, *words)
    assert (code, out) == (1, "")
    assert f"The panel in {folder} is not running" in err


def test_a_spoilt_site_is_named(folder: Path) -> None:
    (folder / "r").mkdir()
    (folder / "r" / "desk.json").write_text('{"positions": {"hall-pir": "ajar"}}')
    code, _, err = desk(folder, "open", "hall-pir")
    assert code == 1
    assert "desk.json: positions.hall-pir: found 'ajar', expected open, close, cut, short" in err


def _missing(folder: Path) -> None:
    (folder / "panel.toml").unlink()


def _board(folder: Path) -> None:
    (folder / "panel.toml").write_text(PANEL.format(pins="board"))


def _broken(folder: Path) -> None:
    (folder / "panel.toml").write_text("[panel\n")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_missing, "There is no "),
        (_board, 'says pins = "board": the desk moves simulated pins only'),
        (_broken, "panel.toml can't be used: "),
    ],
)
def test_a_folder_without_a_simulated_panel_is_refused(folder: Path, spoil: Callable[[Path], None], says: str) -> None:
    spoil(folder)
    code, _, err = desk(folder, "status")
    assert code == 1
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly", "front-door"],
        ["open"],
        ["mains", "maybe"],
        ["code", "12a4"],
        ["press", "hall-pir", "--hold-ms", "0"],
        ["code", "1234", "--wish", "fly"],
    ],
)
def test_words_that_are_not_understood_exit_2(folder: Path, words: list[str]) -> None:
    code, out, err = desk(folder, *words)
    assert (code, out) == (2, "")
    assert err
    assert "Traceback" not in err
