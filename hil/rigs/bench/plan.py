"""The wiring plan of a bench, from its file: the panel's header pin by pin, each board terminal by terminal."""

from collections.abc import Iterator

from drivers.modbus.profiles import PROFILES
from firmware.language import Text, pick
from hil.rigs.bench.file import Bench, Board, names
from hil.rigs.site import LOADS
from provisioning.drawing import drawing
from provisioning.terminals import PINS, POWER, Block, Terminal
from provisioning.wiring_table import HEADER

_HEADER: Text = ("{name}: the panel's 40-pin header", "{name}：主机 40 针排针")
_BOARD: Text = ("Board {id}: {name}, address {address}", "板 {id}：{name}，地址 {address}")
_TO_RELAY: Text = ("{board} relay {channel}", "{board} 继电器 {channel}")
_TO_INPUT: Text = ("{board} input {channel}", "{board} 输入 {channel}")
_RELAY: Text = ("relay {channel}", "继电器 {channel}")
_INPUT: Text = ("input {channel}", "输入 {channel}")
_TO_PIN: Text = ("GPIO{line}, pin {pin}: {name}", "GPIO{line}，引脚 {pin}：{name}")
_CONTACT: Text = ("COM-GND, {contact}-pin", "COM-GND，{contact}-引脚")
_LOAD: Text = ("at the load's terminal", "接负载端子")
_INVERTED: Text = ("reads on while the load is off", "负载断开时读为通")
_POWER: Text = ("the panel's supply", "主机电源")
_SUPPLY: Text = ("COM and {contact} in the supply line", "COM 与 {contact} 串入电源线")
_LINE_AT = {pin: line for line, pin in HEADER.items()}


def plan(bench: Bench) -> list[Block]:
    """The header first, then the boards in their order."""
    return [_header(bench), *(_board(bench, board) for board in bench.board)]


def plan_svg(bench: Bench) -> str:
    """The same as a drawing."""
    return drawing(plan(bench))


def _header(bench: Bench) -> Block:
    found = {
        relay.line: Terminal(
            "", names()[relay.line], pick(_TO_RELAY, board=relay.board, channel=relay.channel), "input"
        )
        for relay in bench.relay
    }
    found |= {
        sense.line: Terminal("", LOADS[sense.line], pick(_TO_INPUT, board=sense.board, channel=sense.channel), "output")
        for sense in bench.sense
    }
    rows = []
    for pin in range(1, PINS + 1):
        if pin in POWER:
            rows.append(Terminal(f"{pin} {POWER[pin]}", use="supply"))
        else:
            line = _LINE_AT.get(pin, pin - 27)
            row = found.get(line, Terminal(""))
            rows.append(Terminal(f"{pin} GPIO{line}", row.to, row.how, row.use))
    return Block("header", pick(_HEADER, name=bench.bench.name), tuple(rows))


def _board(bench: Bench, board: Board) -> Block:
    profile = PROFILES[board.profile]
    title = pick(_BOARD, id=board.id, name=profile.name, address=board.address)
    inputs, outputs, _ = profile.counts
    return Block("module", title, (*_relays(bench, board.id, outputs), *_senses(bench, board.id, inputs)))


def _relays(bench: Bench, board: str, count: int) -> Iterator[Terminal]:
    by_channel = {relay.channel: relay for relay in bench.relay if relay.board == board}
    power = bench.power if bench.power.kind == "relay" and bench.power.board == board else None
    for channel in range(1, count + 1):
        mark = pick(_RELAY, channel=channel)
        if relay := by_channel.get(channel):
            to = pick(_TO_PIN, line=relay.line, pin=HEADER[relay.line], name=names()[relay.line])
            yield Terminal(mark, to, pick(_CONTACT, contact=relay.contact.upper()), "output")
        elif power is not None and power.channel == channel:
            yield Terminal(mark, pick(_POWER), pick(_SUPPLY, contact=power.contact.upper()), "supply")
        else:
            yield Terminal(mark)


def _senses(bench: Bench, board: str, count: int) -> Iterator[Terminal]:
    by_channel = {sense.channel: sense for sense in bench.sense if sense.board == board}
    for channel in range(1, count + 1):
        mark = pick(_INPUT, channel=channel)
        if sense := by_channel.get(channel):
            to = pick(_TO_PIN, line=sense.line, pin=HEADER[sense.line], name=LOADS[sense.line])
            yield Terminal(mark, to, pick(_INVERTED if sense.inverted else _LOAD), "input")
        else:
            yield Terminal(mark)
