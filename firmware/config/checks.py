"""What is wrong with a panel file as a whole, though each table may be right: used twice, unknown, contradicting.

Each check is a function from the document to findings; `mistakes` runs them all. They never raise, whatever the file
holds.
"""

from collections.abc import Callable, Iterable, Iterator

from firmware.config import gb28181
from firmware.config.keys import is_public_key
from firmware.config.mistakes import Finding, Loc, show
from firmware.config.rows import Document, Row
from firmware.language import Text

PLAINTEXT = "I accept that anyone on the network can read and drop reports"
_NOT_BYPASSABLE = ("hold-up", "tamper")


def mistakes(document: Document) -> Iterator[Finding]:
    """Every mistake that the tables one by one can't show."""
    for check in _CHECKS:
        yield from check(document)


def _ids(document: Document) -> Iterator[Finding]:
    ids = ((r.at("id"), r.text("id")) for r in document.each("area", "zone", "output", "camera"))
    yield from _twice(ids, ("an id that nothing else has", "未被使用的 id"), ("this id is used twice", "id 重复"))
    paths = ((r.at("id"), r.text("id")) for r in document.rows("path"))
    yield from _twice(
        paths, ("an id that no other path has", "其他路径未使用的 id"), ("this id is used twice", "id 重复")
    )


def _numbers(document: Document) -> Iterator[Finding]:
    for table in ("area", "zone"):
        numbers = ((r.at("number"), r.number("number")) for r in document.rows(table))
        expected: Text = (f"a number that no other {table} has", "未被使用的编号")
        yield from _twice(numbers, expected, ("this number is used twice", "编号重复"))


def _lines(document: Document) -> Iterator[Finding]:
    yield from _twice(
        lines_used(document),
        ("a GPIO line of its own", "独占的 GPIO 线"),
        ("this GPIO line is used twice", "GPIO 线重复使用"),
    )


def lines_used(document: Document) -> Iterator[tuple[Loc, int]]:
    """Each use of a GPIO line in the file."""
    inputs = [zone.inner("input") for zone in document.rows("zone")]
    keys = ("line", "line_no")
    for row in (*inputs, *document.rows("output")):
        yield from ((row.at(key), line) for key in keys if (line := row.number(key)) is not None)
    power = document.table("power")
    for key in ("mains_line", "battery_line"):
        if (line := power.number(key)) is not None:
            yield power.at(key), line


def _references(document: Document) -> Iterator[Finding]:
    known = {table: {r.text("id") for r in document.rows(table)} - {""} for table in ("area", "camera")}
    for row in document.each("zone", "output"):
        for key, table in (("areas", "area"), ("cameras", "camera")):
            yield from _unknown(row.texts(key), table, known[table])
            again: Text = ("each only once", "每个只列一次")
            yield from _twice(row.texts(key), again, ("listed twice", "重复列出"))


def _unknown(items: list[tuple[Loc, str]], table: str, known: set[str]) -> Iterator[Finding]:
    names = ", ".join(sorted(known)[:12]) or "–"
    kind = {"area": "区域", "camera": "摄像机"}[table]
    for loc, name in items:
        if name not in known:
            expected: Text = (f"the id of an [[{table}]]: {names}", f"某个 [[{table}]] 的 id:{names}")
            yield Finding(loc, show(name), expected, (f"there is no such {table}", f"没有这个{kind}"))


def _changeover(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        wire = zone.inner("input")
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


def _bypass(document: Document) -> Iterator[Finding]:
    for zone in document.rows("zone"):
        if zone.text("type") in _NOT_BYPASSABLE and zone.values.get("bypassable") is True:
            yield Finding(
                zone.at("bypassable"),
                "true",
                ("false, or no such key", "false，或删除此键"),
                ("hold-up and tamper zones can't be bypassed", "紧急与防拆防区不可旁路"),
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


def _timings(document: Document) -> Iterator[Finding]:
    timings = document.table("timings")
    siren, longest = timings.number("siren_s", 300), timings.number("siren_max_s", 900)
    if siren is not None and longest is not None and longest < siren:
        key = "siren_max_s" if timings.has("siren_max_s") else "siren_s"
        yield Finding(
            timings.at(key),
            show(timings.values.get(key)),
            (f"siren_max_s ≥ siren_s ({siren})", f"siren_max_s ≥ siren_s({siren})"),
            ("the siren's limit is shorter than one alarm", "警号总时限短于一次报警时长"),
        )


def _paths(document: Document) -> Iterator[Finding]:
    for path in document.rows("path"):
        if path.has("tls") and path.has("plaintext"):
            yield Finding(
                path.at("plaintext"),
                show(path.values["plaintext"]),
                ("tls or plaintext, not both", "tls 与 plaintext 二选一"),
                ("a path is either encrypted or plain", "路径只能加密或明文之一"),
            )
        elif not path.has("tls") and not path.has("plaintext"):
            yield Finding(
                path.at("tls"),
                "",
                (
                    f'tls = {{ ca, certificate, key }}, or plaintext = "{PLAINTEXT}"',
                    f'tls = {{ ca, certificate, key }}，或 plaintext = "{PLAINTEXT}"',
                ),
                ("a path needs TLS, or the sentence that accepts plain text", "路径需要 TLS，或明文许可语句"),
            )
    if document.rows("path") and not document.data.get("center"):
        yield Finding(
            ("center",),
            "",
            ("[center] with receipt_keys", "含 receipt_keys 的 [center]"),
            ("a path needs a center whose receipts count", "有路径就必须指定接警中心的公钥"),
        )


def _keys(document: Document) -> Iterator[Finding]:
    center = document.table("center")
    for key in ("receipt_keys", "command_keys"):
        items = center.texts(key)
        for loc, x in items:
            if len(x) == 43 and x.isascii() and not is_public_key(x):
                yield Finding(
                    loc,
                    show(x),
                    ("the `x` of an Ed25519 JWK, copied exactly", "准确复制的 Ed25519 JWK 的 `x`"),
                    ("these 32 bytes are not a public key", "这 32 字节不是有效公钥"),
                )
        yield from _twice(items, ("each key only once", "每个公钥只列一次"), ("listed twice", "重复列出"))


def _cameras(document: Document) -> Iterator[Finding]:
    for camera in document.rows("camera"):
        if camera.text("maker") == "folder" and not camera.text("source"):
            yield Finding(
                camera.at("source"),
                show(camera.values["source"]) if camera.has("source") else "",
                ("a folder of pictures or a video file", "图片文件夹或视频文件"),
                ('maker = "folder" needs a source', 'maker = "folder" 需要 source'),
            )


def _gb28181(document: Document) -> Iterator[Finding]:
    ids = list(gb28181_ids(document))
    for loc, value, device in ids:
        if len(value) == 20 and value.isascii() and value.isdigit():
            yield from gb28181.structure(loc, value, device)
    expected: Text = ("an id that nothing else has", "未被使用的编码")
    yield from _twice(((loc, v) for loc, v, _ in ids), expected, ("this device id is used twice", "设备编码重复"))


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


def _twice(items: Iterable[tuple[Loc, str | int | None]], expected: Text, text: Text) -> Iterator[Finding]:
    """A finding for each value that came before, at its later place; empty values don't count."""
    seen: set[str | int] = set()
    for loc, value in items:
        if value is None or value == "":
            continue
        if value in seen:
            yield Finding(loc, show(value), expected, text)
        seen.add(value)


_CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _ids,
    _numbers,
    _lines,
    _references,
    _changeover,
    _bypass,
    _pins,
    _timings,
    _paths,
    _keys,
    _cameras,
    _gb28181,
)
