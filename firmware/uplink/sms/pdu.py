"""Short messages as a modem takes and gives them in PDU mode: SMS-SUBMIT out, SMS-STATUS-REPORT in (3GPP TS 23.040).

A long text becomes concatenated parts, never cutting a character in two. Reports come from outside: whatever
they hold, the answer is a `Report` or `BadPdu`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from firmware.uplink.sms import gsm7

MAX_PARTS = 3
"""Of one text: what an operator reads at a glance, and what a tired network still delivers."""
VALID_MIN = 240
"""How long the network tries to deliver; later it is no alarm any more."""
_SEPTETS_ALONE, _SEPTETS_OF_PART = 160, 153
_OCTETS_ALONE, _OCTETS_OF_PART = 140, 134
_UCS2, _GSM7 = 0x08, 0x00
# TP-MTI submit, TP-VPF relative; TP-SRR; TP-UDHI where there are parts (23.040, 9.2.2.2).
_SUBMIT, _REPORT, _WITH_HEADER = 0x01 | 0x10, 0x20, 0x40
_INTERNATIONAL, _NATIONAL = 0x91, 0x81
_STATUS_REPORT = 0x02
_STAMP_BYTES = 7
MAX_TEXT = 1000
"""Characters of a text that are looked at."""
MAX_REPORT_HEX = 512

Outcome: TypeAlias = Literal["delivered", "trying", "failed"]


class BadPdu(ValueError):
    """Bytes that are no status report; says what was found and expected."""


@dataclass(frozen=True)
class Part:
    """One short message for `AT+CMGS`. `length`: octets without the service center's address."""

    length: int
    hex: str


@dataclass(frozen=True)
class Report:
    """A status report: for which `reference` (TP-MR) and number, and its status octet (TP-ST)."""

    reference: int
    number: str
    status: int

    @property
    def outcome(self) -> Outcome:
        """23.040, 9.2.3.15: 0x00 to 0x1f done, 0x20 to 0x3f the center still tries, from 0x40 on it gave up."""
        return "delivered" if self.status < 0x20 else "trying" if self.status < 0x40 else "failed"


def submit(number: str, text: str, reference: int, report: bool = True, valid_min: int = VALID_MIN) -> list[Part]:
    """The messages for a text of any length: at most `MAX_PARTS`, then it ends in an ellipsis.

    `number`: digits, with + where international. `reference`: 0 to 255, the same for all parts of one text.
    `report`: ask for a delivery report of each part.
    """
    chunks = split(text)
    dcs = _GSM7 if gsm7.fits("".join(chunks)) else _UCS2
    count = len(chunks)
    return [
        _part(number, dcs, _header(reference, count, place) if count > 1 else b"", chunk, report, valid_min)
        for place, chunk in enumerate(chunks, 1)
    ]


def _part(number: str, dcs: int, header: bytes, text: str, report: bool, valid_min: int) -> Part:
    first = _SUBMIT | (_REPORT if report else 0) | (_WITH_HEADER if header else 0)
    tpdu = bytes([first, 0, *_address(number), 0, dcs, _validity(valid_min), *_user_data(dcs, header, text)])
    # In front: no service center's address, so that the one on the SIM counts.
    return Part(len(tpdu), f"00{tpdu.hex().upper()}")


def _header(reference: int, count: int, place: int) -> bytes:
    """Concatenation, 8-bit reference (23.040, 9.2.3.24.1)."""
    return bytes([5, 0, 3, reference & 0xFF, count, place])


def _user_data(dcs: int, header: bytes, text: str) -> bytes:
    if dcs == _UCS2:
        body = header + text.encode("utf-16-be")
        return bytes([len(body)]) + body
    codes = [code for char in text for code in gsm7.septets(char)]
    header_septets = (8 * len(header) + 6) // 7
    packed = header + gsm7.pack(codes, 7 * header_septets - 8 * len(header))
    return bytes([header_septets + len(codes)]) + packed


def _validity(minutes: int) -> int:
    """TP-VP, relative (23.040, 9.2.3.12.1): steps of 5 minutes up to 12 hours."""
    return max(0, min(143, minutes // 5 - 1))


def _address(number: str) -> bytes:
    digits = number.lstrip("+")
    padded = digits + "F" * (len(digits) % 2)
    swapped = "".join(padded[at + 1] + padded[at] for at in range(0, len(padded), 2))
    return bytes([len(digits), _INTERNATIONAL if number.startswith("+") else _NATIONAL]) + bytes.fromhex(swapped)


# --- splitting -----------------------------------------------------------------------------------


def split(text: str) -> list[str]:
    """The text of each part. What can't be sent (half of a surrogate pair) becomes a question mark."""
    text = text[:MAX_TEXT].encode("utf-16-be", "replace").decode("utf-16-be")
    chunks = _chunks(text)
    if len(chunks) <= MAX_PARTS:
        return chunks
    dots = "..." if gsm7.fits(text) else "…"
    while len(chunks := _chunks(text + dots)) > MAX_PARTS:
        text = text[:-1]
    return chunks


def _chunks(text: str) -> list[str]:
    if gsm7.fits(text):
        return _fill(text, _SEPTETS_ALONE, _SEPTETS_OF_PART, lambda char: len(gsm7.septets(char)))
    return _fill(text, _OCTETS_ALONE, _OCTETS_OF_PART, lambda char: len(char.encode("utf-16-be")))


def _fill(text: str, alone: int, of_part: int, size: Callable[[str], int]) -> list[str]:
    if sum(map(size, text)) <= alone:
        return [text]
    chunks, room = [""], of_part
    for char in text:
        if size(char) > room:
            chunks.append("")
            room = of_part
        chunks[-1] += char
        room -= size(char)
    return chunks


# --- reports -------------------------------------------------------------------------------------


def report(line: str) -> Report:
    """The status report in a line of hex, as a modem gives it; raises `BadPdu`."""
    if len(line) > MAX_REPORT_HEX:
        raise BadPdu(f"{len(line)} characters, expected at most {MAX_REPORT_HEX}")
    try:
        data = bytes.fromhex(line)
        data = data[1 + data[0] :]
        first, reference, digits, kind = data[:4]
    except (ValueError, IndexError):
        raise BadPdu(f"{line[:40]!r}, expected a status report in hex") from None
    if first & 0x03 != _STATUS_REPORT:
        raise BadPdu(f"message type {first & 0x03}, expected {_STATUS_REPORT} (status report)")
    end = 4 + (digits + 1) // 2
    status = data[end + 2 * _STAMP_BYTES : end + 2 * _STAMP_BYTES + 1]
    if not status:
        raise BadPdu(f"{len(data)} octets, expected at least {end + 2 * _STAMP_BYTES + 1}")
    return Report(reference, _number(data[4:end], digits, kind), status[0])


def _number(semi_octets: bytes, digits: int, kind: int) -> str:
    swapped = "".join(f"{octet & 0x0F:x}{octet >> 4:x}" for octet in semi_octets)[:digits]
    return ("+" if kind & 0x70 == _INTERNATIONAL & 0x70 else "") + swapped
