"""The TLS side of a path: TLS 1.2 or later, the center's CA pinned, host name checked, our client certificate shown."""

import logging
import ssl
from collections.abc import Sequence
from pathlib import Path

from firmware.config import Dc09Path, MqttPath

log = logging.getLogger("fenghuo.uplink.tls")


class BadTlsFiles(Exception):
    """A certificate, key or CA file that can't be used; the text names the file, never its content."""


def context(path: MqttPath | Dc09Path, folder: Path, authorities: Sequence[str] = ()) -> ssl.SSLContext | None:
    """The context of a path, None for one that the panel file allows in plain text. Raises `BadTlsFiles`.

    `authorities`: PEM of CAs that count besides the file's; core has checked who sent them.
    """
    if path.tls is None:
        return None
    # Only the file's own CA counts: a purpose-made context, not the machine's store.
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.check_hostname = True
    made.verify_mode = ssl.CERT_REQUIRED
    ca, certificate, key = (folder / name for name in (path.tls.ca, path.tls.certificate, path.tls.key))
    try:
        made.load_verify_locations(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise BadTlsFiles(f"path {path.id}: ca {ca}: {error}") from None
    for pem in authorities:
        try:
            made.load_verify_locations(cadata=pem)
        except (ValueError, ssl.SSLError) as error:
            log.warning("path %s: a further authority can't be used: %s", path.id, error)
    try:
        made.load_cert_chain(str(certificate), str(key))
    except (OSError, ssl.SSLError) as error:
        raise BadTlsFiles(f"path {path.id}: certificate {certificate}, key {key}: {error}") from None
    return made
