"""A panel file as tables for the technician: which wire goes to which terminal, in English or Chinese."""

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.table import Table

from drivers.loop_plan import LoopPlan
from drivers.modbus.profiles import PROFILES
from firmware.config import Box, Dc09Path, Loop, MqttPath, Output, PanelFile, SmsPath, Wire, Zone
from firmware.config.modbus import Point
from firmware.core.wires import loops_by_chip
from firmware.language import Text, pick
from provisioning.arming_tables import areas_table, arming_tables
from provisioning.site_words import WORDS, add_row, new_table, notes, output_notes

# Pin of the 40-pin header of all Raspberry Pis since the B+, for BCM lines 2, 3, 4 and so on up to 27.
_PINS = (3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13)
HEADER: Mapping[int, int] = dict(enumerate(_PINS, start=2))

_ZONES: Text = ("Zones", "防区")
_BOXES: Text = ("Boxes", "机箱")
_OUTPUTS: Text = ("Outputs", "输出")
_READERS: Text = ("Keypads and readers", "键盘与读卡器")
_AT: Text = ("{port}, {baud} baud\naddress {address}", "{port}，{baud} 波特\n地址 {address}")
_SECURE: Text = ("secure channel, key in {file}", "安全通道，密钥文件 {file}")
_TAG: Text = ("tag at {reader}", "巡更标签，{reader}")
_LINE: Text = ("{port}, {baud} baud", "{port}，{baud} 波特")
_OPEN: Text = ("NO SECURE CHANNEL", "无安全通道")
_REST: Text = ("Power, cameras and paths", "电源、摄像机与路径")
_PIN: Text = ("GPIO{line} (pin {pin})", "GPIO{line}（引脚 {pin}）")
_LEGS: Text = ("closed leg {a}\nopen leg {b}", "常闭端 {a}\n常开端 {b}")
_INPUT: Text = ("{module} input {number}", "{module} 输入 {number}")
_ANALOGUE: Text = ("{module} analogue input {number}", "{module} 模拟输入 {number}")
_RELAY: Text = ("{module} output {number}", "{module} 输出 {number}")
_FEED: Text = ("{mv} mV through {pull} Ω", "{mv} mV 经 {pull} Ω 供电")
_MODBUS: Text = ("Modbus bus {id}", "Modbus 总线 {id}")
_MODULE: Text = ("module {id}", "模块 {id}")
_ADDRESS: Text = ("{bus}, address {address}, {name}", "{bus}，地址 {address}，{name}")
_CHANNEL: Text = ("{adc} channel {channel}", "{adc} 通道 {channel}")
_WATCH: Text = ("supervised, {ohm} Ω at its end", "线路监视，末端 {ohm} Ω")
_CHIP: Text = ("converter {id}", "模数转换器 {id}")
_SELECT: Text = ("{chip}, SPI0 CE{select}, {pull} Ω to each channel", "{chip}，SPI0 CE{select}，各通道上拉 {pull} Ω")
_MAINS: Text = ("mains present", "市电正常")
_BATTERY: Text = ("battery good", "电池正常")
_FITTED: Text = ("battery", "蓄电池")
_CELLS: Text = ("{kind}, {cells} cells, {ah} Ah", "{kind}，{cells} 节，{ah} Ah")
_VOLTS: Text = ("battery voltage", "电池电压")
_NTC: Text = ("battery temperature", "电池温度")
_CURRENT: Text = ("battery voltage and current", "电池电压与电流")
_LOAD: Text = ("load of the battery test", "电池测试负载")
_CHARGER: Text = ("cuts the charger off", "切断充电器")
_CUT: Text = ("cuts the battery off at its end", "放电终止时切断电池")
_CAMERA: Text = ("camera {id}, {name}", "摄像机 {id},{name}")
_PATH: Text = ("path {id}", "路径 {id}")
_TLS: Text = ("{host}:{port}, TLS", "{host}:{port},TLS")
_PLAIN: Text = ("{host}:{port}, PLAIN TEXT", "{host}:{port}，明文")
_DC09: Text = (
    "{host}, SIA DC-09, account {account}, {how}",
    "{host}，SIA DC-09，账号 {account}，{how}",
)
_AES: Text = ("AES", "AES 加密")
_WITH_TLS: Text = ("TLS", "TLS")
_IN_PLAIN: Text = ("PLAIN TEXT", "明文")
_SMS: Text = (
    "SMS by {port} to {numbers}, when no receipt comes within {after} s",
    "经 {port} 向 {numbers} 发送短信，{after} 秒内无回执时",
)


