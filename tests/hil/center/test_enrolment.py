"""The center's desk for new panels: what it keeps of a code, what it issues for, and its commands."""

import json
import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from firmware.protocol import enrolment as e
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.one_time_code import new_code, printed, read_code
from firmware.protocol.typ import ENROLMENT
from hil.center import main
from hil.center.enrolment import MAX_TRIES, Declined, EnrolmentDesk
from hil.center.enrolment_commands import desk
from tests.clock import TurnedClock
from tests.provisioning.calling import Done, call

PANEL = "bank-7"


class Panel:
    def __init__(self, name: str = PANEL) -> None:
        self.name = name
        self.signer = Signer(Ed25519PrivateKey.generate())
        self.key: Any = ec.generate_private_key(ec.SECP256R1())

    def request(self, code: str, csr_name: str = "", panel: str = "", **changes: Any) -> bytes:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, csr_name or self.name)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, SHA256())
        body = {
            "panel": panel or self.name,
            "csr": csr.public_bytes(Encoding.PEM).decode(),
            "key": b64url(self.signer.public.public_bytes_raw()),
            "nonce": "A" * 22,
            "time": "2026-03-14T23:09:32.000Z",
        }
        token = self.signer.sign(ENROLMENT, body | changes)
        return json.dumps(
            {"request": token, "mac": e.seal(e.code_keys(read_code(code), self.name).request, token)}
        ).encode()


@pytest.fixture
def at(tmp_path: Path) -> EnrolmentDesk:
    return desk(tmp_path / "center")


def reason(at: EnrolmentDesk, request: bytes) -> str:
    with pytest.raises(Declined) as declined:
        at.answer(request)
    return declined.value.reason


def test_the_code_is_kept_nowhere_and_the_answer_key_goes_with_its_use(at: EnrolmentDesk, tmp_path: Path) -> None:
    code, _ = at.invite(PANEL)
    answer_key = e.code_keys(read_code(code), PANEL).answer
    assert answer_key in at.file.read_bytes()
    for file in (tmp_path / "center").rglob("*"):
        if file.is_file():
            assert read_code(code).encode() not in file.read_bytes()
            assert code.encode() not in file.read_bytes()
    assert stat.S_IMODE(at.file.stat().st_mode) == 0o600
    at.answer(Panel().request(code))
    row = sqlite3.connect(at.file).execute("SELECT answer_key FROM invitations").fetchone()
    assert row[0] == b""


def test_a_new_invitation_ends_the_one_before(at: EnrolmentDesk) -> None:
    before, _ = at.invite(PANEL)
    now, _ = at.invite(PANEL)
    panel = Panel()
    assert reason(at, panel.request(before)) == "wrong-code"
    assert at.answer(panel.request(now))


def test_each_panel_has_its_own(at: EnrolmentDesk) -> None:
    code, _ = at.invite(PANEL)
    assert reason(at, Panel("bank-8").request(code)) == "wrong-code"


def test_time_is_over(tmp_path: Path) -> None:
    clock = TurnedClock()
    at = desk(tmp_path / "center")
    at.clock = clock
    code, _ = at.invite(PANEL, 2)
    clock.turn(2 * 3600 * 1000 + 1000)
    assert reason(at, Panel().request(code)) == "expired"
    assert at.invitations()[0]["standing"] == "expired"


def test_the_same_request_has_the_same_answer_even_later_and_another_none(at: EnrolmentDesk) -> None:
    code, _ = at.invite(PANEL)
    panel = Panel()
    request = panel.request(code)
    answer = at.answer(request)
    assert at.answer(request) == answer
    assert reason(at, Panel().request(code)) == "used"
    for _ in range(MAX_TRIES + 1):
        assert reason(at, Panel().request(printed(new_code()))) == "wrong-code"
    assert at.answer(request) == answer  # wrong codes close no invitation that was used


def test_of_two_at_once_one_is_answered(at: EnrolmentDesk) -> None:
    code, _ = at.invite(PANEL)
    requests = [Panel().request(code) for _ in range(6)]
    results: list[str] = []

    def ask(request: bytes) -> None:
        try:
            at.answer(request)
            results.append("answered")
        except Declined as declined:
            results.append(declined.reason)

    threads = [threading.Thread(target=ask, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["answered", *["used"] * 5]


def test_a_center_that_can_not_keep_the_panel_issues_nothing(at: EnrolmentDesk) -> None:
    code, _ = at.invite(PANEL)
    admit = at.admit

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    at.admit = full
    request = Panel().request(code)
    assert reason(at, request) == "busy"
    assert at.invitations()[0]["standing"] == "open"
    at.admit = admit
    assert at.answer(request)


def weak(bits: int) -> Panel:
    panel = Panel()
    panel.key = rsa.generate_private_key(65537, bits)
    return panel


MALFORMED: dict[str, Callable[[str], bytes]] = {
    "another name in the request": lambda code: Panel().request(code, csr_name="bank-8"),
    "another panel in the body": lambda code: Panel().request(code, panel="../etc"),
    "a weak RSA key": lambda code: weak(1024).request(code),
    "a member more": lambda code: Panel().request(code, more=1),
    "no key of anybody": lambda code: Panel().request(code, key="A" * 43),
    "no CSR": lambda code: Panel().request(code, csr="-----BEGIN CERTIFICATE REQUEST-----"),
    "nothing": lambda _: b"",
    "too much": lambda _: b"{" + b" " * 70_000,
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_request_costs_no_try(at: EnrolmentDesk, what: str) -> None:
    code, _ = at.invite(PANEL)
    assert reason(at, MALFORMED[what](code)) == "malformed"
    assert at.invitations()[0]["wrong"] == 0


def center(folder: Path, *words: str, lang: str = "en") -> Done:
    return call(main, *words, "--dir", str(folder), lang=lang)  # type: ignore[arg-type]


def test_invite_shows_the_code_once_and_the_list_never(tmp_path: Path) -> None:
    done = center(tmp_path / "c", "invite", PANEL, "--hours", "2")
    assert done.returncode == 0, done.stderr
    code = done.stdout.split()[0]
    assert re.fullmatch(r"([0-9A-Z]{5}-){4}[0-9A-Z]", code)
    told = json.loads(center(tmp_path / "c", "invite", "bank-8", "--json").stdout)
    assert read_code(told["code"])
    listed = center(tmp_path / "c", "invitations", lang="zh").stdout
    assert "待注册" in listed
    assert code[:11] not in listed
    rows = json.loads(center(tmp_path / "c", "invitations", "--json").stdout)
    assert [row["panel"] for row in rows] == [PANEL, "bank-8"]
    assert code[:11] not in json.dumps(rows)
    bad = center(tmp_path / "c", "invite", "Bank 7")
    assert (bad.returncode, "3 to 48" in bad.stderr) == (2, True)


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
