"""A stand for endurance: a panel's real core and uplink, real brokers and centers, each a process that may be killed.

Everything lies in one folder and dies with the process that made it. The panel is the demo's bank on simulated pins;
`hil.traffic` moves them.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from firmware.guard import NotifySocket
from firmware.protocol import messages as m
from hil import demo_site
from hil.broker import HOST
from hil.center.keys import Key, read_jwk_x
from hil.demo_panel import Refused, ask

CODE, DURESS = "271828", "314159"
START_S = 60.0
"""So long a process may take to be ready, on a machine that has other things to do."""
CENTER_FOLDERS = ("center-1", "center-2")

# The rest of the file is the demo's; the second path has the first one's keys of another center.
_SECOND = """
[[path]]
id = "center-2"
kind = "mqtt"
host = "{host}"
port = {port}
plaintext = "I accept that anyone on the network can read and drop reports"
keepalive_s = {keepalive_s}
"""


class Part:
    """One process of the stand. It is ready when it says so to its service manager."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, cwd: Path) -> None:
        self.name = name
        self._argv = ["setpriv", "--pdeathsig", "KILL", *argv]
        self._log = log
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._notify: NotifySocket | None = None

    @property
    def pid(self) -> int:
        """The process id; 0 when it does not run."""
        return self._process.pid if self.running else 0  # type: ignore[union-attr]

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> "Part":
        """Start it; `ready` waits for it. From the stand's main thread: a process dies with the thread that made it."""
        self._notify = NotifySocket()
        environment = os.environ | {"NOTIFY_SOCKET": self._notify.address, "WATCHDOG_USEC": "20000000"}
        environment["PYTHONFAULTHANDLER"] = "1"  # who is aborted tells where each thread stands
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._argv,
                env=environment,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def ready(self, timeout_s: float = START_S) -> "Part":
        """Wait until it says READY=1. Raises `RuntimeError` with the end of its log when it ends or takes too long."""
        process, notify = self._process, self._notify
        if process is None or notify is None:
            raise RuntimeError(f"{self.name} was not started")
        end = time.monotonic() + timeout_s
        while "READY=1" not in notify.received(process.pid):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} is not ready, exit code {process.poll()}:\n{self.said()}")
            select.select([notify.fileno()], [], [], 0.2)
        return self

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """SIGKILL and wait."""
        self._end(signal.SIGKILL)

    def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM and wait; the exit code. Where that does not help it is aborted, and `said` tells where it hung."""
        return self._end(signal.SIGTERM, timeout_s)

    def _end(self, number: signal.Signals, timeout_s: float = 10.0) -> int:
        if self._process is None:
            return 0
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
        try:
            code = self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGABRT)
            code = self._process.wait(10)
        if self._notify is not None:
            self._notify.close()
        self._process = self._notify = None
        return code


class Stand:
    """The panel and its centers. `links`: ports that the panel's one or two paths lead to, proxies or brokers."""

    def __init__(
        self,
        links: Sequence[int],
        brokers: Sequence[int],
        clock_rate: int = 1,
        data: Path | None = None,
        edit: Callable[[str], str] = lambda text: text,
    ) -> None:
        """`brokers`: the ports that the centers connect to. `data`: another place for the panel's data."""
        # A unix socket's path holds 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="fh-", dir="/tmp"))
        self.data = data or self.folder / "data"
        self.panel = f"bank-{os.urandom(4).hex()}"
        self.centers = [self.folder / name for name in CENTER_FOLDERS[: len(links)]]
        self._write(links, clock_rate, edit)
        config = ["--config", str(self.panel_toml)]
        self.core = self._part("core", "firmware.cli", "run", "core", *config)
        self.uplink = self._part("uplink", "firmware.cli", "run", "uplink", *config)
        self.center_parts = [
            self._part(folder.name, "hil.stand_center", str(port), str(folder), self.panel, str(self.core_jwk))
            for folder, port in zip(self.centers, brokers, strict=True)
        ]

    def _part(self, name: str, module: str, *words: str) -> Part:
        return Part(name, [sys.executable, "-m", module, *words], self.folder / f"{name}.log", self.folder)

    def _write(self, links: Sequence[int], clock_rate: int, edit: Callable[[str], str]) -> None:
        receipts = [Key.at(folder / "keys" / "receipt.jwk").x for folder in self.centers]
        commands = Key.at(self.centers[0] / "keys" / "command.jwk").x
        demo_site.make(self.folder, demo_site.Address(HOST, links[0]), receipts[0], commands)
        text = self.panel_toml.read_text()
        for old, new in (
            ('id = "bank-demo"', f'id = "{self.panel}"'),
            ('pins = "simulated"', f'pins = "simulated"\nclock_rate = {clock_rate}'),
            ('data = "data"', f'data = "{self.data}"'),
            ("keepalive_s = 30", "keepalive_s = 10"),
        ):
            text = text.replace(old, new, 1)
        text = re.sub(r"^receipt_keys = .*$", f"receipt_keys = {receipts}".replace("'", '"'), text, flags=re.M)
        if len(links) > 1:
            second = _SECOND.format(host=HOST, port=links[1], keepalive_s=10)
            text = text.replace("[center]\n", f"{second}\n[center]\n", 1)
        self.panel_toml.write_text(edit(text))

    # --- places

    @property
    def panel_toml(self) -> Path:
        """The panel file."""
        return self.folder / "panel.toml"

    @property
    def run(self) -> Path:
        """Where core's sockets are."""
        return self.folder / "run"

    @property
    def core_jwk(self) -> Path:
        """The panel's public key, once core has made it."""
        return self.data / "keys" / "core.jwk"

    @property
    def journal(self) -> Path:
        """The journal in use."""
        return self.data / "journal.sqlite"

    def public_x(self) -> str:
        """`x` of the panel's public key."""
        return read_jwk_x(self.core_jwk.read_text())

    def receipt_x(self) -> list[str]:
        """`x` of the centers' receipt keys."""
        return [Key.at(folder / "keys" / "receipt.jwk").x for folder in self.centers]

    # --- life

    def start(self) -> None:
        """Start centers, core and uplink; the brokers must run. Then the first user."""
        parts = [*self.center_parts, self.core, self.uplink]
        for part in parts:
            part.start()
        for part in parts:
            part.ready()
        self.add_user()

    def add_user(self) -> None:
        """The first user, for all areas, with a duress code."""
        user = m.SetUser(
            id="manager", name="Li Wei", level=2, areas=["hall", "vault"], new_code=CODE, new_duress_code=DURESS
        )
        ask(self.run / "technician.sock", user, START_S)

    def settle(self, timeout_s: float = START_S) -> None:
        """Until core has read every zone once. Raises `TimeoutError`."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            with suppress(OSError, Refused):
                zones = ask(self.run / "desk.sock", m.AskDesk())["zones"]
                if all(zone.get("condition") not in (None, "unknown") for zone in zones.values()):
                    return
            time.sleep(0.05)
        raise TimeoutError(f"core has not read its zones within {timeout_s:g} s")

    def close(self) -> None:
        """Kill what runs and remove the folder."""
        for part in (self.core, self.uplink, *self.center_parts):
            part.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> "Stand":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
