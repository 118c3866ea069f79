"""Who a path shows itself as, and whom it believes: its TLS files as they are now, read anew for each connection.

While a renewed certificate waits to be tried, there are two pairs; a path shows the old one until the new one has
connected, unless the old one has ended already.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from ssl import SSLContext

from cryptography import x509

from firmware.config import Dc09Path, MqttPath
from firmware.uplink.floor import Floor
from firmware.uplink.pair import BadPair, Pair, ends_at, load_chain
from firmware.uplink.tls import BadTlsFiles, Files, context, files

log = logging.getLogger("fenghuo.uplink.identity")


class Identity:
    """Of one path with TLS. For the process's one loop."""

    def __init__(self, path: str, named: Files, client_ca: Path, floor: Floor) -> None:
        """`client_ca`: who may sign our next certificate. Raises `BadTlsFiles`."""
        self.pair = Pair(named.certificate, named.key)
        self.floor = floor
        self.shows_next = False
        """Whether the newest context bears the renewed pair."""
        self._path = path
        self._named = named
        self._client_ca = client_ca
        self._authorities: tuple[str, ...] = ()
        try:
            self.pair.settle()
        except (OSError, BadPair) as error:
            log.error("path %s: what a renewal left can't be settled: %s", path, error)
        self.context()

    def trust(self, authorities: Sequence[str]) -> None:
        """Believe brokers of these CAs (PEM) besides the file's, from the next connection on."""
        self._authorities = tuple(authorities)

    def context(self, renewed: bool = False) -> SSLContext:
        """For the next connection; `renewed`: with the pair that is to be tried. Raises `BadTlsFiles`."""
        self.shows_next = renewed or self._must_try()
        pair = self.pair
        named = Files(self._named.ca, pair.next_certificate, pair.next_key) if self.shows_next else self._named
        floor = self.floor.unsure()
        if floor is not None:
            log.warning("path %s: the clock is unsure; certificates are judged by the floor of time", self._path)
        return context(self._path, named, self._authorities, floor)

    def _must_try(self) -> bool:
        """Whether the pair in force has ended, and another is at hand."""
        try:
            return self.pair.candidate() is not None and ends_at(self.pair.current()) < self.floor.utc()
        except BadPair:
            return False

    def issuers(self) -> list[x509.Certificate]:
        """The CAs that may sign our next certificate. Raises `BadTlsFiles`."""
        return _load(self._path, self._client_ca)

    def last_ca(self) -> x509.Certificate:
        """That CA of those by which brokers are believed which ends last. Raises `BadTlsFiles`."""
        found = _load(self._path, self._named.ca)
        for pem in self._authorities:
            try:
                found += load_chain(pem.encode())
            except ValueError:
                continue  # the context has said so
        return max(found, key=ends_at)


def identity(path: MqttPath | Dc09Path, folder: Path, floor: Floor) -> Identity | None:
    """Of a path of the panel file; None where that allows plain text. Raises `BadTlsFiles`."""
    named = files(path, folder)
    if path.tls is None or named is None:
        return None
    return Identity(path.id, named, folder / (path.tls.client_ca or path.tls.ca), floor)


def _load(path: str, file: Path) -> list[x509.Certificate]:
    try:
        return load_chain(file.read_bytes())
    except (OSError, ValueError) as error:
        raise BadTlsFiles(f"path {path}: ca {file}: {error}") from None
