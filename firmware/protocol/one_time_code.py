"""What people read out to each other: the one-time code of an enrolment, and fingerprints that are compared by phone.

Both are Crockford base32 (no I, L, O, U; small letters, O for 0, I and L for 1 are understood) with Crockford's check
character (value mod 37), which finds every single slip and every swap of two neighbours.
"""

import hashlib
import os
import unicodedata
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _ALPHABET + "*~$=U"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
CODE_BITS = 100
CODE_LETTERS = CODE_BITS // 5
FINGERPRINT_LETTERS = 16
MAX_TYPED = 64
_GROUP = 5


class BadCode(ValueError):
    """Not a code of ours; `reason` says how it is wrong, the text never holds what was typed."""

    def __init__(self, reason: str) -> None:
        """`reason`: `length`, `letter` or `check`."""
        self.reason = reason
        super().__init__(reason)


def new_code(random: Callable[[int], bytes] = os.urandom) -> str:
    """20 letters, 100 random bits. One whose check would be a sign is drawn again: over the phone there are no signs.

    That leaves 33 of 37 codes, so 99.8 bits.
    """
    while True:
        number = int.from_bytes(random(13)) >> 4
        if _CHECKS[number % 37] in _ALPHABET + "U":
            return _letters(number, CODE_LETTERS)


def printed(code: str) -> str:
    """A code as it is shown: groups of five and the check character, `7XK2M-9QTRA-4WZ0P-H3NGC-8`."""
    groups = [code[at : at + _GROUP] for at in range(0, len(code), _GROUP)]
    return "-".join([*groups, _CHECKS[_number(code) % 37]])


def read_code(typed: str) -> str:
    """The 20 letters behind what somebody typed or pasted. Raises `BadCode`."""
    if len(typed) > MAX_TYPED:
        raise BadCode("length")
    plain = unicodedata.normalize("NFKC", typed).upper()
    letters = "".join(letter for letter in plain if letter not in "-‐–—_ .\t\r\n")
    if len(letters) != CODE_LETTERS + 1:
        raise BadCode("length")
    body, check = letters[:-1], letters[-1]
    if any(letter not in _VALUES for letter in body):
        raise BadCode("letter")
    code = _letters(_number(body), CODE_LETTERS)
    if _CHECKS[_number(code) % 37] != (_ALPHABET[_VALUES[check]] if check in _VALUES else check):
        raise BadCode("check")
    return code


def fingerprint(token: str) -> str:
    """Of a request or an answer, for two people at a phone: 80 bits of its SHA-256 in groups of four.

    Who wants to pass another request off as this one has to find a second one with the same 80 bits.
    """
    digest = hashlib.sha256(b"fenghuo.enrolment-fingerprint.v1\0" + token.encode()).digest()
    letters = _letters(int.from_bytes(digest[:10]), FINGERPRINT_LETTERS)
    return "-".join(letters[at : at + 4] for at in range(0, FINGERPRINT_LETTERS, 4))


def same_fingerprint(typed: str, token: str) -> bool:
    """Whether what somebody typed is the fingerprint of this token."""
    plain = unicodedata.normalize("NFKC", typed[:MAX_TYPED]).upper().replace("-", "").replace(" ", "").strip()
    letters = "".join(_ALPHABET[_VALUES[letter]] if letter in _VALUES else "?" for letter in plain)
    return letters == fingerprint(token).replace("-", "")


def _letters(number: int, count: int) -> str:
    return "".join(_ALPHABET[number >> 5 * at & 31] for at in reversed(range(count)))


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number << 5 | _VALUES[letter]
    return number
