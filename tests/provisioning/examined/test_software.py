"""What doctor says of an update: who waits for whom, and what the panel has gone back from."""

from typing import Any

import pytest

from provisioning.examined.software import _of


def told(**changed: Any) -> dict[str, Any]:
    return {"stage": "good", "version": "0.2.0", "waiting": "", "why": "", **changed}


@pytest.mark.parametrize(
    ("status", "weight", "words"),
    [
        (told(stage="offered", waiting="consents"), "warning", "waits for consents"),
        (told(stage="installed", waiting="disarmed"), "warning", "until all is disarmed"),
        (told(stage="trying", waiting="no-receipt"), "warning", "on trial"),
        (told(stage="gone-back", why="no-receipt"), "warning", "no receipt of the alarm center"),
        (told(stage="gone-back", why="slot-lost"), "fault", "does not start any more"),
    ],
)
def test_what_somebody_should_know_of_is_found(status: dict[str, Any], weight: str, words: str) -> None:
    [finding] = _of(status)
    assert (finding.about, finding.weight) == ("update", weight)
    assert words in finding.what[0]
    assert all((*finding.what, *finding.do))


@pytest.mark.parametrize("status", [{}, told(), told(stage="none"), told(stage="refused", why="signature")])
def test_nothing_is_said_where_nothing_is_to_be_done(status: dict[str, Any]) -> None:
    assert list(_of(status)) == []
