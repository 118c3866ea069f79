"""What the scores come to: the area under the curve against its definition, and counts at a threshold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.evidence.scoring import MEAN, Scored, Truth, auc, count, truth_of

scores = st.lists(st.integers(0, 20), max_size=12)


def items(people: list[int], empty: list[int]) -> list[Scored]:
    def of(truth: Truth, score: int) -> Scored:
        return Scored(Path("x.jpg"), truth, truth, {MEAN: score}, (), 1.0)

    return [of("person", s) for s in people] + [of("empty", s) for s in empty] + [of("other", 1000)]


@given(scores, scores)
def test_the_area_is_how_often_a_person_scores_higher(people: list[int], empty: list[int]) -> None:
    found = auc(items(people, empty), MEAN)
    if not people or not empty:
        assert found is None
    else:
        pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in people for b in empty]
        assert found == pytest.approx(sum(pairs) / len(pairs))


@given(scores, scores, st.integers(0, 21))
def test_counts(people: list[int], empty: list[int], threshold: int) -> None:
    found = count(items(people, empty), MEAN, threshold)
    assert (found.people, found.empty) == (len(people), len(empty))
    assert found.found == len([score for score in people if score >= threshold])
    assert found.mistaken == len([score for score in empty if score >= threshold])
    assert (found.recall is None) == (not people)
    assert (found.false_positives is None) == (not empty)


@pytest.mark.parametrize(
    ("folder", "truth"),
    [
        ("person", "person"),
        ("person-night", "person"),
        ("personal", "other"),
        ("empty", "empty"),
        ("empty-animals", "empty"),
        ("Person", "other"),
        ("cctv", "other"),
    ],
)
def test_what_a_folder_holds(folder: str, truth: str) -> None:
    assert truth_of(folder) == truth
