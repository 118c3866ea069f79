"""The center's authority for panels' certificates: checks a signed request, issues, and answers the same one alike.

It issues only in the place of a certificate that it has given to that panel and not replaced yet: a second key that
wants to replace the same one is somebody with a copy of the panel's storage.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

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
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    """Panels, one for each sound request."""
    refused: list[str] = field(default_factory=list)
    _in_force: dict[str, str] = field(default_factory=dict)
    _answered: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    """Panel and replaced certificate → public key of the request, answer."""

    def enrol(self, panel: str, certificate: x509.Certificate) -> None:
        """This one was given to the panel."""
        self._in_force[panel] = fingerprint(certificate)

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
        key = csr.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        before = self._answered.get((panel, replaces))
        if before is not None:
            if before[0] != key:
                raise ValueError("a second key for the same certificate: a copy of the panel's storage?")
            return before[1]
        if self._in_force.get(panel) != replaces:
            raise ValueError("it replaces a certificate that is not in force")
        certificate = self.authority.certify(panel, csr.public_key(), (), self.life())
        answer = json.dumps({"panel": panel, "chain": [pem(certificate)]})
        self._answered[panel, replaces] = (key, answer)
        self._in_force[panel] = fingerprint(certificate)
        return answer