def wiring_tables(file: PanelFile) -> RenderableType:
    """Zones, outputs and the rest, one table each, and what is armed how and when; empty ones are left out."""
    tables = [
        areas_table(file),
        _zones(file),
        _boxes(file),
        _outputs(file),
        _readers(file),
        *arming_tables(file),
        _rest(file),
    ]
    return Group(*(table for table in tables if table.row_count))


def line_name(line: int, file: PanelFile) -> str:
    """`GPIO17 (pin 11)`; only the line where the header has no such pin, or the pins are simulated."""
    pin = HEADER.get(line) if file.panel.pins == "board" else None
    return pick(_PIN, line=line, pin=pin) if pin else f"GPIO{line}"


def _wire(wire: Wire, file: PanelFile) -> str:
    if wire.line_no is None:
        return line_name(wire.line, file)
    return pick(_LEGS, a=line_name(wire.line, file), b=line_name(wire.line_no, file))


def _loop(loop: Loop, plan: LoopPlan) -> tuple[str, str]:
    """Where a loop goes, and which resistance means what."""
    return pick(_CHANNEL, adc=loop.adc, channel=loop.channel), "\n".join(loop_words(loop, plan))


def loop_words(loop: Loop, plan: LoopPlan) -> list[str]:
    """How a loop is wired, and which resistance means what."""
    heads = [f"{pick(WORDS[loop.resistors])}, {pick(WORDS[loop.wiring])}"]
    first, *inner, last = plan.states()
    states = [f"0 Ω {pick(WORDS[f'is-{first.condition}'])}"]
    states += [f"{state.ohm:.0f} Ω {pick(WORDS[f'is-{state.condition}'])}" for state in inner]
    states.append(f"∞ Ω {pick(WORDS[f'is-{last.condition}'])}")
    return [*heads, *states, f"{loop.debounce_ms} ms"]


def _point(point: Point) -> tuple[str, str]:
    """Which input of which module, and how it is wired."""
    wiring = f"{pick(WORDS[point.wiring])}\n{point.debounce_ms} ms"
    if point.input is not None:
        return pick(_INPUT, module=point.module, number=point.input), wiring
    feed = pick(_FEED, mv=point.supply_mv, pull=point.pull_ohm)
    where = pick(_ANALOGUE, module=point.module, number=point.analogue)
    return where, f"{pick(WORDS[point.resistors])}, {wiring}\n{feed}"


def point_words(point: Point) -> str:
    """How a point of a module is wired, on one line."""
    return _point(point)[1].replace("\n", ", ")


def _output_place(output: Output, file: PanelFile) -> str:
    if output.point is not None:
        return pick(_RELAY, module=output.point.module, number=output.point.output)
    return "–" if output.line is None else line_name(output.line, file)


def _modbus(file: PanelFile) -> Iterator[tuple[str, str]]:
    """Each bus with its port, and each module with its address."""
    for bus in file.modbus:
        yield pick(_MODBUS, id=bus.id), f"{bus.port}, {bus.baud} 8{bus.parity}{bus.stop_bits}"
        for module in bus.module:
            name = PROFILES[module.profile].name
            yield pick(_MODULE, id=module.id), pick(_ADDRESS, bus=bus.id, address=module.address, name=name)


def _wired(zone: Zone | Box, plans: Mapping[str, LoopPlan], file: PanelFile) -> tuple[str, str]:
    """Where the wires of a zone or box go, and how it is wired."""
    if zone.loop is not None:
        return _loop(zone.loop, plans[zone.id])
    if isinstance(zone, Zone) and zone.tag is not None:
        return pick(_TAG, reader=zone.tag.reader), zone.tag.tag
    if isinstance(zone, Zone) and zone.point is not None:
        return _point(zone.point)
    if zone.input is None:  # no file that was loaded has such a zone
        return "–", "–"
    return _wire(zone.input, file), f"{pick(WORDS[zone.input.wiring])}\n{zone.input.debounce_ms} ms"


def _zones(file: PanelFile) -> Table:
    table = new_table(_ZONES, "number", "zone", "type", "line", "wiring", "areas", "id")
    plans = resistor_plans(file)
    for zone in file.zone:
        kind = "\n".join([pick(WORDS[zone.type]), pick(WORDS[zone.sensor]), *notes(zone)])
        wires, wiring = _wired(zone, plans, file)
        areas = "\n".join(zone.areas)
        name = f"{zone.id}\n{zone.name}"
        add_row(table, str(zone.number), name, kind, wires, wiring, areas, zone.gb28181_id or "–")
    return table


