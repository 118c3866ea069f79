"""`fenghuo support-bundle`: nothing secret of a generated panel is in it; it is made whole or not at all."""

import json
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.support import bundle as bundles
from provisioning.support.commands import main
from tests.provisioning.calling import Done, call

BANK = Path(__file__).parents[2] / "docs" / "examples" / "bank.toml"
word = st.text("bcdfghjkmnpqrstvwxz", min_size=10, max_size=20)
phone = st.from_regex(r"\+86[1-9][0-9]{9}", fullmatch=True)

SECRETS = """
[[camera]]
id = "yard"
name = "{place}"
maker = "rtsp"
source = "rtsp://10.0.0.7/stream"
secret_file = "cam.secret"

[[path]]
id = "sms"
kind = "sms"
port = "/dev/ttyUSB7"
numbers = ["{phone}"]
other_numbers = ["{other}"]
pin_file = "sim.pin"   # PIN is {pin}, ask {person}

[[path]]
id = "receiver"
kind = "dc09"
host = "10.9.9.9"
port = 7000
account = "{account}"
key_file = "dc09.key"
users = {{ {person} = 7 }}
"""


def make(folder: Path, secrets: dict[str, str]) -> Path:
    file = folder / "panel.toml"
    file.write_text(BANK.read_text() + SECRETS.format(**secrets))
    for name, content in {
        "cam.secret": f"{secrets['login']}\n{secrets['password']}\n",
        "sim.pin": secrets["pin"],
        "dc09.key": secrets["key"],
    }.items():
        (folder / name).write_text(content)
        (folder / name).chmod(0o600)
    return file


def bundle(file: Path, *more: str) -> tuple[Done, dict[str, str]]:
    out = file.with_name("out.zip")
    done = call(main, str(out), "--config", str(file), *more)
    with zipfile.ZipFile(out) as archive:
        return done, {name: archive.read(name).decode() for name in archive.namelist()}


@settings(max_examples=15, deadline=None)
@given(
    st.fixed_dictionaries(
        {
            "place": word,
            "person": word,
            "login": word,
            "password": word,
            "phone": phone,
            "other": phone,
            "pin": st.from_regex(r"[1-9][0-9]{7}", fullmatch=True),
            "account": st.from_regex(r"[A-F]{12}", fullmatch=True),
            "key": st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
        }
    ).filter(lambda secrets: len(set(secrets.values())) == len(secrets))
)
def test_no_secret_of_a_panel_is_in_its_bundle(secrets: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        done, parts = bundle(make(Path(folder), secrets), "--anonymous")
        assert done.returncode == 0, done.stderr
        everything = "\n".join([*parts, *parts.values(), done.stdout])
        assert [name for name, secret in secrets.items() if secret in everything] == []
        listed = {(row["part"], row["kind"]) for row in json.loads(parts["manifest.json"])["taken_out"]}
        assert {("panel.toml", kind) for kind in ("phone", "person", "place", "account", "comment")} <= listed
        assert 'host = "10.9.9.9"' in parts["panel.toml"]


PLAIN = {
    "place": "Yard camera",
    "person": "li-wei",
    "login": "operator",
    "password": "hunter2222",
    "phone": "+8613800138000",
    "other": "+8613800138001",
    "pin": "47114711",
    "account": "ABCDEF",
    "key": "00112233445566778899aabbccddeeff",
}


def test_places_keep_their_names_unless_the_site_is_to_stay_unnamed(tmp_path: Path) -> None:
    file = make(tmp_path, PLAIN)
    assert 'name = "Yard camera"' in bundle(file)[1]["panel.toml"]
    assert "Yard camera" not in bundle(file, "--anonymous", "--force")[1]["panel.toml"]


def test_a_file_with_mistakes_is_told_by_its_places_alone(tmp_path: Path) -> None:
    file = make(tmp_path, PLAIN)
    file.write_text(file.read_text().replace('kind = "sms"', 'kind = "sms"\npin = "90817263"\nanything = "opensesame"'))
    done, parts = bundle(file)
    assert done.returncode == 0
    assert [row["key"] for row in json.loads(parts["mistakes.json"])["found"]] != []
    everything = "\n".join(parts.values())
    assert [secret for secret in (*PLAIN.values(), "90817263", "opensesame") if secret in everything] == []


def test_what_is_no_toml_at_all_gives_a_bundle_too(tmp_path: Path) -> None:
    file = tmp_path / "panel.toml"
    file.write_bytes(b'pin = "90817263\xff')
    done, parts = bundle(file)
    assert done.returncode == 0
    assert "90817263" not in "\n".join(parts.values())
    assert json.loads(parts["board.json"])["disk"]["total"] > 0


def test_it_is_the_owners_alone_and_never_written_over_unasked(tmp_path: Path) -> None:
    file, out = make(tmp_path, PLAIN), tmp_path / "out.zip"
    bundle(file)
    assert out.stat().st_mode & 0o777 == 0o600
    before = out.read_bytes()
    again = call(main, str(out), "--config", str(file), lang="zh")
    assert (again.returncode, "已存在" in again.stderr) == (2, True)
    assert out.read_bytes() == before
    assert call(main, str(out), "--config", str(file), "--force").returncode == 0


@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left on device"), 1), (KeyboardInterrupt(), 130)])
def test_a_full_disk_and_ctrl_c_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    file = make(tmp_path, PLAIN)
    before = sorted(tmp_path.iterdir())

    def fails(_fd: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fails)
    assert call(main, str(tmp_path / "out.zip"), "--config", str(file)).returncode == code
    assert sorted(tmp_path.iterdir()) == before


def test_no_folder_and_no_file_are_told(tmp_path: Path) -> None:
    assert call(main, str(tmp_path / "gone" / "x.zip"), "--config", str(BANK)).returncode == 2
    gone = call(main, str(tmp_path / "x.zip"), "--config", str(tmp_path / "panel.toml"))
    assert (gone.returncode, "panel.toml" in gone.stderr) == (2, True)


def test_a_part_that_is_too_long_keeps_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MAX_PART", 4000)
    done, parts = bundle(make(tmp_path, PLAIN), "--json")
    row = next(row for row in json.loads(done.stdout)["parts"] if row["name"] == "panel.toml")
    assert row["cut"]
    assert len(parts["panel.toml"].encode()) <= 4000
    assert parts["panel.toml"].endswith("\n")
