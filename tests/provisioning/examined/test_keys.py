"""Keys and certificates as they lie: rights, owners, days."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from firmware.config import Loaded, load
from hil.authority import Authority, Life, pem
from provisioning.diagnosis import Finding
from provisioning.examined import store
from provisioning.examined.keys import findings, secrets

BANK = Path("docs/examples/bank.toml").read_text()


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """A bank with keys of an authority made for the test, as an enrolment leaves them."""
    (tmp_path / "panel.toml").write_text(BANK)
    loaded = load(tmp_path / "panel.toml")
    put(loaded, Life.days(after=90))
    for secret in secrets(loaded):
        secret.path.parent.mkdir(parents=True, exist_ok=True)
        secret.path.touch(mode=0o600)
        secret.path.chmod(0o600)
    return loaded


def tls_of(loaded: Loaded) -> list[tuple[Path, Path]]:
    named = [path.tls for path in loaded.file.path if path.kind != "sms" and path.tls]
    return [(loaded.folder / tls.certificate, loaded.folder / tls.ca) for tls in named]


def put(loaded: Loaded, life: Life) -> None:
    authority = Authority.fresh(loaded.folder, "test", Life.days(100, 400))
    for certificate, ca in tls_of(loaded):
        certificate.parent.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        certificate.write_text(pem(authority.certify("bank-0001", key, life=life)))
        ca.write_text(pem(authority.certificate))


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.about, f.weight) for f in found]


def test_keys_as_they_should_be(loaded: Loaded) -> None:
    assert findings(loaded) == []


def test_others_may_read_a_key(loaded: Loaded) -> None:
    key = next(secret for secret in secrets(loaded) if secret.enrolled)
    key.path.chmod(0o640)
    [found] = findings(loaded)
    assert found.what[0].endswith("rights 0640, expected 0600")
    assert f"chmod 600 {key.path}" in found.do[1]


def test_a_missing_key_is_a_fault_but_not_cores_own_before_its_first_start(loaded: Loaded) -> None:
    for secret in secrets(loaded):
        secret.path.unlink()
    found = findings(loaded)
    assert {f.about.split("/")[1] for f in found}.isdisjoint({"core"})
    assert {f.weight for f in found} == {"fault"}
    assert any("fenghuo enroll" in f.do[0] for f in found)


@pytest.mark.parametrize(
    ("days", "weight"), [(-1, "fault"), (10, "warning"), (31, "")], ids=["ended", "ends soon", "in time"]
)
def test_the_days_of_a_certificate(days: int, weight: str, loaded: Loaded) -> None:
    put(loaded, Life.days(90, days))
    expected = [(f"keys/{p.id}/certificate", weight) for p in loaded.file.path if p.kind != "sms" and p.tls]
    assert told(findings(loaded)) == (expected if weight else [])


def test_a_certificate_of_the_future_points_to_the_clock_and_one_that_is_none_to_enrolment(loaded: Loaded) -> None:
    found = findings(loaded, datetime.now(UTC) - timedelta(days=200))
    assert all("clock" in f.what[0] for f in found)
    assert found
    tls_of(loaded)[0][0].write_bytes(b"-----BEGIN CERTIFICATE-----\nzz\n")
    assert "no certificate in PEM form" in findings(loaded)[0].what[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_somebody_else_where_the_panels_user_exists(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.examined.keys._USERS", "")
    monkeypatch.setattr("provisioning.examined.keys._exists", lambda user: user == "uplink")
    key = next(secret for secret in secrets(loaded) if secret.enrolled)
    found = [f for f in findings(loaded) if f.about.endswith("/key")]
    assert f"chown uplink {key.path}" in found[0].do[0]


def test_a_journal_that_is_gone_a_log_that_grew_and_a_mirror_that_is_out(loaded: Loaded) -> None:
    loaded.data.mkdir(exist_ok=True)
    assert told(store.findings(loaded, running=False)) == [("mirror", "warning")]
    assert told(store.findings(loaded, running=True))[0] == ("journal", "fault")
    (loaded.data / "journal.sqlite").touch()
    with (loaded.data / "journal.sqlite-wal").open("wb") as wal:
        wal.truncate(store.LARGE_WAL + 1)
    assert told(store.findings(loaded, running=True))[0] == ("journal", "warning")
