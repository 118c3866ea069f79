"""Panel files that are not fine: each mistake names its place, what was found and what is expected, all at once."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware.config import MAX_BYTES, BadPanelFile, Mistake, load

BANK = Path("docs/examples/bank.toml").read_text()


def mistakes_in(text: str | bytes, folder: Path) -> list[Mistake]:
    path = folder / "panel.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadPanelFile) as bad:
        load(path)
    return bad.value.mistakes


@dataclass(frozen=True)
class Broken:
    """The bank with `old` replaced by `new`; `mark` stands on the line that the one mistake names."""

    old: str
    new: str
    mark: str
    key: str
    found: str
    expected: str
    said: str


BROKEN = {
    "unknown key": Broken(
        'name = "Vault 金库"',
        'name = "Vault 金库"\nentry_delay = 15',
        "entry_delay = 15",
        '[[area]] #2 "vault": entry_delay',
        "15",
        "entry_delay_s",
        "did you mean entry_delay_s?",
    ),
    "wrong type": Broken(
        "number = 5\n",
        'number = "5"\n',
        '"5"',
        '[[zone]] #5 "vault-door": number',
        '"5"',
        "a whole number",
        "wrong type",
    ),
    "a fraction": Broken(
        "pre_s = 10 ", "pre_s = 10.5 ", "pre_s", '[[camera]] #1 "lobby": pre_s', "10.5", "a whole number", "wrong type"
    ),
    "a flag in quotes": Broken(
        'id = "office-pir"',
        'id = "office-pir"\nbypassable = "yes"',
        "bypassable",
        '[[zone]] #3 "office-pir": bypassable',
        '"yes"',
        "true or false",
        "wrong type",
    ),
    "not in the choices": Broken(
        'type = "hold-up"',
        'type = "holdup"',
        'type = "holdup"',
        '[[zone]] #7 "holdup-1": type',
        '"holdup"',
        "'hold-up'",
        "not one of the choices",
    ),
    "too small": Broken(
        "receipt_timeout_s = 10",
        "receipt_timeout_s = 0",
        "receipt_timeout_s",
        "[center] receipt_timeout_s",
        "0",
        "at least 1",
        "too small",
    ),
    "too large": Broken(
        "line = 22 ",
        "line = 222 ",
        "line = 222",
        '[[zone]] #2 "hall-pir": input.line',
        "222",
        "at most 57",
        "too large",
    ),
    "missing": Broken(
        'id = "holdup-2"\nnumber = 8',
        'id = "holdup-2"',
        "[[zone]]",
        '[[zone]] #8 "holdup-2": number',
        "",
        "a whole number",
        "missing",
    ),
    "not an id": Broken(
        'id = "strobe"',
        'id = "Strobe 1"',
        "Strobe 1",
        '[[output]] #3 "Strobe 1": id',
        '"Strobe 1"',
        "a-z, 0-9",
        "not written",
    ),
    "an address with scheme": Broken(
        '"alarm.example.org"',
        '"mqtt://alarm.example.org"',
        "mqtt://",
        '[[path]] #1 "center-1": host',
        '"mqtt://alarm.example.org"',
        "without mqtt://",
        "not written",
    ),
    "control characters in a name": Broken(
        'name = "Lobby 大堂"',
        'name = "Lobby\\u001b[2J"',
        "Lobby",
        '[[camera]] #1 "lobby": name',
        '"Lobby\\u001b[2J"',
        "without control",
        "not written",
    ),
    "an id twice": Broken(
        'id = "armed-lamp"',
        'id = "front-door"',
        'id = "front-door"',
        '[[output]] #4 "front-door": id',
        '"front-door"',
        "nothing else has",
        "used twice",
    ),
    "a number twice": Broken(
        "number = 11",
        "number = 10",
        "number = 10",
        '[[zone]] #11 "key-switch": number',
        "10",
        "no other zone",
        "used twice",
    ),
    "a line twice": Broken(
        "line_no = 27",
        "line_no = 21",
        "line = 21",
        '[[output]] #2 "siren-inside": line',
        "21",
        "of its own",
        "used twice",
    ),
    "a power line twice": Broken(
        "battery_line = 7", "battery_line = 4", "battery_line", "[power] battery_line", "4", "of its own", "used twice"
    ),
    "an area that is not there": Broken(
        'areas = ["hall", "vault"]               #',
        'areas = ["hall", "cellar"] #',
        "cellar",
        '[[zone]] #9 "box-tamper": areas[2]',
        '"cellar"',
        "hall, vault",
        "no such area",
    ),
    "a camera that is not there": Broken(
        'cameras = ["lobby"]                     #',
        'cameras = ["yard"] #',
        '["yard"]',
        '[[zone]] #1 "front-door": cameras[1]',
        '"yard"',
        "lobby",
        "no such camera",
    ),
    "changeover with one line": Broken(
        "line_no = 27, ", "", "line = 17", '[[zone]] #1 "front-door": input.line_no', "", "open leg", "second line"
    ),
    "a second line without changeover": Broken(
        "{ line = 24 }",
        "{ line = 24, line_no = 2 }",
        "line_no = 2",
        '[[zone]] #4 "back-door": input.line_no',
        "2",
        "changeover",
        "only changeover",
    ),
    "hold-up bypassable": Broken(
        'id = "holdup-1"',
        'id = "holdup-1"\nbypassable = true',
        "bypassable",
        '[[zone]] #7 "holdup-1": bypassable',
        "true",
        "false",
        "can't be bypassed",
    ),
    "fast clock on a board": Broken(
        'id = "bank-0001"',
        'clock_rate = 60\nid = "bank-0001"',
        "clock_rate",
        "[panel] clock_rate",
        "60",
        "simulated",
        "simulated pins only",
    ),
    "limit below one alarm": Broken(
        "siren_max_s = 900",
        "siren_max_s = 200",
        "siren_max_s",
        "[timings] siren_max_s",
        "200",
        "siren_s (300)",
        "shorter than",
    ),
    "panel with a zone's id": Broken(
        "53010200491177000001",
        "53010200491347000099",
        "491347000099",
        "[panel] gb28181_id",
        '"53010200491347000099"',
        "117",
        "134 does not fit",
    ),
    "zone with a panel's type": Broken(
        "53010200491347000004",
        "53010200491177000004",
        "491177000004",
        '[[zone]] #4 "back-door": gb28181_id',
        '"53010200491177000004"',
        "134, an alarm input",
        "117 does not fit",
    ),
    "output with a zone's type": Broken(
        "53010200491357000003",
        "53010200491347000103",
        "491347000103",
        '[[output]] #3 "strobe": gb28181_id',
        '"53010200491347000103"',
        "135",
        "134 does not fit",
    ),
    "a device id twice": Broken(
        "53010200491347000004",
        "53010200491347000003",
        "491347000003",
        '[[zone]] #4 "back-door": gb28181_id',
        '"53010200491347000003"',
        "nothing else",
        "used twice",
    ),
    "19 digits": Broken(
        "53010200491347000004",
        "5301020049134700004",
        "5301020049134700004",
        '[[zone]] #4 "back-door": gb28181_id',
        '"5301020049134700004"',
        "20 digits",
        "not written",
    ),
    "a reserved industry": Broken(
        "53010200491347000004",
        "53010200301347000004",
        "301347000004",
        '[[zone]] #4 "back-door": gb28181_id',
        '"53010200301347000004"',
        "40 to 59",
        "industry code 30",
    ),
    "a reserved network": Broken(
        "53010200491347000004",
        "53010200491349000004",
        "491349000004",
        '[[zone]] #4 "back-door": gb28181_id',
        '"53010200491349000004"',
        "0 to 8",
        "digit 9",
    ),
    "no such province": Broken(
        "53010200491347000004",
        "99010200491347000004",
        "99010200491347000004",
        '[[zone]] #4 "back-door": gb28181_id',
        '"99010200491347000004"',
        "GB/T 2260",
        "no province",
    ),
    "neither TLS nor the sentence": Broken(
        "tls = {", "# tls = {", "[[path]]", '[[path]] #1 "center-1": tls', "", "I accept that anyone", "needs TLS"
    ),
    "TLS and the sentence": Broken(
        "keepalive_s = 12",
        'plaintext = "I accept that anyone on the network can read and drop reports"',
        "I accept",
        '[[path]] #1 "center-1": plaintext',
        '"I accept that anyone on the network can read and drop repo…',
        "not both",
        "either",
    ),
    "another sentence": Broken(
        "tls = {",
        'plaintext = "ok" # {',
        '"ok"',
        '[[path]] #1 "center-1": plaintext',
        '"ok"',
        "I accept that anyone",
        "choices",
    ),
    "a mistyped key": Broken(
        "44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY",
        "b4eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY",
        "receipt_keys",
        "[center] receipt_keys[1]",
        '"b4eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"',
        "copied exactly",
        "not a public key",
    ),
    "a root key that signs receipts": Broken(
        "receipt_timeout_s = ",
        'root_keys = ["44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"]\nreceipt_timeout_s = ',
        "root_keys",
        "[center] root_keys[1]",
        '"44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"',
        "kept offline",
        "nothing else",
    ),
    "a mistyped root key": Broken(
        "receipt_timeout_s = ",
        'root_keys = ["b4eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"]\nreceipt_timeout_s = ',
        "root_keys",
        "[center] root_keys[1]",
        '"b4eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY"',
        "copied exactly",
        "not a public key",
    ),
    "a key that anyone can sign for": Broken(
        "44eAUptboe9RkU2cc-ZhdSj9ZunHxnr-smzospE3tDY",
        "AQ" + "A" * 41,
        "receipt_keys",
        "[center] receipt_keys[1]",
        '"AQ' + "A" * 41 + '"',
        "copied",
        "not a public key",
    ),
    "a folder camera without folder": Broken(
        'maker = "picamera2"',
        'maker = "folder"',
        "[[camera]]",
        '[[camera]] #1 "lobby": source',
        "",
        "a folder of pictures",
        "needs a source",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_names_place_found_and_expected(name: str, tmp_path: Path) -> None:
    case = BROKEN[name]
    assert case.old in BANK
    text = BANK.replace(case.old, case.new, 1)
    (mistake,) = mistakes_in(text, tmp_path)
    assert (mistake.key, mistake.found) == (case.key, case.found)
    assert case.expected in mistake.expected[0]
    assert case.said in mistake.text[0]
    assert mistake.file == "panel.toml"
    assert mistake.line is not None
    assert case.mark in text.splitlines()[mistake.line - 1]
    assert any("\u4e00" <= c <= "\u9fff" for c in mistake.text[1])


def test_the_exact_line_of_a_mistake(tmp_path: Path) -> None:
    text = BANK.replace("line = 22 ", "line = 222 ", 1)
    (mistake,) = mistakes_in(text, tmp_path)
    assert mistake.line == 1 + text[: text.index("line = 222")].count("\n")


def test_all_mistakes_at_once_in_the_file_order(tmp_path: Path) -> None:
    text = BANK
    for case in (
        "too large",
        "a number twice",
        "unknown key",
        "wrong type",
        "an area that is not there",
        "a mistyped key",
    ):
        text = text.replace(BROKEN[case].old, BROKEN[case].new, 1)
    mistakes = mistakes_in(text, tmp_path)
    lines = [m.line for m in mistakes if m.line]
    assert len(mistakes) == 6
    assert lines == sorted(lines)


def test_a_wrong_type_hides_no_other_mistake_of_its_table(tmp_path: Path) -> None:
    text = BANK.replace('number = 2\nname = "Hall', 'number = 2.0\nname = "Hall').replace("line = 22 ", "line = 23 ")
    assert [m.text[0] for m in mistakes_in(text, tmp_path)] == ["wrong type", "this GPIO line is used twice"]


def test_paths_need_a_center(tmp_path: Path) -> None:
    text = BANK[: BANK.index("[center]")] + BANK[BANK.index("[timings]") :]
    (mistake,) = mistakes_in(text, tmp_path)
    assert (mistake.key, mistake.expected[0]) == ("center", "[center] with receipt_keys")


def test_more_mistakes_than_anyone_reads_are_counted(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text("[panel]\n" + "".join(f"k{n} = 1\n" for n in range(5000)))
    with pytest.raises(BadPanelFile) as bad:
        load(tmp_path / "panel.toml")
    assert len(bad.value.mistakes) == 200
    assert bad.value.more > 4700
    assert "more mistakes" in bad.value.say("en")


SYNTAX = [
    ("[panel]\nid = \n", 2, "column 6", "无效的值"),
    ("[panel]\nid = 'a'\n[panel]\n", 3, "Cannot declare", "表重复声明"),
    ("[panel]\nid = 'a'\nid = 'b'\n", 3, "Cannot overwrite", "键重复定义"),
    ("[panel\nid = 'a'\n", 1, "Expected ']'", "缺少右方括号"),
    ("x = [1, 2", 1, "Unclosed array", "列表未闭合"),
    ("x = 'a\ny = 'b'\n", 1, "Found invalid", "非法字符"),
    ('x = """a\n\n', 3, "Unterminated string", "字符串未结束"),
    ("x 5\n", 1, "Expected '='", "键之后应有等号"),
    ("\0", 1, "Invalid statement", "无效的语句"),
]


