"""Where a path's identity lies, what waits beside it, and how a new one comes into force without a moment of none.

While a request waits there are `KEY.enrol` and `KEY.enrol.json`. An answer is written whole as `….enrol` first, what
its record will say into `KEY.enrol.json`; then only names change, in an order in which each step leaves a working pair:

1. the CA file gets both, the CAs of before and the new ones;
2. `KEY.enrol` becomes `KEY.next`, the certificate is put in force, the key after it. Between these two the uplink
   itself would finish it (`firmware.uplink.pair`);
3. the CA file gets the new ones alone;
4. it is recorded, or left for core to record, and what waited is gone.
"""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID
from pydantic import Field, ValidationError

from firmware.config import Loaded
from firmware.config.models import MqttPath
from firmware.durable import sync_folder
from firmware.protocol.jws import Refused, unverified
from firmware.protocol.messages import CaHashes, KeyIds
from firmware.protocol.records import PanelId, Strict, UtcText
from firmware.uplink.pair import BadPair, Pair
from provisioning.enrolment.owner import UPLINK, Owner
from provisioning.enrolment.trouble import EXIT_WRONG, Trouble

_PEM = serialization.Encoding.PEM
_HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Waiting(Strict):
    """A request that was made and is not answered yet: the same one is sent again. Mode 0600, for it holds a key.

    `authorities`, `keys`: what its answer told, since right before it came into force; for the record, which a cut may
    keep from being made.
    """

    panel: PanelId
    request: str = Field(max_length=48 * 1024)
    mac: str = Field(max_length=43)
    answer_key: str = Field(pattern=r"^([0-9a-f]{64})?$", description="what the answer's MAC is checked with, hex")
    made: UtcText
    authorities: CaHashes = []
    keys: KeyIds = []


@dataclass(frozen=True)
class Answered:
    """What an answer brings, checked: PEM, the certificate's chain leaf first."""

    leaf: x509.Certificate
    chain: bytes
    authorities: bytes
    client_authorities: bytes | None


