"""`bench.toml`: which relay of which board closes which line of the panel, which input feels which output, its power.

Read whole or not at all: all mistakes at once, each with place, what was found and what is expected.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.modbus.profiles import PROFILES
from drivers.wiring import Input
from firmware.language import Text, pick
from hil.rigs.site import LOADS, Place, Wanted, Way, panel_file

MAX_BYTES = 256 * 1024

_SHAPE: Text = ("{place}: {why}, found {found}", "{place}：{why}，实际为 {found}")
_TOML: Text = ("{file}: not TOML: {why}", "{file}：不是 TOML：{why}")
_UNREADABLE: Text = ("{file}: {why}", "{file}：{why}")
_TWICE: Text = ("{place}: {what} stands {count} times, expected once", "{place}：{what} 出现 {count} 次，应为一次")
_MISSING: Text = ("{place}: line {line} ({name}) has none", "{place}：线路 {line}（{name}）没有对应项")
_NO_LINE: Text = (
    "{place}: line {line} is not used by the scenarios' site; expected one of {known}",
    "{place}：场景站点未使用线路 {line}；应为 {known} 之一",
)
_NO_BOARD: Text = ("{place}: board {board}, expected one of {known}", "{place}：板 {board}，应为 {known} 之一")
_NO_CHANNEL: Text = (
    "{place}: channel {channel} of {board}, expected 1 to {count}",
    "{place}：{board} 的通道 {channel}，应为 1 至 {count}",
)
_NO_PROFILE: Text = (
    "{place}: profile {profile}, expected one of {known}",
    "{place}：型号 {profile}，应为 {known} 之一",
)
_NO_POWER: Text = ("power.{key}: missing for kind {kind}", "power.{key}：{kind} 类型缺少此项")


class BadBench(Exception):
    """A bench file that can't be used. `mistakes`: one text each."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Line = Annotated[int, Field(ge=0, le=27, description="GPIO line of the panel's header")]
Channel = Annotated[int, Field(ge=1, le=64, description="as printed on the board, from 1")]


class BenchSelf(_Model):
    """The bench, and how its panel is reached."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    panel: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_-]*@[A-Za-z0-9.:-]+$", description="for ssh")]
    ssh_options: tuple[str, ...] = ()
    host: Annotated[
        str, Field(pattern=r"^[0-9a-fA-F.:]+$", description="address of this computer, as the panel sees it")
    ]
    chip: Annotated[int, Field(ge=0, le=15)] = 0
    keypad: Annotated[str, Field(description="port of this computer on the panel's keypad bus")] = ""
    keypad_port: Annotated[str, Field(description="the same bus, as the panel names it")] = ""


class Power(_Model):
    """The socket that the panel hangs on. `rest` and `simplerest` as in labgrid's NetworkPowerPort."""

    kind: Literal["rest", "simplerest", "relay", "labgrid"]
    url: str = ""
    index: int = 0
    board: str = ""
    channel: int = 0
    contact: Literal["no", "nc"] = "nc"
    environment: str = ""
    target: str = "panel"
    off_s: Annotated[float, Field(ge=0, le=60, description="how long capacitors hold the board up")] = 5.0


class Board(_Model):
    """A Modbus RTU board on a serial port of this computer, of a profile of `drivers.modbus.profiles`."""

    id: Id
    port: Annotated[str, Field(pattern=r"^/")]
    baud: Literal[9600, 19200, 38400, 57600, 115200] = 9600
    address: Annotated[int, Field(ge=1, le=247)]
    profile: str


class Relay(_Model):
    """A relay contact between a line of the panel and its ground. `no`: closed while the relay is energised."""

    line: Line
    board: str
    channel: Channel
    contact: Literal["no", "nc"] = "no"

    def closed(self, energised: bool) -> bool:
        """Whether the contact pulls the line to ground."""
        return energised == (self.contact == "no")


class Sense(_Model):
    """An input of a board on the load of an output line. `inverted`: it reads on while the load is off."""

    line: Line
    board: str
    channel: Channel
    inverted: bool = False


class Bench(_Model):
    """The whole file."""

    bench: BenchSelf
    power: Power
    board: Annotated[tuple[Board, ...], Field(min_length=1, max_length=16)]
    relay: tuple[Relay, ...]
    sense: tuple[Sense, ...]


@cache
def site() -> Mapping[str, Any]:
    """The scenarios' panel file as data: its lines are those that a bench wires."""
    return tomllib.loads(panel_file("bench-0", Place(pins="board"), Way("h.example", 1, "k", "k"), Wanted()))


