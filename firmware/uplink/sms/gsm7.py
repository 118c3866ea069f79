"""The GSM 7-bit default alphabet and how its septets are packed into octets (3GPP TS 23.038, 6.1.2.1 and 6.2.1).

A text with any other character travels as UCS-2 (6.2.3): UTF-16, big-endian.
"""

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPE = 0x1B
_SEPTETS: dict[str, tuple[int, ...]] = {char: (code,) for code, char in enumerate(_BASIC) if code != ESCAPE}
_SEPTETS |= {
    char: (ESCAPE, code)
    for char, code in {
        "\f": 0x0A,
        "^": 0x14,
        "{": 0x28,
        "}": 0x29,
        "\\": 0x2F,
        "[": 0x3C,
        "~": 0x3D,
        "]": 0x3E,
        "|": 0x40,
        "€": 0x65,
    }.items()
}


def fits(text: str) -> bool:
    """Whether every character is in the alphabet."""
    return all(char in _SEPTETS for char in text)


def septets(char: str) -> tuple[int, ...]:
    """The one or two septets of a character; raises `KeyError` for one that `fits` refuses."""
    return _SEPTETS[char]


def pack(codes: list[int], fill_bits: int = 0) -> bytes:
    """Septets as octets, lowest bits first, behind `fill_bits` (0 to 6) of zeros, as after a user data header."""
    value = sum(code << (7 * place) for place, code in enumerate(codes)) << fill_bits
    return value.to_bytes((fill_bits + 7 * len(codes) + 7) // 8, "little")
