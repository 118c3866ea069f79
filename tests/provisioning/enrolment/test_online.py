"""`fenghuo enroll --center`: a real HTTPS server of the reference center, and everybody who could sit in between."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from firmware.config import load
from firmware.core.keys import read
from firmware.protocol.one_time_code import new_code, printed
from firmware.protocol.typ import RENEWAL
from hil.center.enrolment import MAX_TRIES
from hil.center.renewal import RenewalDesk
from hil.center.running import Panels
from hil.center.store import Store
from provisioning.enrolment.enrolling import Enrolling
from tests.provisioning.enrolment.site import PANEL, Site, site


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


def spki(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def pair(at: Site) -> x509.Certificate:
    """The certificate in force, whose key lies beside it."""
    certificate = x509.load_pem_x509_certificate(at.certificate.read_bytes())
    key = serialization.load_pem_private_key(at.key.read_bytes(), None)
    assert spki(key.public_key()) == spki(certificate.public_key())
    return certificate


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_new_panel_is_enrolled_by_its_code_and_known_at_the_center(at: Site) -> None:
    done = at.enroll(at.invite())
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"panel {PANEL} is enrolled" in done.stdout
    certificate = pair(at)
    certificate.verify_directly_issued_by(at.desk.authority.certificate)
    assert certificate.subject.rfc4514_string() == f"CN={PANEL}"
    assert at.ca.read_bytes() == (at.center / "authority" / "ca.pem").read_bytes()
    assert (mode(at.key), mode(at.key.parent)) == (0o600, 0o700)
    assert sorted(at.files()) == ["center-ca.pem", "uplink.key", "uplink.pem"]
    core = json.loads((at.folder / "data" / "keys" / "core.jwk").read_text())
    assert json.loads((at.center / "panels" / f"{PANEL}.jwk").read_text())["x"] == core["x"]
    store = Store(at.center / "center.sqlite")
    assert store.key(PANEL) == core["x"]
    store.close()
    assert read(at.folder / "data" / "keys").signer.kid == core["kid"]
    assert at.desk.invitations()[0]["standing"] == "used"


def test_a_second_run_says_so_and_changes_nothing(at: Site) -> None:
    at.enroll(at.invite())
    before = at.files()
    done = at.call("--center", at.url)
    assert (done.returncode, "is enrolled already" in done.stdout) == (0, True)
    assert at.json("--center", at.url)["already"] is True
    assert at.files() == before
    assert at.json("status")["enrolled"] is True


def test_again_makes_a_new_identity(at: Site) -> None:
    at.enroll(at.invite())
    before = pair(at)
    assert at.enroll(at.invite(), "--again").returncode == 0
    assert spki(pair(at).public_key()) != spki(before.public_key())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_wrong_code_is_told_counted_and_changes_nothing(at: Site, lang: str) -> None:
    code = at.invite()
    done = at.enroll(printed(new_code()), lang=lang)
    assert done.returncode == 1
    assert ("逐字核对" if lang == "zh" else "letter by letter") in done.stderr
    assert not at.certificate.exists()
    assert at.desk.invitations()[0]["wrong"] == 1
    assert at.enroll(code).returncode == 0


def test_too_many_wrong_codes_close_the_invitation(at: Site) -> None:
    code = at.invite()
    for _ in range(MAX_TRIES):
        at.enroll(printed(new_code()))
    done = at.enroll(code)
    assert (done.returncode, "too many wrong codes" in done.stderr) == (1, True)
    assert at.desk.invitations()[0]["standing"] == "closed"
    assert at.enroll(at.invite()).returncode == 0


def test_an_expired_code_and_one_of_another_panel(at: Site) -> None:
    expired = at.invite(hours=-1)
    assert "has expired" in at.enroll(expired).stderr
    other = at.desk.invite("bank-8")[0]
    assert "does not take this code" in at.enroll(other).stderr


def test_a_used_code_is_refused_to_another_request_and_the_same_request_gets_the_same_answer(at: Site) -> None:
    code = at.invite()
    assert at.server is not None
    at.server.hang_up_after = 1
    broken = at.enroll(code)
    assert (broken.returncode, "is not reached" in broken.stderr) == (1, True)
    issued = at.desk.invitations()[0]["certificate"]
    assert issued is not None
    assert not at.certificate.exists()
    again = at.enroll(code, "--json")
    assert json.loads(again.stdout)["certificate"] == issued
    # Another panel with the same code: somebody who overheard it.
    for file in at.key.parent.iterdir():
        file.unlink()
    assert "used by another request" in at.enroll(code).stderr


def test_a_slip_in_the_code_is_told_before_anything_is_asked(at: Site) -> None:
    code = at.invite()
    for typed, said in ((code[:-3], "20 letters"), ("U" + code[1:], "in no code"), (code[:-1] + "*", "does not fit")):
        done = at.enroll(typed)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        assert typed not in done.stderr
    assert at.desk.invitations()[0]["wrong"] == 0
    assert at.files() == {}


def test_a_server_that_is_not_there_and_a_ca_that_is_not_its_own(at: Site, tmp_path: Path) -> None:
    code = at.invite()
    dead = at.call("--center", "https://127.0.0.1:9", "--code-file", "-", typed=code)
    assert (dead.returncode, "is not reached" in dead.stderr) == (1, True)
    other = at.enroll(code, "--ca", str(at.center / "authority" / "ca.pem"))
    assert (other.returncode, "is not reached" in other.stderr) == (1, True)
    assert at.enroll(code, "--ca", str(tmp_path / "web" / "ca.pem")).returncode == 0


@pytest.mark.parametrize(
    "url", ["", "http://127.0.0.1:1", "https://", "https://u@h:1", "https://h/x", "https://h:99999"]
)
def test_an_address_that_is_none(at: Site, url: str) -> None:
    done = at.call("--center", url, "--code-file", "-", typed=at.invite())
    assert (done.returncode, "--center" in done.stderr) == (2, True)


def test_a_dry_run_writes_and_asks_nothing(at: Site) -> None:
    at.invite()
    done = at.call("--center", at.url, "--dry-run")
    assert (done.returncode, str(at.key) in done.stdout) == (0, True)
    assert not (at.folder / "keys").exists()
    assert not (at.folder / "data").exists()
    assert at.json("--center", at.url, "--dry-run")["already"] is False


def test_other_keys_in_the_panel_file_are_taken_only_where_it_is_wanted(tmp_path: Path) -> None:
    with site(tmp_path, own_keys=False) as at:
        text = at.panel_toml.read_text()
        done = at.enroll(at.invite())
        assert "receipt_keys: the panel file says" in done.stdout
        assert "--take-keys" in done.stdout
        assert at.panel_toml.read_text() == text
        told = json.loads(at.enroll(at.invite(), "--again", "--take-keys", "--json").stdout)
        assert (told["keys_differ"], told["keys_taken"]) == (["receipt_keys"], True)
        assert at.desk.told.receipt.x in at.panel_toml.read_text()
        assert "# what the center gave us" in at.panel_toml.read_text()


def test_an_unattended_file_enrols_and_its_code_is_gone(at: Site) -> None:
    drop = at.folder / "enrol.json"
    drop.write_text(json.dumps({"center": at.url, "code": at.invite()}))
    done = at.call("--from", str(drop), "--for", "0")
    assert done.returncode == 0, done.stderr
    assert not drop.exists()
    pair(at)
    drop.write_text(json.dumps({"center": at.url, "code": printed(new_code())}))
    assert at.call("--from", str(drop), "--for", "0").returncode == 0
    assert not drop.exists()


def test_an_unattended_one_goes_on_while_the_center_is_away_and_ends_at_a_refusal(
    at: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.enrolment.commands.FIRST_PAUSE_S", 0.01)
    drop = at.folder / "enrol.json"
    drop.write_text(json.dumps({"center": at.url, "code": at.invite()}))
    assert at.server is not None
    at.server.hang_up_after = 2
    done = at.call("--from", str(drop), "--for", "30")
    assert (done.returncode, done.stderr.count("again in")) == (0, 2)
    drop.write_text(json.dumps({"center": at.url, "code": printed(new_code())}))
    refused = at.call("--from", str(drop), "--for", "30", "--again")
    assert (refused.returncode, drop.exists(), "again in" in refused.stderr) == (1, True, False)


@pytest.mark.parametrize(
    ("members", "where"),
    [
        ({"center": "http://x"}, "center"),
        ({"code": "secret-code"}, "code"),
        ({"ca": "no PEM"}, "ca"),
        ({"more": 1}, "more"),
        ({"take_keys": "yes"}, "take_keys"),
    ],
)
def test_an_unattended_file_out_of_form_names_the_place_and_never_the_code(
    at: Site, members: dict[str, Any], where: str
) -> None:
    drop = at.folder / "enrol.json"
    drop.write_text(json.dumps({"center": at.url, "code": at.invite()} | members))
    done = at.call("--from", str(drop))
    assert (done.returncode, f": {where}: " in done.stderr) == (2, True), done.stderr
    assert "secret" not in done.stderr


def test_two_at_once_do_not_spoil_each_other(at: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.enrolment.commands.FIRST_PAUSE_S", 0.01)
    it = Enrolling(load(at.panel_toml))
    code = at.invite()
    with it.place.alone():
        done = at.enroll(code)
        assert (done.returncode, "another fenghuo enroll" in done.stderr) == (1, True)
    assert at.enroll(code).returncode == 0


def test_a_panel_that_is_enrolled_renews_and_so_does_one_enrolled_anew(at: Site) -> None:
    """The center's renewal desk takes what the enrolment desk gave, though it is another process that runs on."""
    desk = RenewalDesk.at(at.center / "authority", Panels(folder=at.center / "panels"), 30)
    for _ in range(2):
        assert at.enroll(at.invite(), "--again").returncode == 0
        held = pair(at)
        key = serialization.load_pem_private_key(at.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        builder = x509.CertificateSigningRequestBuilder().subject_name(held.subject)
        body = {
            "panel": PANEL,
            "path": "center-1",
            "csr": builder.sign(key, SHA256()).public_bytes(serialization.Encoding.PEM).decode(),
            "replaces": held.fingerprint(SHA256()).hex(),
            "time": "2026-03-14T23:09:32.000Z",
        }
        token = read(at.folder / "data" / "keys").signer.sign(RENEWAL, body)
        assert "certificate" in desk.answer(PANEL, token.encode())
