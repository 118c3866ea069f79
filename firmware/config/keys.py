"""Whether a public key in the panel file can be one: a point on the curve of Ed25519, and not a weak one.

A library's loader takes any 32 bytes. A mistyped key would refuse every receipt only at night, and a point of small
order would accept forged ones; so both are found when the file is read.
"""

import base64
import binascii

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
# y of the points whose order divides 8 (RFC 8032 section 5.1; the low-order list of RFC 7748 carried over).
_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8})


def is_public_key(x: str) -> bool:
    """`x` of an Ed25519 JWK (RFC 8037): 43 characters of base64url, canonical, of a point of large order."""
    try:
        raw = base64.b64decode(x + "=", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != 32 or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != x:
        return False
    return _is_strong_point(int.from_bytes(raw, "little"))


def _is_strong_point(encoded: int) -> bool:
    y = encoded & (1 << 255) - 1
    if y >= _P or y in _SMALL_ORDER:
        return False
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(x_squared, (_P - 1) // 2, _P) == 1
