"""The TLS side of a path: TLS 1.2 or later, the center's CA pinned, host name checked, our client certificate shown.

A board without a right clock can't judge by it whether a certificate counts today. It knows a *floor*, a time that is
over for sure; given one, the dates are judged by that instead: a chain that ended before it is refused all the same,
before the first byte of MQTT.
"""

import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from firmware.clock import utc_text
from firmware.config import Dc09Path, MqttPath

log = logging.getLogger("fenghuo.uplink.tls")

_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
"""`X509_V_FLAG_NO_CHECK_TIME` of OpenSSL's x509_vfy.h; the ssl module has no name for it."""
_DER = 2
"""`_ssl.ENCODING_DER`."""


class BadTlsFiles(Exception):
    """A certificate, key or CA file that can't be used; the text names the file, never its content."""


class OutOfDate(ssl.SSLCertVerificationError):
    """The broker's chain ended before a time that is over for sure."""


@dataclass(frozen=True)
class Files:
    """Of one path: the CA that is pinned, and the client certificate with its key."""

    ca: Path
    certificate: Path
    key: Path


def files(path: MqttPath | Dc09Path, folder: Path) -> Files | None:
    """The files of a path, None for one in plain text."""
    if path.tls is None:
        return None
    return Files(folder / path.tls.ca, folder / path.tls.certificate, folder / path.tls.key)


def context(path: str, named: Files, authorities: Sequence[str] = (), floor: float | None = None) -> ssl.SSLContext:
    """The context of the path with this id. Raises `BadTlsFiles`.

    `authorities`: PEM of CAs that count besides the file's; core has checked who sent them. `floor`: seconds of UTC
    that judge the dates, None for the wall clock.
    """
    # Only the file's own CA counts: a purpose-made context, not the machine's store.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = True
    made.verify_mode = ssl.CERT_REQUIRED
    try:
        made.load_verify_locations(cafile=str(named.ca))
    except (OSError, ssl.SSLError) as error:
        raise BadTlsFiles(f"path {path}: ca {named.ca}: {error}") from None
    for pem in authorities:
        try:
            made.load_verify_locations(cadata=pem)
        except (ValueError, ssl.SSLError) as error:
            log.warning("path %s: a further authority can't be used: %s", path, error)
    try:
        made.load_cert_chain(str(named.certificate), str(named.key))
    except (OSError, ssl.SSLError) as error:
        raise BadTlsFiles(f"path {path}: certificate {named.certificate}, key {named.key}: {error}") from None
    if floor is not None:
        _judge_by(made, floor)
    return made


def _judge_by(made: ssl.SSLContext, floor: float) -> None:
    """OpenSSL then looks at everything but the dates, and we at these, as soon as the handshake is done."""
    if not any(hasattr(owner, "get_verified_chain") for owner in (ssl.SSLSocket, ssl.SSLObject, _native())):
        log.error("this Python can't show a verified chain: the dates of certificates are judged by the clock as it is")
        return

    class Dated(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check_dates(_verified_chain(self), floor)

    made.verify_flags |= _NO_CHECK_TIME
    made.sslsocket_class = Dated


def _native() -> type:
    import _ssl

    return _ssl._SSLSocket  # type: ignore[attr-defined,no-any-return]


def _verified_chain(sock: ssl.SSLSocket) -> list[x509.Certificate]:
    """The chain as OpenSSL has verified it, leaf first, its root in our CA file last."""
    public: Any = getattr(sock, "get_verified_chain", None)
    if public is not None:  # Python 3.13
        ders = public()
    else:
        native: Any = sock._sslobj  # type: ignore[attr-defined]
        ders = [each.public_bytes(_DER) for each in native.get_verified_chain()]
    if not ders:
        raise OutOfDate("the broker's chain can't be read, so its dates can't be judged")
    return [x509.load_der_x509_certificate(der) for der in ders]


def check_dates(chain: list[x509.Certificate], floor: float) -> None:
    """Raises `OutOfDate` unless the whole chain counts together at some moment from the floor (seconds of UTC) on."""
    ends = min(each.not_valid_after_utc.timestamp() for each in chain)
    begins = max(each.not_valid_before_utc.timestamp() for each in chain)
    if ends < max(begins, floor):
        raise OutOfDate(
            f"certificate has expired: the broker's chain ended {utc_text(ends)}, and it is {utc_text(floor)} or later"
        )
