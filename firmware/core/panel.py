"""The panel put together, in the order of a signal's way: wires, rules, outputs, journal, sockets.

`Panel` builds the parts, says in which order they start and stop, and carries what one part tells another. It decides
nothing itself.
"""

import logging
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rules
from drivers.gpio import GpioDriver
from drivers.pins import open_factory
from firmware.clock import Clock, utc_text
from firmware.config import Loaded, to_site
from firmware.core.camera_port import CameraFacts, CameraPort
from firmware.core.codes import Codes
from firmware.core.commands import Commands
from firmware.core.delivery import Deliveries
from firmware.core.engine import Engine, Ports
from firmware.core.heartbeat import Heartbeats
from firmware.core.keys import load_or_make
from firmware.core.recorder import Recorder
from firmware.core.refusals import Refusals
from firmware.core.restore import restart
from firmware.core.sockets import Server
from firmware.core.talk import Talk
from firmware.core.technician_port import TechnicianPort, TechnicianSources
from firmware.core.uplink_port import UplinkFacts, UplinkPort
from firmware.core.wires import SUPPLY, output_lines, supply_inputs, zone_inputs
from firmware.core.witness import Witness
from firmware.journal import Commit, Draft, Journal, Mark, Telemetry
from firmware.protocol import messages as m
from firmware.protocol.envelope import PublicState
from firmware.protocol.jws import KeyRing, Signer, load_public
from firmware.version import VERSION
from rules.effects import Answer, Capture, JsonValue, Record, Tell
from rules.site import Condition, ZoneType
from rules.stimuli import TroubleChanged, ZoneChanged
from rules.vocabulary import KINDS

if TYPE_CHECKING:
    from drivers.simulated import SimulatedWorld
    from firmware.core.desk_port import DeskPort

log = logging.getLogger("fenghuo.core")

HEALTH_EVERY_S = 60.0
TELEMETRY_EVERY_S = 2.0
LAST_WORDS_S = 3.0
TELEMETRY_ITEMS = 64
USER_KINDS = ("user.set", "user.removed")

Seen = Callable[[str, str, Any], None]


def _encode(state: object) -> bytes:
    """The journal keeps states without knowing what they are."""
    return rules.encode(cast(rules.PanelState, state))


def _unseen(_what: str, _name: str, _value: Any) -> None:
    return


