"""From the panel file's readers to the buses that they hang on."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drivers.bus.driver import BusWiring
    from firmware.config import PanelFile


def osdp_wirings(file: "PanelFile", folder: Path) -> "list[BusWiring]":
    """What is on each OSDP bus; key files are looked for in `folder`, the panel file's."""
    if not file.osdp:
        return []
    from drivers.bus.driver import BusWiring

    found = []
    for bus in file.osdp:
        readers = [
            {
                "id": reader.id,
                "address": reader.address,
                "key_file": str(folder / reader.key_file) if reader.key_file else "",
                "keypad": reader.keypad,
                "rows": reader.text_rows,
            }
            for reader in bus.reader
        ]
        ids = frozenset(reader.id for reader in bus.reader)
        wiring = {"port": bus.port, "baud": bus.baud, "readers": readers}
        found.append(BusWiring(bus.id, "osdp", wiring, parts=ids, devices=ids))
    return found


def line_wirings(file: "PanelFile") -> "list[BusWiring]":
    """The serial readers, each on a port of its own."""
    if not file.reader:
        return []
    from drivers.bus.driver import BusWiring

    found = []
    for reader in file.reader:
        tags = {zone.tag.tag: zone.id for zone in file.zone if zone.tag and zone.tag.reader == reader.id}
        form = {"prefix": reader.prefix, "suffix": reader.suffix, "hexadecimal": reader.digits == "hex"}
        wiring = {
            "id": reader.id,
            "port": reader.port,
            "baud": reader.baud,
            "kind": reader.kind,
            "format": {**form, "least": reader.least, "most": reader.most},
            "tags": tags,
        }
        found.append(BusWiring(reader.id, "reader", wiring, tuple(tags.values()), devices=frozenset({reader.id})))
    return found


def reader_areas(file: "PanelFile") -> dict[str, tuple[str, ...]]:
    """Reader → the areas that it is for."""
    osdp = {reader.id: tuple(reader.areas) for bus in file.osdp for reader in bus.reader}
    return osdp | {reader.id: tuple(reader.areas) for reader in file.reader}


def reader_ids(file: "PanelFile") -> set[str]:
    """The readers, each of which has a tamper switch."""
    return {reader.id for bus in file.osdp for reader in bus.reader}
