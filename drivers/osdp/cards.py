"""A card as one text, the same whenever it is held: what the key of its user is made from.

`wiegand-26-2ab34c0`, `raw-32-04a1b2c3`, `text-04A1B2`: how the reader names it, bits, hex. The letters in it keep a
card's number from being typed as a code.
"""

import re

MAX_BITS = 512
MAX_TEXT = 64
CARD = re.compile(r"(wiegand|raw)-[1-9][0-9]{0,2}-[0-9a-f]{1,128}|text-[0-9A-Z]{1,64}")
"""What a card's text looks like; to be matched in full."""


def bits_card(kind: str, bits: int, data: bytes) -> str | None:
    """A card whose number is `bits` long, first bit highest in the first byte; None when that can't be."""
    if not 1 <= bits <= MAX_BITS or len(data) != (bits + 7) // 8:
        return None
    # What stands behind the last bit is filling, and differs from reader to reader.
    number = int.from_bytes(data, "big") >> (-bits % 8)
    return f"{kind}-{bits}-{number:0{(bits + 3) // 4}x}"


def text_card(text: bytes) -> str | None:
    """A card whose number is text: letters and digits count, upper case; None when it has others, or is too long."""
    number = text.strip(b" \t\r\n\x00\x02\x03")
    if not 1 <= len(number) <= MAX_TEXT or not number.isalnum() or not number.isascii():
        return None
    return "text-" + number.decode().upper()


def printed_26(facility: int, number: int) -> str:
    """The card with these two numbers printed on it: 26 bits, the first and the last are parity (Wiegand H10301).

    Raises `ValueError` beyond 255 and 65535.
    """
    if not 0 <= facility <= 255 or not 0 <= number <= 65_535:
        raise ValueError("expected a facility of 0 to 255 and a number of 0 to 65535")
    inner = facility << 16 | number
    even = (inner >> 12).bit_count() & 1
    odd = ~(inner & 0xFFF).bit_count() & 1
    return f"wiegand-26-{even << 25 | inner << 1 | odd:07x}"