class Place:
    """The files of one certificate; several paths may share them."""

    def __init__(self, loaded: Loaded, path: MqttPath) -> None:
        if path.tls is None:
            raise ValueError(f"path {path.id} has no tls")
        folder, tls = loaded.folder, path.tls
        self.path = path.id
        self.panel = loaded.file.panel.id
        self.paths = [p.id for p in tls_paths(loaded) if p.tls and p.tls.certificate == tls.certificate]
        self.pair = Pair(folder / tls.certificate, folder / tls.key)
        self.ca = folder / tls.ca
        self.client_ca = folder / tls.client_ca if tls.client_ca else None
        self.key = _beside(self.pair.key, "enrol")
        self.state = _beside(self.pair.key, "enrol.json")
        self.owner = Owner.of(UPLINK, self.pair.key.parent)

    # --- what there is ----------------------------------------------------------------------------

    def current(self) -> x509.Certificate | None:
        """The certificate in force, with a key that fits it; None where there is none such."""
        try:
            certificate = self.pair.current()
        except BadPair:
            return None
        return certificate if _public(self.pair.key) == _spki(certificate.public_key()) else None

    def waiting(self) -> Waiting | None:
        """The request that waits; None where there is none that can be gone on with."""
        try:
            found = Waiting.model_validate_json(self.state.read_bytes())
        except (OSError, ValidationError):
            return None
        return found if found.panel == self.panel else None

    def waiting_key(self) -> bytes | None:
        """The public key (DER) for which a certificate is awaited."""
        return _public(self.key)

    # --- what is done ------------------------------------------------------------------------------

    def certificate_request(self) -> str:
        """PKCS #10 (PEM) for the key that waits, which is made where there is none. Raises `Trouble`."""
        try:
            if self.waiting_key() is None:
                for file in (self.key, self.pair.certificate, self.ca, *([self.client_ca] if self.client_ca else [])):
                    self.owner.folder(file.parent)
                made = ec.generate_private_key(ec.SECP256R1())
                pem = made.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
                self.owner.write(self.key, pem, 0o600)
            key = serialization.load_pem_private_key(self.key.read_bytes(), None)
        except OSError as error:
            raise _cant(self.key, error) from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise Trouble("cant-write", file=self.key, detail="not a key of ours")
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.panel)])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
        return request.public_bytes(_PEM).decode()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else enrols this path meanwhile: a service that tries unattended, say. Raises `Trouble`."""
        folder = self.pair.key.parent
        try:
            self.owner.folder(folder)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _cant(folder, error) from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Trouble("another", again=True) from None
            yield
        finally:
            os.close(handle)

    def keep(self, waiting: Waiting) -> None:
        """Remember the request before it leaves. Raises `Trouble`."""
        try:
            self._keep(waiting)
        except OSError as error:
            raise _cant(self.state, error) from None

    def _keep(self, waiting: Waiting) -> None:
        part = _beside(self.state, "part")
        self.owner.write(part, waiting.model_dump_json().encode(), 0o600)
        part.replace(self.state)
        sync_folder(self.state.parent)

    def settle(self) -> bool:
        """Complete, or take back, what a cut interrupted. Whether the answer is in force: then `done` is still to be
        called. Raises `Trouble`.
        """
        waiting = self.waiting()
        if waiting is None:
            return False
        try:
            asked = _asked_key(waiting)
            with _undisturbed():
                if self._certified() == asked:
                    self._complete()
                    return True
                if not self.key.exists() and _public(self.pair.next_key) == asked:
                    self.pair.next_key.replace(self.key)
                    sync_folder(self.key.parent)
        except OSError as error:
            raise _cant(self.state, error) from None
        return False

    def put(self, answered: Answered, waiting: Waiting) -> None:
        """Put an answer to this request in force; `done` ends it. Raises `Trouble`; then what was in force still is."""
        files = {self.pair.certificate: answered.chain, self.ca: answered.authorities}
        if self.client_ca is not None and answered.client_authorities is not None:
            files[self.client_ca] = answered.client_authorities
        both = _beside(self.ca, "enrol-both")
        try:
            for file, data in files.items():
                self.owner.write(_beside(file, "enrol"), data, 0o644)
            before = self.ca.read_bytes() if self.ca.exists() else b""
            merged = answered.authorities if answered.authorities in before else answered.authorities + before
            self.owner.write(both, merged if self.current() is not None else answered.authorities, 0o644)
            self._keep(waiting)
        except OSError as error:
            for file in (*(_beside(file, "enrol") for file in files), both):
                file.unlink(missing_ok=True)
            raise _cant(self.ca, error) from None
        try:
            with _undisturbed():
                both.replace(self.ca)
                sync_folder(self.ca.parent)
                self.pair.next_certificate.unlink(missing_ok=True)
                self.key.replace(self.pair.next_key)
                sync_folder(self.key.parent)
                _beside(self.pair.certificate, "enrol").replace(self.pair.certificate)
                sync_folder(self.pair.certificate.parent)
                self._complete()
        except OSError as error:
            raise _cant(self.pair.certificate, error) from None

    def _certified(self) -> bytes | None:
        """The key (DER) of the certificate in force."""
        try:
            return _spki(self.pair.current().public_key())
        except BadPair:
            return None

    def _complete(self) -> None:
        if self._certified() == _public(self.pair.next_key):
            self.pair.next_key.replace(self.pair.key)
            sync_folder(self.pair.key.parent)
        for file in (self.ca, self.client_ca):
            if file is not None and _beside(file, "enrol").exists():
                _beside(file, "enrol").replace(file)
                sync_folder(file.parent)

    def done(self) -> None:
        """The answer is in force, and whoever should know knows. Raises `Trouble`."""
        try:
            self.state.unlink(missing_ok=True)
            sync_folder(self.state.parent)
        except OSError as error:
            raise _cant(self.state, error) from None


def tls_paths(loaded: Loaded) -> list[MqttPath]:
    """The paths that a certificate is for, in the file's order."""
    return [path for path in loaded.file.path if isinstance(path, MqttPath) and path.tls is not None]


def place_of(loaded: Loaded, path: str = "") -> Place:
    """The files of this path; of the first one without a name. Raises `Trouble`."""
    paths = tls_paths(loaded)
    if not paths:
        raise Trouble("no-path", code=EXIT_WRONG, file=loaded.path)
    found = next((each for each in paths if path in ("", each.id)), None)
    if found is None:
        known = ", ".join(each.id for each in paths)
        raise Trouble("unknown-path", code=EXIT_WRONG, path=path, file=loaded.path, known=known)
    return Place(loaded, found)


class _undisturbed:
    """Signals wait until a few names have changed."""

    def __enter__(self) -> None:
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)

    def __exit__(self, *_: object) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def _asked_key(waiting: Waiting) -> bytes | None:
    try:
        return _spki(x509.load_pem_x509_csr(str(unverified(waiting.request)["csr"]).encode()).public_key())
    except (Refused, ValueError, KeyError):
        return None


def _public(file: Path) -> bytes | None:
    """The public half (DER) of a key file; None where there is none."""
    try:
        return _spki(serialization.load_pem_private_key(file.read_bytes(), None).public_key())
    except (OSError, ValueError, TypeError):
        return None


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _cant(file: Path, error: Exception) -> Trouble:
    detail = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Trouble("cant-write", file=file, detail=detail)
