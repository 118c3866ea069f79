"""The outside of core: the sockets and the ports behind them, heartbeats, telemetry.

It is built when the inputs are live and the sirens restored, not before: the inside works without it.
"""

import logging
import resource
import threading
import time
from concurrent.futures import Future
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rules
from firmware.clock import utc_text
from firmware.core.acceptance_acts import AcceptanceActs
from firmware.core.alarm_marks import KIND as MARKED
from firmware.core.alarm_marks import AlarmMarks
from firmware.core.camera_port import CameraFacts, CameraPort
from firmware.core.center_keys import Exchanges, Rings
from firmware.core.certificates import Certificates
from firmware.core.clock_port import ClockPort
from firmware.core.codes import Codes
from firmware.core.commands import Commands
from firmware.core.deliveries_seen import DeliveriesSeen
from firmware.core.delivery import Deliveries
from firmware.core.enrolled_later import LateEnrolments
from firmware.core.enrolment import KIND as ENROLLED
from firmware.core.enrolment import Enrolment
from firmware.core.evidence_acts import EvidenceActs
from firmware.core.evidence_keeper import EvidenceKeeper
from firmware.core.fullness import Fullness, use_of
from firmware.core.heartbeat import Heartbeats
from firmware.core.inside import Inside
from firmware.core.key_syntax import asked, within
from firmware.core.keypads import Keypads
from firmware.core.past import Past
from firmware.core.pictures import Pictures
from firmware.core.readers import reader_areas
from firmware.core.refusals import Refusals
from firmware.core.restore import behind
from firmware.core.sockets import Server
from firmware.core.standing import shown
from firmware.core.technician_port import TechnicianPort, TechnicianSources
from firmware.core.trivial import site_numbers
from firmware.core.update_port import UpdateFacts, UpdatePort
from firmware.core.uplink_port import UplinkFacts, UplinkPort
from firmware.core.witness import Witness
from firmware.journal import Mark
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from firmware.protocol.envelope import PublicState
from firmware.version import VERSION
from rules.effects import Answer, Capture, JsonValue, Record, Tell
from rules.stimuli import CodeEntered

if TYPE_CHECKING:
    from firmware.core.desk_port import DeskPort

log = logging.getLogger("fenghuo.core.outside")

HEALTH_EVERY_S = 60.0
TELEMETRY_EVERY_S = 2.0
TELEMETRY_ITEMS = 64
PRUNE_EVERY_S = 3600.0
FULLNESS_EVERY_S = 3600.0
LAST_WORDS_S = 3.0
KEYPADS_EVERY_S = 0.5


