"""A panel file as tables for the technician: which wire goes to which terminal, in English or Chinese."""

from collections.abc import Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text as Styled

from firmware.config import PanelFile, Wire
from firmware.language import Text, pick

# Pin of the 40-pin header of all Raspberry Pis since the B+, for BCM lines 2, 3, 4 and so on up to 27.
_PINS = (3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13)
HEADER: Mapping[int, int] = dict(enumerate(_PINS, start=2))

WORDS: Mapping[str, Text] = {
    "entry-exit": ("entry-exit", "出入口"),
    "follower": ("follower", "跟随"),
    "instant": ("instant", "即时"),
    "24-hour": ("24-hour", "24小时"),
    "hold-up": ("hold-up (silent)", "紧急（无声）"),
    "tamper": ("tamper", "防拆"),
    "keyswitch": ("keyswitch", "钥匙开关"),
    "contact": ("contact", "触点"),
    "pir": ("PIR", "红外"),
    "button": ("button", "按钮"),
    "loop": ("loop", "回路"),
    "glass-break": ("glass break", "玻璃破碎"),
    "vibration": ("vibration", "震动"),
    "key": ("key", "钥匙"),
    "nc": ("normally closed", "常闭"),
    "no": ("normally open", "常开"),
    "changeover": ("changeover", "转换触点"),
    "siren": ("siren", "警号"),
    "strobe": ("strobe", "警灯"),
    "armed": ("armed lamp", "布防指示灯"),
    "external": ("outside", "室外"),
    "internal": ("inside", "室内"),
    "high": ("on while high", "高电平动作"),
    "low": ("on while low", "低电平动作"),
}

_ZONES: Text = ("Zones", "防区")
_OUTPUTS: Text = ("Outputs", "输出")
_REST: Text = ("Power, cameras and paths", "电源、摄像机与路径")
_HEADS: Mapping[str, Text] = {
    "number": ("No.", "编号"),
    "zone": ("zone", "防区"),
    "type": ("type", "类型"),
    "line": ("line", "接线"),
    "wiring": ("wiring", "接法"),
    "areas": ("areas", "区域"),
    "id": ("GB/T 28181 id", "GB/T 28181 编码"),
    "output": ("output", "输出"),
    "what": ("what", "项目"),
    "where": ("where", "位置"),
}
_PIN: Text = ("GPIO{line} (pin {pin})", "GPIO{line}（引脚 {pin}）")
_LEGS: Text = ("closed leg {a}\nopen leg {b}", "常闭端 {a}\n常开端 {b}")
_MAINS: Text = ("mains present", "市电正常")
_BATTERY: Text = ("battery good", "电池正常")
_CAMERA: Text = ("camera {id}, {name}", "摄像机 {id},{name}")
_PATH: Text = ("path {id}", "路径 {id}")
_TLS: Text = ("{host}:{port}, TLS", "{host}:{port},TLS")
_PLAIN: Text = ("{host}:{port}, PLAIN TEXT", "{host}:{port}，明文")


def wiring_tables(file: PanelFile) -> RenderableType:
    """Zones, outputs and the rest, one table each."""
    tables = [_zones(file)]
    if file.output:
        tables.append(_outputs(file))
    rest = _rest(file)
    if rest.row_count:
        tables.append(rest)
    return Group(*tables)


def line_name(line: int, file: PanelFile) -> str:
    """`GPIO17 (pin 11)`; only the line where the header has no such pin, or the pins are simulated."""
    pin = HEADER.get(line) if file.panel.pins == "board" else None
    return pick(_PIN, line=line, pin=pin) if pin else f"GPIO{line}"


def _wire(wire: Wire, file: PanelFile) -> str:
    if wire.line_no is None:
        return line_name(wire.line, file)
    return pick(_LEGS, a=line_name(wire.line, file), b=line_name(wire.line_no, file))


def _zones(file: PanelFile) -> Table:
    table = _table(_ZONES, "number", "zone", "type", "line", "wiring", "areas", "id")
    for zone in file.zone:
        kind = f"{pick(WORDS[zone.type])}\n{pick(WORDS[zone.sensor])}"
        wiring = f"{pick(WORDS[zone.input.wiring])}\n{zone.input.debounce_ms} ms"
        areas, wires = "\n".join(zone.areas), _wire(zone.input, file)
        name = f"{zone.id}\n{zone.name}"
        _row(table, str(zone.number), name, kind, wires, wiring, areas, zone.gb28181_id or "–")
    return table


def _outputs(file: PanelFile) -> Table:
    table = _table(_OUTPUTS, "output", "type", "line", "wiring", "areas", "id")
    for output in file.output:
        place = f" {pick(WORDS[output.place])}" if output.kind == "siren" else ""
        kind = pick(WORDS[output.kind]) + place
        areas, line = "\n".join(output.areas), line_name(output.line, file)
        _row(table, output.id, kind, line, pick(WORDS[output.active]), areas, output.gb28181_id or "–")
    return table


def _rest(file: PanelFile) -> Table:
    table = _table(_REST, "what", "where")
    for text, line in ((_MAINS, file.power.mains_line), (_BATTERY, file.power.battery_line)):
        if line is not None:
            _row(table, pick(text), line_name(line, file))
    for camera in file.camera:
        where = f"{camera.maker} {camera.source} {camera.width}×{camera.height}".replace("  ", " ")
        _row(table, pick(_CAMERA, id=camera.id, name=camera.name), where)
    for path in file.path:
        _row(table, pick(_PATH, id=path.id), pick(_TLS if path.tls else _PLAIN, host=path.host, port=path.port))
    return table


def _table(title: Text, *heads: str) -> Table:
    table = Table(title=pick(title), title_justify="left", show_lines=True)
    for head in heads:
        table.add_column(pick(_HEADS[head]), overflow="fold", no_wrap=head == "id")
    return table


def _row(table: Table, *cells: str) -> None:
    # As plain text: a name may hold square brackets, which rich would take for markup.
    table.add_row(*(Styled(cell) for cell in cells))
