"""The life of one client certificate: watched, renewed after 2/3 of its life, tried, and put in force.

The steps are files (`pair.py`), so a kill at any moment goes on from the last one: a key waits, core signs our request,
it is published on `renewal`, the center answers on `certificate`, the answer is checked and kept, a second connection
tries it beside the first. Whatever fails is tried again after pauses that grow; the old pair works until the new does.
"""

import logging
import threading
from hashlib import sha256
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.clock import utc_text
from firmware.protocol.messages import Certificate, RenewalAsk, Renewed
from firmware.uplink.events import ToCore
from firmware.uplink.identity import Identity
from firmware.uplink.issued import Unfit, checked
from firmware.uplink.pair import BadPair, due, ends_at
from firmware.uplink.tls import BadTlsFiles

log = logging.getLogger("fenghuo.uplink.renewal")

ANSWER_MS = 60_000
"""The center has so long to answer one request."""
TRIES = 3
TRY_MS = 45_000
"""A second connection has so long to come up."""
PAUSE_MS = 60_000
MAX_PAUSE_MS = 6 * 3_600_000
LOOK_MS = 60_000
MAKING_MS = 100
ANSWERS = 4
"""So many answers to one request are looked at."""

_Failure = (BadPair, BadTlsFiles, OSError, ValueError)


