"""The inside of core, in the order of a signal's way: wires, driver, rules, outputs, journal. No sockets.

When an `Inside` is made, the journal is open, the state restored, and every output claimed with its value: a siren that
sounded sounds again. It owns the parts and says in which order they start and stop; it decides nothing itself.
"""

import logging
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rules
from drivers.gpio import GpioDriver
from drivers.pins import DriverError, open_factory
from firmware import booted
from firmware.clock import Clock, utc_text
from firmware.config import Loaded, kept, to_site
from firmware.core import buses, center_keys
from firmware.core.battery import answer
from firmware.core.doorstep import Doorstep
from firmware.core.engine import Engine, Ports
from firmware.core.field import Field
from firmware.core.installing import Installing
from firmware.core.keys import load_or_make
from firmware.core.leftovers import Sources, leftovers
from firmware.core.lines import Lines
from firmware.core.lock import DataLock
from firmware.core.power import maintained, measured, open_board_watch, open_supply
from firmware.core.readers import reader_ids
from firmware.core.recorder import Recorder
from firmware.core.restore import restart
from firmware.core.talk import Talk
from firmware.core.wall import Wall
from firmware.core.wires import (
    BATTERY,
    MAINS,
    SUPPLY,
    loaded_lines,
    loops_by_chip,
    output_lines,
    supply_inputs,
    zone_inputs,
)
from firmware.journal import Commit, Draft, Journal, Mark, Telemetry
from firmware.journal.former import former_keys
from firmware.language import Text
from firmware.version import VERSION
from rules.effects import Answer, Capture, JsonValue, Record, Request, Tell
from rules.site import Condition
from rules.stimuli import Noted, Stimulus, TroubleChanged, ZoneChanged
from rules.table import AreaMode
from rules.vocabulary import KINDS
from rules.zones import SILENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.analogue import AnalogueDriver
    from drivers.loop_baseline import Baseline
    from drivers.simulated import SimulatedWorld
    from firmware.core.board_watch import BoardWatch
    from firmware.core.mirror import MirrorKeeper
    from firmware.core.supply import SupplyTold

log = logging.getLogger("fenghuo.core")

TOLD_KINDS = (
    *("user.set", "user.removed", "config.keys", "path.enrolled"),
    *("acceptance.begun", "acceptance.ended", "acceptance.signed", "acceptance.alarm-marked"),
    *("evidence.viewed", "evidence.exported", "evidence.held", "evidence.released", "evidence.deleted"),
    *(kind for kind in KINDS if kind.startswith("update.")),
)
"""Records that somebody waits for."""


def _encode(state: object) -> bytes:
    """The journal keeps states without knowing what they are."""
    return rules.encode(cast(rules.PanelState, state))


def _take(data: Path) -> DataLock | None:
    """The lock on the data folder. A disk that takes nothing must not keep the panel from starting."""
    try:
        return DataLock(data)
    except OSError as error:
        log.warning("the data folder can't be locked: %s", error)
        return None


_NO_DESK: Text = (
    'pins = "simulated": this is an image for a board, which has no simulated pins; write pins = "board"',
    'pins = "simulated"：这是用于主板的镜像，不含模拟引脚；请写 pins = "board"',
)


def _simulated_world(loaded: Loaded) -> "SimulatedWorld":
    """Raises `DriverError` on an image, which leaves them out."""
    try:
        from firmware.core.simulated import simulated_world
    except ModuleNotFoundError:
        raise DriverError(_NO_DESK) from None
    return simulated_world(loaded)


