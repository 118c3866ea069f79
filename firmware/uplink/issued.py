"""Whether the certificate that the center sent is the one that we asked for, and no worse than the one before.

It comes over the same link as everything else and is not signed by a center's key: it proves itself. Whoever holds the
broker can keep it back or send an old one, and gets no further than that.
"""

import hmac
from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import ValidationError

from firmware.clock import utc_text
from firmware.protocol.envelope import IssuedCertificate
from firmware.uplink.pair import alternative_names, ends_at, load_chain

MAX_BYTES = 40 * 1024
_BROKEN_HASHES = ("md5", "sha1")


class Unfit(Exception):
    """An answer that does not count; the text says what was found and what was expected."""


def checked(
    payload: bytes, panel: str, before: x509.Certificate, key: bytes, issuers: Sequence[x509.Certificate], now: float
) -> tuple[x509.Certificate, bytes]:
    """The certificate in the center's answer and the chain to keep (PEM, leaf first). Raises `Unfit`.

    `key`: the public key that waits (DER). `issuers`: the pinned CAs. `now`: seconds of UTC.
    """
    chain = _parse(payload, panel)
    leaf = chain[0]
    if not hmac.compare_digest(_public(leaf), key):
        raise Unfit("it is for another key than the one that waits")
    if leaf.subject != before.subject:
        raise Unfit(f"it names {_said(leaf.subject)}, expected {_said(before.subject)}")
    if alternative_names(leaf) != alternative_names(before):
        raise Unfit("its alternative names are not those of before")
    _check_use(leaf)
    _check_life(leaf, before, now)
    _check_issued(chain, issuers)
    return leaf, b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)


def first_checked(
    pems: Sequence[str], panel: str, key: bytes, issuers: Sequence[x509.Certificate], now: float
) -> tuple[x509.Certificate, bytes]:
    """A first certificate, which follows no other: it must name the panel alone. As `checked`. Raises `Unfit`."""
    chain = _load(pems)
    leaf = chain[0]
    if not hmac.compare_digest(_public(leaf), key):
        raise Unfit("it is for another key than the one that waits")
    expected = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, panel)])
    if leaf.subject != expected:
        raise Unfit(f"it names {_said(leaf.subject)}, expected {_said(expected)}")
    _check_use(leaf)
    _check_dates(leaf, now)
    _check_issued(chain, issuers)
    return leaf, b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)


def _parse(payload: bytes, panel: str) -> list[x509.Certificate]:
    if len(payload) > MAX_BYTES:
        raise Unfit(f"{len(payload)} bytes, at most {MAX_BYTES}")
    try:
        answer = IssuedCertificate.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unfit(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    if answer.panel != panel:
        raise Unfit(f"it is for the panel {answer.panel!r}, expected {panel!r}")
    return _load(answer.chain)


def _load(pems: Sequence[str]) -> list[x509.Certificate]:
    try:
        chain = [found for pem in pems for found in load_chain(pem.encode())]
        for each in chain:
            _read_all(each)
    except Exception as error:  # the library has one for each thing that may be wrong in a certificate
        raise Unfit(f"a certificate can't be read: {type(error).__name__}: {str(error)[:120]}") from None
    if len(chain) != len(pems):
        raise Unfit("more than one certificate in a member of the chain")
    return chain


def _read_all(certificate: x509.Certificate) -> None:
    """Parsed late by the library: whatever is wrong inside must show now and not further on."""
    _public(certificate)
    for name in ("extensions", "subject", "issuer", "signature_hash_algorithm", "not_valid_before_utc"):
        getattr(certificate, name)
    ends_at(certificate)


def _public(certificate: x509.Certificate) -> bytes:
    key = certificate.public_key()
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _check_use(leaf: x509.Certificate) -> None:
    extensions = leaf.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise Unfit("it is the certificate of an authority, expected one of a client")
    except x509.ExtensionNotFound:
        pass
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise Unfit("it has no extended key usage, expected clientAuth") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise Unfit("its extended key usage has no clientAuth")


def _check_life(leaf: x509.Certificate, before: x509.Certificate, now: float) -> None:
    ends = ends_at(leaf)
    if ends <= ends_at(before):
        raise Unfit(f"it ends {utc_text(ends)}, expected later than {utc_text(ends_at(before))}")
    _check_dates(leaf, now)


def _check_dates(leaf: x509.Certificate, now: float) -> None:
    ends = ends_at(leaf)
    if leaf.not_valid_before_utc.timestamp() > now + 300:
        raise Unfit(f"it begins {utc_text(leaf.not_valid_before_utc.timestamp())}, and it is {utc_text(now)}")
    if ends < now:
        raise Unfit(f"it has ended {utc_text(ends)}, and it is {utc_text(now)}")


def _check_issued(chain: Sequence[x509.Certificate], issuers: Sequence[x509.Certificate]) -> None:
    """Each is signed by the next, and the last by a pinned CA."""
    for number, each in enumerate(chain):
        if any(_signed(each, issuer) for issuer in issuers):
            return
        if number + 1 == len(chain) or not _signed(each, chain[number + 1]):
            raise Unfit(f"its chain does not lead to a CA that is pinned for this ({_said(each.issuer)})")


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in _BROKEN_HASHES:
        return False
    try:
        authority = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        certificate.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return authority


def _said(name: x509.Name) -> str:
    return name.rfc4514_string()[:100].encode("ascii", "backslashreplace").decode()