class Panel:
    """One panel. `start` brings it up, `stop` takes it down in good order; `alive` is what the watchdog asks."""

    def __init__(self, loaded: Loaded, clock: Clock) -> None:
        """Open the journal and claim the outputs: when this returns, a siren that sounded sounds again.

        Raises `DriverError` (no GPIO), `BadKey`, `OSError`.
        """
        file = loaded.file
        self._loaded = loaded
        self._clock = clock
        self._site = to_site(file)
        self._server = Server()
        self._witness = Witness(clock, self._server) if file.panel.pins == "simulated" else None
        self._seen: Seen = self._witness.seen if self._witness is not None else _unseen
        self._silent_zones = {z.id for z in self._site.zones.values() if z.type is ZoneType.HOLD_UP}
        keys = load_or_make(loaded.data / "keys")
        self._journal = Journal.open(
            data=loaded.data,
            fallback=loaded.run,
            panel=file.panel.id,
            signer=keys.signer,
            clock=clock,
            encode=_encode,
            lane_of=lambda kind: KINDS[kind].lane,
            is_checkpoint=lambda kind: KINDS[kind].checkpoint,
        )
        self._begin = restart(self._site, self._journal.restored, clock, VERSION, loaded.sha256)
        self._last_turn = -1
        self._clock_state = "synchronised"
        self._world = self._simulated_world() if file.panel.pins == "simulated" else None
        self._output_at = {output.line: output for output in output_lines(file)}
        self._factory = open_factory(file.panel.pins, file.panel.chip, loaded.run, self._pin_changed)
        self._driver = GpioDriver(
            self._factory,
            [*zone_inputs(file), *supply_inputs(file)],
            output_lines(file),
            clock.monotonic_ms,
            self._condition,
            lambda _name, present: self._trouble("driver", present, "gpio"),
            file.panel.clock_rate,
        )
        if self._world is not None:
            self._world.apply(self._factory)
        self._driver.claim_outputs(rules.outputs(self._site, self._begin.state))
        self._talk = Talk()
        self._moved = threading.Condition()
        self._recorder = Recorder(
            self._journal, clock, self._durable, lambda what: self._trouble("storage", bool(what), "", what)
        )
        self.engine = Engine(
            self._site,
            self._begin.state,
            clock,
            Ports(self._switch, self._commit, self._capture, self._changed, self._driver.report_all),
        )
        self._telemetry = Telemetry.open(loaded.data)
        self._codes = Codes(file.panel.id, keys.pepper)
        self._build_ports(keys.signer)

    def _build_ports(self, signer: Signer) -> None:
        file, session = self._loaded.file, self._journal.restored.session
        panel, center = file.panel.id, file.center
        self._refusals = Refusals(self._clock, self.engine.submit)
        self._reader = self._journal.reader()
        self._deliveries = Deliveries(
            self._reader,
            panel,
            KeyRing([load_public(x) for x in (center.receipt_keys if center else [])]),
            self._recorder.mark_delivered,
            lambda reason, detail: self._refusals.note("receipt", reason, detail),
        )
        self._commands = Commands(
            panel,
            KeyRing([load_public(x) for x in (center.command_keys if center else [])]),
            signer,
            self._clock,
            self._refusals,
            self.engine.submit,
            self._public_view,
            lambda jws: self._server.broadcast("uplink", m.ReplyOut(jws=jws)),
        )
        self._uplink = UplinkPort(
            UplinkFacts(
                panel,
                session,
                VERSION,
                frozenset(path.id for path in file.path),
                float(center.path_fault_s if center else 60),
            ),
            self._deliveries,
            self._commands,
            Heartbeats(panel, session, signer, self._clock, self._recorder.mark),
            self.engine.submit,
            self._state_message,
            self._troubles,
            self._server,
        )
        self._camera = CameraPort(
            CameraFacts(panel, session, VERSION, frozenset(camera.id for camera in file.camera)),
            self._clock,
            self.engine.submit,
            self._server,
        )
        self._technician = TechnicianPort(
            TechnicianSources(
                status=self._private_view,
                users=lambda: self.engine.state.durable.people.users,
                areas=frozenset(self._site.areas),
                snapshot=self._snapshot,
                records=self._records_after,
                submit=self.engine.submit,
            ),
            self._codes,
            self._server,
        )
        self._desk = self._desk_port()

    # --- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Sense, decide, record; then talk. The zones are read before anybody outside is heard."""
        self._recorder.start()
        self.engine.submit(self._begin.started)
        self.engine.start()
        self._driver.start()
        self._codes.start()
        self._open_sockets()

    def _open_sockets(self) -> None:
        run, server = self._loaded.run, self._server
        server.add(self._uplink.role(run / "uplink.sock"))
        server.add(self._technician.role(run / "technician.sock"))
        if self._loaded.file.camera:
            server.add(self._camera.role(run / "camera.sock"))
        if self._desk is not None:
            server.add(self._desk.role(run / "desk.sock"))
        self._uplink.attach(self._loaded.file.timings.heartbeat_s)
        self._camera.attach()
        server.every(HEALTH_EVERY_S, self._health)
        server.every(TELEMETRY_EVERY_S, self._send_telemetry)
        server.every(HEALTH_EVERY_S, self._refusals.close_window)
        server.every(HEALTH_EVERY_S, self._check_clock)
        server.start()

    def alive(self) -> bool:
        """Whether the rules and driver threads still turn. A stalled card does not count: the siren goes on."""
        turn = self.engine.turn()
        turned, self._last_turn = turn != self._last_turn, turn
        return turned and self._driver.alive()

    def stop(self, reason: str) -> None:
        """Record the stop, write what waits, close. Outputs keep their level until the process ends."""
        if self._desk is not None:
            self._desk.close()
        self._driver.close()
        self.engine.stop(reason)
        self._last_words()
        self._recorder.close()
        self._server.stop()
        self._codes.stop()
        self._telemetry.close()
        self._reader.close()
        self._factory.close()

    def _last_words(self) -> None:
        """Let the uplink carry the last records away; not for long, and not where no center answers."""
        until = time.monotonic() + LAST_WORDS_S
        with self._moved:
            while self._undelivered() and (left := until - time.monotonic()) > 0:
                self._moved.wait(min(left, 0.2))

    def _undelivered(self) -> bool:
        troubles = self.engine.state.durable.troubles
        if not self._server.peers("uplink") or any(name.startswith("path:") for name in troubles):
            return False
        head = self._deliveries.head().journals[-1]
        waits = any(head.first_undelivered[lane] <= last for lane, last in head.last.items())
        return waits or not self._recorder.settled()

    # --- from the wires to the rules -----------------------------------------------------------------

    def _condition(self, name: str, condition: Condition) -> None:
        if name in SUPPLY:
            self._trouble(SUPPLY[name], condition is not Condition.NORMAL, "", condition.value)
            return
        self.engine.submit(ZoneChanged(name, condition))
        self._seen("condition", name, condition.value)
        if name not in self._silent_zones:
            self._note("telemetry.zone", {"zone": name, "condition": condition.value})

    def _trouble(self, trouble: str, present: bool, subject: str = "", detail: str = "") -> None:
        self.engine.submit(TroubleChanged(trouble, present, subject, detail))

    # --- from the rules to the world (rules thread) --------------------------------------------------

    def _switch(self, output: str, on: bool) -> None:
        self._driver.switch(output, on)

    def _capture(self, capture: Capture) -> None:
        self._camera.order(capture)
        self._seen("capture", capture.zone, capture.incident)

    def _commit(self, records: tuple[Record, ...], state: rules.PanelState, talk: tuple[Tell | Answer, ...]) -> None:
        clock = self._clock
        moment = (utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())
        drafts = tuple(Draft(record.kind, record.payload, *moment) for record in records)
        ticket = self._recorder.submit(Commit(drafts, state))
        users = [record for record in records if record.kind in USER_KINDS]
        self._talk.hold(ticket, [partial(self._say, word) for word in (*talk, *users)])
        for record in records:
            self._seen("record", record.kind, dict(record.payload))

    def _changed(self, state: rules.PanelState) -> None:
        self._recorder.deadline_running = rules.next_deadline(state) is not None
        self._server.call(self._uplink.tell_state, once=True)

    # --- when records are durable -----------------------------------------------------------------------

    def _durable(self, ticket: int, mark: Mark) -> None:
        self._talk.durable(ticket)
        with self._moved:
            self._moved.notify_all()
        self._seen("durable", mark.journal, mark.seq)
        self._server.call(self._uplink.tell_head, once=True)
        self._server.call(self._uplink.tell_state, once=True)

    def _say(self, word: Tell | Answer | Record) -> None:
        match word:
            case Tell() if word.notice == "user-refused":
                self._technician.user_settled(str(word.args["user"]), str(word.args["reason"]))
            case Tell():
                self._seen("tell", word.notice, {"source": word.source, **word.args})
            case Answer():
                self._server.call(lambda: self._commands.answer(word))
            case Record():
                self._technician.user_settled(str(word.payload["user"]), "")

    # --- what others are shown ----------------------------------------------------------------------------

    def _public_view(self) -> dict[str, JsonValue]:
        return rules.public_view(self._site, self.engine.state)

    def _private_view(self) -> dict[str, JsonValue]:
        mark = self._recorder.mark()
        return {
            **rules.private_view(self._site, self.engine.state),
            "panel": self._loaded.file.panel.id,
            "version": VERSION,
            "journal": mark.journal,
            "seq": mark.seq,
            "health": self._figures(),
        }

    def _state_message(self) -> m.State | None:
        """The public state; None while it is ahead of the durable mark: then the mark's next move sends it."""
        if not self._recorder.settled():
            return None
        mark = self._recorder.mark()
        body = PublicState(
            panel=self._loaded.file.panel.id,
            journal=mark.journal,
            seq=mark.seq,
            time=utc_text(self._clock.utc()),
            **self._public_view(),  # type: ignore[arg-type]
        )
        return m.State(body=body.model_dump())

    def _troubles(self) -> list[str]:
        return list(self.engine.state.durable.troubles)

    def _records_after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """As many as fit a line of the socket, one at least."""
        rows: list[dict[str, Any]] = []
        size = 0
        for stored in self._reader.after(seq, limit):
            size += stored.size()
            if rows and size > m.MAX_BATCH_BYTES:
                break
            rows.append(
                {"header": loads(stored.header), "payload": loads(stored.payload or b"null"), "hash": stored.hash}
            )
        return rows

    def _snapshot(self) -> "Future[Path]":
        return self._recorder.snapshot(self._loaded.run / "snapshot.sqlite")

    # --- figures ------------------------------------------------------------------------------------------

    def _figures(self) -> dict[str, JsonValue]:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        driver = self._driver.health()
        return {
            "steps": self.engine.steps,
            "step_errors": self.engine.errors,
            "stimuli_lost": self.engine.lost,
            "records_lost": self._recorder.lost,
            "refused": self._refusals.total,
            "bad_lines": self._server.refused,
            "peers_dropped": self._server.dropped,
            "orders_dropped": self._camera.dropped,
            "lines_failing": driver["failing"],
            "line_errors": driver["errors"],
            "max_rss_kib": usage.ru_maxrss,
            "cpu_ms": int((usage.ru_utime + usage.ru_stime) * 1000),
        }

    def _health(self) -> None:
        self._note("telemetry.health", self._figures())

    def _note(self, kind: str, data: dict[str, JsonValue]) -> None:
        self._telemetry.add(kind, utc_text(self._clock.utc()), data)

    def _send_telemetry(self) -> None:
        if self._server.peers("uplink") and (items := self._telemetry.take(TELEMETRY_ITEMS)):
            self._server.broadcast("uplink", m.Telemetry(items=items))

    def _check_clock(self) -> None:
        state = self._clock.state()
        if state != self._clock_state:
            self._clock_state = state
            self._trouble("clock", state != "synchronised", "", state)

    # --- the desk -----------------------------------------------------------------------------------------

    def _simulated_world(self) -> "SimulatedWorld":
        from drivers.simulated import FILE, SimulatedWorld

        power = self._loaded.file.power
        return SimulatedWorld(
            self._loaded.run / FILE, zone_inputs(self._loaded.file), power.mains_line, power.battery_line
        )

    def _desk_port(self) -> "DeskPort | None":
        if self._world is None or self._witness is None:
            return None
        from firmware.core.desk import Desk
        from firmware.core.desk_port import DeskPort

        desk = Desk(self._world, self._driver, self._private_view, self._loaded.file.panel.clock_rate)
        return DeskPort(desk, self._codes, self._witness, self.engine.submit)

    def _pin_changed(self, line: int, level: bool) -> None:
        """An output line took this level: seen at the pin, not at the command."""
        if output := self._output_at.get(line):
            self._seen("output", output.output, level == output.active_high)