class Inside:
    """Senses, decides, sounds and records."""

    def __init__(self, loaded: Loaded, clock: Clock, installed_by: str = "") -> None:
        """Open the journal and claim the outputs. `installed_by`: who has put this file into force a moment ago.

        Raises `AlreadyRunning`, `DriverError` (no GPIO), `BadKey`, `OSError`.
        """
        file = loaded.file
        self._lock = _take(loaded.data)
        self.loaded = loaded
        self.clock = clock
        self.site = to_site(file)
        self.doorstep = Doorstep()
        self.silent = {zone.id for zone in self.site.zones.values() if zone.type in SILENT}
        self._battery: Condition | None = None
        self._lines = Lines(file, self.trouble)
        self._board: BoardWatch | None = None
        self._mirror: MirrorKeeper | None = None
        self._watched = file.panel.pins == "simulated"
        self.keys = load_or_make(loaded.data / "keys")
        self.telemetry = Telemetry.open(loaded.data)
        self.journal = Journal.open(
            data=loaded.data,
            fallback=loaded.run,
            panel=file.panel.id,
            signer=self.keys.signer,
            clock=clock,
            encode=_encode,
            lane_of=lambda kind: KINDS[kind].lane,
            is_checkpoint=lambda kind: KINDS[kind].checkpoint,
            former=former_keys(loaded.data / "keys"),
            make_room=self.telemetry.give_way,
        )
        self._begin = restart(self.site, self.journal.restored, clock, VERSION, loaded.sha256)
        self._installed_by = installed_by
        self.installing = Installing(loaded, self.at_rest)
        self._claim_outputs()
        self._talk = Talk()
        self.recorder = Recorder(
            self.journal, clock, self._durable, lambda what: self.trouble("storage", bool(what), "", what)
        )
        self.engine = self._make_engine()
        self.telemetry.told = self._thinned

    def _make_engine(self) -> Engine:
        panel = self.loaded.file.panel
        # The wall of a simulated panel is as good as its hands and its mains; a board's must have been synchronised.
        trusted = self._watched or self._begin.sure
        wall = Wall(self.clock, panel.timezone, self._submit, panel.clock_rate, trusted, panel.profile)
        self.wall = wall
        ports = Ports(
            self._switch,
            self._commit,
            self._capture,
            self._changed,
            self.driver.report_all,
            self._request,
            wall.look,
        )
        return Engine(self.site, self._begin.state, self.clock, ports)

    def _claim_outputs(self) -> None:
        file = self.loaded.file
        self.world = _simulated_world(self.loaded) if self._watched else None
        self._output_at = {output.line: output for output in output_lines(file)}
        self._factory = open_factory(file.panel.pins, file.panel.chip, self.loaded.run, self._pin_changed)
        gpio = GpioDriver(
            self._factory,
            [*zone_inputs(file), *supply_inputs(file)],
            output_lines(file),
            self.clock.monotonic_ms,
            self._condition,
            lambda _name, present: self.trouble("driver", present, "gpio"),
            file.panel.clock_rate,
        )
        if self.world is not None:
            self.world.apply(self._factory)
        self.supply = open_supply(file, self.clock, self._supply_told, self.world)
        self.driver = self._field(gpio)
        wanted = rules.outputs(self.site, self._begin.state)
        self.driver.claim_outputs(wanted)
        if self.supply is not None:
            for output, on in wanted.items():
                self.supply.output(output, on)

    def _field(self, gpio: GpioDriver) -> Field:
        file = self.loaded.file
        told = buses.Told(self._condition, self.trouble, self._entered, self.clock.monotonic_ms, self.loaded.folder)
        return Field(gpio, *self._loops(), loaded_lines(file), buses.open_buses(file, told))

    def _loops(self) -> "tuple[Sequence[AnalogueDriver], Baseline | None]":
        file = self.loaded.file
        if not file.adc:
            return (), None
        from firmware.core.loops import Told, open_loops, simulate

        if self.world is not None:
            simulate(file, self._factory, self.world)
        level = self.supply.level if self.supply is not None else lambda _name, _part: None
        told = Told(self._condition, self.trouble, self.note, self.clock.monotonic_ms, level)
        return open_loops(file, self._factory, self.loaded.data, told)

    def _supply_told(self) -> "SupplyTold":
        from firmware.core.supply import SupplyTold

        return SupplyTold(self.trouble, self._submit, lambda output, on: self.driver.switch(output, on))

    # --- life -------------------------------------------------------------------------------------

    def keep_file(self) -> None:
        """Keep the checked panel file for the next start, where it was not taken from there."""
        if not isinstance(self.loaded.file, kept.View):
            kept.keep(self.loaded, self.keys.pepper)

    def start(self) -> None:
        """Record, decide, sense."""
        self.recorder.start()
        self.engine.submit(replace(self._begin.started, user=self._installed_by, root_hash=booted.root_hash()))
        self.engine.submit(center_keys.told(self.center_keys()))
        for ended in self._leftovers():
            self.engine.submit(ended)
        self.engine.start()
        self.driver.start()

    def center_keys(self) -> center_keys.CenterKeys:
        """The keys of the alarm center that count, by the panel file and what is decided."""
        return center_keys.in_force(self.loaded.file.center, self.engine.state.durable.center_keys)

    def watch_supply(self) -> None:
        """Begin to watch battery and board: later than the inputs, none of which waits for that."""
        if self.supply is not None:
            self.supply.start()
        self._board = open_board_watch(self.loaded.file, self.clock, self.trouble, self.world)
        self._board.start()

    def start_mirror(self) -> None:
        """Begin to mirror the journal, where the file names a second medium."""
        folder = self.loaded.mirror
        if folder is None:
            return
        from firmware.core.mirror import MirrorKeeper
        from firmware.mirror.words import Setup

        loaded = self.loaded
        what = Setup(
            loaded.file.panel.id,
            str(loaded.data),
            str(loaded.run),
            str(folder),
            str(loaded.path),
            loaded.sha256,
            (loaded.data / "keys" / "core.jwk").read_text(),
            second=not self._watched,
        )
        self._mirror = MirrorKeeper(
            what,
            lambda: int(time.monotonic() * 1000),  # a medium is as slow as it is, however fast the panel's clock runs
            lambda present, detail: self.trouble("mirror", present, "", detail),
        )
        self._mirror.start()

    def mirror_figures(self) -> dict[str, JsonValue]:
        """Of the mirror, where there is one."""
        return {} if self._mirror is None else self._mirror.figures()

    def at_rest(self) -> bool:
        """Whether every area is disarmed and no siren sounds: then another panel file may come into force."""
        durable = self.engine.state.durable
        armed = any(area.mode is not AreaMode.DISARMED for area in durable.areas.values())
        return not armed and not any(siren.on for siren in durable.sirens.values())

    def came_back(self) -> bool:
        """Whether this start went on from the state of before."""
        return self._begin.started.cause != "first"

    def spent(self) -> str:
        """Why the panel must end now, for the battery's sake: what was found; else empty."""
        return "" if self.supply is None else self.supply.spent

    def power_drivers(self) -> dict[str, Any]:
        """The chip that measures the battery, where it has one of its own; as `Field.drivers`."""
        return {} if self.supply is None else self.supply.drivers()

    def power_figures(self) -> dict[str, JsonValue]:
        """Of battery and board, as far as something measures them."""
        board = {} if self._board is None else self._board.figures()
        return {**board, **({} if self.supply is None else self.supply.figures())}

    def _leftovers(self) -> list[TroubleChanged]:
        file = self.loaded.file
        return leftovers(
            self._begin.state.durable.troubles,
            self.journal.storage_trouble,
            Sources(
                {SUPPLY[wire.zone] for wire in supply_inputs(file)} | measured(file),
                {path.id for path in file.path},
                {camera.id for camera in file.camera},
                {loop.zone for loops in loops_by_chip(file).values() for loop in loops} | maintained(file),
                self._lines.watched,
                self._lines.boxes | reader_ids(file),
                self.loaded.mirror is not None,
            ),
        )

    def fall_silent(self, reason: str) -> None:
        """Sense no more, decide what waits, record the stop."""
        if self.supply is not None:
            self.supply.close()
        if self._board is not None:
            self._board.close()
        self.driver.close()
        self.engine.stop(reason)

    def close(self) -> None:
        """Write what waits and close; `give_back` is still to be called."""
        self.recorder.close()
        if self._mirror is not None:
            self._mirror.close()
        self.telemetry.close()

    def give_back(self) -> None:
        """Give the lines and the data folder back, when nobody can ask how the lines do any more."""
        self._factory.close()
        if self._lock is not None:
            self._lock.release()

    # --- from the wires to the rules -----------------------------------------------------------------

    def _submit(self, stimulus: Stimulus) -> bool:
        return self.engine.submit(stimulus)

    def _condition(self, name: str, condition: Condition) -> None:
        if name in SUPPLY:
            self._supply_line(name, condition)
            return
        if self._lines.told(name, condition):
            self._seen("condition", name, condition.value)
            return
        self.engine.submit(ZoneChanged(name, condition))
        self._seen("condition", name, condition.value)
        if name not in self.silent:
            self.note("telemetry.zone", {"zone": name, "condition": condition.value})

    def _entered(self, device: str, what: str, text: str) -> None:
        """A code, card or tag at a device on a bus; without an outside nobody can judge it."""
        if what == "tag":  # one that belongs to no checkpoint; its child has counted it
            log.info("%s: unknown tag %s", device, text)
            return
        self.doorstep.tell(lambda outside: outside.entered(device, what, text))

    def _supply_line(self, name: str, condition: Condition) -> None:
        well = condition is Condition.NORMAL
        if name == MAINS and self.supply is not None:
            self.supply.mains(None if condition is Condition.FAULT else well)
        if name == BATTERY:
            self._battery = condition
            if self.supply is not None:
                self.supply.battery_line(not well)
                return
        self.trouble(SUPPLY[name], not well, "", condition.value)

    def trouble(self, trouble: str, present: bool, subject: str = "", detail: str = "") -> None:
        """A trouble of the panel itself began or ended."""
        self.engine.submit(TroubleChanged(trouble, present, subject, detail))

    # --- from the rules to the world (rules thread) --------------------------------------------------

    def _switch(self, output: str, on: bool) -> None:
        self.driver.switch(output, on)
        if self.supply is not None:
            self.supply.output(output, on)

    def _capture(self, capture: Capture) -> None:
        now, utc = self.clock.monotonic_ms(), self.clock.utc()
        self.doorstep.tell(lambda outside: outside.capture(capture, now, utc))
        self._seen("capture", capture.zone, capture.incident)

    def _commit(self, records: tuple[Record, ...], state: rules.PanelState, talk: tuple[Tell | Answer, ...]) -> None:
        clock = self.clock
        moment = (utc_text(clock.utc()), clock.state(), clock.boot(), clock.monotonic_ms())
        drafts = tuple(Draft(record.kind, record.payload, *moment) for record in records)
        ticket = self.recorder.submit(Commit(drafts, state))
        told = [record for record in records if record.kind in TOLD_KINDS]
        self._talk.hold(ticket, [partial(self._say, word) for word in (*talk, *told)])
        for record in records:
            self._seen("record", record.kind, dict(record.payload))

    def _request(self, request: Request) -> None:
        if self.supply is not None and request.test == "battery":
            self.supply.request()
            return
        has_line = self.loaded.file.power.battery_line is not None
        self.engine.submit(answer(request, has_line, self._battery))

    def _changed(self, state: rules.PanelState) -> None:
        self.recorder.deadline_running = rules.next_deadline(state) is not None
        self.doorstep.tell(lambda outside: outside.changed())

    # --- when records are durable (journal thread) ------------------------------------------------------

    def _durable(self, ticket: int, mark: Mark) -> None:
        self._talk.durable(ticket)
        self._seen("durable", mark.journal, mark.seq)
        self.doorstep.tell(lambda outside: outside.durable(mark))

    def _say(self, word: Tell | Answer | Record) -> None:
        if isinstance(word, Tell):
            self._seen("tell", word.notice, {"source": word.source, **word.args})
        self.doorstep.tell(lambda outside: outside.said(word))

    # --- for those who look ---------------------------------------------------------------------------------

    def _pin_changed(self, line: int, level: bool) -> None:
        """An output line took this level: seen at the pin, not at the command."""
        if output := self._output_at.get(line):
            if self.world is not None:
                self.world.load(output.output, level == output.active_high)
            self._seen("output", output.output, level == output.active_high)

    def _seen(self, what: str, name: str, value: Any) -> None:
        if self._watched:
            now, utc = self.clock.monotonic_ms(), self.clock.utc()
            self.doorstep.tell(lambda outside: outside.seen(what, name, value, now, utc))

    def _thinned(self, thin: bool, dropped: int) -> None:
        kind = "journal.thinned" if thin else "journal.thinned-ended"
        self.engine.submit(Noted(kind, {"dropped": dropped} if thin else {}))

    def note(self, kind: str, data: dict[str, JsonValue]) -> None:
        """Into the telemetry ring."""
        self.telemetry.add(kind, utc_text(self.clock.utc()), data)
