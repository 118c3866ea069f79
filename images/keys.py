"""`python -m images.keys DIR`: the keys of a release, made once and kept offline.

    release.pem   Ed25519, signs manifests            release.jwk   its public half, for whoever flashes
    ca.pem        the CA of bundles, its private key  keyring.pem   its certificate, in the image and in RAUC's hands
    signer.pem    signs bundles, its private key      signer.crt    its certificate, by that CA

Only `release.jwk`, `keyring.pem` and `signer.crt` are for others. Existing keys are never replaced.
"""

import argparse
import datetime
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from firmware.protocol.jws import Signer, b64url

CA_DAYS, SIGNER_DAYS = 20 * 365, 5 * 365
"""A panel lives long, and no visit exchanges its keyring; the signer is exchanged by the CA."""
MAKES = ("release.pem", "ca.pem", "signer.pem")


class KeysThere(Exception):
    """The folder has keys already; names one."""


def make(folder: Path, now: datetime.datetime) -> None:
    """Make them all, private ones 0600. Raises `KeysThere`, `OSError`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in MAKES:
        if (folder / name).exists():
            raise KeysThere(f"{folder / name} is there already; keys are never replaced")
    release = Ed25519PrivateKey.generate()
    _private(folder / "release.pem", release)
    (folder / "release.jwk").write_text(public_jwk(release))
    ca, signer = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
    root = _certificate("Fenghuo bundle CA", ca, None, ca, now, CA_DAYS)
    leaf = _certificate("Fenghuo bundle signer", signer, root, ca, now, SIGNER_DAYS)
    (folder / "keyring.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "signer.crt").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    _private(folder / "ca.pem", ca)
    _private(folder / "signer.pem", signer)


def of_build(folder: Path) -> Path:
    """A folder with keys for trials, made where there are none: no panel in the field trusts them."""
    if not (folder / MAKES[0]).exists():
        make(folder, datetime.datetime.now(datetime.UTC))
    return folder


def signer(folder: Path) -> Signer:
    """The signer of manifests. Raises `OSError`, `ValueError`."""
    key = serialization.load_pem_private_key((folder / "release.pem").read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{folder / 'release.pem'}: found a {type(key).__name__}, expected an Ed25519 key")
    return Signer(key)


def public_jwk(private: Ed25519PrivateKey) -> str:
    """The public half, as `fenghuo flash` takes it."""
    made = Signer(private)
    jwk = {"crv": "Ed25519", "kid": made.kid, "kty": "OKP", "x": b64url(made.public.public_bytes_raw())}
    return json.dumps(jwk, sort_keys=True) + "\n"


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    by: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    days: int,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_ca = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A panel whose clock nobody has set must not find its own keyring too young.
        .not_valid_before(now - datetime.timedelta(days=365))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(_usage(is_ca), critical=True)
    )
    if not is_ca:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(by, hashes.SHA384())


def _usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private(path: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)


def main(argv: Sequence[str]) -> int:
    """Make the keys of a release; 1 where the folder has some."""
    parser = argparse.ArgumentParser(prog="python -m images.keys", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    try:
        make(folder, datetime.datetime.now(datetime.UTC))
    except (KeysThere, OSError) as error:
        print(f"images.keys: {error}", file=sys.stderr)
        return 1
    print(f"{folder}: keep ca.pem, signer.pem and release.pem where no network is; release.jwk goes to who flashes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