class Renewal:
    """For the process's one loop, but for the making of a key. No method raises or waits."""

    def __init__(self, path: str, panel: str, identity: Identity, owner: bool = True) -> None:
        """`owner`: of two paths with the same files, one renews them; the other only tells when they end."""
        self._path = path
        self._panel = panel
        self._identity = identity
        self._owner = owner
        self._told: list[Certificate] = []
        self._connected = False
        self._was_open = False
        self._look_at = 0
        self._rest_until = 0
        self._failures = 0
        self._answers_left = 0
        self._tries = 0
        self._answer_by: int | None = None
        self._try_by: int | None = None
        self._maker: threading.Thread | None = None
        self._out: list[ToCore] = []

    # --- what it is told -------------------------------------------------------------------------

    def core(self, connected: bool) -> None:
        """Core is there anew, or gone."""
        self._connected = connected
        self._told = []
        self._look_at = 0

    def wants(self, word: str) -> bool:
        """Whether a message on this topic is an answer that is waited for."""
        return word == "certificate" and self._answers_left > 0

    def answered(self, payload: bytes, now_ms: int) -> None:
        """The center's answer, unchecked."""
        self._answers_left -= 1
        pair = self._identity.pair
        try:
            key = pair.next_public()
            if key is None:
                return
            identity = self._identity
            certificate, chain = checked(
                payload, self._panel, pair.current(), key, identity.issuers(), identity.floor.utc()
            )
            pair.keep(chain)
        except Unfit as unfit:
            log.warning("path %s: the center's certificate does not count: %s", self._path, unfit)
            return
        except _Failure as error:
            self._fail(f"the certificate could not be kept: {error}", now_ms)
            return
        log.info("path %s: a certificate until %s is to be tried", self._path, utc_text(ends_at(certificate)))
        self._answers_left = 0
        self._answer_by = None
        self._rest_until = self._look_at = 0

    def worked(self) -> None:
        """A connection with the renewed pair is up: it is in force."""
        self._try_by = None
        pair = self._identity.pair
        try:
            old, new = pair.current(), pair.candidate()
            if new is None:
                return
            pair.promote()
        except _Failure as error:
            log.error("path %s: the renewed certificate could not be put in force: %s", self._path, error)
            return
        log.info("path %s: the renewed certificate is in force, until %s", self._path, utc_text(ends_at(new)))
        self._failures = self._tries = 0
        self._look_at = 0
        self._out.append(
            Renewed(path=self._path, old=fingerprint(old), new=fingerprint(new), not_after=utc_text(ends_at(new)))
        )

    def interrupted(self) -> None:
        """The path went down: nothing is said about the renewed pair."""
        self._try_by = None

    def failed(self, reason: str, now_ms: int) -> None:
        """The second connection did not come up. After a few tries the renewed pair goes; the old one stays."""
        self._try_by = None
        self._tries += 1
        if self._tries < TRIES:
            self._fail(f"the renewed certificate did not connect: {reason}", now_ms)
            return
        self._tries = 0
        try:
            self._identity.pair.reject()
        except _Failure as error:
            reason = f"{reason}; {error}"
        self._fail(f"the renewed certificate was not taken: {reason}", now_ms)

    # --- what it does --------------------------------------------------------------------------------

    def next_deadline(self) -> int | None:
        """When to call `turn` (monotonic ms)."""
        if not self._connected:
            return None
        moments = [self._look_at, self._answer_by, self._try_by]
        return min(moment for moment in moments if moment is not None)

    def overdue(self, now_ms: int) -> bool:
        """Whether the second connection takes too long."""
        return self._try_by is not None and now_ms >= self._try_by

    def turn(self, now_ms: int, is_open: bool) -> tuple[list[ToCore], bool]:
        """What to tell core, and whether to try the renewed pair now. `is_open`: the path is connected."""
        switch = False
        if is_open and not self._was_open:
            self._look_at = 0
        self._was_open = is_open
        if self._connected and now_ms >= self._look_at:
            self._look_at = now_ms + LOOK_MS
            try:
                self._tell()
                if self._owner and is_open:
                    switch = self._step(now_ms)
            except _Failure as error:
                self._fail(str(error), now_ms)
        if self._answer_by is not None and now_ms >= self._answer_by:
            self._fail("the center did not answer with a certificate that counts", now_ms)
        out, self._out = self._out, []
        return out, switch

    def _tell(self) -> None:
        """When the certificates end, as far as core does not know it yet."""
        found = [
            self._told_of("client", self._identity.pair.current()),
            self._told_of("ca", self._identity.last_ca()),
        ]
        if found != self._told:
            self._out += found
            self._told = found

    def _told_of(self, file: Literal["client", "ca"], certificate: x509.Certificate) -> Certificate:
        begins = certificate.not_valid_before_utc.timestamp()
        ends = ends_at(certificate)
        return Certificate(path=self._path, file=file, not_before=utc_text(begins), not_after=utc_text(ends))

    def _step(self, now_ms: int) -> bool:
        pair = self._identity.pair
        if now_ms < self._rest_until or self._answer_by is not None or self._try_by is not None:
            return False
        if pair.candidate() is not None:
            self._try_by = now_ms + TRY_MS
            return True
        before = pair.current()
        if self._identity.floor.utc() < due(before):
            return False
        if pair.next_public() is None:
            self._make(now_ms)
            return False
        self._out.append(RenewalAsk(path=self._path, csr=pair.request(), replaces=fingerprint(before)))
        self._answers_left = ANSWERS
        self._answer_by = now_ms + ANSWER_MS
        log.info(
            "path %s: asking for a new certificate; the one in force ends %s", self._path, utc_text(ends_at(before))
        )
        return False

    def _make(self, now_ms: int) -> None:
        """An RSA key takes a slow board seconds, in which alarms must go out."""
        self._look_at = now_ms + MAKING_MS
        if self._maker is None or not self._maker.is_alive():
            if self._maker is not None:  # it has ended, and there is no key
                self._maker = None
                self._fail("no key could be made", now_ms)
                return
            self._maker = threading.Thread(target=self._make_key, name="renewal-key", daemon=True)
            self._maker.start()

    def _make_key(self) -> None:
        try:
            self._identity.pair.make_key()
        except _Failure as error:
            log.error("path %s: %s", self._path, error)

    def _fail(self, reason: str, now_ms: int) -> None:
        pause = min(MAX_PAUSE_MS, PAUSE_MS << min(self._failures, 20))
        self._failures += 1
        self._answer_by = None
        self._answers_left = 0
        self._rest_until = now_ms + pause
        log.warning("path %s: renewal: %s; again in %d s", self._path, reason, pause // 1000)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER, hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
