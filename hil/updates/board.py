"""A commissioned panel on the very image, with its alarm center, and what people do to its software."""

import json
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel

from drivers.wiring import Input, Position, levels
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from firmware.protocol.lines import encode
from hil.rigs.far_end import FarEnd
from hil.rigs.machine.agent import AgentError
from hil.rigs.machine.image import ImageBoard
from hil.rigs.machine.qemu import HOST_SEEN_FROM_GUEST, Forward
from hil.rigs.protocol import RigFault
from hil.rigs.recording import Recording
from hil.rigs.site import AREAS, Place, Wanted, panel_file
from hil.updates import frozen

PANEL = "bank-update"
HOME = "/data/fenghuo"
TECHNICIAN = "/run/fenghuo/technician.sock"
PORT = 8883
PUBLIC = "panel.x"
"""The panel's public key, in the folder of a board that is kept."""
BOSS, FITTER = "271828", "161803"
CORE_S = 400.0
INSTALL_S = 900.0
TRIAL_S = 900.0
COMMAND_S = 300.0
_MIB = 1024 * 1024


class UpdateBoard:
    """A context manager: the board is on, the panel guards, and its center holds what it recorded."""

    def __init__(self, img: Path, folder: Path, forwards: Sequence[Forward] = ()) -> None:
        """`forwards`: what the panel reaches besides its broker."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        kept = folder / PUBLIC
        self.x: str | None = kept.read_text() if kept.exists() else None
        self.far = FarEnd(folder / "far", PANEL, (HOST_SEEN_FROM_GUEST,), lambda: self.x, Recording())
        (folder / "far").mkdir(exist_ok=True)
        self.far.start()
        place = Place(pins="board", keys=f"{HOME}/keys", data=f"{HOME}/data", run="/run/fenghuo")
        self.toml = panel_file(PANEL, place, self.far.way(HOST_SEEN_FROM_GUEST, PORT), Wanted())
        ways = [Forward(PORT, self.far.port), *forwards]
        self.board = ImageBoard(self._card(img), folder / "board", ways, _at_rest(self.toml))
        self.stick = Path()
        """The stick that was plugged in last."""
        self._stick = ""

    def _card(self, img: Path) -> Path:
        """What is on the card before the first boot."""
        return img

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.board.close()
        self.far.close()

    def commission(self) -> None:
        """From the image to a panel with an installer and a user."""
        self.board.on()
        agent = self.board.machine.agent
        self.until(lambda: agent.run("mountpoint", "-q", "/data").code == 0, CORE_S, "the data partition is mounted")
        for name, content in self.far.identity().items():
            agent.put(f"{HOME}/keys/{name}", content, 0o600, "fenghuo-uplink")
        agent.must("chown", "fenghuo-uplink:", f"{HOME}/keys")
        agent.put(f"{HOME}/panel.toml", self.toml.encode(), 0o644)
        agent.must(
            "systemctl", "start", "--no-block", "fenghuo-site", "fenghuo-core", "fenghuo-uplink", "fenghuo-updater"
        )
        made = f"{HOME}/data/keys/core.jwk"
        self.until(lambda: agent.run("test", "-e", made).code == 0, CORE_S, "core has made its key")
        self.x = json.loads(agent.get(made))["x"]
        self.up()
        self.people()

    def keep(self) -> None:
        """Another run may go on with cards of this panel, in this folder."""
        self.far.keep_keys()
        (self.folder / PUBLIC).write_text(str(self.x))

    def people(self) -> None:
        """The first installer and the first user; the center hears of them."""
        areas = list(AREAS)
        self.ask(m.SetUser(id="fitter", name="F", level=3, areas=areas, new_code=FITTER))
        self.ask(m.SetUser(id="boss", name="B", level=2, areas=areas, new_code=BOSS, code=FITTER))
        self.far.wait_held("user.set", lambda record: record["payload"]["user"] == "boss", CORE_S)

    def up(self, within_s: float = CORE_S) -> None:
        """Wait until core and updater answer."""
        self.until(lambda: bool(self.status()), within_s, "core and updater answer")

    # --- asking

    def ask(self, message: BaseModel) -> dict[str, Any]:
        """The technician's socket; the answer's detail. Raises `RigFault` for a refusal."""
        line = encode(message).decode().strip()
        answer = json.loads(self.board.machine.agent.ask(TECHNICIAN, [line], 1, 60.0)[0])
        if not answer.get("ok"):
            raise RigFault(f"{message}: {answer.get('reason')}")
        detail: dict[str, Any] = answer["detail"]
        return detail

    def status(self) -> dict[str, Any]:
        """Of the update; empty while nobody answers."""
        try:
            return self.ask(u.AskUpdate())
        except (AgentError, RigFault, OSError, ValueError, IndexError):
            return {}

    def until(self, true: Callable[[], bool], within_s: float, what: str) -> float:
        """Seconds that it took. Raises `RigFault`."""
        begun = time.monotonic()
        while time.monotonic() - begun < within_s:
            if true():
                return time.monotonic() - begun
            time.sleep(1.0)
        raise RigFault(f"{what}: not within {within_s:g} s; {self.status()}\n{self.log()}")

    def log(self) -> str:
        """The end of what updater and rauc said."""
        try:
            words = ("journalctl", "-b", "-n", "60", "--no-pager", "-o", "cat", "-u", "fenghuo-updater", "-u", "rauc")
            return self.board.machine.agent.run(*words, timeout_s=60).out[-4000:]
        except (AgentError, RigFault):
            return self.board.machine.console()

    def kinds(self) -> list[str]:
        """The steps that the center holds, in the journal's order."""
        return list(self.steps().values())

    def steps(self) -> dict[int, str]:
        """The steps of updates that the center holds, by `seq`, each with its reason."""
        asked = "SELECT seq, kind, payload FROM records WHERE panel=? AND kind LIKE 'update.%' ORDER BY seq"
        rows = self.far.center.store.rows(asked, PANEL)
        return {
            int(seq): f"{str(kind).removeprefix('update.')} {json.loads(payload or '{}').get('why', '')}".strip()
            for seq, kind, payload in rows
        }

    # --- people

    def fenghuo(self, *words: str, code: str = "") -> tuple[int, str]:
        """A command as a person at the panel's terminal calls it; its exit code and what it said."""
        typed = ("--code-stdin",) if code else ()
        done = self.board.machine.agent.run(
            "fenghuo", "update", *words, "--config", f"{HOME}/panel.toml", *typed,
            timeout_s=COMMAND_S, given=f"{code}\n".encode(),
        )  # fmt: skip
        return -1 if done.code is None else done.code, done.out + done.err

    def consents(self, *words: str, then: Callable[[], object] = lambda: None) -> tuple[int, str]:
        """A user lets the installer in; he offers and consents, then the user does. What they were told.

        `then`: between the two consents.
        """
        self.ask(m.Session(act="grant", code=BOSS))
        code, said = self.fenghuo(*words, "--yes", code=FITTER)
        if code == 0:
            then()
            code, more = self.fenghuo("consent", "--yes", code=BOSS)
            said += more
        return code, said

    def arm(self, armed: bool = True) -> None:
        """By the center, as nobody is at a keypad."""
        self.far.command("arm" if armed else "disarm", {"areas": ["hall"]}, "duty", CORE_S)

    def mode(self) -> str:
        """Of the hall."""
        return str(self.ask(m.AskStatus())["areas"]["hall"]["mode"])

    # --- sticks

    def plug(self, bundle: Path) -> None:
        """Plug in a USB stick with this bundle on it."""
        self.pull()
        self.stick = image = self.folder / f"stick-{bundle.stem}.img"
        image.unlink(missing_ok=True)
        size = bundle.stat().st_size // _MIB + 16
        for words in (
            ["truncate", "-s", f"{size}M", str(image)],
            ["mkfs.vfat", "-n", "STICK", str(image)],
            ["mcopy", "-i", str(image), str(bundle), "::"],
        ):
            subprocess.run(words, check=True, capture_output=True)
        self._add_stick()
        self.until(lambda: self._sees_stick(), 60, "the stick is seen")

    def _add_stick(self) -> None:
        node, image = f"stick{time.monotonic_ns()}", self.stick
        qmp = self.board.machine.qmp
        qmp("blockdev-add", driver="raw", node_name=node, file={"driver": "file", "filename": str(image)})
        qmp("device_add", driver="usb-storage", id=node, drive=node, bus="usb.0")
        self._stick = node

    def _sees_stick(self) -> bool:
        return bool(self.board.machine.agent.run("sh", "-c", "ls /sys/class/block | grep ^sd").out.strip())

    def pull(self) -> None:
        """Pull it out."""
        if self._stick:
            self.board.machine.qmp("device_del", id=self._stick)
            self.until(lambda: not self._sees_stick(), 60, "the stick is gone")
            self.board.machine.qmp("blockdev-del", node_name=self._stick)
        self._stick = ""

    # --- the card

    def from_card(self, card: Path, center: Path, stick: Path) -> None:
        """The power goes; it comes back with this card and stick, and a center that holds what it held then."""
        with suppress(RigFault):
            self.board.cut()
        self.far.center_of(center)
        shutil.copyfile(card, self.folder / "board" / "card.qcow2")
        self.board.on(0.0)
        self.stick = stick
        self._add_stick()
        self.board.met()

    def known(self, center: Path) -> frozen.Known:
        """For a look at a card; `center`: the folder of a copy of its store."""
        return frozen.Known(str(self.x), self.far.center.receipt_key.x, center)

    def audit(self) -> str:
        """What the center says of the records it holds: each once, in its place, unaltered."""
        rows = self.far.center.store.rows("SELECT count(*), max(seq) FROM records WHERE panel=?", PANEL)
        journals = self.far.center.store.rows("SELECT count(DISTINCT journal) FROM records WHERE panel=?", PANEL)
        findings = self.far.center.store.rows("SELECT what, detail FROM findings WHERE panel=?", PANEL)
        told = [f"{row[0]} {row[1]}" for row in findings]
        return f"{rows[0][0]} records to seq {rows[0][1]}, {journals[0][0]} journal, findings: {told or 'none'}"

    def freeze(self, place: Path) -> None:
        """The card as a power cut at this moment would leave it: what QEMU has in memory is lost."""
        qmp = self.board.machine.qmp
        qmp("stop")
        try:
            shutil.copyfile(self.folder / "board" / "card.qcow2", place)
        finally:
            qmp("cont")


def _at_rest(toml: str) -> dict[int, int]:
    """How the site's input lines stand when nobody is there."""
    site = tomllib.loads(toml)
    found = {site["power"]["mains_line"]: 0, site["power"]["battery_line"]: 0}
    for zone in site["zone"]:
        if "input" in zone:
            wire = Input(zone=zone["id"], **zone["input"])
            found |= {
                line: int(level) for line, level in zip(wire.lines, levels(wire.wiring, Position.CLOSE), strict=True)
            }
    return found