@cache
def inputs() -> Mapping[str, Input]:
    """The zones on plain lines, by id."""
    return {zone["id"]: Input(zone=zone["id"], **zone["input"]) for zone in site()["zone"] if "input" in zone}


@cache
def names() -> Mapping[int, str]:
    """What each input line is called on drawings and in faults."""
    found = {site()["power"]["mains_line"]: "mains", site()["power"]["battery_line"]: "battery"}
    for zone, wire in inputs().items():
        legs = ("",) if len(wire.lines) == 1 else (" (NC)", " (NO)")
        found |= {line: f"{zone}{leg}" for line, leg in zip(wire.lines, legs, strict=True)}
    return dict(sorted(found.items()))


def read_bench(file: Path) -> Bench:
    """The file. Raises `BadBench` with every mistake that can be told."""
    try:
        data = file.read_bytes()
        if len(data) > MAX_BYTES:
            raise BadBench([pick(_UNREADABLE, file=file, why=f"> {MAX_BYTES} B")])
        return parse_bench(data, file.name)
    except OSError as error:
        raise BadBench([pick(_UNREADABLE, file=file, why=error.strerror)]) from None


def parse_bench(data: bytes, name: str = "bench.toml") -> Bench:
    """The same of bytes."""
    try:
        raw = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise BadBench([pick(_TOML, file=name, why=str(error)[:200])]) from None
    try:
        # TOML's arrays are lists; strict models take them for tuples only from JSON or when told so.
        bench = Bench.model_validate(raw, strict=False)
    except ValidationError as error:
        raise BadBench([_shape(each) for each in error.errors(include_url=False)[:50]]) from None
    if mistakes := list(_mistakes(bench)):
        raise BadBench(mistakes)
    return bench


def _shape(error: Any) -> str:
    found = "-" if error["type"] == "missing" else repr(error["input"])[:60]
    return pick(_SHAPE, place=".".join(map(str, error["loc"])), why=error["msg"], found=found)


def _mistakes(bench: Bench) -> Iterator[str]:
    boards = {board.id: board for board in bench.board}
    yield from _twice("board", (board.id for board in bench.board))
    yield from _twice("board", (f"{board.port}, address {board.address}" for board in bench.board))
    for board in bench.board:
        if board.profile not in PROFILES:
            known = ", ".join(PROFILES)
            yield pick(_NO_PROFILE, place=f"board.{board.id}", profile=board.profile, known=known)
    yield from _rows("relay", bench.relay, boards, names())
    yield from _rows("sense", bench.sense, boards, LOADS)
    relays = [(relay.board, relay.channel) for relay in bench.relay]
    if bench.power.kind == "relay":
        yield from _channel("power", bench.power.board, bench.power.channel, boards, 1)
        relays.append((bench.power.board, bench.power.channel))
    yield from _twice("relay", (f"{board}.{channel}" for board, channel in relays))
    yield from _twice("sense", (f"{sense.board}.{sense.channel}" for sense in bench.sense))
    needed = {"rest": "url", "simplerest": "url", "labgrid": "environment"}.get(bench.power.kind)
    if needed and not getattr(bench.power, needed):
        yield pick(_NO_POWER, key=needed, kind=bench.power.kind)


def _rows(
    place: str, rows: tuple[Relay, ...] | tuple[Sense, ...], boards: Mapping[str, Board], lines: Mapping[int, str]
) -> Iterator[str]:
    yield from _twice(place, (str(row.line) for row in rows))
    for row in rows:
        if row.line not in lines:
            yield pick(_NO_LINE, place=place, line=row.line, known=", ".join(map(str, lines)))
        yield from _channel(f"{place} of line {row.line}", row.board, row.channel, boards, place == "relay")
    for line, name in lines.items():
        if line not in {row.line for row in rows}:
            yield pick(_MISSING, place=place, line=line, name=name)


def _channel(place: str, board: str, channel: int, boards: Mapping[str, Board], output: bool | int) -> Iterator[str]:
    if board not in boards:
        yield pick(_NO_BOARD, place=place, board=board, known=", ".join(boards))
        return
    profile = PROFILES.get(boards[board].profile)
    count = 0 if profile is None else profile.counts[1 if output else 0]
    if profile is not None and not 1 <= channel <= count:
        yield pick(_NO_CHANNEL, place=place, channel=channel, board=board, count=count)


def _twice(place: str, found: Iterator[str]) -> Iterator[str]:
    for what, count in Counter(found).items():
        if count > 1:
            yield pick(_TWICE, place=place, what=what, count=count)
