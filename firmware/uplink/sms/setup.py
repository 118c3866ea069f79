"""From the panel file to a running SMS path: names, receivers, files and the port."""

import time
from zoneinfo import ZoneInfo

from firmware.clock import Clock
from firmware.config import Center, Loaded, SmsPath
from firmware.uplink.sms.last_resort import LastResort, Receiver, Terms
from firmware.uplink.sms.ledger import Ledger
from firmware.uplink.sms.link import SmsLink
from firmware.uplink.sms.modem import Modem
from firmware.uplink.sms.pin import Pin
from firmware.uplink.sms.port import SerialPort
from firmware.uplink.sms.texts import Names

FOLDER = "uplink"
"""In the data folder: what the uplink keeps for itself."""


def sms_link(loaded: Loaded, path: SmsPath, better: frozenset[str], clock: Clock) -> SmsLink:
    """The link, its port being opened. `better`: ids of the paths that are tried first."""
    folder = loaded.data / FOLDER
    center = loaded.file.center or Center(receipt_keys=["A" * 43])
    pin = Pin(loaded.folder / path.pin_file if path.pin_file else None, folder / f"{path.id}-pin.json")
    ledger = Ledger(folder / f"{path.id}-sent.json", clock.utc())
    return SmsLink(
        path.id,
        SerialPort(path.port, path.baud).start(),
        Modem(pin, path.min_signal_dbm),
        LastResort(terms(loaded, path, better), ledger, reference=time.time_ns() & 0xFF),
        clock,
        center.path_fault_s * 1000,
        ZoneInfo(loaded.file.panel.timezone),
    )


def terms(loaded: Loaded, path: SmsPath, better: frozenset[str]) -> Terms:
    """What the panel file says of this path."""
    file = loaded.file
    names = Names(
        file.panel.id,
        file.panel.name,
        {zone.id: (zone.number, zone.name) for zone in file.zone},
        {area.id: area.name for area in file.area},
        ZoneInfo(file.panel.timezone),
    )
    centers = [Receiver(f"center-{n}", number, silent=True) for n, number in enumerate(path.numbers, 1)]
    others = [Receiver(f"other-{n}", number, silent=False) for n, number in enumerate(path.other_numbers, 1)]
    return Terms(
        path.id,
        (*centers, *others),
        better,
        path.after_s * 1000,
        path.daily_limit,
        path.language,
        names,
        path.delivery_reports,
    )
