"""No secret of a panel is in what it gives away: by name, by value and by shape, wherever it stands."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.support.known import known_of
from provisioning.support.scrub import MEMBERS, Scrubber, mark

words = st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=8, max_size=24)
around = st.text(" ,;:\"'()[]{}/=\n中文", max_size=6)


@given(words, st.lists(st.tuples(around, around), min_size=1, max_size=5))
def test_a_known_secret_is_found_wherever_it_stands_as_a_word(secret: str, places: list[tuple[str, str]]) -> None:
    scrub = Scrubber({"password": {secret}})
    text = "".join(f"{before}{secret}{after}" for before, after in places if before or after) or secret
    whole = re.findall(rf"(?<![A-Za-z0-9_]){secret}(?![A-Za-z0-9_])", text)
    said = scrub.text("log.txt", text)
    assert not re.search(rf"(?<![A-Za-z0-9_]){secret}(?![A-Za-z0-9_])", said)
    assert sum(scrub.taken.values()) >= min(1, len(whole))


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(nested, st.sampled_from(sorted(MEMBERS)), words)
def test_a_member_with_a_secret_name_is_taken_out_at_any_depth(tree: object, name: str, secret: str) -> None:
    said = json.dumps(Scrubber({}).value("x", {"deep": [tree, {"more": {name: [secret + "-secret"]}}]}))
    assert secret + "-secret" not in said
    assert mark(MEMBERS[name]) in said


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("rtsp://admin:hunter22@10.0.0.7/stream", "hunter22"),
        ("SMS to +8613800138000 failed", "8613800138000"),
        ("dialled 13800138000.", "13800138000"),
        ("password=hunter22, retry", "hunter22"),
        ('{"pin": "4711"}', "4711"),
        ("密码：271828 错误", "271828"),
        ("a eyJhbGciOiJFZERTQSJ9.eyJhIjoxfQ.c2ln b", "c2ln"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----", "MC4CAQAwBQ"),
        ("-----BEGIN EC PRIVATE KEY-----\nMC4CAQAwBQ and cut", "MC4CAQAwBQ"),
    ],
)
def test_the_shape_of_a_secret_is_enough(text: str, secret: str) -> None:
    assert secret not in Scrubber({}).text("log.txt", text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-14T23:09:26.123Z session 1773529766123 up",
        "a5f0c1d2e3b4a5f0c1d2e3b4a5f0c1d2e3b4a5f0c1d2e3b4a5f0c1d2e3b4a5f0",
        "exit code 1, pin 17 of the chip",
        "gpio: line 17 normal",
    ],
)
def test_what_a_helpdesk_needs_stays(text: str) -> None:
    assert Scrubber({}).text("log.txt", text) == text


def test_what_was_taken_out_is_counted_by_place_and_kind() -> None:
    scrub = Scrubber({"person": {"Li Wei", "王伟"}})
    assert scrub.text("log.txt", "Li Wei and 王伟先生, not Li Weimann") == (
        "[taken out: person] and [taken out: person]先生, not Li Weimann"
    )
    assert scrub.taken == {("log.txt", "person"): 2}


def test_words_of_secret_files_are_known_and_one_that_cant_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "cam.txt").write_text("admin:s3cr3t-word\n")
    table = {"camera": [{"secret_file": "cam.txt"}], "path": [{"pin_file": "gone"}]}
    known = known_of(table, tmp_path, anonymous=False)
    assert "s3cr3t-word" in known.texts["password"]
    assert known.unread == ["gone"]