@pytest.mark.parametrize(("text", "line", "en", "zh"), SYNTAX)
def test_broken_toml_names_line_and_column(text: str, line: int, en: str, zh: str, tmp_path: Path) -> None:
    (mistake,) = mistakes_in(text, tmp_path)
    assert mistake.line == line
    assert en in mistake.text[0]
    assert "column" in mistake.text[0]
    assert zh in mistake.text[1]


def test_gbk_is_told(tmp_path: Path) -> None:
    (mistake,) = mistakes_in("[panel]\nname = '银行'\n".encode("gb18030"), tmp_path)
    assert (mistake.line, mistake.found) == (2, "0xd2")
    assert "UTF-8" in mistake.expected[0]


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "9" * 6000, "x = " + "{a=" * 50_000])
def test_toml_beyond_all_measure(text: str, tmp_path: Path) -> None:
    (mistake,) = mistakes_in(text, tmp_path)
    assert mistake.text[0] in ("nested too deeply", "a number has too many digits")


def test_a_number_of_a_million_bits_is_shown_briefly(tmp_path: Path) -> None:
    text = BANK.replace("number = 5\n", "number = 0x" + "f" * 200_000 + "\n", 1)
    (mistake,) = mistakes_in(text, tmp_path)
    assert mistake.found == "~2^799999"


