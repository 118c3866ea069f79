"""A stand-in for Ed25519 in simulated lives: the whole way of signed things, without the mathematics of the curve.

Everything else is real: canonical bytes, JWS, key ids, and a signature that fits these bytes and this key only. The
curve itself is not what a life tests, and would take a sixth of its time; operators' commands keep the real one
(`hil.life.orders`).
"""

from hashlib import blake2b
from typing import cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import Signer


class QuickPublic:
    """What `KeyRing` asks of a public key. It could sign as well: nobody in a life would."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def public_bytes_raw(self) -> bytes:
        """32 bytes that tell the key apart."""
        return blake2b(self._secret, digest_size=32, person=b"quick-public").digest()

    def verify(self, signature: bytes, data: bytes) -> None:
        """Raises `InvalidSignature`."""
        if signature != blake2b(data, key=self._secret).digest():
            raise InvalidSignature


class QuickPrivate:
    """What `Signer` asks of a private key."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def public_key(self) -> QuickPublic:
        """Its other half."""
        return QuickPublic(self._secret)

    def sign(self, data: bytes) -> bytes:
        """64 bytes, as long as a real signature."""
        return blake2b(data, key=self._secret).digest()


def quick_signer(secret: bytes) -> Signer:
    """A signer whose tokens only a `KeyRing` with its own `public` believes. `secret`: at most 64 bytes."""
    return Signer(cast(Ed25519PrivateKey, QuickPrivate(secret)))
