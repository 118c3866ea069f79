"""`fenghuo update` with real processes, a real broker and center, and bundles of the real `rauc`."""

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware.protocol import messages as m
from firmware.protocol.updates import AskUpdate
from hil.broker import Mosquitto
from hil.bundle_signer import BundleSigner
from hil.center import Center
from hil.desk_updater import RESTART
from hil.rauc import FakeMachine
from images.bundle import About, make
from provisioning.update import main
from tests.provisioning.calling import Done, call
from tests.provisioning.person import at_terminal, ended
from tests.system.rig import CODE, Process, Rig, rig

FITTER = "161803"
WAIT_S = 30.0


class Machine:
    """The panel's processes over two slots; `boot` is the boot loader."""

    def __init__(self, panel: Rig, signer: BundleSigner) -> None:
        self.panel = panel
        self.signer = signer
        self.fake = FakeMachine(panel.folder / "machine")
        self.fake.folder.mkdir()
        self.fake.make()
        self.fake.ca.write_bytes(signer.ca.read_bytes())

    def start(self) -> None:
        self.panel.start("core", "uplink")
        argv = [sys.executable, "-m", "hil.desk_updater", str(self.panel.panel_toml), str(self.fake.folder)]
        self.panel.processes["updater"] = Process(self.panel, "updater", argv=argv).wait_ready()
        self.until(lambda: bool(self.status()))

    def boot(self, cut: bool = False, lacks: dict[str, Any] | None = None) -> str:
        """The slot that runs after all processes have ended, by a signal or by the power. `lacks`: a step that the
        updater has not heard to be in the journal."""
        if cut:
            for name in ("updater", "uplink", "core"):
                self.panel.kill(name)
        else:
            self.panel.stop("updater", "uplink", "core")
        if lacks is not None:
            self.book.write_text(json.dumps({**json.loads(self.book.read_text()), "steps": [lacks]}))
        (self.fake.folder / RESTART).unlink(missing_ok=True)
        slot = self.fake.boot()
        self.start()
        return slot

    @property
    def book(self) -> Path:
        return self.fake.folder / "updater" / "update.json"

    def steps(self) -> list[Any]:
        """What core's journal is still to be told, as the updater thinks."""
        found: list[Any] = json.loads(self.book.read_text()).get("steps", [])
        return found

    def restarting(self) -> bool:
        return (self.fake.folder / RESTART).exists()

    def status(self) -> dict[str, Any]:
        return self.panel.technician(AskUpdate())

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < end, (self.panel.folder / "updater.log").read_text()[-2000:]
            time.sleep(0.1)

    def bundle(self, version: str, signer: BundleSigner | None = None) -> Path:
        image, out = self.panel.folder / "slot.img", self.panel.folder / f"fenghuo-{version}.raucb"
        image.write_bytes(f"{version}\n".encode() + random.Random(version).randbytes(20_000))
        keys = signer or self.signer
        make(image, out, About(version=version), keys.cert, keys.key)
        return out

    def update(self, *words: str, code: str = "", lang: str = "en") -> Done:
        typed = ("--code-stdin",) if code else ()
        return call(main, *words, "--config", str(self.panel.panel_toml), *typed, typed=f"{code}\n", lang=lang)

    def grant(self) -> None:
        since = self.panel.mark()
        self.panel.code(wish="grant")
        self.panel.wait("tell", "granted", since=since)

    def updates(self) -> list[dict[str, Any]]:
        return [r for r in self.panel.records() if r["kind"].startswith("update.")]


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> BundleSigner:
    return BundleSigner.make(tmp_path_factory.mktemp("keys"))


@contextmanager
def machine(signer: BundleSigner, port: int = 1, **more: Any) -> Iterator[Machine]:
    def quick(text: str) -> str:
        return text.replace("exit_delay_s = 8", "exit_delay_s = 0")

    with rig(port=port, clock_rate=5, edit=quick, **more) as panel:
        made = Machine(panel, signer)
        made.start()
        everywhere = ["hall", "vault"]
        panel.technician(m.SetUser(id="fitter", name="F", level=3, areas=everywhere, new_code=FITTER))
        panel.technician(m.SetUser(id="boss", name="B", level=2, areas=everywhere, new_code=CODE, code=FITTER))
        panel.settle()
        yield made


