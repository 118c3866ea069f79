"""A certificate authority for desks and tests: its key is made when it is wanted, and lives no longer than they do.

It issues what a center's own authority would: brokers with their names, panels with their ids, from keys that it makes
or from a request of the panel's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes, CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_PEM = serialization.Encoding.PEM
Key = CertificateIssuerPrivateKeyTypes


@dataclass(frozen=True)
class Life:
    """From when to when a certificate counts; without more, from yesterday until tomorrow."""

    begins: datetime
    ends: datetime

    @classmethod
    def days(cls, before: float = 1, after: float = 1) -> "Life":
        """Around now, in days; either may be negative."""
        now = datetime.now(UTC)
        return cls(now - timedelta(days=before), now + timedelta(days=after))


@dataclass(frozen=True)
class Authority:
    """`ca.pem` in `folder`; what it issues lies beside it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, folder: Path, name: str, life: Life | None = None) -> "Authority":
        """A new root of this common name, its certificate in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls.fresh(folder, name, life)
        (folder / "ca.pem").write_bytes(made.certificate.public_bytes(_PEM))
        return made

    @classmethod
    def fresh(cls, folder: Path, name: str, life: Life | None = None) -> "Authority":
        """A new root of this common name that is kept nowhere."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(name)
        certificate = (
            _builder(subject, subject, key.public_key(), life or Life.days(), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(folder, key, certificate)

    @classmethod
    def at(cls, folder: Path) -> "Authority":
        """The one that lies there: `ca.pem` and `ca.key`. Raises `OSError`, and `ValueError` for what is none."""
        certificate = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise ValueError(f"{folder / 'ca.key'}: expected the elliptic-curve key of ca.pem")
        return cls(folder, key, certificate)

    def keep_key(self) -> None:
        """`ca.key` beside `ca.pem`, 0600, for `at`."""
        private = self.folder / "ca.key"
        private.touch(mode=0o600)
        private.write_bytes(
            self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def issue(
        self, name: str, hosts: Sequence[str], life: Life | None = None, key: Key | None = None
    ) -> x509.Certificate:
        """`name.pem` and `name.key` in the folder. With hosts it serves as a server's, else as a client's."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = self.certify(name, key.public_key(), hosts, life)
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(_PEM))
        pem = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        private = self.folder / f"{name}.key"
        private.touch(mode=0o600)
        private.write_bytes(pem)
        return certificate

    def certify(
        self, name: str, public: CertificatePublicKeyTypes, hosts: Sequence[str] = (), life: Life | None = None
    ) -> x509.Certificate:
        """A certificate for a key that somebody else holds."""
        usage = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(_name(name), self.certificate.subject, public, life or Life.days(), False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if hosts:
            names = [x509.IPAddress(ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def pem(certificate: x509.Certificate) -> str:
    """As it stands in files and messages."""
    return certificate.public_bytes(_PEM).decode()


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, public: CertificatePublicKeyTypes, life: Life, authority: bool
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(life.begins)
        .not_valid_after(life.ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
