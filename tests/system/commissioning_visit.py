"""The visit of `test_commissioning.py`: an installer's laptop, a card, a panel on simulated pins, and the center's end.

Run by that test in a network of its own. Every step is a command line as docs/installing.md has it; what the fingers of
the installer do on the wires is done over the desk socket.
"""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol import messages as m
from hil.authority import Authority
from hil.broker import HOST, Mosquitto, free_port
from hil.demo_panel import ask
from hil.fitter import Fitter
from hil.small_release import BOOT_AT, make_release
from hil.stand import Part
from tests.firmware.uplink.brokers import wait_for
from tests.provisioning.person import at_terminal, ended

PANEL = "bank-0042"
PULSES = 3
MANAGER, INSTALLER = "482617", "905384"
ACL = Path(__file__).parents[2] / "docs" / "examples" / "mosquitto"


def fenghuo(*words: str, cwd: Path, typed: str = "", code: int = 0) -> str:
    """A command without a terminal; what it wrote."""
    done = subprocess.run(
        [sys.executable, "-m", "firmware.cli", *words],
        cwd=cwd,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == code, f"fenghuo {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def answer(*words: str, cwd: Path, typed: str = "", code: int = 0) -> Any:
    """The JSON of a command."""
    return json.loads(fenghuo(*words, "--json", cwd=cwd, typed=typed, code=code))


@dataclass(frozen=True)
class CenterEnd:
    """The center's folder, its broker, and the URL where invited panels ask."""

    folder: Path
    broker: Mosquitto
    enrolment: str


@pytest.fixture
def parts() -> Iterator[ExitStack]:
    """Everything that runs; ended the other way round."""
    with ExitStack() as stack:
        yield stack


def alarm_center(folder: Path, parts: ExitStack) -> CenterEnd:
    """As the center's people set theirs up: authority, broker with the published access list, store, enrolment."""
    (folder / "panels").mkdir(parents=True)
    fenghuo("center", "invite", "somebody-else", "--dir", ".", cwd=folder)  # makes keys and authority
    authority = Authority.at(folder / "authority")
    authority.issue("broker", [HOST])
    authority.issue("center", [])
    home = authority.folder
    settings = (
        f"cafile {home}/ca.pem\ncertfile {home}/broker.pem\nkeyfile {home}/broker.key\nrequire_certificate true\n"
        f"use_identity_as_username true\nuse_username_as_clientid true\nallow_anonymous false\n"
        f"acl_file {next(ACL.glob('*.acl'))}\n"
    )
    broker = parts.enter_context(Mosquitto(folder, settings))
    words = ["--broker", f"mqtts://{HOST}:{broker.port}", "--dir", ".", "--panels", "panels", "--ca", f"{home}/ca.pem"]
    words += ["--cert", f"{home}/center.pem", "--key", f"{home}/center.key"]
    running(parts, folder, "center", "center", "run", *words)
    port = free_port()
    web = ["--cert", f"{home}/broker.pem", "--key", f"{home}/broker.key"]
    running(parts, folder, "enrolment", "center", "enrol", "--dir", ".", "--listen", f"{HOST}:{port}", *web)
    return CenterEnd(folder, broker, f"https://{HOST}:{port}")


def running(parts: ExitStack, cwd: Path, name: str, *words: str) -> Part:
    """A program that goes on until the visit is over."""
    part = Part(name, [sys.executable, "-m", "firmware.cli", *words], cwd / f"{name}.log", cwd)
    parts.callback(part.kill)
    return part.start()


def test_visit(tmp_path: Path, parts: ExitStack) -> None:
    center = alarm_center(tmp_path / "center", parts)
    laptop = tmp_path / "laptop"
    laptop.mkdir()
    panel_file(laptop, center)
    card = flashed(laptop, center)
    home = first_boot(tmp_path / "panel", card)
    core = running(parts, home, "core", "run", "core").ready()
    enrolled(home, center)
    for name in ("uplink", "camera"):
        running(parts, home, name, "run", name).ready()
    people(home)
    walked(home)
    for what in ("siren", "path"):
        fenghuo("try", what, "--code-stdin", cwd=home, typed=f"{INSTALLER}\n")
    signed_report(home, center)
    fenghuo("support-bundle", "help.zip", cwd=home)
    fenghuo("journal", "verify", ".", cwd=home)
    assert core.running


def panel_file(laptop: Path, center: CenterEnd) -> None:
    """`site new` asks; a wrong answer is asked again; the desk's parts are set; `check` and `explain` are content."""
    person = at_terminal("site", "new", cwd=laptop)
    asked = (
        "Kind of site",
        "Panel id",
        "Name of the site",
        "Time zone",
        "Address",
        "port",
        "receipt key",
        "command key",
    )
    answers = ("palace", PANEL, "Heping Road 和平路", "", HOST, str(center.broker.port), "", "")
    for question, said in zip(asked, answers, strict=True):
        person.expect(f"{question}.*: ")
        person.sendline(said)
        if said == "palace":
            person.expect("expected one of bank")
            person.sendline("bank")
    person.expect("GB/T 28181.*: ")
    person.sendline("")
    assert ended(person)[0] == 0
    for key, value in (
        ("panel.pins", "simulated"),
        ("camera.lobby.maker", "drawn"),
        ("timings.settle_s", "0"),  # the detectors of this site are warm already
        ("timings.siren_test_s", "2"),
        ("timings.mains_report_delay_s", "0"),
        ("area.hall.exit_delay_s", "3"),
        ("area.vault.exit_delay_s", "3"),
        ("camera.lobby.pre_s", "0"),
        ("camera.lobby.post_s", "1"),
        ("path.center-1.keepalive_s", "5"),
        ("center.path_fault_s", "5"),
    ):
        fenghuo("site", "set", key, value, cwd=laptop)
    fenghuo("site", "set", "storage.mirror", "--remove", cwd=laptop)
    fenghuo("site", "check", "panel.toml", cwd=laptop)
    fenghuo("site", "explain", "panel.toml", "--out", "door.html", cwd=laptop)
    assert "front-door" in (laptop / "door.html").read_text()


def flashed(laptop: Path, center: CenterEnd) -> Path:
    """A card with the signed image, the panel file and the one-time code, written by hand at a terminal."""
    code = answer("center", "invite", PANEL, "--dir", ".", cwd=center.folder)["code"]
    ca = (center.folder / "authority" / "ca.pem").read_text()
    drop = {"center": center.enrolment, "code": code, "ca": ca, "take_keys": True}
    (laptop / "enrol.json").write_text(json.dumps(drop))
    release = make_release(laptop / "release")
    card = laptop / "card"
    card.write_bytes(bytes(24 * 2**20))
    words = ("flash", str(release.image), str(card), "--force", "--key", str(release.key))
    person = at_terminal(*words, "--config", "panel.toml", "--enrol", "enrol.json", cwd=laptop)
    person.expect("card.*: ")
    person.sendline("card")
    code, said = ended(person)
    assert code == 0, said
    return card


def first_boot(home: Path, card: Path) -> Path:
    """What the card's boot partition brought, in the panel's folder; the image's own program does more."""
    subprocess.run(("mcopy", "-s", "-i", f"{card}@@{BOOT_AT}", "::fenghuo", str(home)), check=True)
    assert {"enrol.json", "panel.toml"} <= {file.name for file in home.iterdir()}
    (home / "enrol.json").chmod(0o600)
    return home


def enrolled(home: Path, center: CenterEnd) -> None:
    """The code is exchanged for a certificate, and is gone; the center's keys are in the panel file."""
    fenghuo("enroll", "--from", "enrol.json", "--for", "30", cwd=home)
    assert not (home / "enrol.json").exists()
    assert answer("enroll", "status", cwd=home)["enrolled"] is True
    assert (center.folder / "panels" / f"{PANEL}.jwk").exists()


def people(home: Path) -> None:
    """The installer at the terminal, who is the first; then the manager, who lets the installer in from now on."""
    areas = ("--area", "hall", "--area", "vault")
    person = at_terminal("users", "set", "installer", "--name", "Zhao 赵", "--level", "3", *areas, cwd=home)
    for question, typed in (("New code", "12"), ("New code", INSTALLER), ("Again", INSTALLER), ("Duress code", "")):
        person.expect(f"{question}.*: ")
        person.sendline(typed)
    code, said = ended(person)
    assert (code, INSTALLER in said) == (0, False), said
    set_manager = ("users", "set", "manager", "--name", "Li Wei 李伟", *areas, "--code-stdin")
    fenghuo(*set_manager, cwd=home, typed=f"{INSTALLER}\n{MANAGER}\n")
    assert MANAGER not in fenghuo("users", "list", cwd=home)
    fenghuo("users", "grant", "--code-stdin", cwd=home, typed=f"{MANAGER}\n")


def trip(home: Path, zone: str) -> None:
    """Somebody opens a door, walks past a detector, knocks at a wall."""
    for _ in range(PULSES if zone == "vault-vibration" else 1):
        for position in ("open", "close"):
            ask(home / "run" / "desk.sock", m.Move.model_validate({"zone": zone, "position": position}))
            held = {"open": "active", "close": "normal"}[position]
            wait_for(lambda: ask(home / "run" / "desk.sock", m.AskDesk())["zones"][zone]["condition"] == held, zone)  # noqa: B023


def walked(home: Path) -> None:
    """Every zone is tripped once while the table is on the screen."""
    rows = answer("walk-test", "--for", "1", "--code-stdin", cwd=home, typed=f"{INSTALLER}\n", code=1)["zones"]
    person = at_terminal("walk-test", cwd=home, term="xterm")
    person.expect("code: ")
    person.sendline(INSTALLER)
    person.expect("not yet")
    for row in rows:
        trip(home, row["id"])
        person.expect("\a")
    code, said = ended(person)
    assert (code, f"all {len(rows)} zones were seen" in said) == (0, True), said


def signed_report(home: Path, center: CenterEnd) -> None:
    """The acceptance run, its report in both languages under the panel's signature, and the check of it elsewhere."""
    cut = {"center-1": (center.broker.hang, center.broker.go_on)}
    fitter = Fitter(home / "panel.toml", home / "run" / "desk.sock", cut, user_code=MANAGER)
    done = fitter.run(INSTALLER, ("--by", "Wang Gong 王工", "--dir", str(home / "acceptance")))
    bad = {step: event for step, event in fitter.results().items() if event["outcome"] != "passed"}
    assert (done, bad) == (0, {}), fitter.said
    by = ("--by", "Wang Gong 王工", "--user", "Li Wei", "--installer", "Zhao", "--out", "report.zip", "--code-stdin")
    fenghuo("accept", "report", *by, cwd=home, typed=f"{INSTALLER}\n")
    # The report leaves with the installer; whoever has the panel's public key can check it.
    office = center.folder / "office"
    office.mkdir()
    for file in (home / "report.zip", center.folder / "panels" / f"{PANEL}.jwk"):
        shutil.copy(file, office)
    told = answer("accept", "verify", "report.zip", "--key", f"{PANEL}.jwk", cwd=office)
    assert told["found"] == []
    with zipfile.ZipFile(office / "report.zip") as report:
        names = set(report.namelist())
    assert {f"report.{lang}.{kind}" for lang in ("zh", "en") for kind in ("html", "pdf")} <= names
    assert answer("center", "gaps", "--dir", ".", cwd=center.folder) == []
    assert PANEL in json.dumps(answer("center", "show", "--dir", ".", cwd=center.folder))