class Outside:
    """Built over an inside that runs. `start` opens the sockets; the `Outward` members may come from any thread."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside
        self._server = Server()
        self._moved = threading.Condition()
        self._clock_state = ""
        self._begun_ms = inside.clock.monotonic_ms()
        file = inside.loaded.file
        self._codes = Codes(file.panel.id, inside.keys.pepper)
        self._refusals = Refusals(inside.clock, inside.engine.submit)
        self._rings = Rings(inside.center_keys())
        self._reader = inside.journal.reader()
        self._delivered = DeliveriesSeen(inside.clock.monotonic_ms)
        self._deliveries = self._make_deliveries()
        self._pictures = Pictures(
            self._reader.at,
            inside.engine.submit,
            lambda order: self._server.broadcast("uplink", order),
            frozenset(path.id for path in file.path if path.kind == "mqtt"),
            tuple(file.center.picture_hosts) if file.center else (),
        )
        self._commands = self._make_commands()
        self._clock = self._make_clock()
        self._uplink = self._make_uplink()
        self._camera = CameraPort(
            CameraFacts(
                file.panel.id,
                inside.journal.restored.session,
                VERSION,
                frozenset(c.id for c in file.camera),
                lambda: inside.recorder.mark().journal,
                inside.clock.state,
                inside.loaded.sha256,
            ),
            inside.engine.submit,
            self._server,
            self._kept,
        )
        self._acts = EvidenceActs(
            file.panel.id, inside.keys.signer, inside.clock, inside.engine.submit, self._camera.tell
        )
        self._keeper = EvidenceKeeper(
            file.storage.evidence_days,
            file.storage.evidence_max_days,
            inside.clock,
            inside.engine.submit,
            self._camera.tell,
        )
        self._acceptance = AcceptanceActs(
            file.panel.id, inside.loaded.sha256, inside.keys.signer, inside.clock, inside.engine.submit
        )
        self._marks = AlarmMarks(self._reader.at, inside.engine.submit)
        past = Past(lambda: inside.recorder.mark().seq, self._reader.after)
        self._enrolled = LateEnrolments(inside.loaded.data, inside.engine.submit, past)
        self._updates = self._make_updates(past)
        self._technician = self._make_technician()
        self._witness = Witness(self._server)
        self._desk = self._make_desk()
        self._areas = reader_areas(file)
        self._keypads = Keypads(file, inside.site, inside.driver.show, inside.clock.monotonic_ms)
        self._fullness = Fullness(lambda: use_of(inside.loaded.data), inside.engine.submit)

    def _make_deliveries(self) -> Deliveries:
        inside = self._inside
        return Deliveries(
            self._reader,
            inside.loaded.file.panel.id,
            self._rings.receipt,
            inside.recorder.mark_delivered,
            lambda reason, detail: self._refusals.note("receipt", reason, detail),
            frozenset(path.id for path in inside.loaded.file.path if path.kind == "dc09" and path.acknowledgement),
            self._delivered.note,
        )

    def _make_commands(self) -> Commands:
        inside = self._inside
        return Commands(
            inside.loaded.file.panel.id,
            self._rings.command,
            inside.keys.signer,
            inside.clock,
            self._refusals,
            inside.engine.submit,
            self._public_view,
            lambda jws: self._server.broadcast("uplink", m.ReplyOut(jws=jws)),
            self._pictures,
        )

    def _make_clock(self) -> ClockPort:
        inside, file = self._inside, self._inside.loaded.file
        return ClockPort(
            file.panel.id,
            inside.journal.restored.session,
            VERSION,
            self._rings.receipt,
            inside.clock,
            inside.wall,
            self._refusals,
            self._server,
            file.clock.from_center,
        )

    def _make_uplink(self) -> UplinkPort:
        inside, file = self._inside, self._inside.loaded.file
        panel, session = file.panel.id, inside.journal.restored.session
        path_fault_s = float(file.center.path_fault_s if file.center else 60)
        roots = file.center.root_keys if file.center else []
        paths = frozenset(path.id for path in file.path)
        floor = self._floor()
        return UplinkPort(
            UplinkFacts(
                panel,
                session,
                VERSION,
                paths,
                path_fault_s,
                floor,
                inside.loaded.sha256,
            ),
            self._deliveries,
            self._commands,
            self._pictures,
            Exchanges(panel, roots, self._rings, self._refusals, inside.engine.submit),
            Certificates(panel, paths, inside.keys.signer, inside.clock, floor, inside.engine.submit),
            self._clock,
            Heartbeats(
                panel,
                session,
                inside.keys.signer,
                inside.clock,
                inside.recorder.mark,
                lambda: self._rings.keys.serial,
            ),
            inside.engine.submit,
            self._state_message,
            lambda: list(inside.engine.state.durable.troubles),
            lambda: self._rings.keys.authorities,
            self._server,
            inside.note,
        )

    def _floor(self) -> str:
        """The newest time that the journal is sure of. A clock that says one before that has lost it, in this boot or
        in one before.
        """
        floor = self._reader.newest_sure()
        if behind(floor, self._inside.clock):
            self._inside.clock.suspect(True)
        return floor

    def _make_technician(self) -> TechnicianPort:
        inside = self._inside
        sources = TechnicianSources(
            status=self._private_view,
            drivers=self._drivers,
            users=lambda: inside.engine.state.users,
            areas=frozenset(inside.site.areas),
            snapshot=self._snapshot,
            records=self._records_after,
            submit=inside.engine.submit,
            cameras=frozenset(camera.id for camera in inside.loaded.file.camera),
            relearn=self._camera.relearn,
            paths=frozenset(path.id for path in inside.loaded.file.path),
            tried=lambda: self._uplink.tried,
            try_path=self._uplink.try_path,
            look=lambda camera: self._camera.test(camera, inside.clock.monotonic_ms(), inside.clock.utc()),
            install=inside.installing.wish,
            pin_digits=inside.loaded.file.panel.pin_digits,
            lenient=inside.loaded.file.panel.pins == "simulated",
            numbers=site_numbers(inside.loaded.file),
            seen=self._delivered,
        )
        file = inside.loaded.file
        paths = frozenset(path.id for path in file.path if path.kind == "mqtt")
        enrolment = Enrolment(file.panel.id, paths, inside.keys.signer, inside.clock, inside.engine.submit)
        evidence = self._acts if file.camera else None
        acts = (evidence, enrolment, self._acceptance, self._updates, self._marks)
        return TechnicianPort(sources, self._codes, self._server, *acts)

    def _make_updates(self, past: Past) -> UpdatePort:
        inside = self._inside
        file, session = inside.loaded.file, inside.journal.restored.session
        return UpdatePort(
            UpdateFacts(
                m.Welcome(panel=file.panel.id, session=session, peer=1, version=VERSION),
                self._panel_facts,
                inside.at_rest,
                inside.engine.submit,
                past,
                self._delivered,
            ),
            self._server,
        )

    def _panel_facts(self) -> u.Panel:
        """How the panel is, for the updater. A trial asks whether it is as it was before."""
        inside = self._inside
        health, troubles = inside.driver.health(), inside.engine.state.durable.troubles
        return u.Panel(
            at_rest=inside.at_rest(),
            linked=self._linked(),
            up_ms=inside.clock.monotonic_ms() - self._begun_ms,
            read=all(zone["condition"] is not None or zone["error"] for zone in health["zones"].values()),
            failing=int(health["failing"]),
            restored=inside.came_back(),
            journal=inside.recorder.mark().journal,
            stored="storage" not in troubles,
            receipt=False,
        )

    def _linked(self) -> bool:
        """Whether a way that brings receipts works, as far as is known."""
        troubles, paths = self._inside.engine.state.durable.troubles, self._inside.site.paths
        if not self._server.peers("uplink") or "path:uplink" in troubles or "path:receipts" in troubles:
            return False
        return any(f"path:{path}" not in troubles for path in paths)

    def _make_desk(self) -> "DeskPort | None":
        inside = self._inside
        if inside.world is None:
            return None
        from firmware.core.desk import Desk
        from firmware.core.desk_port import DeskPort

        desk = Desk(inside.world, inside.driver, self._private_view, inside.loaded.file.panel.clock_rate)
        return DeskPort(desk, self._codes, self._witness, inside.engine.submit)

    # --- life -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the sockets; one that can't be opened is tried again."""
        file, run, server = self._inside.loaded.file, self._inside.loaded.run, self._server
        server.add(self._uplink.role(run / "uplink.sock"))
        server.add(self._technician.role(run / "technician.sock"))
        server.add(self._updates.role(run / "updater.sock"))
        if file.clock.from_center:
            server.add(self._clock.role(run / "clock.sock"))
        if file.camera:
            server.add(self._camera.role(run / "camera.sock"))
        if self._desk is not None:
            server.add(self._desk.role(run / "desk.sock"))
        self._uplink.attach(file.timings.heartbeat_s)
        self._camera.attach()
        self._updates.attach()
        server.every(HEALTH_EVERY_S, self._health)
        server.every(TELEMETRY_EVERY_S, self._send_telemetry)
        server.every(HEALTH_EVERY_S, self._refusals.close_window)
        server.every(HEALTH_EVERY_S, self._check_clock)
        server.every(PRUNE_EVERY_S, self._prune)
        server.every(FULLNESS_EVERY_S, self._fullness.look)
        server.call(self._fullness.look)
        server.every(HEALTH_EVERY_S, self._enrolled.look)
        server.call(self._enrolled.look)
        if self._keypads:
            server.every(KEYPADS_EVERY_S, self._look)
        self._codes.start()
        server.start()

    def alive(self) -> bool:
        """Whether the socket thread lives."""
        return self._server.alive()

    def let_go(self) -> None:
        """No fingers on the buttons any more."""
        if self._desk is not None:
            self._desk.close()

    def last_words(self) -> None:
        """Let the uplink carry the last records away; not for long, and not where no center answers."""
        until = time.monotonic() + LAST_WORDS_S
        with self._moved:
            while self._undelivered() and (left := until - time.monotonic()) > 0:
                self._moved.wait(min(left, 0.2))

    def _undelivered(self) -> bool:
        troubles = self._inside.engine.state.durable.troubles
        # A path that bears no receipts (SMS) has no part in this.
        ways = {"uplink", "receipts", *self._inside.site.paths}
        if not self._server.peers("uplink") or any(f"path:{way}" in troubles for way in ways):
            return False
        head = self._deliveries.head().journals[-1]
        waits = any(head.first_undelivered[lane] <= last for lane, last in head.last.items())
        return waits or not self._inside.recorder.settled()

    def stop(self) -> None:
        """Close the sockets."""
        self._server.stop()
        self._codes.stop()
        self._reader.close()

    # --- what the inside tells (`Outward`) ----------------------------------------------------------------

    def changed(self) -> None:
        self._server.call(self._uplink.tell_state, once=True)
        if self._updates.watched:
            self._server.call(self._updates.look, once=True)

    def durable(self, mark: Mark) -> None:
        del mark
        with self._moved:
            self._moved.notify_all()
        self._server.call(self._uplink.tell_head, once=True)
        self._server.call(self._uplink.tell_state, once=True)
        if self._keypads:
            self._server.call(self._look, once=True)

    def capture(self, capture: Capture, monotonic_ms: int, utc: float) -> None:
        self._camera.order(capture, monotonic_ms, utc)

    def said(self, word: Tell | Answer | Record) -> None:
        match word:
            case Tell() if word.notice == "user-refused":
                self._technician.user_settled(str(word.args["user"]), str(word.args["reason"]))
            case Tell() if self._keypads:
                self._server.call(lambda: self._keypads.told(word, self._public_view()))
            case Answer():
                self._server.call(lambda: self._commands.answer(word))
            case Record() if word.kind == "config.keys":
                self._server.call(self._exchange_keys)
            case Record() if word.kind == ENROLLED:
                self._server.call(lambda: self._enrolled.recorded(word))
            case Record() if word.kind == "evidence.deleted":
                self._server.call(lambda: self._keeper.recorded(word))
            case Record() if word.kind == MARKED:
                self._server.call(lambda: self._marks.recorded(word))
            case Record() if word.kind.startswith("acceptance."):
                self._server.call(lambda: self._acceptance.recorded(word))
            case Record() if word.kind.startswith("update."):
                self._server.call(lambda: self._updates.recorded(word))
            case Record() if word.kind.startswith("evidence."):
                self._server.call(lambda: self._acts.recorded(word))
            case Record():
                self._technician.user_settled(str(word.payload["user"]), "")

    def _exchange_keys(self) -> None:
        """An exchange of the center's keys is durable: it counts from now on."""
        before, keys = self._rings.keys, self._inside.center_keys()
        if keys == before:
            return
        self._rings.use(keys)
        log.warning("the center's keys are those of list %d (%s) now", keys.serial, keys.by)
        if keys.authorities != before.authorities:
            self._uplink.tell_authorities()
        self._uplink.beat()

    def _kept(self, told: m.Held | m.Stock) -> None:
        """What camera says of its store."""
        if isinstance(told, m.Held):
            self._acts.held(told)
        else:
            self._keeper.stock(told)

    def entered(self, device: str, what: str, text: str) -> None:
        site, areas = self._inside.site, self._areas[device]
        # A card's number is a code like another: looked up by its key, at one cost, locked out by its own reader.
        wish = asked(text, device, areas, site) if what == "code" else (text, CodeEntered(device, "", areas=areas))
        if wish is None:
            self._server.call(lambda: self._keypads.refuse(device, "unknown-wish", self._public_view()))
        elif not self._codes.enter(self._ask, *wish):
            log.warning("%s: too many codes wait, a %s was refused", device, what)

    def _ask(self, entered: CodeEntered) -> bool:
        """A code or card at a reader, whose key is known now."""
        inside = self._inside
        user, _ = inside.engine.state.durable.people.by_key.get(entered.key, (None, False))
        return inside.engine.submit(within(entered, user.areas if user else (), inside.site))

    def _look(self) -> None:
        """Keypads show nothing that the journal does not hold yet."""
        if self._inside.recorder.settled():
            self._keypads.look(self._public_view())

    def seen(self, what: str, name: str, value: Any, monotonic_ms: int, utc: float) -> None:
        self._witness.seen(what, name, value, monotonic_ms, utc)

    # --- what others are shown ----------------------------------------------------------------------------

    def _public_view(self) -> dict[str, JsonValue]:
        return rules.public_view(self._inside.site, self._inside.engine.state)

    def _private_view(self) -> dict[str, JsonValue]:
        inside = self._inside
        mark, state = inside.recorder.mark(), inside.engine.state
        return {
            **rules.private_view(inside.site, state),
            "users": {user.id: shown(user) for user in state.users.values()},
            "panel": inside.loaded.file.panel.id,
            "version": VERSION,
            "file": inside.loaded.sha256,
            "journal": mark.journal,
            "seq": mark.seq,
            "health": self._figures(),
        }

    def _drivers(self) -> dict[str, Any]:
        inside = self._inside
        drivers = {**inside.driver.drivers(), **inside.power_drivers()}
        for driver in drivers.values():
            # Of a silent button nobody is shown that it is pressed: only whether its line works.
            for zone in inside.silent & driver["zones"].keys():
                driver["zones"][zone] = {"error": driver["zones"][zone]["error"]}
        return {"drivers": drivers, "troubles": dict(inside.engine.state.durable.troubles)}

    def _state_message(self) -> m.State | None:
        """The public state; None while it is ahead of the durable mark: then the mark's next move sends it."""
        inside = self._inside
        if not inside.recorder.settled():
            return None
        mark = inside.recorder.mark()
        body = PublicState(
            panel=inside.loaded.file.panel.id,
            journal=mark.journal,
            seq=mark.seq,
            time=utc_text(inside.clock.utc()),
            **self._public_view(),  # type: ignore[arg-type]
        )
        return m.State(body=body.model_dump())

    def _records_after(self, seq: int, limit: int) -> list[dict[str, Any]]:
        """As many as fit a line of the socket, one at least."""
        rows: list[dict[str, Any]] = []
        size = 0
        for stored in self._reader.after(seq, limit):
            size += stored.size()
            if rows and size > m.MAX_BATCH_BYTES:
                break
            payload = loads(stored.payload or b"null")
            rows.append({"header": loads(stored.header), "payload": payload, "hash": stored.hash})
        return rows

    def _snapshot(self) -> "Future[Path]":
        return self._inside.recorder.snapshot(self._inside.loaded.run / "snapshot.sqlite")

    # --- figures ------------------------------------------------------------------------------------------

    def _figures(self) -> dict[str, JsonValue]:
        inside = self._inside
        usage = resource.getrusage(resource.RUSAGE_SELF)
        driver = inside.driver.health()
        return {
            "steps": inside.engine.steps,
            "step_errors": inside.engine.errors,
            "stimuli_lost": inside.engine.lost,
            "records_lost": inside.recorder.lost,
            "refused": self._refusals.total,
            "bad_lines": self._server.refused,
            "peers_dropped": self._server.dropped,
            "calls_dropped": self._server.calls_dropped,
            "socket_errors": self._server.errors,
            "pictures_refused": self._camera.refused,
            "notes_refused": self._uplink.notes_refused,
            "unsound": self._deliveries.unsound,
            "orders_dropped": self._camera.dropped + inside.doorstep.dropped,
            "lines_failing": driver["failing"],
            "line_errors": driver["errors"],
            **inside.power_figures(),
            **inside.mirror_figures(),
            **self._clock.figures(),
            **self._keeper.figures(),
            "clock_ppb": inside.wall.oscillator_ppb,
            "max_rss_kib": usage.ru_maxrss,
            "cpu_ms": int((usage.ru_utime + usage.ru_stime) * 1000),
        }

    def _health(self) -> None:
        self._inside.note("telemetry.health", self._figures())

    def _send_telemetry(self) -> None:
        if self._server.peers("uplink") and (items := self._inside.telemetry.take(TELEMETRY_ITEMS)):
            self._server.broadcast("uplink", m.Telemetry(items=items))

    def _prune(self) -> None:
        """Let go of delivered records that are older than the file says; never by a clock that is not set."""
        clock = self._inside.clock
        if clock.state() != "unset":
            keep_s = self._inside.loaded.file.storage.retention_days * 86_400
            self._inside.recorder.prune(utc_text(clock.utc() - keep_s))

    def _check_clock(self) -> None:
        state = self._inside.clock.state()
        if state != self._clock_state:
            self._clock_state = state
            self._inside.trouble("clock", state != "synchronised", "", state)
