"""The alarm center's end of a rig, always on the host: a real Mosquitto over TLS, the reference center, a line to cut.

The panel reaches one address, a proxy's; behind it the broker may be replaced and the line cut. Keys and certificates
are made for each run and die with its folder.
"""

import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hil.authority import Authority
from hil.broker import HOST, Mosquitto, free_port
from hil.center import Arrival, Center
from hil.fault_proxy import FaultProxy
from hil.faults import Weather
from hil.rigs.protocol import Mark, NotSeen, RigFault
from hil.rigs.recording import Recording
from hil.rigs.site import Way

_CUT = Weather(up=False, down=False, welcome="hang")
_TOLD = ("record", "receipt")
_LISTENER = """allow_anonymous true
listener {port} 127.0.0.1
require_certificate true
cafile {ca}/ca.pem
certfile {ca}/broker.pem
keyfile {ca}/broker.key
"""


class FarEnd:
    """Started by `start`; `panel_x` tells the panel's public key once there is one."""

    def __init__(
        self, folder: Path, panel: str, hosts: tuple[str, ...], panel_x: Callable[[], str | None], record: Recording
    ) -> None:
        """`hosts`: the addresses under which the panel may reach the broker, for its certificate."""
        self.panel = panel
        self.folder = folder
        self._hosts: tuple[str, ...] = (HOST, *(host for host in hosts if host != HOST))
        self._panel_x = panel_x
        self._record = record
        kept = (folder / "ca" / "ca.key").exists()
        self._authority = Authority.at(folder / "ca") if kept else Authority.make(folder / "ca", f"rig {panel}")
        self._tls_port = free_port()
        self._known: str | None = None
        self._held: dict[str, list[dict[str, Any]]] = {}
        self._arrived = threading.Condition()
        self._stack = ExitStack()

    def also_at(self, hosts: tuple[str, ...]) -> None:
        """More such addresses, before `start`."""
        self._hosts += hosts

    def start(self) -> "FarEnd":
        """Broker, line, center. Raises `RigFault`: none of it is the panel."""
        self._authority.issue("broker", self._hosts)
        listener = _LISTENER.format(port=self._tls_port, ca=self._authority.folder)
        self._broker = Mosquitto(self.folder, listener)
        try:
            self._stack.enter_context(self._broker)
            self._line = self._stack.enter_context(FaultProxy(self._tls_port))
            self._open_center()
        except (OSError, RuntimeError, TimeoutError) as error:
            self.close()
            raise RigFault(f"the alarm center's end does not start: {error}") from error
        return self

    def _open_center(self) -> None:
        self.center = Center(HOST, self._broker.port, self.folder / "center", self._key_of)
        self.center.on_arrival(self._take)
        self._stack.enter_context(self.center)

    def center_of(self, store: Path) -> None:
        """The center goes on from this folder's store, at a broker that knows of nobody; the panel is off meanwhile."""
        self.center.stop()
        self.replace_broker()
        for name in ("center.sqlite-wal", "center.sqlite-shm"):
            (self.folder / "center" / name).unlink(missing_ok=True)
        shutil.copyfile(store / "center.sqlite", self.folder / "center" / "center.sqlite")
        with self._arrived:
            self._held.clear()
        self._open_center()

    def keep_keys(self) -> None:
        """Another run may go on from this folder: with the same authority, center and store."""
        self._authority.keep_key()

    def close(self) -> None:
        """End it all."""
        self._stack.close()

    @property
    def port(self) -> int:
        """Where the panel's line begins, on the loopback."""
        return self._line.port

    def way(self, host: str, port: int) -> Way:
        """For the panel file; `host` and `port` as the panel sees them."""
        return Way(host, port, self.center.receipt_key.x, self.center.command_key.x)

    def identity(self) -> Mapping[str, bytes]:
        """The panel's TLS files by name: a certificate for its id, the key of it, and the authority."""
        self._authority.issue(self.panel, [])
        own = self._authority.folder
        return {
            "ca.pem": (own / "ca.pem").read_bytes(),
            "panel.pem": (own / f"{self.panel}.pem").read_bytes(),
            "panel.key": (own / f"{self.panel}.key").read_bytes(),
        }

    # --- the line

    def line(self, up: bool) -> None:
        """Cut or mend it."""
        if up:
            self._line.heal()
        else:
            self._line.set(_CUT)

    def replace_broker(self) -> None:
        """Another one with another key at the same address: it knows no session and holds nothing."""
        self._broker.kill()
        self._authority.issue("broker", self._hosts)
        try:
            self._broker.start()
        except RuntimeError as error:
            raise RigFault(str(error)) from error

    # --- what the center holds

    def held(self, kind: str) -> list[dict[str, Any]]:
        """The records of a kind, in the journal's order."""
        with self._arrived:
            return sorted(self._held.get(kind, ()), key=lambda record: int(record["header"]["seq"]))

    def count(self, journal: str) -> int:
        """How many records of a journal the center holds."""
        rows = self.center.store.rows("SELECT COUNT(*) FROM records WHERE panel=? AND journal=?", self.panel, journal)
        return int(rows[0][0])

    def wait_held(self, kind: str, wanted: Callable[[dict[str, Any]], bool], within_s: float) -> dict[str, Any]:
        """Until it holds one that is wanted. Raises `NotSeen`."""

        def found() -> dict[str, Any] | None:
            return next((record for record in self._held.get(kind, ()) if wanted(record)), None)

        with self._arrived:
            self._arrived.wait_for(lambda: found() is not None, within_s)
            record = found()
            if record is None:
                others = [r["payload"] for r in self._held.get(kind, ())][-4:]
                kinds = ", ".join(f"{name} {len(records)}" for name, records in self._held.items())
                raise NotSeen(f"center: no {kind} within {within_s:g} s; of that kind: {others}; held: {kinds}")
            return record

    def command(self, command: str, args: Mapping[str, Any], operator: str, within_s: float) -> Mapping[str, Any]:
        """Send a signed command and wait for the signed reply. Raises `NotSeen`."""
        if not self.center.wait(lambda center: center.heads(self.panel), within_s):
            raise NotSeen(f"center: no heartbeat within {within_s:g} s")
        counter = self.center.command(self.panel, command, args, operator)
        if not self.center.wait(lambda center: center.reply(self.panel, counter), within_s):
            raise NotSeen(f"center: no reply to {command} within {within_s:g} s")
        return self.center.reply(self.panel, counter) or {}

    def _key_of(self, panel: str) -> str | None:
        if panel != self.panel:
            return None
        if self._known is None:
            self._known = self._panel_x()
        return self._known

    def _take(self, arrival: Arrival) -> None:
        """In the center's thread."""
        if arrival.what not in _TOLD:
            return
        body = arrival.body
        if arrival.what == "record":
            record = {"header": body["header"], "payload": body["payload"], "hash": body["hash"]}
            record["ms"] = arrival.monotonic_ms
            with self._arrived:
                self._held.setdefault(body["header"]["kind"], []).append(record)
                self._arrived.notify_all()
            told = {"payload": body["payload"], **{k: body["header"][k] for k in ("lane", "lane_seq", "seq", "clock")}}
            self._record.put(Mark(arrival.monotonic_ms, "record", body["header"]["kind"], told))
        else:
            spans = [(span["first"], span["last"]) for span in body["ranges"]]
            self._record.put(Mark(arrival.monotonic_ms, "receipt", body["lane"], spans))
