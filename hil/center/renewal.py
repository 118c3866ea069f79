"""The center's authority for panels' certificates: checks a signed request, issues, and answers the same one alike.

It issues only in the place of a certificate that it has given to that panel and not replaced yet: a second key that
wants to replace the same one is somebody with a copy of the panel's storage.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from hil.authority import Authority, Life, pem
from hil.center.center import Center
from hil.center.keys import BadToken, read_token
from hil.center.reader import Garbage

RENEWAL = "fenghuo.renewal.v1"
Answers = dict[str, str]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the DER, hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


@dataclass
class RenewalDesk:
    """On the center's thread. `key` gives the `x` of a panel's core, `life` that of what is issued now."""

    authority: Authority
    key: Callable[[str], str | None]
    life: Callable[[], Life]
    folder: Path | None = None
    """Where the certificate in force of each panel lies as `PANEL.pem`, over a restart of the center."""
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    """Panels, one for each sound request."""
    refused: list[str] = field(default_factory=list)
    _in_force: dict[str, x509.Certificate] = field(default_factory=dict)
    _replaced: dict[str, str] = field(default_factory=dict)
    """Panel → fingerprint of the certificate that the one in force has replaced."""

    @classmethod
    def at(cls, folder: Path, key: Callable[[str], str | None], days: int) -> "RenewalDesk":
        """The authority that lies in `folder` (`ca.pem`, `ca.key`), certificates in force in `folder/issued`.

        `days`: how long a new one lasts. Raises `OSError` and `ValueError`.
        """
        return cls(Authority.at(folder), key, lambda: Life.days(1 / 24, days), folder / "issued")

    def enrol(self, panel: str, certificate: x509.Certificate) -> None:
        """This one was given to the panel."""
        self._in_force[panel] = certificate
        if self.folder is not None:
            self.folder.mkdir(exist_ok=True)
            part = self.folder / f".{panel}.new"
            part.write_text(pem(certificate))
            part.replace(self.folder / f"{panel}.pem")

    def _of(self, panel: str) -> x509.Certificate | None:
        """The certificate in force. A panel's id is checked before: it names a file."""
        file = None if self.folder is None else self.folder / f"{panel}.pem"
        if file is not None and file.exists():  # read each time: it may have been enrolled anew meanwhile
            self._in_force[panel] = x509.load_pem_x509_certificate(file.read_bytes())
        return self._in_force.get(panel)

    def attach(self, center: Center) -> None:
        """Answer what panels publish on `renewal`."""
        center.answer("renewal", self.answer, own=("certificate",))

    def answer(self, panel: str, data: bytes) -> Answers:
        """The answer on `certificate`. Raises `Garbage`."""
        try:
            request = self._request(panel, data)
            return {} if self.silent else {"certificate": self._issue(panel, *request)}
        except ValueError as error:
            self.refused.append(str(error))
            raise Garbage("renewal", str(error)[:200]) from None

    def _request(self, panel: str, data: bytes) -> tuple[x509.CertificateSigningRequest, str]:
        x = self.key(panel)
        if x is None:
            raise ValueError("unknown panel")
        try:
            body = read_token(x, RENEWAL, data)
        except BadToken as error:
            raise ValueError(str(error)) from None
        csr = x509.load_pem_x509_csr(str(body.get("csr")).encode())
        names = [name.value for name in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if body.get("panel") != panel or names != [panel] or not csr.is_signature_valid:
            raise ValueError(f"a request of {body.get('panel')!r:.60} for {names!r:.100}")
        self.asked.append(panel)
        return csr, str(body.get("replaces"))

    def _issue(self, panel: str, csr: x509.CertificateSigningRequest, replaces: str) -> str:
        held = self._of(panel)
        if held is not None and fingerprint(held) == replaces:
            held = self.authority.certify(panel, csr.public_key(), (), self.life())
            self.enrol(panel, held)
            self._replaced[panel] = replaces
        elif held is None or _public(held) != _public(csr):
            if self._replaced.get(panel) == replaces:
                raise ValueError("a second key for the same certificate: a copy of the panel's storage?")
            raise ValueError("it replaces a certificate that is not in force")
        return json.dumps({"panel": panel, "chain": [pem(held)]})


def _public(of: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
