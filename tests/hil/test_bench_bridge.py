"""The bench beside Mosquitto's bridge measures what it says: each of its works, small, and a loss that it must see."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hil.bench_bridge import KINDS, Kind, Plan, Row, drain, killed, table
from hil.carrier import Carrier

PLAN = Plan(backlog=200, kills=2, killed_records=60, cuts=0)


@pytest.mark.parametrize("kind", KINDS[:2], ids=["ours", "bridge"])
def test_a_backlog_drains_and_kills_are_survived(kind: Kind, tmp_path: Path) -> None:
    works = [tmp_path / name for name in ("drain", "kill")]
    for work in works:
        work.mkdir()
    row = drain(kind, works[0], PLAN)
    assert row.drain_per_s is not None
    assert row.drain_per_s > 10
    assert row.alarm_ms is not None
    assert row.alarm_ms < 60_000
    killed(kind, works[1], PLAN, row)
    assert row.kill_kept == 60
    if kind is KINDS[0]:
        assert row.kill_lost == 0
    assert row.name in table([row])


class Lossy(Carrier):
    """Loses every third record and tells nobody."""

    name = "lossy"

    def start(self) -> None: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...

    def make(self, count: int, per_s: float, lane: str = "status") -> None:  # noqa: ARG002
        for _ in range(count):
            self.kept[len(self.kept) + 1] = 0

    def arrived(self) -> dict[int, int]:
        return {number: 0 for number in self.kept if number % 3}

    def again(self) -> int:
        return 0


class LossyKind(Kind):
    """Makes it."""

    @contextmanager
    def carrier(self, *_: object, **__: object) -> Iterator[Carrier]:
        yield Lossy()


def test_a_loss_is_seen(tmp_path: Path) -> None:
    row = Row("lossy")
    killed(LossyKind(None), tmp_path, Plan(kills=0, killed_records=30), row, quiet_s=0.3)
    assert (row.kill_kept, row.kill_lost) == (30, 10)
