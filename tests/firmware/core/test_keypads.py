"""Keypads and readers: the syntax of their keys, what they show, and a whole core with real readers on a real pty."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.osdp import face
from drivers.osdp.cards import printed_26
from firmware.config import load, to_site
from firmware.core.key_syntax import asked, within
from firmware.core.keypads import DETAILS_MS, PAGE_MS, Keypads
from firmware.protocol.lines import Client
from firmware.protocol.messages import AskStatus, SetUser
from rules.effects import Tell
from rules.stimuli import CodeEntered, Wish
from tests.drivers.osdp.osdp_rig import KEYS, Readers
from tests.firmware.test_config_mistakes import mistakes_in

FILE = """
[panel]
id = "shop-1"
name = "Shop"
pins = "simulated"
pin_digits = 4

[[area]]
id = "hall"
number = 1
name = "Hall"
entry_delay_s = 30
exit_delay_s = 5

[[area]]
id = "vault"
number = 2
name = "Vault"
entry_delay_s = 0
exit_delay_s = 1

[[zone]]
id = "door"
number = 7
name = "Front door 正门"
type = "entry-exit"
areas = ["hall"]
input = { line = 17 }

[[part]]
id = "night"
name = "Night"
omits = ["door"]

[[osdp]]
id = "doors"
port = "PORT"
baud = 115200

[[osdp.reader]]
id = "r1"
address = 3
areas = ["hall"]
key_file = "r1.key"
text_rows = 2

[[osdp.reader]]
id = "r2"
address = 7
areas = ["hall", "vault"]
key_file = "r2.key"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    path = tmp_path / "panel.toml"
    path.write_text(FILE.replace("PORT", "/dev/ttyUSB9"))
    return load(path).file


# --- the syntax of keys ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wish", "more"),
    [
        ("1234", Wish.TOGGLE, {"areas": ("hall", "vault")}),
        ("*101234", Wish.ARM, {"part": ""}),
        ("*111234", Wish.ARM, {"part": "night"}),
        ("*121234", Wish.ARM, {"part": "#2"}),
        ("*201234", Wish.ARM, {"instant": True}),
        ("*311234", Wish.ARM, {"override": True, "part": "night"}),
        ("*401234", Wish.DISARM, {}),
        ("*421234", Wish.RESET, {}),
        ("*50071234", Wish.BYPASS, {"zone": "door", "areas": ()}),
        ("*60091234", Wish.UNBYPASS, {"zone": "#009"}),
        ("*0021234", Wish.TOGGLE, {"areas": ("vault",)}),
        ("*941234", Wish.WALK_TEST, {"hold_up": True}),
    ],
)
def test_a_line_of_keys_is_a_wish(shop: Any, line: str, wish: Wish, more: dict[str, object]) -> None:
    found = asked(line, "r2", ("hall", "vault"), to_site(shop))
    assert found is not None
    code, entered = found
    assert (code, entered.source, entered.key, entered.wish) == ("1234", "r2", "", wish)
    assert {name: getattr(entered, name) for name in more} == more