@pytest.mark.parametrize("raw", [b"", b" \n\t\n", b"\n" * 100])
def test_empty(raw: bytes, tmp_path: Path) -> None:
    (mistake,) = mistakes_in(raw, tmp_path)
    assert mistake.text[0] == "the file is empty"


def test_too_large_is_not_even_parsed(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(b"# " + b"x" * 10 * MAX_BYTES, tmp_path)
    assert mistake.text[0] == "too large"
    assert mistake.expected[0] == "at most 1048576 bytes"


def test_files_that_are_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    said = {}
    for name in (".", "missing", "fifo", "loop", "a\0b", "x" * 300):
        with pytest.raises(BadPanelFile) as bad:
            load(tmp_path / name)
        (mistake,) = bad.value.mistakes
        said[name] = mistake.text[0]
    assert said["."] == "this is a directory"
    assert said["missing"] == "there is no such file"
    assert said["fifo"] == "this is not a plain file"
    assert {said["loop"], said["a\0b"], said["x" * 300]} == {"the file can't be read"}


def test_said_in_both_languages(tmp_path: Path) -> None:
    (mistake,) = mistakes_in(BANK.replace("line = 22 ", "line = 222 "), tmp_path)
    assert mistake.say("en").splitlines() == [
        f'panel.toml:{mistake.line}: [[zone]] #2 "hall-pir": input.line: too large',
        "    found: 222   expected: at most 57",
    ]
    assert "数值过大" in mistake.say("zh")
    assert "至多 57" in mistake.say("zh")
