"""The panel's own secrets: core's signing key and the pepper of the codes, made at first start, 0600."""

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.durable import sync_folder
from firmware.protocol.jws import Signer, b64url

log = logging.getLogger("fenghuo.core.keys")

PEPPER_BYTES = 32


class BadKey(Exception):
    """A key file that is there but can't be used; names the file and what was found."""


@dataclass(frozen=True)
class Keys:
    """What core signs with, and what codes are hashed with."""

    signer: Signer
    pepper: bytes


def load_or_make(folder: Path) -> Keys:
    """The keys in `folder`; each is made where it is missing. `core.jwk` (public) is written beside them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _close(folder, 0o700)
    signer = Signer(_private(folder / "core.pem"))
    public = {"crv": "Ed25519", "kid": signer.kid, "kty": "OKP", "x": b64url(signer.public.public_bytes_raw())}
    text = json.dumps(public, sort_keys=True) + "\n"
    jwk = folder / "core.jwk"
    if not jwk.exists() or jwk.read_text() != text:
        _write_new(jwk, text.encode(), 0o644, replace=True)
    return Keys(signer, _pepper(folder / "pepper"))


def read(folder: Path) -> Keys:
    """The keys in `folder`, which is only read: a backup. Raises `BadKey`, `OSError`."""
    pepper = (folder / "pepper").read_bytes()
    if len(pepper) != PEPPER_BYTES:
        raise BadKey(f"{folder / 'pepper'}: {len(pepper)} bytes, expected {PEPPER_BYTES}")
    return Keys(Signer(_loaded(folder / "core.pem", (folder / "core.pem").read_bytes())), pepper)


def _private(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        pem = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write_new(path, pem, 0o600)
    return _loaded(path, _secret(path))


def _loaded(path: Path, pem: bytes) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except ValueError:
        raise BadKey(f"{path}: not a private key in PEM form; expected an Ed25519 key (PKCS #8)") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{path}: found a {type(key).__name__}, expected an Ed25519 key")
    return key


def _pepper(path: Path) -> bytes:
    if not path.exists():
        _write_new(path, os.urandom(PEPPER_BYTES), 0o600)
    pepper = _secret(path)
    if len(pepper) != PEPPER_BYTES:
        raise BadKey(f"{path}: {len(pepper)} bytes, expected {PEPPER_BYTES}")
    return pepper


def _secret(path: Path) -> bytes:
    _close(path, 0o600)
    return path.read_bytes()


def _close(path: Path, mode: int) -> None:
    """Take the rights of others away, as after a copy that did not keep them.

    A panel that does not start for it would protect nobody; the log says that others could read it so far.
    """
    found = path.stat().st_mode & 0o777
    if not found & 0o077:
        return
    try:
        path.chmod(mode)
    except OSError as error:
        raise BadKey(f"{path}: others may use it (rights {found:04o}), expected {mode:04o}: {error}") from None
    log.warning("%s: others could use it (rights %04o), now %04o: consider it known to them", path, found, mode)


def _write_new(path: Path, data: bytes, mode: int, replace: bool = False) -> None:
    """Write beside, sync, rename: a power cut leaves the whole file or none."""
    part = path.with_suffix(path.suffix + ".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists() and not replace:
        raise BadKey(f"{path}: appeared while it was being made")
    part.rename(path)
    sync_folder(path.parent)
