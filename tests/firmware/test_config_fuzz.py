"""Whatever the file holds: it is loaded, or `BadPanelFile` says why; and the lines that it names are right."""

import random
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.config import BadPanelFile, load
from firmware.config.places import line_of, places

BANK = Path("docs/examples/bank.toml").read_bytes()
PLAIN = b"\n".join(line for line in BANK.split(b"\n") if line and not line.startswith(b"#"))
WORDS = [
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'",
    b'"""',
    b"=",
    b",",
    b"\n",
    b"#",
    b"\\",
    b"\0",
    b"\xff",
    b"-1",
    b"99999999999999999999",
]
WORDS += [
    b"true",
    b"[]",
    b"{}",
    b"[[zone]]",
    b"1979-05-27",
    b"nan",
    b'""',
    b"0x1F",
    b"zone",
    b"areas = 5",
    b"input = 5",
    b"id = []",
]


def mutated(seed: int) -> bytes:
    """The bank with a few lines swapped, cut, doubled, or with words struck in."""
    rng = random.Random(seed)
    lines = PLAIN.split(b"\n")
    for _ in range(rng.randint(1, 6)):
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                lines[at], lines[other] = lines[other], lines[at]
            case 1:
                lines[at] = lines[at][: rng.randint(0, len(lines[at]))]
            case 2:
                lines.insert(other, lines[at])
            case 3:
                key, equals, _ = lines[at].partition(b"= ")
                lines[at] = key + equals + rng.choice(WORDS)
            case _:
                spot = rng.randint(0, len(lines[at]))
                lines[at] = lines[at][:spot] + rng.choice(WORDS) + lines[at][spot:]
    return b"\n".join(lines)


def judge(raw: bytes, folder: Path) -> None:
    path = folder / "panel.toml"
    path.write_bytes(raw)
    try:
        loaded = load(path)
    except BadPanelFile as error:
        said = error.mistakes
        assert said, "refused without a reason"  # both ways out are right
    else:
        said = loaded.warnings
    for mistake in said:
        assert mistake.say("en")
        assert mistake.say("zh")
        assert mistake.line is None or 1 <= mistake.line <= raw.count(b"\n") + 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=2**32))
def test_mutations_of_the_bank(folder: Path, seed: int) -> None:
    judge(mutated(seed), folder)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
def test_any_bytes(folder: Path, raw: bytes) -> None:
    judge(raw, folder)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-01-01"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["panel", "area", "zone", "output", "camera", "path", "center", "timings", "power"]), VALUES)
def test_any_value_for_a_table(folder: Path, table: str, value: Any) -> None:
    judge(f"{table} = {toml(value)}\n".encode(), folder)
    judge(f"{table} = [{toml(value)}, {{ id = 'a', input = {toml(value)}, areas = {toml(value)} }}]\n".encode(), folder)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    return (
        {True: "true", False: "false", None: "0"}.get(value, repr(value))
        if value in (True, False, None)
        else repr(value)
    )


def quoted(text: str) -> str:
    escaped = "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text)
    return f'"{escaped}"'


TRICKY = '''
# [not] = "a table"
a = 1 # = [
"b c" = """
x = 5
[nor.this]
"""
c = ["[[zone]]", # ]
  { d = "}", e = [
    1,
    { f = 2 } ] },
  \'\'\'
y = 6\'\'\',
]
g.h."i.j" = \'#\'
[k.l]
m = 1979-05-27T07:32:00Z
[[n]]
o = 1
[[n.p]]
q = "\\\\"
[[n.p]]
q = "\\""
[[n]]
[n.r]
s = { t.u = 1 }
'''
EXPECTED = {
    ("a",): 3,
    ("b c",): 4,
    ("c",): 8,
    ("c", 0): 8,
    ("c", 1): 9,
    ("c", 1, "d"): 9,
    ("c", 1, "e", 0): 10,
    ("c", 1, "e", 1, "f"): 11,
    ("c", 2): 12,
    ("g", "h", "i.j"): 15,
    ("k", "l"): 16,
    ("k", "l", "m"): 17,
    ("n", 0): 18,
    ("n", 0, "o"): 19,
    ("n", 0, "p", 0, "q"): 21,
    ("n", 0, "p", 1, "q"): 23,
    ("n", 1): 24,
    ("n", 1, "r", "s", "t", "u"): 26,
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_places_in_tricky_toml(end: str) -> None:
    assert tomllib.loads(TRICKY)["n"][0]["p"][1]["q"] == '"'
    found = places(TRICKY.replace("\n", end))
    assert {loc: found.get(loc) for loc in EXPECTED} == EXPECTED


def test_the_nearest_place_around() -> None:
    lines = places("[a]\nb = 1\n")
    assert line_of(("a", "missing", 3), lines) == 1
    assert line_of(("z",), lines) is None


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab=[]{}.,\"'#\n\\ 1", max_size=60))
def test_the_scan_ends_and_finds_every_key(text: str) -> None:
    found = places(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for loc in walk(data, ()):
        assert loc in found, loc


def walk(value: Any, loc: tuple[Any, ...]) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*loc, key)
        yield from walk(inner, (*loc, key))
