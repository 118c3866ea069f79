"""The center's desk for new panels: gives out one-time codes, answers the request that proves one, and no other.

An invitation is for one panel and one use. What is kept of its code are the two keys that follow from it; certificate,
hash of the request and answer are committed at once, so a request whose answer got lost is answered alike.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

from firmware.clock import Clock, SystemClock, utc_text
from firmware.config.keys import is_public_key
from firmware.protocol.one_time_code import new_code, printed
from hil.authority import Authority, Life, pem
from hil.center.keys import BadToken, Key, read_token
from hil.center.renewal import fingerprint

REQUEST, ANSWER = "fenghuo.enrolment.v1", "fenghuo.enrolment-answer.v1"
PANEL = re.compile(r"[a-z0-9][a-z0-9-]{2,47}")
MAX_BYTES = 64 * 1024
MAX_TRIES = 10
MAX_INVITATIONS = 100_000
HOURS = 24.0
_OF_X509 = (x509.InvalidVersion, UnsupportedAlgorithm)
LEAST_RSA_BITS = 2048
_SCHEMA = """
CREATE TABLE IF NOT EXISTS invitations(panel TEXT PRIMARY KEY, request_key BLOB NOT NULL, answer_key BLOB NOT NULL,
  made TEXT NOT NULL, expires REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, used TEXT, answer TEXT, key_x TEXT,
  certificate TEXT);
"""


class Declined(Exception):
    """A request that is not answered. `reason` is that of docs/enrolment.md; `detail` is for the center's own eyes."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(frozen=True)
class Asked:
    """A request whose two signatures hold."""

    panel: str
    token: str
    mac: str
    csr: x509.CertificateSigningRequest
    key_x: str
    nonce: str

    @property
    def hash(self) -> str:
        """By which it is known again."""
        return hashlib.sha256(self.token.encode()).hexdigest()


@dataclass(frozen=True)
class Told:
    """What each answer says of the center."""

    receipt: Key
    command_keys: tuple[str, ...] = ()
    root_keys: tuple[str, ...] = ()
    keys_serial: int = 0
    authorities: tuple[str, ...] = ()
    """CAs of the brokers (PEM); none: the authority itself."""
    addresses: tuple[tuple[str, int], ...] = ()


def read_request(data: bytes) -> Asked:
    """A request, strictly; its MAC is not looked at. Raises `Declined`, `malformed`."""
    if len(data) > MAX_BYTES:
        raise Declined("malformed", f"{len(data)} bytes, at most {MAX_BYTES}")
    try:
        sealed = json.loads(data.decode())
        token, mac = _text(sealed, "request"), _text(sealed, "mac")
        if set(sealed) != {"request", "mac"} or not re.fullmatch(r"([A-Za-z0-9_-]{43})?", mac):
            raise ValueError("expected request and mac alone")
        claimed = json.loads(_b64(token.split(".")[1]))
        if not is_public_key(_text(claimed, "key")):
            raise ValueError("key: no public key, or a weak one")
        body = read_token(_text(claimed, "key"), REQUEST, token.encode("ascii"))
        return _asked(body, token, mac)
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, BadToken, *_OF_X509) as error:
        raise Declined("malformed", f"{type(error).__name__}: {str(error)[:150]}") from None


