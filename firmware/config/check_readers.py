"""Whether each reader on an OSDP bus has an address of its own, areas that are there, and one way to be trusted."""

from collections.abc import Callable, Iterator

from firmware.config.findings import listed_once, twice, unknown, wrong
from firmware.config.mistakes import Finding
from firmware.config.readers import INSECURE
from firmware.config.rows import Document, Row


def readers(document: Document) -> list[Row]:
    """Every reader of every bus."""
    return [reader for bus in document.rows("osdp") for reader in bus.tables("reader")]


def _ids(document: Document) -> Iterator[Finding]:
    others = document.each("area", "zone", "adc", "box", "output", "camera", "modbus")
    modules = [module for bus in document.rows("modbus") for module in bus.tables("module")]
    own_rows = [*document.each("osdp", "reader"), *readers(document)]
    rows = [*others, *modules, *own_rows]
    own = [row.loc for row in own_rows]
    for finding in twice(
        ((row.at("id"), row.text("id")) for row in rows),
        ("an id that nothing else has", "未被使用的 id"),
        ("this id is used twice", "id 重复"),
    ):
        if finding.loc[:-1] in own:
            yield finding


def _ports(document: Document) -> Iterator[Finding]:
    yield from twice(
        ((bus.at("port"), bus.text("port")) for bus in document.each("modbus", "osdp", "reader")),
        ("a port of its own", "独占的串口"),
        ("this port is used twice", "串口重复使用"),
    )


def _addresses(document: Document) -> Iterator[Finding]:
    for bus in document.rows("osdp"):
        yield from twice(
            ((reader.at("address"), reader.number("address")) for reader in bus.tables("reader")),
            ("an address of its own on this bus, 0 to 126", "本总线上独占的地址，0 至 126"),
            ("this address is used twice", "地址重复使用"),
        )


def _areas(document: Document) -> Iterator[Finding]:
    for reader in (*readers(document), *document.rows("reader")):
        yield from unknown(reader.texts("areas"), "area", document.ids("area"))
        yield from listed_once(reader, "areas")


def _trust(document: Document) -> Iterator[Finding]:
    for reader in readers(document):
        if reader.has("key_file") == reader.has("insecure"):
            both = reader.has("insecure")
            yield wrong(
                reader,
                "insecure" if both else "key_file",
                (f'key_file = "…", or insecure = "{INSECURE}"',) * 2,
                ("a reader has a key, or none", "读卡器要么有密钥，要么没有")
                if both
                else (
                    "a reader needs its key, or the sentence that accepts none",
                    "读卡器需要密钥，或接受无密钥的语句",
                ),
            )


def _line_readers(document: Document) -> Iterator[Finding]:
    for reader in document.rows("reader"):
        if reader.text("kind") == "card" and not reader.texts("areas"):
            yield wrong(
                reader,
                "areas",
                ("the areas that a card arms and disarms here", "此处刷卡布撤防的分区"),
                ("a card reader needs areas", "读卡器需要分区"),
            )
        if (reader.number("least", 4) or 0) > (reader.number("most", 20) or 0):
            yield wrong(reader, "least", ("least ≤ most",) * 2, ("no number fits", "没有符合的编号"))


def _tags(document: Document) -> Iterator[Finding]:
    tours = {r.text("id") for r in document.rows("reader") if r.text("kind") == "tour"}
    tagged = [zone for zone in document.rows("zone") if zone.has("tag")]
    inner = [zone.inner("tag") for zone in tagged]
    yield from unknown([(tag.at("reader"), tag.text("reader")) for tag in inner if tag.has("reader")], "reader", tours)
    yield from twice(
        ((tag.at("tag"), f"{tag.text('reader')} {tag.text('tag')}".strip()) for tag in inner),
        ("a tag of its own", "独占的标签"),
        ("this tag is used twice", "标签重复使用"),
    )
    for zone in tagged:
        if any(zone.has(key) for key in ("input", "loop", "point")):
            yield wrong(
                zone,
                "tag",
                ("one of input, loop, point and tag", "input、loop、point、tag 只能选一"),
                ("a zone has one wire", "防区只有一种接线"),
            )
        if zone.text("type") != "checkpoint":
            yield wrong(
                zone,
                "tag",
                ('type = "checkpoint"', 'type = "checkpoint"'),
                ("a tag is for a checkpoint", "标签仅用于巡更点"),
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _ids,
    _ports,
    _addresses,
    _areas,
    _trust,
    _line_readers,
    _tags,
)
