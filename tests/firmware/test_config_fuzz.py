"""Whatever the file holds: it is loaded, or `BadPanelFile` says why; and the lines that it names are right."""

import random
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.config import BadPanelFile, PanelFile, load, to_site
from firmware.config.places import line_of, places
from rules.site import CAUSES, OutputKind, Site, ZoneType
from rules.vocabulary import KINDS
from rules.zones import INTRUDER

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
    b'"25:61-24:00"',
    b'"closed"',
    b'"2026-02-30"',
    b'"zone:holdup-1"',
    b'"event:"',
    b'["tour-hall", "tour-hall"]',
    b"[{}]",
    b"{ zone = 5 }",
    b"until = 9999-12-31",
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
        assert_all_references_resolve(to_site(loaded.file))
    for mistake in said:
        assert mistake.say("en")
        assert mistake.say("zh")
        assert mistake.line is None or 1 <= mistake.line <= raw.count(b"\n") + 1


def assert_all_references_resolve(site: Site) -> None:
    """Whatever a loaded file names is there, and is what it must be."""
    areas, zones = site.areas.keys(), site.zones
    for area in site.areas.values():
        assert area.schedule == "" or area.schedule in site.schedules
    for zone in zones.values():
        assert set(zone.areas) <= areas
        assert zone.areas
    for output in site.outputs.values():
        assert set(output.areas) <= areas
        what, _, name = output.follows.partition(":")
        assert (output.kind is OutputKind.RELAY) == bool(output.follows)
        if what == "zone":
            assert zones[name].type not in (ZoneType.HOLD_UP, ZoneType.DURESS)
        elif what == "event":
            assert not KINDS[name].silent
        else:
            assert not what or name in areas
    for part in site.parts.values():
        assert set(part.areas) <= areas
        assert {zones[id_].type for id_ in part.omits} <= INTRUDER
    for schedule in site.schedules.values():
        assert len(schedule.week) == 7
        for hours in (*schedule.week, *site.days.values()):
            assert hours is None or 0 <= hours.opens < hours.closes <= 1440
    for tour in site.tours.values():
        assert all(zones[stop.zone].type is ZoneType.CHECKPOINT for stop in tour.stops)
        assert all(0 <= stop.after_min < stop.until_min <= 1440 for stop in tour.stops)
        assert all(0 <= day < 7 and 0 <= minute < 1440 for day, minute in tour.starts)
    assert site.timings.auto_part == "" or site.timings.auto_part in site.parts
    assert site.prevention.keys() == set(CAUSES)


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
@given(st.sampled_from([*PanelFile.model_fields]), VALUES)
def test_any_value_for_a_table(folder: Path, table: str, value: Any) -> None:
    judge(f"{table} = {toml(value)}\n".encode(), folder)
    judge(f"{table} = [{toml(value)}, {{ id = 'a', input = {toml(value)}, areas = {toml(value)} }}]\n".encode(), folder)


def inner_model(annotation: Any) -> Any:
    """The model of one row: of `list[X]`, `X | None` or X."""
    return next((inner_model(a) for a in get_args(annotation) if a is not type(None)), annotation)


KEYS = [
    (table, key)
    for table, field in PanelFile.model_fields.items()
    for key in getattr(inner_model(field.annotation), "model_fields", ())
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(KEYS), VALUES | st.integers(-2, 2000) | st.sampled_from(["closed", "hall", "24:00", "zone:hall"])
)
def test_any_value_for_a_key_of_the_bank(folder: Path, place: tuple[str, str], value: Any) -> None:
    table, key = place
    data = tomllib.loads(BANK.decode())
    rows = data.setdefault(table, {})
    row = rows[-1] if isinstance(rows, list) else rows
    row[key] = value
    judge("\n".join(f"{name} = {toml(inner)}" for name, inner in data.items()).encode(), folder)


