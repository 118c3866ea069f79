"""Bench files: a whole one is read, every mistake of a wrong one is named with its place, no bytes break the parser"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.rigs.bench.fake import bench_file
from hil.rigs.bench.file import BadBench, names, parse_bench, read_bench
from hil.rigs.site import LOADS

ROOT = Path(__file__).parents[4]
SOUND = bench_file(Path("/dev/serial/by-id/usb-1"), "http://192.0.2.7/relay/{index}")


def mistakes(text: str) -> list[str]:
    with pytest.raises(BadBench) as bad:
        parse_bench(text.encode())
    return bad.value.mistakes


def test_a_whole_file_wires_each_line_once() -> None:
    bench = parse_bench(SOUND.encode())
    assert [relay.line for relay in bench.relay] == list(names())
    assert [sense.line for sense in bench.sense] == list(LOADS)
    assert names()[17] == "front-door (NC)"
    assert {names()[4], names()[7]} == {"mains", "battery"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('[[relay]]\nline = 4\nboard = "b0"\nchannel = 1\n', "", ["relay: line 4 (mains) has none"]),
        ("line = 4\n", "line = 2\n", ["line 2 is not used", "line 4 (mains) has none"]),
        ("line = 5\n", "line = 4\n", ["relay: 4 stands 2 times", "line 5 (vault-vibration) has none"]),
        ('line = 4\nboard = "b0"', 'line = 4\nboard = "b9"', ["board b9, expected one of b0, b1"]),
        ('board = "b0"\nchannel = 1\n', 'board = "b0"\nchannel = 9\n', ["channel 9 of b0, expected 1 to 8"]),
        ('board = "b0"\nchannel = 1\n', 'board = "b0"\nchannel = 2\n', ["relay: b0.2 stands 2 times"]),
        ('profile = "waveshare-relay-d-8"', 'profile = "x"', ["board.b0: profile x, expected one of"]),
        ("address = 2", "address = 1", ["address 1 stands 2 times"]),
        ('url = "http://192.0.2.7/relay/{index}"\n', "", ["power.url: missing for kind rest"]),
        ('kind = "rest"', 'kind = "relay"', ["power: board , expected one of b0"]),
        ("channel = 1\n", 'channel = "1x"\n', ["relay.0.channel", "found '1x'"]),
        ('panel = "root@localhost"', 'panel = "-oProxyCommand=x"', ["bench.panel"]),
        ("[bench]", "[bench]\nnothing = 1", ["bench.nothing"]),
        ("[bench]", "[bench", ["not TOML"]),
    ],
)
def test_each_mistake_is_named(old: str, new: str, said: list[str]) -> None:
    assert old in SOUND
    found = "\n".join(mistakes(SOUND.replace(old, new, 1)))
    assert all(words in found for words in said), found


def test_all_mistakes_come_at_once() -> None:
    wrong = SOUND.replace("line = 4\n", "line = 2\n", 1).replace('profile = "waveshare-relay-d-8"', 'profile = "x"', 1)
    assert len(mistakes(wrong)) == 3


def test_the_mistakes_are_in_chinese_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "zh")
    assert "没有对应项" in "\n".join(mistakes(SOUND.replace("line = 4\n", "line = 2\n", 1)))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadBench, match=r"bench\.toml"):
        read_bench(tmp_path / "bench.toml")


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_bytes_break_it(data: bytes) -> None:
    with pytest.raises(BadBench):
        parse_bench(data)
