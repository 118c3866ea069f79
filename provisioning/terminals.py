"""Every terminal of a cabinet and what is connected to it: header pins, converter channels, modules, reader addresses.

Blocks of rows, for whoever draws or prints them. A free terminal is a row too: who stands before the cabinet with a
loose wire wants to see where one is left.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drivers.modbus.profiles import PROFILES
from firmware.config import Box, PanelFile, Zone
from firmware.language import Text, pick
from provisioning.site_words import WORDS, output_notes
from provisioning.wiring_table import HEADER, loop_words, point_words, resistor_plans

POWER: Mapping[int, str] = {
    **dict.fromkeys((1, 17), "3V3"),
    **dict.fromkeys((2, 4), "5V"),
    **dict.fromkeys((6, 9, 14, 20, 25, 30, 34, 39), "GND"),
}
PINS = 40
_LINE_AT = {pin: line for line, pin in HEADER.items()}
_CHANNELS = 8

_HEADER: Text = ("40-pin header", "40 针排针")
_CONTACTS: Text = (
    "Contacts go between their pin and any GND pin; the line is pulled up inside. Inputs bear 3.3 V, never more.",
    "触点接在引脚与任一 GND 之间；线路内部上拉。输入最高 3.3 V，不得超过。",
)
_OUTPUTS: Text = (
    "Outputs drive a transistor or relay board, never a siren itself.",
    "输出仅驱动三极管或继电器板，不得直接驱动警号。",
)
_SIMULATED: Text = ("pins are SIMULATED: nothing is wired", "引脚为模拟：无需接线")
_CHIP: Text = ("Converter {id}: {chip}, SPI0 CE{select}", "模数转换器 {id}：{chip}，SPI0 CE{select}")
_PULL: Text = (
    "{pull} Ω from {vref} mV to each channel with a loop or thermistor",
    "有回路或热敏电阻的通道：{pull} Ω 上拉至 {vref} mV",
)
_MODULE: Text = ("Module {id}: {name}, bus {bus}, address {address}", "模块 {id}：{name}，总线 {bus}，地址 {address}")
_OSDP: Text = ("OSDP bus {id}", "OSDP 总线 {id}")
_SERIAL: Text = ("Serial readers", "串口读卡器")
_CLOSED: Text = ("closed leg", "常闭端")
_OPEN: Text = ("open leg", "常开端")
_SPI: Text = ("converters: {what}", "模数转换器：{what}")
_I2C: Text = ("INA219: {what}", "INA219：{what}")
_MAINS: Text = ("mains present", "市电正常")
_BATTERY: Text = ("battery good", "电池正常")
_SHUT: Text = ("closed while all is well", "正常时闭合")
_LOAD: Text = ("load of the battery test", "电池测试负载")
_CHARGER: Text = ("cuts the charger off", "切断充电器")
_CUT: Text = ("cuts the battery off", "切断电池")
_VOLTS: Text = ("battery voltage", "电池电压")
_DIVIDER: Text = ("{top} Ω from the battery, {bottom} Ω to ground", "至电池 {top} Ω，至地 {bottom} Ω")
_NTC: Text = ("battery temperature", "电池温度")
_THERMISTOR: Text = ("NTC {ohm} Ω at 25 °C, to ground", "NTC {ohm} Ω（25 °C），接地")
_WATCH: Text = ("line of {output}", "{output} 线路")
_EOL: Text = ("{ohm} Ω at its end", "末端 {ohm} Ω")
_IN: Text = ("in {n}", "输入 {n}")
_OUT: Text = ("out {n}", "输出 {n}")
_ANALOGUE: Text = ("analogue {n}", "模拟 {n}")
_ADDRESS: Text = ("address {n}", "地址 {n}")
_KEYPAD: Text = ("keypad", "键盘")
_CARDS: Text = ("card reader", "读卡器")
_SECURE: Text = ("secure channel", "安全通道")
_PLAIN: Text = ("NO SECURE CHANNEL", "无安全通道")
_BAUD: Text = ("{port}, {baud} baud", "{port}，{baud} 波特")
_TERMINATE: Text = ("120 Ω at both ends of the line", "线路两端各 120 Ω")


@dataclass(frozen=True)
class Terminal:
    """One terminal: its mark, what is connected (empty: free), and how. `use`: supply, input, output, bus or free."""

    mark: str
    to: str = ""
    how: str = ""
    use: str = "free"


@dataclass(frozen=True)
class Block:
    """Terminals that stand together; `notes` belong to all of them."""

    kind: str
    title: str
    terminals: tuple[Terminal, ...]
    notes: tuple[str, ...] = ()


@dataclass
class _Uses:
    """What each place is used for, as it is found."""

    lines: dict[int, Terminal] = field(default_factory=dict)
    channels: dict[tuple[str, int], Terminal] = field(default_factory=dict)
    points: dict[tuple[str, str, int], Terminal] = field(default_factory=dict)


def blocks(file: PanelFile) -> list[Block]:
    """All of a file, the header first."""
    uses = _Uses()
    for collect in (_inputs, _outputs, _supply, _chips):
        collect(file, uses)
    return [_header(file, uses), *_converters(file, uses), *_modules(file, uses), *_readers(file)]


def _header(file: PanelFile, uses: _Uses) -> Block:
    rows = []
    for pin in range(1, PINS + 1):
        if pin in POWER:
            rows.append(Terminal(f"{pin} {POWER[pin]}", use="supply"))
        else:
            line = _LINE_AT.get(pin, pin - 27)  # 27 and 28 are lines 0 and 1, for the identity of add-on boards
            found = uses.lines.get(line, Terminal(""))
            rows.append(Terminal(f"{pin} GPIO{line}", found.to, found.how, found.use))
    simulated = (pick(_SIMULATED),) if file.panel.pins == "simulated" else ()
    return Block("header", pick(_HEADER), tuple(rows), (*simulated, pick(_CONTACTS), pick(_OUTPUTS)))


def _inputs(file: PanelFile, uses: _Uses) -> None:
    found = resistor_plans(file)
    rows: list[Zone | Box] = [*file.zone, *file.box]
    for row in rows:
        name, wire, loop = f"{row.id} {row.name}", row.input, row.loop
        if wire is not None and wire.line_no is not None:
            uses.lines[wire.line] = Terminal("", name, pick(_CLOSED), "input")
            uses.lines[wire.line_no] = Terminal("", name, pick(_OPEN), "input")
        elif wire is not None:
            uses.lines[wire.line] = Terminal("", name, pick(WORDS[wire.wiring]), "input")
        if loop is not None:
            how = " · ".join(loop_words(loop, found[row.id]))
            uses.channels[loop.adc, loop.channel] = Terminal("", name, how, "input")
    for zone in file.zone:
        if zone.point is not None:
            kind, number = ("in", zone.point.input) if zone.point.input else ("analogue", zone.point.analogue or 0)
            how = point_words(zone.point)
            uses.points[zone.point.module, kind, number] = Terminal("", f"{zone.id} {zone.name}", how, "input")


def _outputs(file: PanelFile, uses: _Uses) -> None:
    for output in file.output:
        place = f" {pick(WORDS[output.place])}" if output.kind == "siren" else ""
        how = ", ".join([pick(WORDS[output.kind]) + place, pick(WORDS[output.active]), *output_notes(output)])
        terminal = Terminal("", output.id, how, "output")
        if output.line is not None:
            uses.lines[output.line] = terminal
        if output.point is not None:
            uses.points[output.point.module, "out", output.point.output] = terminal
        if output.watch is not None:
            to, how = pick(_WATCH, output=output.id), pick(_EOL, ohm=output.watch.eol_ohm)
            uses.channels[output.watch.adc, output.watch.channel] = Terminal("", to, how, "input")


def _supply(file: PanelFile, uses: _Uses) -> None:
    power, battery = file.power, file.power.battery
    for text, line in ((_MAINS, power.mains_line), (_BATTERY, power.battery_line)):
        if line is not None:
            uses.lines[line] = Terminal("", pick(text), pick(_SHUT), "input")
    if battery is None:
        return
    for text, line in ((_LOAD, battery.load_line), (_CHARGER, battery.charger_line), (_CUT, battery.cut_line)):
        if line is not None:
            uses.lines[line] = Terminal("", pick(text), pick(WORDS[battery.active]), "output")
    if (volts := battery.volts) is not None:
        how = pick(_DIVIDER, top=volts.top_ohm, bottom=volts.bottom_ohm)
        uses.channels[volts.adc, volts.channel] = Terminal("", pick(_VOLTS), how, "input")
    if (ntc := battery.thermistor) is not None:
        how = pick(_THERMISTOR, ohm=ntc.ohm_25c)
        uses.channels[ntc.adc, ntc.channel] = Terminal("", pick(_NTC), how, "input")


def _chips(file: PanelFile, uses: _Uses) -> None:
    """The lines of SPI and I2C, where a chip hangs on them."""
    if file.adc:
        named = {9: "DOUT", 10: "DIN", 11: "CLK", **{8 - adc.select: f"CS {adc.id}" for adc in file.adc}}
        uses.lines |= {line: Terminal("", pick(_SPI, what=what), "", "bus") for line, what in named.items()}
    battery = file.power.battery
    if battery is not None and battery.ina219 is not None and battery.ina219.bus == 1:
        uses.lines |= {n: Terminal("", pick(_I2C, what=what), "", "bus") for n, what in ((2, "SDA"), (3, "SCL"))}


def _converters(file: PanelFile, uses: _Uses) -> Iterator[Block]:
    for adc in file.adc:
        rows = [_marked(f"CH{n}", uses.channels.get((adc.id, n))) for n in range(_CHANNELS)]
        title = pick(_CHIP, id=adc.id, chip=adc.chip.upper(), select=adc.select)
        yield Block("adc", title, tuple(rows), (pick(_PULL, pull=adc.pull_ohm, vref=adc.vref_mv),))


def _modules(file: PanelFile, uses: _Uses) -> Iterator[Block]:
    for bus in file.modbus:
        for module in bus.module:
            profile = PROFILES[module.profile]
            rows = [
                _marked(pick(text, n=n), uses.points.get((module.id, kind, n)))
                for (kind, text), count in zip(
                    (("in", _IN), ("out", _OUT), ("analogue", _ANALOGUE)), profile.counts, strict=True
                )
                for n in range(1, count + 1)
            ]
            title = pick(_MODULE, id=module.id, name=profile.name, bus=bus.id, address=module.address)
            port = f"{bus.port}, {bus.baud} 8{bus.parity}{bus.stop_bits}"
            yield Block("modbus", title, tuple(rows), (port, pick(_TERMINATE)))


def _readers(file: PanelFile) -> Iterator[Block]:
    for bus in file.osdp:
        rows = []
        for reader in bus.reader:
            how = [pick(_KEYPAD if reader.keypad else _CARDS), pick(_SECURE if reader.key_file else _PLAIN)]
            mark = pick(_ADDRESS, n=reader.address)
            rows.append(Terminal(mark, reader.id, ", ".join([*how, *reader.areas]), "bus"))
        port = pick(_BAUD, port=bus.port, baud=bus.baud)
        yield Block("osdp", pick(_OSDP, id=bus.id), tuple(rows), (port, pick(_TERMINATE)))
    if file.reader:
        lines = [Terminal(r.id, ", ".join(r.areas), pick(_BAUD, port=r.port, baud=r.baud), "bus") for r in file.reader]
        yield Block("reader", pick(_SERIAL), tuple(lines))


def _marked(mark: str, found: Terminal | None) -> Terminal:
    return Terminal(mark, found.to, found.how, found.use) if found else Terminal(mark)