# Most of what is drawn fits, so that a fair part of the files is loaded; the rest must be told.
HOURS = st.sampled_from(["closed", "08:00-18:00", "00:00-24:00", "23:59-24:00", "08:00-18:00", "18:00-08:00"])
DAY = st.dates(date(2026, 1, 1), date(2026, 6, 1)).map(str)
AREA = st.sampled_from(["a", "b", "c"])
AREAS = st.lists(AREA, min_size=1, max_size=2, unique=True)
PLACE = st.sampled_from(["z0", "z1", "z2"])
TYPES = [kind.value for kind in ZoneType]
USUAL = ["entry-exit", "follower", "instant", "day"]
ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"soak": True},
    {"chime": True, "forceable": True},
    {"forceable": True, "bypassable": False},
    {"bypassable": True},
    {"final_door": True},
    {"second_entry": True},
    {"entry_delay_s": 0},
    {"entry_delay_s": 45},
    {"pulses": 3, "pulse_window_s": 5},
    {"double_knock": True, "pulse_window_s": 5},
    {"pulses": 2},
    {"cross_group": "g"},
    {"swinger_trips": 6},
]
ZONE = st.builds(
    lambda kind, areas, attributes: {"type": kind, "areas": areas, **attributes},
    st.sampled_from([*TYPES, *USUAL * 4]),
    AREAS,
    st.sampled_from(ATTRIBUTES),
)
STOP = st.sampled_from(
    [
        {"zone": "c0", "until_min": 10},
        {"zone": "c1", "after_min": 5, "until_min": 20},
        {"zone": "c1", "after_min": 20, "until_min": 10},
        {"zone": "z0", "until_min": 30},
    ]
)
FOLLOWED = (
    st.builds("{}:{}".format, st.sampled_from(["area", "alarm"]), AREA)
    | PLACE.map("zone:{}".format)
    | st.sampled_from(sorted(KINDS)).map("event:{}".format)
)
OUTPUT = (
    st.fixed_dictionaries(
        {"kind": st.sampled_from([kind.value for kind in OutputKind if kind is not OutputKind.RELAY]), "areas": AREAS}
    )
    | st.fixed_dictionaries({"kind": st.just("relay"), "follows": FOLLOWED}, optional={"pulse_s": st.integers(1, 3)})
    | st.builds(
        lambda delay, limit: {"kind": "siren", "areas": ["a"], "delay_s": delay, "limit_s": limit},
        st.sampled_from([0, 299, 300]),
        st.sampled_from([0, 90]),
    )
)
SITE = st.fixed_dictionaries(
    {
        "profile": st.sampled_from(["cn", "cn-key", "eu-g2", "eu-g3", "us-cp01"]),
        "zones": st.lists(ZONE, min_size=3, max_size=3),
        "outputs": st.lists(OUTPUT, max_size=2),
        "parts": st.lists(st.lists(PLACE, min_size=1, max_size=2, unique=True), max_size=2),
        "weekdays": HOURS,
        "days": st.lists(st.tuples(DAY, HOURS), max_size=2),
        "starts": st.lists(st.sampled_from(["00:00", "00:10", "12:00", "23:50"]), min_size=1, max_size=2),
        "stops": st.lists(STOP, max_size=2),
        "abort": st.sampled_from([0, 0, 0, 15, 45]),
        "auto_part": st.sampled_from(["", "", "p0"]),
    }
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SITE)
def test_sites_of_all_kinds(folder: Path, drawn: dict[str, Any]) -> None:
    judge(whole_site(drawn).encode(), folder)


CHECKPOINTS = [{"id": id_, "type": "checkpoint", "areas": ["a"]} for id_ in ("c0", "c1")]


def whole_site(drawn: dict[str, Any]) -> str:
    """A file whose tables are each written as they must be; whether they fit one another is the question."""
    tour = {"id": "t", "name": "T", "starts": drawn["starts"], "stops": drawn["stops"]}
    data = {
        "panel": {"id": "any", "name": "Any", "profile": drawn["profile"]},
        "area": [{"id": id_, "number": n + 1, "name": "A", "schedule": "s"} for n, id_ in enumerate("abc")],
        "zone": [
            {"id": f"z{n}", "number": n + 1, "name": "Z", "input": {"line": n}} | zone
            for n, zone in enumerate([*drawn["zones"], *CHECKPOINTS])
        ],
        "output": [{"id": f"o{n}", "line": 20 + n, **output} for n, output in enumerate(drawn["outputs"])],
        "part": [{"id": f"p{n}", "name": "P", "omits": omits} for n, omits in enumerate(drawn["parts"])],
        "schedule": [{"id": "s", "weekdays": drawn["weekdays"], "weekend": "closed", "late_after_min": 5}],
        "day": [{"date": day, "hours": hours} for day, hours in drawn["days"]],
        "tour": [tour] if drawn["stops"] else [],
        "timings": {"abort_window_s": drawn["abort"], "auto_part": drawn["auto_part"]},
    }
    return "\n".join(f"{name} = {toml(inner)}" for name, inner in data.items())


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if value is None or isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


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
