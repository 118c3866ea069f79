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
    others = document.each("area", "zone", "adc", "box", "output", "camera")
    rows = [*others, *document.rows("osdp"), *readers(document)]
    own = [found.loc for found in (*document.rows("osdp"), *readers(document))]
    for finding in twice(
        ((row.at("id"), row.text("id")) for row in rows),
        ("an id that nothing else has", "未被使用的 id"),
        ("this id is used twice", "id 重复"),
    ):
        if finding.loc[:-1] in own:
            yield finding


def _ports(document: Document) -> Iterator[Finding]:
    yield from twice(
        ((bus.at("port"), bus.text("port")) for bus in document.rows("osdp")),
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
    for reader in readers(document):
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


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_ids, _ports, _addresses, _areas, _trust)
