"""The PIN of the SIM: read from its file, and never tried a second time once it was refused.

Three wrong tries lock a SIM. So a try is noted durably before it is made, as a salted scrypt hash of the digits, and
only a SIM that then says READY clears the note. A note that stands forbids these digits, also after a restart. One
thing is forgiven: a PIN that was right before, whose try a power cut interrupted, gets one more.
"""

import hashlib
import hmac
import logging
import os
import re
from pathlib import Path
from typing import Any

from firmware.uplink.sms import durable

log = logging.getLogger("fenghuo.uplink.sms")

_DIGITS = re.compile(r"[0-9]{4,8}")
_COST = {"n": 2**12, "r": 8, "p": 1}


class NoPin(Exception):
    """There is no PIN that may be tried; the text says why and never holds a digit."""


class Pin:
    """`file`: where the technician puts the digits, mode 0600. `memory`: what was tried."""

    def __init__(self, file: Path | None, memory: Path) -> None:
        self._file = file
        self._memory = memory
        self._kept: dict[str, Any] = {}
        self._before: dict[str, Any] = {}

    def take(self) -> str:
        """The digits, to be tried once, now; raises `NoPin`."""
        digits = self._read()
        kept = self._remembered()
        salt = bytes.fromhex(kept["salt"]) if kept else os.urandom(16)
        hashed = hashlib.scrypt(digits.encode(), salt=salt, **_COST).hex()
        known = bool(kept) and hmac.compare_digest(hashed, kept["hash"])
        good = known and kept["good"]
        if known and kept["open"] and not good:
            raise NoPin("the PIN in its file was refused by the SIM before; put the right one there")
        self._before = {"open": known and kept["open"], "good": good}
        self._kept = {"salt": salt.hex(), "hash": hashed, "open": True, "good": good and not kept["open"]}
        try:
            durable.write(self._memory, self._kept)
        except OSError as error:
            if not good:
                raise NoPin(f"a try could not be noted in {self._memory}: {error.strerror}") from None
        return digits

    def accepted(self) -> None:
        """The SIM is unlocked by what `take` gave."""
        self._note({"open": False, "good": True})

    def refused(self) -> None:
        """The SIM said no."""
        self._note({"open": True, "good": False})

    def untried(self) -> None:
        """The SIM did not look at it."""
        self._note(self._before)

    def _note(self, change: dict[str, bool]) -> None:
        self._kept |= change
        try:
            durable.write(self._memory, self._kept)
        except OSError as error:
            log.error("what became of the PIN could not be noted in %s: %s", self._memory, error)

    def _read(self) -> str:
        if self._file is None:
            raise NoPin("the SIM wants a PIN, and the panel file names no pin_file")
        try:
            self._close(self._file)
            with self._file.open("rb") as file:
                text = file.read(64).decode("ascii", "replace").strip()
        except OSError as error:
            raise NoPin(f"{self._file}: {error.strerror or error}") from None
        if not _DIGITS.fullmatch(text):
            raise NoPin(f"{self._file}: found {len(text)} characters, expected a PIN of 4 to 8 digits")
        return text

    @staticmethod
    def _close(file: Path) -> None:
        """Take the rights of others away, as core does with its keys."""
        found = file.stat().st_mode & 0o777
        if found & 0o077:
            file.chmod(0o600)
            log.warning("%s: others could read it (rights %04o), now 0600: consider it known to them", file, found)

    def _remembered(self) -> dict[str, Any]:
        """What was noted, empty where nothing was. A note that can't be read may be a refusal: no try then."""
        if self._kept:
            return self._kept
        try:
            kept = durable.read(self._memory) or {}
            if kept:
                bytes.fromhex(kept["salt"])
                kept = {"salt": kept["salt"], "hash": str(kept["hash"]), "open": kept["open"], "good": kept["good"]}
                if not kept["hash"].isascii() or {type(kept["open"]), type(kept["good"])} != {bool}:
                    raise ValueError("not a note of a PIN")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoPin(f"{self._memory} can't be read ({error}); remove it when the PIN is right") from None
        return kept