def resistor_plans(file: PanelFile) -> dict[str, LoopPlan]:
    """The resistor plan of each zone or box that has a loop on a converter."""
    return {loop.zone: loop.plan for loops in loops_by_chip(file).values() for loop in loops}


def _boxes(file: PanelFile) -> Table:
    table = new_table(_BOXES, "box", "line", "wiring")
    plans = resistor_plans(file)
    for box in file.box:
        add_row(table, f"{box.id}\n{box.name}", *_wired(box, plans, file))
    return table


def _outputs(file: PanelFile) -> Table:
    table = new_table(_OUTPUTS, "output", "type", "line", "wiring", "areas", "id")
    for output in file.output:
        place = f" {pick(WORDS[output.place])}" if output.kind == "siren" else ""
        kind = "\n".join([pick(WORDS[output.kind]) + place, *output_notes(output)])
        areas, line, wiring = "\n".join(output.areas) or "–", _output_place(output, file), pick(WORDS[output.active])
        if output.watch:
            line += f"\n{pick(_CHANNEL, adc=output.watch.adc, channel=output.watch.channel)}"
            wiring += f"\n{pick(_WATCH, ohm=output.watch.eol_ohm)}"
        add_row(table, output.id, kind, line, wiring, areas, output.gb28181_id or "–")
    return table


def _battery(file: PanelFile) -> Iterator[tuple[str, str]]:
    """What is wired to the battery, and where."""
    battery = file.power.battery
    if battery is None:
        return
    kind, mah = battery.chemistry, battery.capacity_mah
    yield pick(_FITTED), pick(_CELLS, kind=kind, cells=battery.cells, ah=f"{mah / 1000:g}")
    for text, wire in ((_VOLTS, battery.volts), (_NTC, battery.thermistor)):
        if wire is not None:
            yield pick(text), pick(_CHANNEL, adc=wire.adc, channel=wire.channel)
    if battery.ina219 is not None:
        yield pick(_CURRENT), f"INA219, I2C {battery.ina219.bus}, 0x{battery.ina219.address:02x}"
    lines = ((_LOAD, battery.load_line), (_CHARGER, battery.charger_line), (_CUT, battery.cut_line))
    yield from ((pick(text), line_name(line, file)) for text, line in lines if line is not None)


def _readers(file: PanelFile) -> Table:
    table = new_table(_READERS, "what", "line", "wiring", "areas")
    for bus in file.osdp:
        for reader in bus.reader:
            where = pick(_AT, port=bus.port, baud=bus.baud, address=reader.address)
            trust = pick(_SECURE, file=reader.key_file) if reader.key_file else pick(_OPEN)
            add_row(table, f"{bus.id}\n{reader.id}", where, trust, "\n".join(reader.areas))
    for line in file.reader:
        where = pick(_LINE, port=line.port, baud=line.baud)
        add_row(table, line.id, where, line.kind, "\n".join(line.areas) or "–")
    return table


def _rest(file: PanelFile) -> Table:
    table = new_table(_REST, "what", "where")
    for text, line in ((_MAINS, file.power.mains_line), (_BATTERY, file.power.battery_line)):
        if line is not None:
            add_row(table, pick(text), line_name(line, file))
    for what, where in (*_modbus(file), *_battery(file)):
        add_row(table, what, where)
    for adc in file.adc:
        where = pick(_SELECT, chip=adc.chip.upper(), select=adc.select, pull=adc.pull_ohm)
        add_row(table, pick(_CHIP, id=adc.id), where)
    for camera in file.camera:
        where = f"{camera.maker} {camera.source} {camera.width}×{camera.height}".replace("  ", " ")
        add_row(table, pick(_CAMERA, id=camera.id, name=camera.name), where)
    for path in file.path:
        add_row(table, pick(_PATH, id=path.id), _way(path))
    return table


def _way(path: MqttPath | Dc09Path | SmsPath) -> str:
    if isinstance(path, SmsPath):
        numbers = ", ".join(path.numbers + path.other_numbers)
        return pick(_SMS, port=path.port, numbers=numbers, after=path.after_s)
    if isinstance(path, Dc09Path):
        return _dc09(path)
    return pick(_TLS if path.tls else _PLAIN, host=path.host, port=path.port)


def _dc09(path: Dc09Path) -> str:
    hosts = [f"{path.host}:{path.port}"]
    if path.backup_host:
        hosts.append(f"{path.backup_host}:{path.backup_port or path.port}")
    ways = [pick(text) for there, text in ((path.tls, _WITH_TLS), (path.key_file, _AES)) if there]
    return pick(_DC09, host=" / ".join(hosts), account=path.account, how=" + ".join(ways) or pick(_IN_PLAIN))
