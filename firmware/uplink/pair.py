"""The client certificate of a path and its key on disk, and the pair that will come after it.

A renewed pair lies beside the old one (`….next`) until it has connected, so a kill at any moment leaves one that works:

1. `KEY.next` is made, durable, and kept over retries and restarts.
2. `CERTIFICATE.next` is written once it has been checked: from now on it is tried.
3. It worked: it is renamed over the certificate, then its key over the old key. Between the two, the certificate fits
   `KEY.next` only; `settle` sees that and does the second step. The old key is gone with it.
"""

import logging
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    PrivateKeyTypes,
    PublicKeyTypes,
)

from firmware.durable import sync_folder, write_whole

log = logging.getLogger("fenghuo.uplink.pair")

DUE, SPREAD = 2 / 3, 0.01
"""A certificate is renewed after so much of its life, and up to so much more."""
_PEM = serialization.Encoding.PEM


class BadPair(Exception):
    """Files that can't be used; the text names the file, never its content."""


class Pair:
    """The two files that the panel file names, and those beside them."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.certificate = certificate
        self.key = key
        self.next_certificate = certificate.with_name(certificate.name + ".next")
        self.next_key = key.with_name(key.name + ".next")

    # --- what there is --------------------------------------------------------------------------

    def current(self) -> x509.Certificate:
        """The certificate in force. Raises `BadPair`."""
        return _certificate(self.certificate)

    def candidate(self) -> x509.Certificate | None:
        """A renewed one that has not connected yet, None where there is none."""
        return _certificate(self.next_certificate) if self.next_certificate.exists() else None

    def next_public(self) -> bytes | None:
        """The public half (DER) of the key that waits for its certificate, None where there is none."""
        return _spki(_private(self.next_key).public_key()) if self.next_key.exists() else None

    def request(self) -> str:
        """The request (PEM) for the key that waits: subject and names as in the certificate in force."""
        key = _private(self.next_key)
        if not isinstance(
            key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
        ):
            raise BadPair(f"{self.next_key}: found a {type(key).__name__}, which signs no request")
        before = self.current()
        builder = x509.CertificateSigningRequestBuilder().subject_name(before.subject)
        if (names := alternative_names(before)) is not None:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(key, _digest(key)).public_bytes(_PEM).decode()

    # --- what is done ----------------------------------------------------------------------------

    def settle(self) -> None:
        """Finish or undo what a kill interrupted. Raises `OSError`."""
        for file in (self.next_key, self.next_certificate):
            file.with_name(file.name + ".part").unlink(missing_ok=True)
        try:
            waiting, candidate = self.next_public(), self.candidate()
        except BadPair as bad:
            log.error("a renewal can't be gone on with, it begins anew: %s", bad)
            self._remove(self.next_certificate, self.next_key)
            return
        if waiting is not None and candidate is None and _spki(self.current().public_key()) == waiting:
            log.warning("the renewal of %s was interrupted at its last step, which is done now", self.certificate)
            self._rename(self.next_key, self.key)
        elif candidate is not None and waiting != _spki(candidate.public_key()):
            log.error("%s does not fit %s; it goes", self.next_certificate, self.next_key)
            self._remove(self.next_certificate)

    def make_key(self) -> None:
        """A new key of the same kind, unless one waits already; mode 0600. May take seconds (RSA on a slow board)."""
        if self.next_key.exists():
            return
        made = like(_private(self.key))
        data = made.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write_whole(self.next_key, data, 0o600)

    def keep(self, chain: bytes) -> None:
        """Keep a checked chain (PEM, leaf first) as the candidate."""
        write_whole(self.next_certificate, chain, 0o644)

    def promote(self) -> None:
        """The candidate has worked: it is the pair from now on, and the old key is gone."""
        self._rename(self.next_certificate, self.certificate)
        self._rename(self.next_key, self.key)

    def reject(self) -> None:
        """The candidate is not wanted: it goes, and its key too, so that the next request is a new one."""
        self._remove(self.next_certificate, self.next_key)

    @staticmethod
    def _rename(old: Path, new: Path) -> None:
        old.rename(new)
        sync_folder(new.parent)

    @staticmethod
    def _remove(*paths: Path) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            sync_folder(path.parent)


def due(certificate: x509.Certificate) -> float:
    """When it is to be renewed, seconds of UTC: after 2/3 of its life, and up to 1 % more.

    A whole city gets its certificates on one day; each panel's own share keeps it from renewing in one second.
    """
    begins, ends = _seconds(certificate.not_valid_before_utc), ends_at(certificate)
    share = int.from_bytes(certificate.fingerprint(hashes.SHA256())[:4]) / 2**32
    return begins + (ends - begins) * (DUE + SPREAD * share)


def ends_at(certificate: x509.Certificate) -> float:
    """The last second at which it counts, UTC."""
    return _seconds(certificate.not_valid_after_utc)


def alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    """Its alternative names, None where it has none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def like(key: PrivateKeyTypes) -> PrivateKeyTypes:
    """A new private key of the kind and size of another. Raises `BadPair`."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ec.generate_private_key(key.curve)
    if isinstance(key, rsa.RSAPrivateKey):
        return rsa.generate_private_key(65537, key.key_size)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return ed25519.Ed25519PrivateKey.generate()
    if isinstance(key, ed448.Ed448PrivateKey):
        return ed448.Ed448PrivateKey.generate()
    raise BadPair(f"found a {type(key).__name__}, expected an EC, RSA or Ed25519 key")


def load_chain(data: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file or answer, in order. Raises `ValueError`."""
    return x509.load_pem_x509_certificates(data)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return load_chain(path.read_bytes())[0]
    except (OSError, ValueError) as error:
        raise BadPair(f"{path}: {_first_line(error)}; expected a certificate in PEM form") from None


def _private(path: Path) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadPair(
            f"{path}: {type(error).__name__}; expected a private key in PEM form without a password"
        ) from None


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _digest(key: PrivateKeyTypes) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey) else hashes.SHA256()


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