@given(line=st.from_regex(r"\*?[0-9]{0,16}", fullmatch=True))
def test_no_line_asks_for_anything_without_a_code_behind_it(line: str, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("shop") / "panel.toml"
    path.write_text(FILE.replace("PORT", "/dev/ttyUSB9"))
    found = asked(line, "r1", ("hall",), SITES.setdefault("shop", to_site(load(path).file)))
    if line.startswith("*"):
        assert found is None or (len(found[0]) >= 4 and line.endswith(found[0]))
        assert found is None or set(found[1].areas) <= {"hall", f"#{line[2:4]}"}
    else:
        assert found == (line, CodeEntered("r1", "", Wish.TOGGLE, ("hall",)))


SITES: dict[str, Any] = {}


def test_a_wish_is_for_what_both_user_and_reader_are_for(shop: Any) -> None:
    site = to_site(shop)
    both = CodeEntered("r2", "k", Wish.TOGGLE, ("hall", "vault"))
    assert within(both, ("vault",), site).areas == ("vault",)
    assert within(both, (), site) == both, "a stranger's code is for the rules to refuse"


# --- faces -------------------------------------------------------------------------------------------


class Wall:
    """Keypads over a view that the test changes."""

    def __init__(self, file: Any) -> None:
        self.now = 0
        self.shown: dict[str, dict[str, Any]] = {}
        area = {"mode": "disarmed", "alarm": False}
        self.view: dict[str, Any] = {
            "areas": {"hall": dict(area), "vault": dict(area)},
            "indications": [],
            "troubles": [],
        }
        self.keypads = Keypads(
            file, to_site(file), lambda _, id_, what: self.shown.update({id_: dict(what)}), lambda: self.now
        )
        self.look()

    def look(self, ms: int = 0) -> None:
        self.now += ms
        self.keypads.look(self.view)

    def tell(self, source: str, notice: str, **args: Any) -> None:
        self.keypads.told(Tell(source, notice, args), self.view)


def test_each_lamp_and_tone_is_that_of_its_own_areas(shop: Any) -> None:
    wall = Wall(shop)
    assert {r: f["lamp"] for r, f in wall.shown.items()} == {"r1": "green", "r2": "green"}
    wall.view["areas"]["hall"]["mode"] = "entry-delay"
    wall.look()
    assert (wall.shown["r1"]["tone"], wall.shown["r1"]["lamp"]) == ("entry", "red-slow")
    wall.view["areas"]["hall"]["mode"] = "armed"
    wall.look()
    assert {r: f["lamp"] for r, f in wall.shown.items()} == {"r1": "red", "r2": "green-slow"}
    wall.view["areas"]["vault"]["mode"] = "exit-delay"
    wall.look()
    wall.tell("", "exit-ending", areas=["vault"])
    assert {r: f["tone"] for r, f in wall.shown.items()} == {"r1": "", "r2": "exit-ending"}
    wall.view["areas"]["vault"] = {"mode": "alarm", "alarm": True}
    wall.look()
    assert wall.shown["r2"]["lamp"] == "red-fast"


def test_a_chime_rings_where_its_area_is(shop: Any) -> None:
    wall = Wall(shop)
    wall.tell("", "chime", zone="x", areas=["vault"])
    assert (wall.shown["r1"]["beep"], wall.shown["r2"]["beep"]) == ([0, ""], [1, "chime"])


def test_the_memory_of_an_alarm_shows_behind_a_code_alone_and_for_a_while(shop: Any) -> None:
    wall = Wall(shop)
    wall.view["indications"] = [{"kind": "alarm.entry", "zone": "door", "areas": ["hall"]}]
    wall.look()
    wall.tell("r2", "disarmed", areas=["hall"])
    assert wall.shown["r1"]["rows"] == [], "what stands is hidden at a reader where nobody gave a code"
    wall.tell("r1", "disarmed", areas=["hall"])
    assert wall.shown["r1"]["rows"] == ["1/2 Disarmed", ""]
    wall.look(PAGE_MS)
    assert wall.shown["r1"]["rows"][0].startswith("2/2 A1 Z007 ")
    assert wall.shown["r1"]["rows"][1] == "Front door"
    wall.look(DETAILS_MS)
    assert wall.shown["r1"]["rows"] == []


def test_a_wrong_code_is_told_where_it_was_typed(shop: Any) -> None:
    wall = Wall(shop)
    wall.tell("r1", "wrong-code")
    assert (wall.shown["r1"]["beep"], wall.shown["r1"]["rows"]) == ([1, "wrong"], ["Wrong code", ""])
    assert wall.shown["r2"]["beep"] == [0, ""]


def test_every_face_is_one_that_a_reader_knows(shop: Any) -> None:
    wall = Wall(shop)
    for mode in ("disarmed", "exit-delay", "armed", "entry-delay", "alarm"):
        for trouble in ([], ["mains"]):
            wall.view["areas"]["hall"] = {"mode": mode, "alarm": mode == "alarm"}
            wall.view["troubles"] = trouble
            wall.look()
            for shown in wall.shown.values():
                face.face_of(shown, 2)


# --- the panel file ----------------------------------------------------------------------------------


def test_mistakes_about_readers_are_all_told(tmp_path: Path) -> None:
    broken = FILE.replace("address = 7", "address = 3").replace('key_file = "r2.key"\n', "")
    broken = broken.replace('areas = ["hall", "vault"]', 'areas = ["attic"]').replace('id = "r2"', 'id = "door"')
    assert {m.key for m in mistakes_in(broken.replace("PORT", "/dev/ttyUSB0"), tmp_path)} == {
        '[[osdp]] #1 "doors": reader[2].id',
        '[[osdp]] #1 "doors": reader[2].address',
        '[[osdp]] #1 "doors": reader[2].areas[1]',
        '[[osdp]] #1 "doors": reader[2].key_file',
    }


def test_the_lines_of_the_wiring_page_work(tmp_path: Path) -> None:
    (block,) = (b for b in re.findall(r"```toml\n(.*?)```", Path("docs/wiring.md").read_text(), re.S) if "osdp" in b)
    path = tmp_path / "panel.toml"
    path.write_text(FILE[: FILE.index("[[osdp]]")] + block)
    assert [reader.id for reader in load(path).file.osdp[0].reader] == ["hall-keypad", "vault-reader"]


# --- a whole core ------------------------------------------------------------------------------------


class Core:
    """Core as a process, with two readers on a pty."""

    def __init__(self, folder: Path) -> None:
        plans = [{"id": r, "address": a, "key": KEYS[r]} for r, a in (("r1", 3), ("r2", 7))]
        self.readers = Readers(plans)
        for reader, key in KEYS.items():
            (folder / f"{reader}.key").write_text(key)
            (folder / f"{reader}.key").chmod(0o600)
        (folder / "panel.toml").write_text(FILE.replace("PORT", self.readers.port))
        # Dead with the test: one that lived on would talk to whoever gets its pty's number next.
        argv = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "firmware.cli"]
        argv += ["run", "core", "--config", str(folder / "panel.toml")]
        self.process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
        self._socket = folder / "run" / "technician.sock"
        self.until(lambda: self.ask(AskStatus())["ok"])

    def ask(self, question: Any) -> dict[str, Any]:
        client = Client(self._socket)
        try:
            client.send(question)
            return client.receive(20.0) or {}
        finally:
            client.close()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask(AskStatus())["detail"]
        return found

    def until(self, true: Any) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                if true():
                    return
            except OSError:
                pass
            assert time.monotonic() < end
            time.sleep(0.05)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.readers.close()


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Core]:
    core = Core(tmp_path)
    try:
        user = SetUser(id="li", name="Li", level=2, areas=["hall", "vault"], new_code="4711")
        assert core.ask(user)["ok"]
        yield core
    finally:
        core.close()


