"""`[[path]]` with `kind = "sms"`: what is filled in, and every mistake at once, in its place."""

from pathlib import Path

import pytest

from firmware.config import BadPanelFile, SmsPath, load, to_site

BANK = Path("docs/examples/bank.toml").read_text()
SMS = """
[[path]]
id = "gsm"
kind = "sms"
port = "/dev/serial/by-id/usb-modem"
numbers = ["+8613800138000"]

[center]
"""


def with_sms(sms: str = SMS, old: str = "", new: str = "") -> str:
    assert old in sms
    return BANK.replace("[center]\n", sms.replace(old, new, 1) if old else sms, 1)


def loaded(folder: Path, text: str) -> SmsPath:
    (folder / "panel.toml").write_text(text)
    path = load(folder / "panel.toml").file.path[-1]
    assert isinstance(path, SmsPath)
    return path


def said(folder: Path, text: str) -> list[tuple[str, str, str]]:
    (folder / "panel.toml").write_text(text)
    with pytest.raises(BadPanelFile) as bad:
        load(folder / "panel.toml")
    assert all(mistake.line for mistake in bad.value.mistakes)
    return [(mistake.key, mistake.found, mistake.expected[0]) for mistake in bad.value.mistakes]


def test_defaults(tmp_path: Path) -> None:
    path = loaded(tmp_path, with_sms())
    assert (path.baud, path.language, path.daily_limit, path.after_s, path.min_signal_dbm) == (
        115_200,
        "zh",
        50,
        60,
        -103,
    )
    site = to_site(load(tmp_path / "panel.toml").file)
    assert site.paths == ("center-1",), "whether all paths are down is judged without SMS, which bears no receipt"


def test_a_port_by_a_shaky_name_is_warned_of(tmp_path: Path) -> None:
    assert loaded(tmp_path, with_sms(old="/dev/serial/by-id/usb-modem", new="/dev/ttyUSB2"))
    texts = [warning.expected[0] for warning in load(tmp_path / "panel.toml").warnings]
    assert "a name under /dev/serial/by-id" in texts
    assert loaded(tmp_path, with_sms())
    assert "by-id" not in str([warning.expected[0] for warning in load(tmp_path / "panel.toml").warnings])


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "expected"),
    [
        ('"+8613800138000"', '"+86 138"', "numbers[1]", '"+86 138"', "no spaces"),
        ('["+8613800138000"]', "[]", "numbers", "0", "at least 1"),
        ('["+8613800138000"]', '["11111"]\nother_numbers = ["11111"]', "other_numbers[1]", "11111", "once"),
        ("/dev/serial/by-id/usb-modem", "COM3", "port", '"COM3"', "/dev/serial/by-id"),
        ('kind = "sms"', 'kind = "sms"\npin = "1234"', "pin", '"1234"', "pin_file"),
        ('kind = "sms"', 'kind = "sms"\nhost = "a"', "host", '"a"', "numbers"),
        ('kind = "sms"', 'kind = "sms"\nbaud = 9601', "baud", "9601", "9600"),
        ('kind = "sms"', 'kind = "sms"\ndaily_limit = 5', "daily_limit", "5", "at least 20"),
        ('kind = "sms"', 'kind = "sms"\nlanguage = "fr"', "language", '"fr"', "'zh' or 'en'"),
        ('port = "/dev/serial/by-id/usb-modem"\n', "", "port", "", "text in quotes"),
    ],
)
def test_each_mistake(tmp_path: Path, old: str, new: str, key: str, found: str, expected: str) -> None:
    ((where, what, wanted),) = said(tmp_path, with_sms(old=old, new=new))
    assert where == f'[[path]] #2 "gsm": {key}'
    assert found in what
    assert expected in wanted


def test_mistakes_of_the_whole(tmp_path: Path) -> None:
    wrong_kind = said(tmp_path, BANK.replace('kind = "mqtt"', 'kind = "pigeon"', 1))
    assert wrong_kind == [('[[path]] #1 "center-1": kind', '"pigeon"', "'mqtt' or 'dc09' or 'sms'")]
    twice = said(tmp_path, with_sms(SMS.replace("[center]\n", "") + SMS.replace('"gsm"', '"gsm-2"')))
    assert [mistake[2] for mistake in twice] == ["at most one path by SMS"]
    start = BANK.index("[[path]]")
    alone = BANK[:start] + SMS.lstrip() + BANK[BANK.index("[center]\n") + len("[center]\n") :]
    assert [mistake[2] for mistake in said(tmp_path, alone)] == ['a [[path]] with kind = "mqtt" besides']
    many = 'numbers = ["1111", "2222", "3333", "4444"]\nother_numbers = ["5555"]'
    found = said(tmp_path, with_sms(old='numbers = ["+8613800138000"]', new=many))
    assert found == [('[[path]] #2 "gsm": other_numbers', "5", "at most 4 numbers in all")]
