"""Somebody sits between panel and center, and the panel does not know the server's CA: what he can, and what not."""

import base64
import hashlib
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from firmware.protocol.jws import Signer, b64url, unverified
from firmware.protocol.typ import ENROLMENT, ENROLMENT_ANSWER
from hil.authority import Authority, pem
from hil.between import Between
from hil.broker import HOST
from hil.center.keys import Key
from tests.provisioning.enrolment.site import PANEL, Site, site

MINE = Signer(Ed25519PrivateKey.generate())


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def him(at: Site, tmp_path: Path) -> Iterator[Between]:
    own = Authority.make(tmp_path / "his", "his ca")
    own.issue("server", [HOST])
    with Between(at.url, own.folder / "server.pem", own.folder / "server.key") as made:
        at.url = made.url()
        yield made


def x_of(signer: Signer) -> str:
    return b64url(signer.public.public_bytes_raw())


def my_csr() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PANEL)])
    key = ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, SHA256())
    return made.public_bytes(Encoding.PEM).decode()


def with_my_keys(asked: bytes) -> bytes:
    """The request with his TLS key and his core key, under the MAC of the real one."""
    sealed = json.loads(asked)
    body = unverified(sealed["request"]) | {"csr": my_csr(), "key": x_of(MINE)}
    return json.dumps(sealed | {"request": MINE.sign(ENROLMENT, body)}).encode()


def with_my_csr_alone(asked: bytes) -> bytes:
    """The signed request cannot be changed without its signature."""
    sealed = json.loads(asked)
    head, _, signature = sealed["request"].split(".")
    body = json.dumps(unverified(sealed["request"]) | {"csr": my_csr()}, sort_keys=True, separators=(",", ":"))
    return json.dumps(sealed | {"request": f"{head}.{b64url(body.encode())}.{signature}"}).encode()


def test_he_sees_no_code_and_the_panel_is_enrolled_through_him(at: Site, him: Between) -> None:
    code = at.invite()
    assert at.enroll(code).returncode == 0
    seen = b"".join(him.seen)
    for part in json.loads(him.seen[0])["request"].split(".")[:2]:
        seen += base64.urlsafe_b64decode(part + "==")
    assert code[:5].encode() not in seen
    assert b"PRIVATE" not in seen


@pytest.mark.parametrize(("change", "said"), [(with_my_keys, "letter by letter"), (with_my_csr_alone, "understand")])
def test_he_can_not_put_his_key_into_the_request(
    at: Site, him: Between, change: Callable[[bytes], bytes], said: str
) -> None:
    code = at.invite()
    him.change_request = change
    done = at.enroll(code)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert at.desk.invitations()[0]["certificate"] is None
    him.change_request = lambda data: data
    assert at.enroll(code).returncode == 0


def forged(answer: bytes, mac: str | None = None, **changes: Any) -> bytes:
    """An answer of his own making, signed by a receipt key of his own."""
    sealed = json.loads(answer)
    key = Key.new()
    body = unverified(sealed["answer"]) | {"receipt_keys": [key.x]} | changes
    token = key.sign(ENROLMENT_ANSWER, body)
    return json.dumps({"answer": token, "mac": sealed["mac"] if mac is None else mac}).encode()


def test_he_can_not_put_another_ca_key_or_certificate_into_the_answer(at: Site, him: Between, tmp_path: Path) -> None:
    code = at.invite()
    his = Authority.make(tmp_path / "evil", "evil ca")
    for changes in ({"authorities": [pem(his.certificate)]}, {"root_keys": [x_of(MINE)]}, {}):
        for mac in (None, "", "A" * 43):
            him.change_answer = lambda data, changes=changes, mac=mac: forged(data, mac, **changes)  # type: ignore[misc]
            done = at.enroll(code)
            assert (done.returncode, "was not made by somebody who has the code" in done.stderr) == (1, True)
    assert not at.certificate.exists()
    assert not at.ca.exists()
    him.change_answer = lambda data: data
    assert at.enroll(code).returncode == 0


def test_an_answer_of_before_does_not_count_again(at: Site, him: Between) -> None:
    at.enroll(at.invite())
    old = him.seen[-1]
    him.change_answer = lambda _: old
    done = at.enroll(at.invite(), "--again")
    assert (done.returncode, "was not made by" in done.stderr) == (1, True)
    before = hashlib.sha256(at.certificate.read_bytes()).hexdigest()
    assert hashlib.sha256(at.certificate.read_bytes()).hexdigest() == before


BY_HIMSELF: dict[str, tuple[int, dict[str, str], bytes]] = {
    "nothing": (200, {}, b""),
    "no JSON": (200, {}, b"\xff\xfe<html>"),
    "too much": (200, {}, b"{" + b" " * 300_000),
    "less than he promised": (200, {"Content-Length": "5000", "Connection": "close"}, b"{}"),
    "a redirect": (302, {"Location": "https://elsewhere.example/"}, b""),
    "a reason that is none": (403, {}, b'{"error": "\\u001b[2Jgone"}'),
    "a list": (403, {}, b"[]"),
    "an error of his": (500, {}, b"broken"),
}


@pytest.mark.parametrize("what", BY_HIMSELF)
def test_nonsense_is_refused_in_words_and_changes_nothing(at: Site, him: Between, what: str) -> None:
    code = at.invite()
    him.instead = BY_HIMSELF[what]
    done = at.enroll(code)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.strip().isprintable()
    assert not at.certificate.exists()
    him.instead = None
    assert at.enroll(code).returncode == 0


def test_one_who_drips_holds_nobody_up(at: Site, him: Between, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.enrolment.http.PATIENCE_S", 1.0)
    him.drips = True
    begun = time.monotonic()
    done = at.enroll(at.invite())
    assert (done.returncode, "is not reached" in done.stderr) == (1, True), done.stderr
    assert time.monotonic() - begun < 10


def test_a_client_who_drips_has_its_line_cut(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hil.center.enrolment_server.WHOLE_S", 0.5)
    assert at.server is not None
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((HOST, at.server.port), 10) as plain, context.wrap_socket(plain) as line:
        line.sendall(b"POST /v1/enrolment HTTP/1.1\r\nContent-Length: 60000\r\n\r\n")
        with suppress(OSError):
            assert line.recv(1) == b""
