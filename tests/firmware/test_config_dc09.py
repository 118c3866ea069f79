"""`[[path]]` with `kind = "dc09"`: what is filled in, and every mistake at once, in its place, in both languages."""

from pathlib import Path

import pytest

from firmware.config import BadPanelFile, Dc09Path, PanelFile, load
from firmware.uplink.dc09.dialogue import Terms
from firmware.uplink.dc09.frame import Station
from firmware.uplink.dc09.link import Policy
from firmware.uplink.dc09.setup import names_of, policy_of, receivers_of, terms_of
from firmware.uplink.tls import BadTlsFiles
from tests.firmware.uplink.brokers import PLAIN

BANK = Path("docs/examples/bank.toml").read_text()
SENTENCE = "I accept that an acknowledgement of DC-09 is not signed"
PATH = """
[[path]]
id = "receiver"
kind = "dc09"
host = "receiver.example.org"
port = 12000
account = "12AB"
key_file = "keys/dc09.key"
"""


def with_dc09(more: str = "", path: str = PATH) -> str:
    """The bank with this path behind its broker's."""
    return BANK.replace("[center]\n", f"{path}{more}\n\n[center]\n", 1)


def alone(more: str = "") -> str:
    """The bank with this path alone, and no center."""
    return BANK[: BANK.index("[[path]]")] + PATH + more + "\n" + BANK[BANK.index("[timings]") :]


def loaded(folder: Path, text: str) -> PanelFile:
    (folder / "panel.toml").write_text(text)
    return load(folder / "panel.toml").file


def said(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "panel.toml").write_text(text)
    with pytest.raises(BadPanelFile) as bad:
        load(folder / "panel.toml")
    assert all(mistake.line for mistake in bad.value.mistakes)
    assert bad.value.say("zh") != bad.value.say("en")
    return [(mistake.key, mistake.found, mistake.expected[0]) for mistake in bad.value.mistakes]


def test_defaults_and_what_the_uplink_makes_of_them(tmp_path: Path) -> None:
    text = with_dc09('backup_host = "10.0.0.2"\nusers = { li = 12 }')
    path = loaded(tmp_path, text).path[-1]
    assert isinstance(path, Dc09Path)
    found = load(tmp_path / "panel.toml")
    assert receivers_of(path) == [("receiver.example.org", 12000), ("10.0.0.2", 12000)]
    with pytest.raises(BadTlsFiles, match=r"key_file .*No such file"):
        terms_of(found, path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "dc09.key").write_text("00112233445566778899aabbccddeeff\n")
    (tmp_path / "keys" / "dc09.key").chmod(0o600)
    key = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert terms_of(found, path) == Terms(Station("12AB", "1", "0"), key, 2, 20_000, 3, 30_000)
    assert policy_of(found, path) == Policy()
    names = names_of(found, path)
    assert names.users == {"li": 12}
    assert names.paths == ("center-1", "receiver")
    assert names.areas["hall"] == 1
    assert names.devices["lobby"] == 1


def test_alone_it_needs_the_sentence_and_no_center(tmp_path: Path) -> None:
    file = loaded(tmp_path, alone(f'acknowledgement = "{SENTENCE}"'))
    assert file.center is None
    found = load(tmp_path / "panel.toml")
    assert isinstance(file.path[0], Dc09Path)
    assert policy_of(found, file.path[0]) == Policy(counts=True, alone=True)
    expected = f'acknowledgement = "{SENTENCE}", or a [[path]] with kind = "mqtt" besides'
    assert said(tmp_path, alone()) == [('[[path]] #1 "receiver": acknowledgement', "", expected)]
    ((key, _, choices),) = said(tmp_path, alone('acknowledgement = "yes"'))
    assert key == '[[path]] #1 "receiver": acknowledgement'
    assert SENTENCE in choices


def test_beside_a_broker_the_sentence_counts_for_what_it_acknowledges_alone(tmp_path: Path) -> None:
    loaded(
        tmp_path, with_dc09(f'acknowledgement = "{SENTENCE}"').replace('alarm_paths = "first"', 'alarm_paths = "all"')
    )
    found = load(tmp_path / "panel.toml")
    path = found.file.path[-1]
    assert isinstance(path, Dc09Path)
    assert policy_of(found, path) == Policy(counts=True, alone=False, all_alarms=True)


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('"12AB"', '"12"', "account", "3 to 16 hex digits, letters as A to F"),
        ('"12AB"', '"12ab"', "account", "3 to 16 hex digits, letters as A to F"),
        ('"12AB"', '"12AB"\nreceiver = "G"', "receiver", "at most 6 hex digits, letters as A to F"),
        ('"12AB"', '"12AB"\nline = ""', "line", "1 to 6 hex digits, letters as A to F"),
        ('"12AB"', '"12AB"\nformat = "cid"', "format", "'adm-cid' or 'sia-dcs'"),
        ('"12AB"', '"12AB"\nretry_s = 4', "retry_s", "at least 5"),
        ('"12AB"', '"12AB"\ntries = 10', "tries", "at most 9"),
        ('"12AB"', '"12AB"\nsupervision_s = 9', "supervision_s", "at least 10"),
        ('"12AB"', '"12AB"\nbackup_port = 12001', "backup_port", "backup_host besides, or no backup_port"),
        ('"12AB"', '"12AB"\nmac = "0123456789AB"', "mac", 'no mac, or x_data = "all"'),
        ('"12AB"', '"12AB"\nmac = "01:23"\nx_data = "all"', "mac", "12 hex digits, letters as A to F, without colons"),
        ('"12AB"', '"12AB"\ntext = true', "text", 'no text, or format = "sia-dcs"'),
        ("port = 12000\n", "", "port", "a whole number"),
        (
            'key_file = "keys/dc09.key"',
            f'key_encoding = "text"\nplaintext = "{PLAIN}"',
            "key_encoding",
            "key_file besides",
        ),
        ('key_file = "keys/dc09.key"', f'key_file = "k"\nplaintext = "{PLAIN}"', "plaintext", "key_file or plaintext"),
        ('key_file = "keys/dc09.key"', "", "tls", "tls = { ca"),
        ('key_file = "keys/dc09.key"', 'key = "00112233"', "key", "one of account"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, key: str, expected: str) -> None:
    assert old in PATH
    found = said(tmp_path, with_dc09(path=PATH.replace(old, new, 1)))
    place = f'[[path]] #2 "receiver": {key}'
    assert [text for where, _, text in found if where == place and text.startswith(expected)], found


def test_tls_and_a_key_go_together(tmp_path: Path) -> None:
    path = loaded(tmp_path, with_dc09('tls = { ca = "a", certificate = "b", key = "c" }')).path[-1]
    assert isinstance(path, Dc09Path)
    assert path.tls is not None
    assert path.key_file is not None
