"""What is wrong with a panel file as a whole, though each table may be right: used twice, unknown, contradicting.

Each check is a function from the document to findings; `mistakes` runs them all, those of the other `check_` modules
included. They never raise, whatever the file holds.
"""

from collections.abc import Callable, Iterator

from firmware.config import (
    check_cameras,
    check_dated,
    check_dc09,
    check_loops,
    check_modbus,
    check_numbers,
    check_outlines,
    check_outputs,
    check_parts,
    check_paths,
    check_readers,
    check_storage,
    check_supply,
    check_zones,
    gb28181,
)
from firmware.config.findings import listed_once, twice, unknown, wrong
from firmware.config.keys import is_public_key
from firmware.config.mistakes import Finding, Loc, show
from firmware.config.rows import Document, Row
from firmware.language import Text

SPI_LINES = (7, 8, 9, 10, 11)
"""SPI port 0 of the board, both chip selects: the kernel takes them all."""
_SUPPLY_LINES = ("load_line", "charger_line", "cut_line")


def mistakes(document: Document) -> Iterator[Finding]:
    """Every mistake that the tables one by one can't show."""
    for check in _CHECKS:
        yield from check(document)


def _ids(document: Document) -> Iterator[Finding]:
    text: Text = ("this id is used twice", "id 重复")
    rows = [*document.each("area", "zone", "adc", "box", "output", "camera", "modbus"), *check_modbus.modules(document)]
    ids = ((r.at("id"), r.text("id")) for r in rows)
    yield from twice(ids, ("an id that nothing else has", "未被使用的 id"), text)
    for table, zh in (("path", "路径"), ("part", "部分布防组"), ("schedule", "时间表"), ("tour", "巡更路线")):
        ids = ((r.at("id"), r.text("id")) for r in document.rows(table))
        yield from twice(ids, (f"an id that no other {table} has", f"其他{zh}未使用的 id"), text)


def _numbers(document: Document) -> Iterator[Finding]:
    for table in ("area", "zone"):
        numbers = ((r.at("number"), r.number("number")) for r in document.rows(table))
        expected: Text = (f"a number that no other {table} has", "未被使用的编号")
        yield from twice(numbers, expected, ("this number is used twice", "编号重复"))


def _lines(document: Document) -> Iterator[Finding]:
    yield from twice(
        lines_used(document),
        ("a GPIO line of its own", "独占的 GPIO 线"),
        ("this GPIO line is used twice", "GPIO 线重复使用"),
    )


def lines_used(document: Document) -> Iterator[tuple[Loc, int]]:
    """Each use of a GPIO line in the file."""
    inputs = [row.inner("input") for row in document.each("zone", "box")]
    power = document.table("power")
    supply = [(power, ("mains_line", "battery_line")), (power.inner("battery"), _SUPPLY_LINES)]
    for row, keys in [*((row, ("line", "line_no")) for row in (*inputs, *document.rows("output"))), *supply]:
        yield from ((row.at(key), line) for key in keys if (line := row.number(key)) is not None)


def _spi(document: Document) -> Iterator[Finding]:
    for loc, line in lines_used(document) if document.rows("adc") else ():
        if line in SPI_LINES:
            yield Finding(
                loc,
                show(line),
                ("another GPIO line than 7 to 11", "GPIO 7 至 11 以外的线"),
                ("this line belongs to SPI, which the converters need", "此线属于模数转换器所用的 SPI"),
            )


def _i2c(document: Document) -> Iterator[Finding]:
    ina = check_supply.battery_of(document).inner("ina219")
    if (not ina.values and not check_supply.battery_of(document).has("ina219")) or ina.number("bus", 1) != 1:
        return
    for loc, line in lines_used(document):
        if line in check_supply.I2C_LINES:
            yield Finding(
                loc,
                show(line),
                ("another GPIO line than 2 and 3", "GPIO 2、3 以外的线"),
                ("this line belongs to I2C, which the INA219 needs", "此线属于 INA219 所用的 I2C"),
            )


def _references(document: Document) -> Iterator[Finding]:
    for row in document.each("area", "zone", "output", "part"):
        for key, table in (("areas", "area"), ("cameras", "camera")):
            yield from unknown(row.texts(key), table, document.ids(table))
            yield from listed_once(row, key)


def _changeover(document: Document) -> Iterator[Finding]:
    for row in document.each("zone", "box"):
        wire = row.inner("input")
        if wire.text("wiring", "nc") == "changeover":
            if wire.values and not wire.has("line_no"):
                yield Finding(
                    wire.at("line_no"),
                    "",
                    ("the GPIO line of the open leg", "常开触点所接的 GPIO 线"),
                    ("changeover wiring needs a second line", "转换触点需要第二条线"),
                )
        elif wire.has("line_no"):
            yield Finding(
                wire.at("line_no"),
                show(wire.values["line_no"]),
                ('no line_no, or wiring = "changeover"', '删除 line_no，或 wiring = "changeover"'),
                ("only changeover wiring has a second line", "只有转换触点有第二条线"),
            )


