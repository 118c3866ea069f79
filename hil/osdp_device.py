"""OSDP readers as a process: `python -m hil.osdp_device FD PLAN`, on the far end of a pty pair, by libosdp itself.

PLAN is JSON: a list of readers with `id`, `address`, `key` (32 hex digits, or "" for none), `rows`. Standard input
takes one JSON object a line (`do`, and what belongs to it); standard output tells each command that a reader was given,
and when it comes online. Faults on demand: silence, noise, half frames, another key, another address, a restart.
"""

import json
import os
import select
import sys
import time
from collections.abc import Mapping
from typing import Any

import osdp_sys as lib

from drivers.osdp.channel import Frames

_KEYS = {"#": b"\r", "*": b"\x7f"}
_CAPABILITIES = (
    (lib.CAP_CONTACT_STATUS_MONITORING, 1, 1),
    (lib.CAP_READER_LED_CONTROL, 1, 1),
    (lib.CAP_READER_AUDIBLE_OUTPUT, 1, 1),
    (lib.CAP_READER_TEXT_OUTPUT, 3, 1),
    (lib.CAP_READERS, 0, 1),
    (lib.CAP_CHECK_CHARACTER_SUPPORT, 1, 0),
)
TURN_S = 0.005


class Device:
    """One reader."""

    def __init__(self, plan: Mapping[str, Any], fd: int) -> None:
        self.id = 1
        self.silent = False
        self.half = 0
        self._plan = dict(plan)
        self._fd = fd
        self._inbox = Frames()
        self._tampered = self._unpowered = False
        self._was = (False, False)
        self.restart()

    def restart(self, **changes: Any) -> None:
        """As after a power cut: a new session, with another key or address where asked."""
        self._plan |= changes
        self._inbox.clear()
        key = self._plan.get("key", "")
        security = [] if self._plan.get("plain") else [(lib.CAP_COMMUNICATION_SECURITY, 1, 1)]
        info = {
            "name": self._plan["id"],
            "address": self._plan["address"],
            "flags": lib.FLAG_ENFORCE_SECURE if key else 0 if self._plan.get("plain") else lib.FLAG_INSTALL_MODE,
            "scbk": bytes.fromhex(key) if key else None,
            "channel": self,
            **dict.fromkeys(("version", "model", "vendor_code", "serial_number", "firmware_version"), 1),
        }
        names = ("function_code", "compliance_level", "num_items")
        able = [dict(zip(names, row, strict=True)) for row in (*_CAPABILITIES, *security)]
        self._pd = lib.PeripheralDevice(info, capabilities=able)
        self._pd.set_command_callback(self._command)

    # --- the wire, as libosdp wants it ---------------------------------------------------------------

    def read(self, most: int) -> bytes:
        return self._inbox.pull(most)

    def write(self, data: bytes) -> int:
        if self.silent:
            return len(data)
        cut, self.half = (len(data) // 2, self.half - 1) if self.half else (len(data), 0)
        os.write(self._fd, data[:cut])
        return len(data)

    def flush(self) -> None:
        self._inbox.clear()

    # --- turning -------------------------------------------------------------------------------------

    def hear(self, data: bytes) -> None:
        """What is on the bus."""
        if not self.silent:
            self._inbox.take(data)

    def turn(self) -> None:
        self._pd.refresh()
        now = (bool(self._pd.is_online()), bool(self._pd.is_sc_active()))
        if now != self._was:
            self._was = now
            told(self._plan["id"], online=now[0], secure=now[1])

    def _command(self, command: dict[str, Any]) -> tuple[int, object]:
        # The binding lets go of the second member once too often: it gets one that is worth nothing.
        if command["command"] == lib.CMD_STATUS:
            # It always answers 0, 0 as well; what stands is told behind it.
            if self._tampered or self._unpowered:
                self._tell_status()
            return 0, object()
        if command["command"] == lib.CMD_KEYSET:
            self._plan["key"] = command["data"].hex()
        told(self._plan["id"], command={k: v.hex() if isinstance(v, bytes) else v for k, v in command.items()})
        return 0, object()

    def _tell_status(self) -> None:
        report = bytes((self._tampered, self._unpowered))
        self._pd.submit_event({"event": lib.EVENT_STATUS, "type": lib.STATUS_REPORT_LOCAL, "report": report})

    def do(self, what: str, order: Mapping[str, Any]) -> None:
        """Fingers, cards, faults."""
        match what:
            case "keys":
                for key in order["keys"]:
                    self._event(lib.EVENT_KEYPRESS, data=_KEYS.get(key, key.encode()))
            case "card":
                data = bytes.fromhex(order["data"])
                self._event(
                    lib.EVENT_CARDREAD,
                    format=order.get("format", lib.CARD_FMT_RAW_WIEGAND),
                    direction=0,
                    length=order.get("bits", len(data) * 8),
                    data=data,
                )
            case "status":
                self._tampered, self._unpowered = bool(order.get("tampered")), bool(order.get("unpowered"))
                self._tell_status()
            case "silent":
                self.silent = order["on"]
            case "half":
                self.half = order["frames"]
            case "noise":
                os.write(self._fd, bytes.fromhex(order["data"]))
            case "restart":
                self.restart(**{k: v for k, v in order.items() if k in ("key", "address", "plain")})
            case _:
                raise ValueError(f"do: {what!r}, expected keys, card, status, silent, half, noise or restart")

    def _event(self, kind: int, **members: Any) -> None:
        self._pd.submit_event({"event": kind, "reader_no": 0, **members})


def told(reader: str, **what: Any) -> None:
    """A line for who plays."""
    print(json.dumps({"reader": reader, **what}), flush=True)


def main(argv: list[str]) -> int:
    """Until standard input is closed."""
    fd = int(argv[0])
    lib.set_loglevel(lib.LOG_CRIT)
    devices = {plan["id"]: Device(plan, fd) for plan in json.loads(argv[1])}
    waiting = b""
    while True:
        ready, _, _ = select.select([fd, 0], [], [], TURN_S)
        if fd in ready:
            try:
                data = os.read(fd, 4096)
            except OSError:  # nobody has the other end
                data = b""
                time.sleep(TURN_S)
            for device in devices.values():
                device.hear(data)
        if 0 in ready:
            data = os.read(0, 65_536)
            if not data:
                return 0
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                devices[order["reader"]].do(order["do"], order)
        for device in devices.values():
            device.turn()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
