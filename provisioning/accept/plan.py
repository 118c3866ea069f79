"""What an acceptance run has to do, made from the panel file: every zone, line, box, siren, camera and path. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from drivers.loop_plan import LoopPlan, Resistors
from drivers.wiring import MEANT, Position, Wiring, seen_as
from firmware.config import Box, Loop, PanelFile, Wire, Zone
from firmware.config.modbus import Point
from rules.site import Condition, ZoneType
from rules.zones import ALARM_KINDS, HOLD_UPS, KEYSWITCHES, SILENT, WALKED


class Act(StrEnum):
    """The kinds of steps. `trip`, `seen`, `key`: a zone; `line`: harm its line; `box`: open a cabinet."""

    TRIP = "trip"
    SEEN = "seen"
    LINE = "line"
    KEY = "key"
    BOX = "box"
    MAINS = "mains"
    BATTERY = "battery"
    STANDBY = "standby"
    SIREN = "siren"
    CAMERA = "camera"
    PATH = "path"
    RESPONSE = "response"
    RECEIPTS = "receipts"


@dataclass(frozen=True)
class Step:
    """One thing to do and to see. `subject`: id of the zone, box, camera or path; `position`: what to do to it.

    `expects`: kinds of the record that must follow. `walk`: in a walk test, so that nobody is alarmed. `silent`: the
    panel shows nothing of it, so a person has to say when it is at rest again.
    """

    id: str
    act: Act
    clause: str
    subject: str = ""
    name: str = ""
    number: int = 0
    position: str = ""
    expects: tuple[str, ...] = ()
    walk: bool = False
    silent: bool = False


LINES: tuple[Position, ...] = (Position.CUT, Position.SHORT, Position.UNPOWERED, Position.MASK)


def plan(file: PanelFile) -> list[Step]:
    """All steps in the order in which they cause least disturbance: first what a walk test keeps quiet."""
    zones = sorted(file.zone, key=lambda zone: zone.number)
    walked = [step for zone in zones for step in _zone(zone)]
    return [
        *(step for step in walked if step.walk),
        *(step for step in walked if not step.walk and step.act is not Act.KEY),
        *(step for zone in zones for step in _lines(zone)),
        *(step for box in file.box for step in _box(box)),
        *_supply(file),
        *_sirens(file),
        *(Step(f"camera:{c.id}", Act.CAMERA, "pictures", c.id, c.name) for c in file.camera),
        *_paths(file),
        *_response(zones),
        # A key that arms ends the installer's session (EN 50131-1: only while unset).
        *(step for step in walked if step.act is Act.KEY),
        *_receipts(file),
    ]


def _zone(zone: Zone) -> Iterator[Step]:
    type_ = ZoneType(zone.type)
    step = Step(f"zone:{zone.id}:trip", Act.TRIP, "indication", zone.id, zone.name, zone.number, "open")
    made = {"silent": type_ in SILENT}
    if zone.tag is not None or type_ in (ZoneType.CHECKPOINT, ZoneType.MONITOR):
        if zone.tag is None:
            yield _with(step, act=Act.SEEN)
    elif type_ in KEYSWITCHES:
        yield _with(step, act=Act.KEY, clause="control", expects=("area.",))
    elif type_ in WALKED:
        yield _with(step, expects=("test.zone-seen",), walk=True)
    elif type_ in HOLD_UPS:
        yield _with(step, clause="hold-up", expects=("test.hold-up-seen",), walk=True, **made)
    else:
        clause = "tamper" if type_ is ZoneType.TAMPER else "indication"
        yield _with(step, clause=clause, expects=(ALARM_KINDS[type_],), **made)


def _with(step: Step, **members: object) -> Step:
    return Step(**{**vars(step), **members})


def _lines(zone: Zone) -> Iterator[Step]:
    """What is done to the line, as far as the wiring can tell it."""
    told = tellable(zone)
    expects = ("alarm.sensor-tamper", "alarm.tamper", "zone.")
    for position in LINES:
        if MEANT[position] in told and (position is not Position.UNPOWERED or zone.supply_cut):
            yield Step(
                f"zone:{zone.id}:{position}",
                Act.LINE,
                "line",
                zone.id,
                zone.name,
                zone.number,
                position.value,
                expects,
                silent=ZoneType(zone.type) in SILENT,
            )


def tellable(part: Zone | Box) -> frozenset[Condition]:
    """The conditions of its line that its wiring can tell apart."""
    point = part.point if isinstance(part, Zone) else None
    if part.input is not None:
        return _of_wire(part.input)
    loop = part.loop or (point if point is not None and point.analogue is not None else None)
    return _of_loop(loop) if loop is not None else frozenset({Condition.ACTIVE})


def _of_wire(wire: Wire) -> frozenset[Condition]:
    wiring = Wiring(wire.wiring)
    return frozenset(seen_as(wiring, position) for position in Position) - {Condition.NORMAL}


def _of_loop(loop: Loop | Point) -> frozenset[Condition]:
    plan_ = LoopPlan(
        Resistors(loop.resistors),
        Wiring(loop.wiring),
        loop.eol_ohm,
        loop.alarm_ohm,
        loop.fault_ohm,
        Condition(loop.fault_means),
    )
    return plan_.told - {Condition.NORMAL}


def _box(box: Box) -> Iterator[Step]:
    yield Step(f"box:{box.id}", Act.BOX, "tamper", box.id, box.name, 0, "open", ("trouble.box",))


def _supply(file: PanelFile) -> Iterator[Step]:
    power = file.power
    if power.mains_line is not None:
        yield Step("mains", Act.MAINS, "power", position="off", expects=("trouble.mains", "power.mains-dip"))
    if power.battery_line is not None or power.battery is not None:
        yield Step("battery", Act.BATTERY, "standby")
    yield Step("standby", Act.STANDBY, "standby")


def _sirens(file: PanelFile) -> Iterator[Step]:
    for output in file.output:
        if output.kind == "siren":
            yield Step("siren", Act.SIREN, "siren")
            return


def _paths(file: PanelFile) -> Iterator[Step]:
    for path in file.path:
        if path.kind != "sms":
            yield Step(f"path:{path.id}", Act.PATH, "outward", path.id, path.id, 0, "cut", ("trouble.path",))


def _response(zones: list[Zone]) -> Iterator[Step]:
    """The response time, at a zone that sounds a siren while disarmed where there is one."""
    tampers = [z for z in zones if ZoneType(z.type) is ZoneType.TAMPER]
    walked = [z for z in zones if ZoneType(z.type) in WALKED]
    zone = next(iter([*tampers, *walked]), None)
    if zone is not None:
        tamper = ZoneType(zone.type) is ZoneType.TAMPER
        expects = ("alarm.tamper",) if tamper else ("test.zone-seen",)
        where = (zone.id, zone.name, zone.number, "open", expects)
        yield Step("response", Act.RESPONSE, "response", *where, walk=not tamper)


def _receipts(file: PanelFile) -> Iterator[Step]:
    if any(path.kind != "sms" for path in file.path):
        yield Step("receipts", Act.RECEIPTS, "outward")