def _pins(document: Document) -> Iterator[Finding]:
    panel = document.table("panel")
    rate = panel.number("clock_rate", 1)
    if rate != 1 and panel.text("pins", "board") != "simulated":
        yield Finding(
            panel.at("clock_rate"),
            show(rate),
            ('1, or pins = "simulated"', '1，或 pins = "simulated"'),
            ("a faster clock is for simulated pins only", "加速时钟仅用于模拟引脚"),
        )


def _clock(document: Document) -> Iterator[Finding]:
    clock = document.table("clock")
    if clock.values.get("from_center") is not True:
        return
    if not any(path.text("kind", "mqtt") == "mqtt" for path in document.rows("path")):
        yield Finding(
            clock.at("from_center"),
            "true",
            ('false, or a [[path]] with kind = "mqtt"', 'false，或一个 kind = "mqtt" 的 [[path]]'),
            ("the center tells the time over MQTT", "中心通过 MQTT 授时"),
        )
    if document.table("panel").number("clock_rate", 1) != 1:
        yield Finding(
            clock.at("from_center"),
            "true",
            ("false, or clock_rate = 1", "false，或 clock_rate = 1"),
            ("a faster clock is nobody's time", "加速时钟不对应真实时间"),
        )


def _timezone(document: Document) -> Iterator[Finding]:
    panel = document.table("panel")
    name = panel.text("timezone")
    if name and not _is_timezone(name) and _is_timezone("Asia/Shanghai"):
        expected: Text = ('a name such as "Asia/Shanghai"', '如 "Asia/Shanghai" 的名称')
        yield wrong(panel, "timezone", expected, ("there is no such time zone", "没有这个时区"))


def _is_timezone(name: str) -> bool:
    from zoneinfo import ZoneInfo  # only a file that names one pays for it

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _keys(document: Document) -> Iterator[Finding]:
    center = document.table("center")
    for key in ("receipt_keys", "command_keys", "root_keys"):
        items = center.texts(key)
        for loc, x in items:
            if len(x) == 43 and x.isascii() and not is_public_key(x):
                yield Finding(
                    loc,
                    show(x),
                    ("the `x` of an Ed25519 JWK, copied exactly", "准确复制的 Ed25519 JWK 的 `x`"),
                    ("these 32 bytes are not a public key", "这 32 字节不是有效公钥"),
                )
        yield from twice(items, ("each key only once", "每个公钥只列一次"), ("listed twice", "重复列出"))
    used = {x for key in ("receipt_keys", "command_keys") for _, x in center.texts(key)}
    for loc, x in center.texts("root_keys"):
        if x in used:
            yield Finding(
                loc,
                show(x),
                ("a key of its own, kept offline", "离线保管的专用密钥"),
                ("a root key must sign nothing else", "根密钥不得另作他用"),
            )


def _gb28181(document: Document) -> Iterator[Finding]:
    ids = list(gb28181_ids(document))
    for loc, value, device in ids:
        if len(value) == 20 and value.isascii() and value.isdigit():
            yield from gb28181.structure(loc, value, device)
    expected: Text = ("an id that nothing else has", "未被使用的编码")
    yield from twice(((loc, v) for loc, v, _ in ids), expected, ("this device id is used twice", "设备编码重复"))


def gb28181_ids(document: Document) -> Iterator[tuple[Loc, str, str]]:
    """Each device id with its place and the type it must have. An area is a controller of its own (digest §3.5)."""
    panel, zone, output = gb28181.PANEL, gb28181.ZONE, gb28181.OUTPUT
    rows: list[tuple[Row, str]] = [(document.table("panel"), panel)]
    rows += [(row, panel) for row in document.rows("area")]
    rows += [(row, zone) for row in document.rows("zone")]
    rows += [(row, output) for row in document.rows("output")]
    for row, device in rows:
        if value := row.text("gb28181_id"):
            yield row.at("gb28181_id"), value, device


_CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _ids,
    _numbers,
    _lines,
    _spi,
    _i2c,
    _references,
    _changeover,
    _pins,
    _clock,
    _timezone,
    _keys,
    _gb28181,
    *check_numbers.CHECKS,
    *check_zones.CHECKS,
    *check_loops.CHECKS,
    *check_modbus.CHECKS,
    *check_outputs.CHECKS,
    *check_parts.CHECKS,
    *check_paths.CHECKS,
    *check_dc09.CHECKS,
    *check_storage.CHECKS,
    *check_dated.CHECKS,
    *check_supply.CHECKS,
    *check_readers.CHECKS,
    *check_cameras.CHECKS,
    *check_outlines.CHECKS,
)