def test_an_update_by_two_consents_proves_itself_by_the_centers_receipt(tmp_path: Path, signer: BundleSigner) -> None:
    keys: dict[str, str] = {}
    with (
        Mosquitto(tmp_path) as broker,
        Center("127.0.0.1", broker.port, tmp_path / "center", panels=keys.get) as center,
        machine(signer, broker.port, center=(center.receipt_key.x, center.command_key.x)) as box,
    ):
        panel = box.panel
        keys[panel.panel] = panel.panel_x() or ""
        bundle = str(box.bundle("0.2.0"))
        box.grant()
        offered = box.update("install", bundle, "--even-armed", "--reason", "keypad", "--yes", code=FITTER)
        assert (offered.returncode, "of a user is awaited" in offered.stdout) == (0, True), offered.stderr
        again = box.update("consent", "--yes", code=FITTER)
        assert "of a user is awaited" in again.stdout  # one can't be both
        panel.arm()
        person = at_terminal("update", "consent", "--config", "panel.toml", cwd=panel.folder)
        person.expect(r"Consent to version 0\.2\.0\?")
        person.sendline("y")
        person.expect("Your own code: ")
        person.sendline(CODE)
        assert ended(person)[0] == 0
        box.until(box.restarting)
        armed = panel.mode()
        assert armed != "disarmed"
        assert box.boot() == "B"
        assert panel.mode() == armed
        box.until(lambda: box.status()["stage"] == "good")
        box.until(lambda: box.updates()[-1]["kind"] == "update.good")
        kinds = [record["kind"].removeprefix("update.") for record in box.updates()]
        told = box.updates()[-1]["payload"]
        assert kinds == ["offered", "consented", "checked", "installing", "installed", "restarting", "trying", "good"]
        # Core ended before it could tell the updater of the last record: the step is told anew, and recorded once.
        number = told.pop("step")
        forgotten = {**told, "type": "step", "number": number, "kind": "update.good"}
        box.boot(lacks=forgotten)
        box.until(lambda: not box.steps())
        assert len(box.updates()) == len(kinds)
        assert (told["version"], told["by"], told["reason"]) == ("0.2.0", ["fitter", "boss"], "keypad")
        [test] = [record for record in panel.records() if record["kind"] == "test.manual"]
        assert test["payload"]["by"] == "update"
        here = "SELECT count(*) FROM records WHERE panel=? AND kind='update.good'"
        box.until(lambda: center.store.rows(here, panel.panel)[0][0] == 1)
        shown = json.loads(box.update("status", "--json").stdout)
        assert (shown["running"], shown["slot"], shown["home"], shown["kept"]) == ("0.2.0", "B", "B", "0.1.0")
        panel.check_journal()


def test_who_may_not_and_what_may_not(signer: BundleSigner) -> None:
    with machine(signer) as box:
        good = str(box.bundle("0.2.0"))
        assert "let the installer in" in box.update("install", good, "--yes", code=FITTER).stderr
        assert "not that of a user" in box.update("install", good, "--yes", code="999999").stderr
        assert box.updates() == []
        box.grant()
        other = BundleSigner.make(box.panel.folder / "other")
        for path, why, zh in (
            (box.bundle("0.3.0", other), "not signed by whom", "签名"),
            (box.bundle("0.0.9"), "older than this panel", "版本低于"),
            (box.panel.folder / "none.raucb", "nothing can be read", "无法读取"),
        ):
            done = box.update("install", str(path), "--yes", code=FITTER)
            assert (done.returncode, why in done.stderr) == (1, True), done.stderr
            assert zh in box.update("status", lang="zh").stdout
        box.until(lambda: len(box.updates()) >= 6)
        assert [record["kind"] for record in box.updates()] == ["update.offered", "update.refused"] * 3
        assert box.update("install").returncode == 2
        assert box.update("install", good, "--even-armed", code=FITTER).returncode == 2
        assert box.update("consent", "--yes", code=CODE).returncode == 1
        assert box.update("rollback", "--yes", code=FITTER).returncode == 1
        assert box.fake.read()["order"] == ["A", "B"]


def test_a_slot_that_does_not_start_and_a_power_cut_while_it_waits(signer: BundleSigner) -> None:
    with machine(signer) as box:
        good = str(box.bundle("0.2.0"))
        box.grant()
        assert box.update("install", good, "--yes", code=FITTER).returncode == 0
        box.panel.arm()
        assert box.update("consent", "--yes", code=CODE).returncode == 0
        box.until(lambda: box.status()["waiting"] == "disarmed")
        # An armed panel waits; a power cut starts what ran before.
        assert box.boot(cut=True) == "A"
        box.until(lambda: box.status()["waiting"] == "disarmed")
        assert not box.restarting()
        box.panel.code()
        box.until(box.restarting)
        told = box.fake.read()
        box.fake.write({**told, "left": {**told["left"], "B": 0}})  # three starts that came to nothing
        assert box.boot() == "A"
        box.until(lambda: box.status()["stage"] == "gone-back")
        box.panel.settle()
        box.until(lambda: box.updates()[-1]["kind"] == "update.gone-back")
        assert box.updates()[-1]["payload"]["why"] == "did-not-start"
        assert "did not start" in box.update("status").stdout
        assert os.access(box.book, os.R_OK)