def _asked(body: Mapping[str, Any], token: str, mac: str) -> Asked:
    panel, nonce, key_x = (_text(body, name) for name in ("panel", "nonce", "key"))
    if set(body) != {"panel", "csr", "key", "nonce", "time"} or not PANEL.fullmatch(panel) or len(nonce) != 22:
        raise ValueError("expected panel, csr, key, nonce, time")
    csr = x509.load_pem_x509_csr(_text(body, "csr").encode("ascii"))
    public = csr.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise ValueError(f"a {type(public).__name__}, expected an EC, RSA or Ed25519 key")
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < LEAST_RSA_BITS:
        raise ValueError(f"an RSA key of {public.key_size} bits, expected {LEAST_RSA_BITS} or more")
    names = [name.value for name in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if names != [panel] or not csr.is_signature_valid:
        raise ValueError(f"a certificate request for {names!r:.100}, expected {panel}, signed by its own key")
    return Asked(panel, token, mac, csr, key_x, nonce)


@dataclass
class EnrolmentDesk:
    """Over one SQLite file, so that `invite`, `answer` and the server may be different processes."""

    file: Path
    authority: Authority
    told: Told
    admit: Callable[[str, str, x509.Certificate], object] = lambda _panel, _x, _certificate: None
    """Hears of panel, its key and its certificate before these are committed; done twice where the first time fails."""
    life: Callable[[], Life] = lambda: Life.days(1 / 24, 365)
    clock: Clock = field(default_factory=SystemClock)
    refused: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # --- invitations ------------------------------------------------------------------------------

    def invite(self, panel: str, hours: float = HOURS) -> tuple[str, str]:
        """A new code for this panel, as it is shown, and until when it counts (UTC). The one before counts no more.

        Raises `ValueError` for what is no panel id, or too many invitations.
        """
        if not PANEL.fullmatch(panel):
            raise ValueError(f"{panel[:60]!r}: expected 3 to 48 of a-z, 0-9 and -")
        code = new_code()
        now = self.clock.utc()
        keys = [HKDF(SHA256(), 32, b"fenghuo.enrolment.v1", f"{way} {panel}".encode()).derive(code.encode())
                for way in ("request", "answer")]  # fmt: skip
        with self._db() as db:
            if db.execute("SELECT COUNT(*) FROM invitations").fetchone()[0] >= MAX_INVITATIONS:
                raise ValueError(f"{MAX_INVITATIONS} invitations are kept, no more")
            db.execute("DELETE FROM invitations WHERE panel=?", (panel,))
            db.execute("INSERT INTO invitations(panel, request_key, answer_key, made, expires) VALUES(?,?,?,?,?)",
                       (panel, *keys, utc_text(now), now + hours * 3600))  # fmt: skip
            db.execute("COMMIT")
        return printed(code), utc_text(now + hours * 3600)

    def invitations(self) -> list[dict[str, Any]]:
        """All of them, without any secret: panel, standing, made, expires, wrong tries."""
        with self._db() as db:
            rows = db.execute("SELECT * FROM invitations ORDER BY panel").fetchall()
        return [
            {"panel": row["panel"], "standing": self._standing(row), "made": row["made"],
             "expires": utc_text(row["expires"]), "wrong": row["tries"], "certificate": row["certificate"]}
            for row in rows
        ]  # fmt: skip

    def _standing(self, row: sqlite3.Row) -> str:
        if row["used"]:
            return "used"
        if row["tries"] >= MAX_TRIES:
            return "closed"
        return "expired" if self.clock.utc() > row["expires"] else "open"

    # --- answers ----------------------------------------------------------------------------------

    def answer(self, data: bytes) -> bytes:
        """The answer to a request that proves its code. Raises `Declined`."""
        try:
            asked = read_request(data)
            if not asked.mac:
                raise Declined("no-code", asked.panel)
            with self._lock, self._db() as db:
                answer = self._by_code(db, asked)
                db.execute("COMMIT")
                if isinstance(answer, Declined):
                    raise answer
                return answer.encode()
        except Declined as declined:
            self.refused = [*self.refused[-99:], str(declined)]
            raise
        except sqlite3.Error as error:
            raise Declined("busy", str(error)) from None

    def answer_compared(self, asked: Asked) -> bytes:
        """The answer to a request without a code, whose fingerprint two people have compared."""
        with self._lock, self._db() as db:
            row = db.execute("SELECT * FROM invitations WHERE panel=?", (asked.panel,)).fetchone()
            if row is not None and row["used"] == asked.hash:
                return str(row["answer"]).encode()
            now = self.clock.utc()
            db.execute("INSERT OR REPLACE INTO invitations(panel, request_key, answer_key, made, expires)"
                       " VALUES(?, x'', x'', ?, ?)", (asked.panel, utc_text(now), now))  # fmt: skip
            answer = self._issue(db, asked, None)
            db.execute("COMMIT")
            return answer.encode()

    def _by_code(self, db: sqlite3.Connection, asked: Asked) -> "str | Declined":
        """What is returned is committed too: a wrong try counts."""
        row = db.execute("SELECT * FROM invitations WHERE panel=?", (asked.panel,)).fetchone()
        if row is None or not row["request_key"]:
            return Declined("wrong-code", f"{asked.panel} is not invited")
        if row["tries"] >= MAX_TRIES:
            return Declined("too-many", asked.panel)
        if not hmac.compare_digest(_mac(row["request_key"], asked.token), asked.mac):
            db.execute("UPDATE invitations SET tries=tries+1 WHERE panel=? AND used IS NULL", (asked.panel,))
            return Declined("wrong-code", asked.panel)
        if row["used"]:
            same = hmac.compare_digest(str(row["used"]), asked.hash)
            return str(row["answer"]) if same else Declined("used", asked.panel)
        if self.clock.utc() > row["expires"]:
            return Declined("expired", asked.panel)
        return self._issue(db, asked, bytes(row["answer_key"]))

    def _issue(self, db: sqlite3.Connection, asked: Asked, answer_key: bytes | None) -> str:
        certificate = self.authority.certify(asked.panel, asked.csr.public_key(), (), self.life())
        token = self.told.receipt.sign(ANSWER, self._body(asked, certificate))
        sealed = {"answer": token, "mac": "" if answer_key is None else _mac(answer_key, token)}
        answer = json.dumps(sealed)
        self.admit(asked.panel, asked.key_x, certificate)
        # The keys of the code have done their work: only the request that used it is answered, by what is kept.
        db.execute("UPDATE invitations SET used=?, answer=?, key_x=?, certificate=?, answer_key=x'' WHERE panel=?",
                   (asked.hash, answer, asked.key_x, fingerprint(certificate), asked.panel))  # fmt: skip
        return answer

    def _body(self, asked: Asked, certificate: x509.Certificate) -> dict[str, Any]:
        told, own = self.told, pem(self.authority.certificate)
        brokers = list(told.authorities) or [own]
        return {
            "panel": asked.panel,
            "request": asked.hash,
            "nonce": asked.nonce,
            "chain": [pem(certificate)],
            "authorities": brokers,
            "client_authorities": [] if brokers == [own] else [own],
            "receipt_keys": [told.receipt.x],
            "command_keys": list(told.command_keys),
            "root_keys": list(told.root_keys),
            "keys_serial": told.keys_serial,
            "addresses": [{"host": host, "port": port} for host, port in told.addresses],
            "time": utc_text(self.clock.utc()),
        }

    def _db(self) -> "closing[sqlite3.Connection]":
        """Opened for one act, in a transaction that its end takes back unless it was committed."""
        if not self.file.exists():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_WRONLY | os.O_CREAT, 0o600))
        db = sqlite3.connect(self.file, isolation_level=None, timeout=10)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA synchronous=FULL")
        db.executescript(_SCHEMA)
        db.execute("BEGIN IMMEDIATE")
        return closing(db)


def _mac(key: bytes, token: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, token.encode(), "sha256")).decode().rstrip("=")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, dict) or not isinstance(value.get(name), str):
        raise ValueError(f"{name}: expected a text")
    return str(value[name])


def _b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
