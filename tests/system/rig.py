"""A panel of real processes on simulated pins, for tests of the whole way: start, kill, watch, read its journal."""

import ctypes
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol import messages as m
from firmware.protocol.jws import Signer, b64url, load_public
from hil import demo_site
from hil.demo_panel import Watcher, ask
from hil.timeline import Happening

CODE, DURESS = "271828", "314159"
START_S = 20.0


def public_x(signer: Signer) -> str:
    """The `x` of the JWK of a signer's public key."""
    return b64url(signer.public.public_bytes_raw())


_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def _die_with_the_test() -> None:
    """A session of its own, and SIGKILL when an interrupted test run is gone."""
    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """One of the panel's processes, started as a service manager would."""

    def __init__(self, rig: "Rig", name: str, extra: tuple[str, ...] = (), argv: Sequence[str] | None = None) -> None:
        """`argv`: another command than `fenghuo run NAME`."""
        self.name = name
        path = rig.folder / f"notify-{name}"
        path.unlink(missing_ok=True)
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.bind(str(path))
        self._notify.settimeout(START_S)
        self.log = rig.folder / f"{name}.log"
        environment = os.environ | {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "4000000"}
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                argv or [*extra, sys.executable, "-m", "firmware.cli", "run", name, "--config", str(rig.panel_toml)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_the_test,
            )

    def wait_ready(self) -> "Process":
        """Until it says READY=1."""
        self.wait_told("READY=1")
        return self

    def wait_told(self, what: str) -> None:
        """Until it says this to its service manager."""
        while what not in self._notify.recv(4096).decode():
            assert self.popen.poll() is None, self.log.read_text()[-2000:]

    def silent_for(self, seconds: float) -> None:
        """It tells its service manager nothing for so long (what it said before is taken away first)."""
        self._notify.settimeout(0.3)
        while True:
            try:
                self._notify.recv(4096)
            except TimeoutError:
                break
        self._notify.settimeout(seconds)
        try:
            said = self._notify.recv(4096)
        except TimeoutError:
            self._notify.settimeout(START_S)
            return
        raise AssertionError(f"it said {said!r}")

    def kill(self) -> None:
        """SIGKILL, and wait. The whole group: a tracer before it would leave it behind."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(10)
        self._notify.close()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        try:
            return self.popen.wait(15)
        finally:
            self._notify.close()


class Rig:
    """The bank of the demo in a folder of its own, with keys of a center made for the test."""

    def __init__(
        self,
        port: int = 1,
        clock_rate: int = 1,
        edit: Callable[[str], str] = lambda text: text,
        center: tuple[str, str] | None = None,
    ) -> None:
        """`center`: the `x` of the receipt and command keys of a real center, else the test's own keys count."""
        # Not pytest's folder: a unix socket's path holds 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="fh-", dir="/tmp"))
        self.receipts = Signer(Ed25519PrivateKey.generate())
        self.commands = Signer(Ed25519PrivateKey.generate())
        receipt_x, command_x = center or (public_x(self.receipts), public_x(self.commands))
        demo_site.make(self.folder, demo_site.Address("127.0.0.1", port), receipt_x, command_x)
        fast = f'pins = "simulated"\nclock_rate = {clock_rate}'
        self.rewrite(lambda text: edit(text.replace('pins = "simulated"', fast, 1)))
        self.panel = f"bank-{os.urandom(4).hex()}"
        self.rewrite(lambda text: text.replace('id = "bank-demo"', f'id = "{self.panel}"'))
        self.processes: dict[str, Process] = {}
        self.seen: list[Happening] = []
        self._changed = threading.Condition()
        self._watcher: Watcher | None = None

    def rewrite(self, edit: Callable[[str], str]) -> None:
        """Change the panel file."""
        self.panel_toml.write_text(edit(self.panel_toml.read_text()))

    # --- places -----------------------------------------------------------------------------------

    @property
    def panel_toml(self) -> Path:
        return self.folder / "panel.toml"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    def panel_x(self) -> str | None:
        """`x` of core's public key, once it has made it."""
        file = self.data / "keys" / "core.jwk"
        return str(json.loads(file.read_text())["x"]) if file.exists() else None

    # --- processes --------------------------------------------------------------------------------

    def start(self, *names: str, extra: tuple[str, ...] = ()) -> None:
        """Start these processes and wait until they are ready: core first, so that it knows the others by then."""
        for together in ([n for n in names if n == "core"], [n for n in names if n != "core"]):
            for name in together:
                self.processes[name] = Process(self, name, extra)
            for name in together:
                self.processes[name].wait_ready()
        if "core" in names:
            self.watch()

    def watch(self) -> None:
        """Follow the desk socket; comes back by itself when core does."""
        if self._watcher is None:
            self._watcher = Watcher(self.run / "desk.sock", self._take)
            self._watcher.start()
        assert self._watcher.watching.wait(START_S)

    def _take(self, happening: Happening) -> None:
        with self._changed:
            self.seen.append(happening)
            self._changed.notify_all()

    def kill(self, name: str) -> None:
        """SIGKILL one process."""
        self.processes.pop(name).kill()

    def stop(self, *names: str) -> dict[str, int]:
        """SIGTERM these (all without names); their exit codes."""
        order = names or [n for n in ("core", "uplink", "camera") if n in self.processes]
        return {name: self.processes.pop(name).stop() for name in order}

    def close(self) -> None:
        """End everything and remove the folder."""
        if self._watcher is not None:
            self._watcher.stop()
        for process in self.processes.values():
            process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the installer's hands and eyes -------------------------------------------------------------

    def desk(self, message: Any) -> dict[str, Any]:
        """Ask the desk socket."""
        return ask(self.run / "desk.sock", message)

    def move(self, zone: str, position: Any) -> None:
        """Bring a detector into a position."""
        self.desk(m.Move(zone=zone, position=position))

    def code(self, digits: str = CODE, wish: Any = "toggle", **more: Any) -> None:
        """Type a code."""
        self.desk(m.Code(digits=digits, wish=wish, **more))

    def technician(self, message: Any) -> dict[str, Any]:
        """Ask the technician's socket."""
        return ask(self.run / "technician.sock", message)

    def add_user(self) -> None:
        """The first user, for all areas, with a duress code."""
        user = m.SetUser(
            id="manager", name="Li Wei", level=2, areas=["hall", "vault"], new_code=CODE, new_duress_code=DURESS
        )
        self.technician(user)

    def status(self) -> dict[str, Any]:
        """Core's private view."""
        return self.technician(m.AskStatus())

    def mode(self, area: str = "hall") -> str:
        """The mode of an area."""
        return str(self.status()["areas"][area]["mode"])

    def mark(self) -> int:
        """How much has been seen: for `wait(..., since=mark)`."""
        with self._changed:
            return len(self.seen)

    def wait(self, what: str, name: str, value: Any = None, since: int = 0, timeout_s: float = 15.0) -> Happening:
        """Until this is seen (any value where None); the happening. Fails the test when it does not come."""

        def find() -> Happening | None:
            return next(
                (
                    h
                    for h in self.seen[since:]
                    if h.what == what and h.name == name and (value is None or h.value == value)
                ),
                None,
            )

        with self._changed:
            self._changed.wait_for(lambda: find() is not None, timeout_s)
            found = find()
            latest = [(h.what, h.name, h.value) for h in self.seen[since:]][-12:]
        assert found is not None, f"{what} {name} {value} not seen within {timeout_s} s; last: {latest}"
        return found

    def settle(self) -> None:
        """Until core has read every zone once (its debounce after start) and decided."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            health = self.desk(m.AskDesk())["zones"]
            if all(zone.get("condition") not in (None, "unknown") for zone in health.values()):
                return
            threading.Event().wait(0.02)
        raise AssertionError(f"zones not read: {health}")

    def arm(self) -> None:
        """Arm both areas by code and wait for it."""
        since = self.mark()
        self.code(wish="arm")
        self.wait("tell", "armed", since=since)

    # --- the journal -----------------------------------------------------------------------------------

    def records(self) -> list[dict[str, Any]]:
        """All records of the journal in use, header and payload, read from a running or a dead panel."""
        with closing(sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)) as db:
            rows = db.execute("SELECT header, payload FROM record ORDER BY seq").fetchall()
        return [json.loads(header) | {"payload": json.loads(payload)} for header, payload in rows]

    def kinds(self) -> list[str]:
        """The kinds of all records, in order."""
        return [record["kind"] for record in self.records()]

    def check_journal(self) -> None:
        """The whole journal verifies."""
        from firmware.journal.verify import verify

        report = verify(self.journal, load_public(str(self.panel_x())))
        assert not report.findings, report.findings


@contextmanager
def rig(**more: Any) -> Iterator[Rig]:
    """A rig that is taken down in the end."""
    made = Rig(**more)
    try:
        yield made
    finally:
        made.close()
