"""What every rig shares: the alarm center's end, the recording, the waits, the verdict. A rig fills in the hooks.

What a hook does is noted for the timeline here; what outputs do the rig notes itself (`record.put`), from whatever
thread reads them.
"""

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from drivers.wiring import Position
from firmware.protocol import messages as m
from hil.demo_panel import Refused
from hil.rigs.broken import break_file, break_records, break_wire
from hil.rigs.far_end import FarEnd
from hil.rigs.hooks import Hooks
from hil.rigs.network_camera import SECRET, NetworkCamera
from hil.rigs.protocol import CameraFault, Channel, Mark, NotSeen, Process, RigName
from hil.rigs.recording import Recording, now_ms
from hil.rigs.site import AREAS, CODE, DURESS, KEYPAD, NAME, USER, Delivery, Wanted, panel_file
from hil.verdict import Verdict, judge

LOOK_S = 0.1
"""How often core is asked how its areas stand."""
DRAIN_S = 60.0
REPLY_S = 20.0
REPORTS_S = 60.0
"""A panel that has just been started is at its center after so long."""


class BaseRig(Hooks):
    """A panel on a rig. `begin`, the scenario, then `finish` (the verdict) and always `end`."""

    name: ClassVar[RigName]
    hosts: ClassVar[tuple[str, ...]] = ()
    """More addresses under which the panel reaches the host, for the broker's certificate."""

    patience: ClassVar[float] = 1.0
    """A rig whose processor is slower than a panel's waits so many times longer."""
    broken = ""
    """One of `broken.BREAKS`: a negative control."""

    def __init__(self, folder: Path, wanted: Wanted, panel: str = "") -> None:
        """`folder`: for this run alone. `panel`: its id, where the panel is there already."""
        self.folder = folder
        self.wanted = wanted
        self.panel = panel or f"rig-{os.urandom(4).hex()}"
        self.record = Recording()
        self.far = FarEnd(folder, self.panel, self.hosts, self._panel_x, self.record)
        self.lobby = NetworkCamera(folder) if wanted.rtsp else None
        self._looking = threading.Event()
        self._looker = threading.Thread(target=self._look, name="looker", daemon=True)

    # --- a run

    def begin(self) -> None:
        """The panel at rest and disarmed, with its user, watched, and all of it known to the center.

        Raises `RigFault` where the rig does not come up, `NotSeen` where the panel does not.
        """
        break_wire(self.broken)
        self.self_check()
        self.far.start()
        if self.lobby is not None:
            self.lobby.start()
        self._bring_up(self.delivery())
        user = m.SetUser(id=USER, name=NAME, level=2, areas=list(AREAS), new_code=CODE, new_duress_code=DURESS)
        try:
            self._ask(user)
        except (OSError, Refused) as error:
            raise NotSeen(f"the panel takes no first user: {error}") from error
        self._looker.start()
        self.center_sees("user.set", within_s=REPORTS_S)

    def delivery(self) -> Delivery:
        """What is installed on the panel."""
        host, port = self._way()
        text = panel_file(self.panel, self._place(), self.far.way(host, port), self.wanted)
        keys = dict(self.far.identity())
        if self.lobby is not None:
            keys[SECRET] = self.lobby.secret
        return Delivery(self.panel, break_file(self.broken, text), keys)

    def finish(self) -> Verdict:
        """All that the panel recorded is at the center, in order, unaltered; its journals are sound.

        The panel is stopped in good order for it. Raises `NotSeen` when the center does not get all of it.
        """
        self._drained()
        self._stop_looking()
        journals = self.folder / "journals"
        journals.mkdir(exist_ok=True)
        self._stop(journals)
        break_records(self.broken, journals, self.far.folder / "center" / "center.sqlite")
        return judge(journals, str(self._panel_x()), [self.far.center.receipt_key.x], [self.far.folder / "center"])

    def end(self) -> None:
        """Take down what is still there. Never raises for a panel that is gone."""
        self._stop_looking()
        try:
            self._take_down()
        finally:
            if self.lobby is not None:
                self.lobby.close()
            self.far.close()

    def _drained(self) -> None:
        """Until no path is in trouble, and the center holds the journal in use from 1 to what core has recorded."""
        end = time.monotonic() + DRAIN_S
        found = "core does not answer"
        while time.monotonic() < end:
            with suppress(OSError, Refused):
                status = self.status()
                ways = [name for name in status["troubles"] if name.startswith("path")]
                held = self.far.count(status["journal"])
                if held == status["seq"] and not ways:
                    return
                found = f"it holds {held} of {status['seq']}, troubles: {ways}"
            self.far.center.wait(lambda _: False, LOOK_S)
        raise NotSeen(f"the center does not hold the whole journal within {DRAIN_S:g} s: {found}")

    # --- hands

    def step(self, text: str) -> None:
        """What comes next, for the timeline."""
        self.record.note("step", text)

    def open(self, zone: str) -> None:
        """Trip it, and leave it so."""
        self._moved(zone, Position.OPEN)

    def close(self, zone: str) -> None:
        """Back to rest."""
        self._moved(zone, Position.CLOSE)

    def cut(self, zone: str) -> None:
        """Cut its line."""
        self._moved(zone, Position.CUT)

    def short(self, zone: str) -> None:
        """Short its line."""
        self._moved(zone, Position.SHORT)

    def mask(self, zone: str) -> None:
        """Cover its eye."""
        self._moved(zone, Position.MASK)

    def _moved(self, zone: str, position: Position) -> None:
        self.record.note("input", zone, str(position))
        self._move(zone, position)

    def press(self, zone: str, hold_ms: int = 1000) -> None:
        """Trip it for so long."""
        mark = self.record.note("input", zone, str(Position.OPEN))
        self._press(zone, hold_ms)
        self.record.put(Mark(mark.ms + hold_ms, "input", zone, str(Position.CLOSE)))

    def code(self, digits: str, wish: m.WishName = "toggle", zone: str = "", areas: tuple[str, ...] = ()) -> None:
        """Type a code. Whose it is stands on the timeline, its digits do not."""
        whose = {CODE: "code", DURESS: "duress code"}.get(digits, "wrong code")
        self.record.note("code", f"{wish} {zone}".strip(), whose)
        self._type(m.Code(digits=digits, wish=wish, zone=zone, areas=list(areas), source=KEYPAD))

    def arm(self) -> None:
        """Arm all areas, and wait until they are."""
        since = self.now()
        self.code(CODE, "arm")
        for area in AREAS:
            self._sees(area, "armed", since, 30.0)

    def disarm(self) -> None:
        """Disarm all areas, and wait until they are."""
        since = self.now()
        self.code(CODE, "disarm")
        for area in AREAS:
            self._sees(area, "disarmed", since, 30.0)

    # --- supply and surroundings

    def mains(self, on: bool) -> None:
        """Switch the mains."""
        self.record.note("power", "mains", on)
        self._mains(on)

    def battery(self, volts: float) -> None:
        """What the battery shows."""
        self.record.note("power", "battery", f"{volts:g} V")
        self._battery(volts)

    def power_cut(self) -> None:
        """All power goes."""
        self.record.note("power", "panel", False)
        self._power_cut()

    def switch_off(self) -> None:
        """Shut it down in good order; until it is off."""
        self.record.note("power", "panel", False)
        self._switch_off()

    def power_on(self) -> None:
        """It comes back; until core is ready."""
        self.record.note("power", "panel", True)
        self._power_on()

    def disk_full(self, full: bool) -> None:
        """Take all room of the journal's medium, or give it back."""
        self.record.note("process", "disk", "full" if full else "room")
        self._disk_full(full)

    def clock(self, utc: datetime | None) -> None:
        """What its clock says at the next boot."""
        self.record.note("power", "clock", "right" if utc is None else f"{utc:%Y-%m-%d}")
        self._clock(utc)

    def unplug(self, bus: str) -> None:
        """Pull out a bus's adapter."""
        self.record.note("process", bus, "unplugged")
        self._unplug(bus)

    def plug(self, bus: str) -> None:
        """Plug it in again."""
        self.record.note("process", bus, "plugged")
        self._plug(bus)

    def camera(self, fault: CameraFault) -> None:
        """Cover or unplug it; and back."""
        self.record.note("process", "lens", fault)
        if self.lobby is not None:
            self.lobby.turn(fault)
        else:
            self._camera(fault)

    # --- processes

    def kill(self, process: Process) -> None:
        """SIGKILL."""
        self.record.note("process", process, "killed")
        self._kill(process)

    def hang(self, process: Process) -> None:
        """SIGSTOP."""
        self.record.note("process", process, "hung")
        self._hang(process)

    def hang_board(self) -> None:
        """The computer itself."""
        self.record.note("process", "board", "hung")
        self._hang_board()

    def capture(self) -> Channel:
        """Somebody else on the uplink's socket."""
        self.record.note("process", "uplink", "captured")
        return self._capture()

    def release(self) -> None:
        """The true one again."""
        self.record.note("process", "uplink", "released")
        self._release()

    # --- the line

    def network(self, up: bool) -> None:
        """Cut the line, or mend it."""
        self.record.note("network", "line", up)
        self.far.line(up)

    def broker_replaced(self) -> None:
        """Another broker at the same address."""
        self.record.note("network", "broker", "replaced")
        self.far.replace_broker()

    def command(self, command: str, args: Mapping[str, Any], operator: str = "Wang Fang") -> Mapping[str, Any]:
        """A signed command; the panel's signed reply."""
        self.record.note("code", f"command {command}", operator)
        return self.far.command(command, args, operator, REPLY_S)

    # --- eyes

    def now(self) -> int:
        """The host's boot clock, ms."""
        return now_ms()

    def marks(self) -> list[Mark]:
        """All of this run so far."""
        return self.record.marks()

    def reads(self, output: str) -> bool:
        """Whether it is on now."""
        return self._read(output)

    def waits_for(self, output: str, on: bool = True, since: int = 0, within_s: float = 15.0) -> Mark:
        """Until the output is so."""
        what = f"output {output} {'on' if on else 'off'}"
        return self.record.wait(
            "output", output, lambda k: k.value is on and k.ms >= since, self._patient(within_s), what
        )

    def stays(self, output: str, on: bool, for_s: float) -> None:
        """It is so, and stays so."""
        since = self.now()
        if self.reads(output) is not on:
            raise NotSeen(f"output {output} is {'off' if on else 'on'}, expected the opposite")
        with suppress(NotSeen):
            turned = self.waits_for(output, not on, since, for_s / self.patience)
            raise AssertionError(f"output {output} turned {'off' if on else 'on'} after {turned.ms - since} ms")

    def status(self) -> dict[str, Any]:
        """Core's own view."""
        return self._ask(m.AskStatus())

    def mode(self, area: str) -> str:
        """How an area stands."""
        return str(self.status()["areas"][area]["mode"])

    def sees(self, area: str, mode: str, within_s: float = 15.0) -> Mark:
        """Until the area stands so, or it does already."""
        latest = self.record.latest("area", area)
        return latest if latest is not None and latest.value == mode else self._sees(area, mode, self.now(), within_s)

    def _sees(self, area: str, mode: str, since: int, within_s: float) -> Mark:
        return self.record.wait(
            "area",
            area,
            lambda k: k.value == mode and k.ms >= since,
            self._patient(within_s),
            f"area {area} {mode}",
        )

    def without(self, trouble: str, within_s: float = 20.0) -> int:
        """Until core has no such trouble; the number of its newest record."""
        end = self.now() + self._patient(within_s) * 1000
        while True:
            status = self.status()
            found = [name for name in status["troubles"] if name.partition(":")[0] == trouble]
            if not found:
                return int(status["seq"])
            if self.now() >= end:
                raise NotSeen(f"the end of {', '.join(found)}")
            self._looking.wait(LOOK_S)

    def center_sees(
        self, kind: str, zone: str = "", since: int = 0, within_s: float = 20.0, after: int = 0, **payload: Any
    ) -> dict[str, Any]:
        """Until the center holds such a record."""
        members = {**({"zone": zone} if zone else {}), **payload}

        def wanted(record: dict[str, Any]) -> bool:
            found = record["payload"] if isinstance(record["payload"], dict) else {}
            new = record["ms"] >= since and record["header"]["seq"] > after
            return new and all(found.get(name) == value for name, value in members.items())

        return self.far.wait_held(kind, wanted, self._patient(within_s))

    def center_holds(self, kind: str) -> list[dict[str, Any]]:
        """What it holds of a kind."""
        return self.far.held(kind)

    def _patient(self, within_s: float) -> float:
        return within_s * self.patience

    def _look(self) -> None:
        """Ask core again and again how it stands; its silence while it is down is no finding."""
        before: dict[tuple[str, str], Any] = {}
        while not self._looking.wait(LOOK_S):
            try:
                status = self.status()
            except (OSError, Refused, ValueError, KeyError):
                continue
            seen: dict[tuple[str, str], Any] = {("area", id_): a["mode"] for id_, a in status["areas"].items()}
            seen |= {("trouble", name): True for name in status["troubles"]}
            seen |= {place: False for place in before if place[0] == "trouble" and place not in seen}
            for (track, name), value in seen.items():
                if before.get((track, name)) != value:
                    self.record.note("area" if track == "area" else "trouble", name, value)
            before = seen

    def _stop_looking(self) -> None:
        self._looking.set()
        if self._looker.is_alive():
            self._looker.join(30)
