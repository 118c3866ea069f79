"""The timeline: pure, so it is tested with a night that is written down."""

import pytest

from hil.timeline import Happening, Line, Names, Timeline
from hil.timeline_texts import AFTER, CONDITIONS, LATENCIES, LINES, POSITIONS, TELLS, WHO
from rules.notices import NOTICES
from rules.site import OutputKind
from rules.vocabulary import KINDS

NAMES = Names(
    zones={"front-door": "Front door", "hall-pir": "Hall, motion"},
    areas={"hall": "Hall"},
    outputs={"siren-outside": ("siren", "siren-outside"), "armed-lamp": ("armed", "armed-lamp")},
)
JOURNAL = "0" * 8


def header(kind: str, lane: str, lane_seq: int, ms: int) -> dict[str, object]:
    return {"kind": kind, "lane": lane, "lane_seq": lane_seq, "seq": 7, "monotonic_ms": ms, "journal": JOURNAL}


def record(ms: int, kind: str, lane: str, lane_seq: int, happened: int, thumbnail: int = 0) -> Happening:
    body = {"header": header(kind, lane, lane_seq, happened), "payload": {}, "stored": False, "thumbnail": thumbnail}
    return Happening(ms, "center", "record", "", body)


def receipt(ms: int, lane: str, last: int) -> Happening:
    body = {"lane": lane, "journal": JOURNAL, "ranges": [{"first": 1, "last": last, "hash": "f"}]}
    return Happening(ms, "center", "receipt", "", body)


def play(timeline: Timeline, *happenings: Happening) -> list[Line]:
    return [line for h in happenings for line in timeline.feed(h)]


def test_a_tripped_detector_is_the_cause_of_the_siren() -> None:
    timeline = Timeline(NAMES)
    lines = play(
        timeline,
        Happening(1000, "hand", "move", "hall-pir", "open"),
        Happening(1312, "core", "condition", "hall-pir", "active"),
        Happening(1324, "core", "output", "siren-outside", True),
        Happening(1325, "core", "record", "alarm.intruder", {"zone": "hall-pir"}),
    )
    assert [line.say("en") for line in lines] == [
        ("site", "Hall, motion: opened, or somebody comes into view", ""),
        ("core", "Hall, motion: tripped", "312 ms after the hand, debounce included"),
        ("siren", "siren-outside ON", "12 ms after the detector tripped"),
        ("core", "records: intruder alarm · Hall, motion", ""),
    ]
    assert timeline.facts.latencies == {"hand-condition": [312], "trip-siren": [12]}
    assert lines[2].say("zh") == ("警号", "siren-outside 启动", "探测器触发后 12 毫秒")


def test_the_end_of_the_entry_delay_is_the_cause_when_it_came_later() -> None:
    timeline = Timeline(NAMES)
    lines = play(
        timeline,
        Happening(100, "core", "condition", "front-door", "active"),
        Happening(101, "core", "record", "area.entry-started", {"zone": "front-door", "entry_delay_ms": 6000}),
        Happening(4000, "core", "condition", "hall-pir", "active"),
        Happening(6104, "core", "output", "siren-outside", True),
    )
    assert lines[-1].after_ms == 3
    assert timeline.facts.latencies["entry-siren"] == [3]


def test_outputs_are_timed_and_a_level_told_twice_counts_once() -> None:
    timeline = Timeline(NAMES)
    lines = play(
        timeline,
        Happening(0, "core", "output", "siren-outside", False),
        Happening(1000, "core", "output", "siren-outside", True),
        Happening(1001, "core", "output", "siren-outside", True),
        Happening(9000, "center", "command", "", {"counter": 3, "command": "silence"}),
        Happening(9045, "core", "output", "siren-outside", False),
        Happening(9080, "center", "reply", "", {"counter": 3, "result": "done", "reason": ""}),
    )
    assert len(lines) == 4
    assert timeline.facts.on_ms["siren-outside"] == 8045
    assert timeline.facts.on_since == {}
    assert lines[2].say("en")[1:] == ("siren-outside off, after 8.0 s", "45 ms after the command")
    assert timeline.facts.latencies == {"command-off": [45], "command-reply": [80]}


def test_the_centers_receipt_is_measured_from_the_moment_of_the_alarm() -> None:
    timeline = Timeline(NAMES)
    lines = play(
        timeline,
        record(2050, "alarm.entry", "alarm", 1, happened=2000),
        receipt(2084, "alarm", 1),
        record(2100, "area.armed", "status", 4, happened=2000),
        receipt(2101, "status", 4),
        record(4000, "evidence.pictures", "evidence", 1, happened=3900, thumbnail=9000),
    )
    assert [line.after_ms for line in lines] == [50, 84, 101, 100]
    assert timeline.facts.thumbnails == 1
    assert timeline.facts.stored == {"alarm.entry": 1, "area.armed": 1, "evidence.pictures": 1}
    assert lines[1].say("en")[2] == "84 ms after the alarm"


def test_what_waited_for_the_link_makes_no_latency() -> None:
    timeline = Timeline(NAMES)
    late = record(9000, "alarm.entry", "alarm", 1, happened=1000)
    late.value["stored"] = True
    timeline.feed(late)
    assert timeline.facts.latencies == {}


def test_pictures_say_the_verdict() -> None:
    payload = {"pictures": [1, 2, 3], "verdict": "person", "score": 874}
    timeline = Timeline(NAMES)
    (line,) = timeline.feed(Happening(1, "core", "record", "evidence.pictures", payload))
    assert line.say("en")[:2] == ("camera", "3 pictures saved, a person is in view (87 %)")
    assert timeline.facts.persons == 1


@pytest.mark.parametrize(
    ("what", "name", "value"),
    [("output", "unknown", True), ("record", "new.kind", None), ("tell", "new-notice", 7), ("news", "x", [])],
)
def test_unknown_names_and_shapes_do_no_harm(what: str, name: str, value: object) -> None:
    lines = Timeline(NAMES).feed(Happening(1, "core", what, name, value))
    assert len(lines) == (0 if what == "news" else 1)


def test_every_kind_of_output_has_a_voice() -> None:
    names = Names(outputs={kind.value: (kind.value, f"the {kind.value}") for kind in OutputKind})
    for kind in OutputKind:
        (line,) = Timeline(names).feed(Happening(1, "core", "output", kind.value, True))
        assert line.say("en")[0] == WHO[kind.value][0]
        assert (line.tone == "alarm") is (kind in (OutputKind.SIREN, OutputKind.STROBE, OutputKind.ALARM))


def test_every_kind_of_record_and_every_notice_is_told_in_words() -> None:
    for kind in set(KINDS) - {"evidence.pictures"}:
        for line in Timeline(NAMES).feed(Happening(1, "core", "record", kind, {"zone": "hall-pir"})):
            assert KINDS[kind].zh in line.say("zh")[1]
    for notice in NOTICES:
        (line,) = Timeline(NAMES).feed(Happening(1, "core", "tell", notice, {"source": ""}))
        assert notice not in line.say("zh")[1]


@pytest.mark.parametrize("table", [WHO, CONDITIONS, POSITIONS, TELLS, LINES, AFTER, LATENCIES])
def test_every_text_is_there_in_both_languages_with_the_same_names(table: dict[str, tuple[str, str]]) -> None:
    import re

    for name, (en, zh) in table.items():
        assert en, name
        assert set(re.findall(r"{\w+}", en)) == set(re.findall(r"{\w+}", zh)), name