def test_a_code_arms_and_the_reader_shows_it_and_wrong_ones_lock_that_reader_alone(core: Core) -> None:
    core.readers.command("r1", face.LED, on_color=2)
    core.readers.do("r1", "keys", keys="4711#")
    core.readers.command("r1", face.BUZZER, on_count=1, off_count=9)
    core.readers.command("r1", face.LED, on_color=1, off_color=1)
    modes = {id_: area["mode"] for id_, area in core.status()["areas"].items()}
    assert modes == {"hall": "armed", "vault": "disarmed"}, "a code at r1 is for r1's areas"
    for _ in range(5):
        core.readers.do("r2", "keys", keys="9999#")
        core.readers.command("r2", face.BUZZER, rep_count=4)
    core.until(lambda: list(core.status()["lockouts"]) == ["r2"])
    core.readers.do("r1", "keys", keys="*404711#")
    core.readers.command("r1", face.TEXT, data=face.fitted("Disarmed"))
    core.until(lambda: core.status()["areas"]["hall"]["mode"] == "disarmed")


def test_a_card_is_a_user_of_its_own(core: Core) -> None:
    card = printed_26(123, 45_678)
    wish = SetUser(id="li-card", name="Li", level=2, areas=["hall"], new_card=card, code="4711")
    assert core.ask(wish)["ok"]
    assert not core.ask(wish.model_copy(update={"new_code": "2468"}))["ok"], "a code or a card, not both"
    data = (int(card.rpartition("-")[2], 16) << 6).to_bytes(4, "big").hex()
    core.readers.do("r1", "card", data=data, bits=26)
    core.until(lambda: core.status()["areas"]["hall"]["mode"] in ("exit-delay", "armed"))


def test_a_reader_that_is_silent_or_opened_is_a_trouble_until_it_is_over(core: Core) -> None:
    core.readers.command("r1", face.LED, on_color=2)
    core.readers.do("r1", "silent", on=True)
    core.readers.do("r2", "status", tampered=True)
    core.until(lambda: set(core.status()["troubles"]) >= {"bus:doors/r1", "box:r2"})
    core.readers.do("r1", "silent", on=False)
    core.readers.do("r2", "status")
    core.until(lambda: not {"bus:doors/r1", "box:r2"} & set(core.status()["troubles"]))


def test_the_table_for_the_technician_names_each_reader(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text(FILE.replace("PORT", "/dev/ttyUSB9"))
    argv = [sys.executable, "-m", "firmware.cli", "site", "check", str(tmp_path / "panel.toml")]
    said = subprocess.check_output(argv, text=True, env={**os.environ, "FENGHUO_LANG": "en", "COLUMNS": "160"})
    assert "/dev/ttyUSB9, 115200 baud" in said
    assert "secure channel, key in r1.key" in said
