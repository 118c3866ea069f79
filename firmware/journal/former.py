"""Public keys that a panel signed its journals with before: after a restore on new hardware it has a key of its own.

They lie as JWKs in `keys/former`. Only older journals are read by them, never the one in use; none else.
"""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.protocol.jws import load_public

FOLDER = "former"
MAX_KEYS = 16
MAX_BYTES = 4096


def former_keys(keys: Path) -> tuple[Ed25519PublicKey, ...]:
    """Those in the folder `keys/former` that can be read, at most `MAX_KEYS`. Raises no error."""
    found = []
    try:
        paths = sorted((keys / FOLDER).glob("*.jwk"))[:MAX_KEYS]
    except OSError:
        return ()
    for path in paths:
        try:
            if path.stat().st_size <= MAX_BYTES:
                found.append(load_public(json.loads(path.read_bytes())["x"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    return tuple(found)
