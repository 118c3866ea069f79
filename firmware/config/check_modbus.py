"""Whether the points of zones and outputs are there on their modules, each used once, and each bus fast enough."""

from collections.abc import Callable, Iterator

from drivers.modbus.profiles import PROFILES, Profile
from firmware.config.findings import twice, unknown, wrong
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row
from firmware.language import Text

SLOW_MS = 150
"""A round that takes longer can't see a pulse of 400 ms twice with the default debounce of 300 (digest §1.3)."""
_EXCHANGE_BYTES, _EXCHANGE_MS = 16, 5
"""What a question and its answer take on the line, and the module's and adapter's own time, about."""
_KINDS: tuple[tuple[str, Text], ...] = (
    ("input", ("input", "数字输入")),
    ("output", ("output", "输出")),
    ("analogue", ("analogue input", "模拟输入")),
)
_OF_LOOPS = ("supply_mv", "pull_ohm", "resistors", "eol_ohm", "alarm_ohm", "fault_ohm", "fault_means", "both_means")


def modules(document: Document) -> list[Row]:
    """The modules of all buses."""
    return [module for bus in document.rows("modbus") for module in bus.tables("module")]


def points(document: Document) -> list[Row]:
    """The points of all zones and outputs that have one."""
    found = (row.inner("point") for row in document.each("zone", "output"))
    return [point for point in found if point.values]


def _profile(module: Row) -> Profile | None:
    return PROFILES.get(module.text("profile"))


def _buses(document: Document) -> Iterator[Finding]:
    for bus in document.rows("modbus"):
        if bus.text("id") == "gpio":
            yield wrong(bus, "id", ("another id", "其他 id"), ("the name of the plain lines", "此名称用于普通 GPIO"))
        addresses = ((m.at("address"), m.number("address")) for m in bus.tables("module"))
        free: Text = ("an address that no other module of this bus has", "本总线上未被使用的地址")
        yield from twice(addresses, free, ("this address is used twice", "地址重复"))


def _profiles(document: Document) -> Iterator[Finding]:
    for module in modules(document):
        if module.text("profile") and _profile(module) is None:
            from difflib import get_close_matches  # only a mistake pays for it

            near = get_close_matches(module.text("profile"), PROFILES, 4, 0.2)
            names = ", ".join(near or list(PROFILES)[:4])
            expected: Text = (f"a profile of docs/wiring.md: {names}", f"docs/wiring.md 中的型号：{names}")
            yield wrong(module, "profile", expected, ("there is no such profile", "没有这种模块型号"))


def _points(document: Document) -> Iterator[Finding]:
    known = {module.text("id"): module for module in modules(document)}
    found = points(document)
    named = [(point.at("module"), point.text("module")) for point in found if point.text("module")]
    yield from unknown(named, "modbus.module", set(known) - {""})
    for point in found:
        module = known.get(point.text("module"))
        profile = _profile(module) if module else None
        if profile is not None:
            yield from _on(point, profile)
    for kind, (english, chinese) in _KINDS:
        used = [(p.at(kind), f"{p.text('module')}/{n}") for p in found if (n := p.number(kind)) is not None]
        expected: Text = (f"an {english} of its own", f"独占的{chinese}")
        yield from twice(used, expected, (f"this {english} is used twice", f"{chinese}重复使用"))


def _on(point: Row, profile: Profile) -> Iterator[Finding]:
    inputs, outputs, analogues = profile.counts
    for (kind, (english, chinese)), count in zip(_KINDS, (inputs, outputs, analogues), strict=True):
        number = point.number(kind)
        if number is not None and number > count:
            expected: Text = (f"1 to {count}", f"1 至 {count}") if count else (f"no {kind}", f"删除 {kind}")
            text: Text = (f"{profile.name} has no such {english}", f"{profile.name} 没有这个{chinese}")
            yield Finding(point.at(kind), show(number), expected, text)


def _one_kind(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        point = zone.inner("point")
        if not point.values:
            continue
        if point.has("input") is point.has("analogue"):
            expected: Text = ("input or analogue, one of them", "input 与 analogue 二选一")
            yield wrong(point, "input", expected, ("a zone is on one input", "一个防区只接一个输入"))
        for key in _OF_LOOPS if point.has("input") else ():
            if point.has(key):
                means: Text = (f"{key} means nothing for a digital input", f"{key} 不适用于数字输入")
                yield wrong(point, key, ("no such key, or analogue = …", "删除此键，或使用 analogue"), means)


def _outputs(document: Document) -> Iterator[Finding]:
    for output in document.rows("output"):
        if output.has("line") and output.has("point"):
            expected: Text = ("line or point, not both", "line 与 point 二选一")
            yield wrong(output, "point", expected, ("an output has one wire", "输出只有一种接线"))
        elif not output.has("line") and not output.has("point"):
            either = "line = …, or point = { module = …, output = … }"
            yield Finding(output.at("line"), "", (either, either), ("this key is missing", "缺少此键"))
        if output.has("watch") and output.has("point"):
            expected = ("no such key, or line = …", "删除此键，或使用 line")
            text: Text = ("what a module switches is read back instead", "模块输出以回读代替线路监视")
            yield wrong(output, "watch", expected, text)


def _idle(document: Document) -> Iterator[Finding]:
    used = {point.text("module") for point in points(document)}
    for module in modules(document):
        if module.text("id") and module.text("id") not in used:
            expected: Text = ("a zone or output on it", "使用它的防区或输出")
            yield Finding(module.loc, "", expected, ("nothing is wired to it", "没有接任何设备"))


def slow(document: Document) -> Iterator[Finding]:
    """A warning for each bus whose round takes too long for its baud rate."""
    for bus in document.rows("modbus"):
        took = round_ms(bus, points(document))
        if took > SLOW_MS:
            expected: Text = (f"at most {SLOW_MS} ms a round: more baud, fewer modules", f"每轮至多 {SLOW_MS} ms")
            text: Text = (f"a round takes about {took:.0f} ms", f"每轮约需 {took:.0f} ms")
            yield Finding(bus.at("baud"), show(bus.number("baud", 9600)), expected, text)


def round_ms(bus: Row, found: list[Row]) -> float:
    """About how long a round of this bus takes: a question for each module and kind of point on it."""
    baud = max(1, bus.number("baud", 9600) or 9600)
    ids = {module.text("id") for module in bus.tables("module")}
    kinds = (k for k, _ in _KINDS)
    asked = len({(p.text("module"), k) for k in kinds for p in found if p.has(k) and p.text("module") in ids})
    return asked * (_EXCHANGE_BYTES * 10_000 / baud + _EXCHANGE_MS)


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_buses, _profiles, _points, _one_kind, _outputs, _idle)
