"""The telemetry ring: bounded, counted, kept over a restart, never in anybody's way."""

from pathlib import Path
from typing import Any

from firmware.journal import Telemetry


def item(n: int) -> dict[str, Any]:
    return {"kind": "telemetry.zone", "time": "2026-11-23T07:00:00.000Z", "data": {"n": n}}


def test_items_come_back_in_order_and_survive_a_restart(tmp_path: Path) -> None:
    ring = Telemetry.open(tmp_path)
    for n in range(10):
        ring.add(**item(n))
    assert ring.take(3) == [item(0), item(1), item(2)]
    ring.close()
    again = Telemetry.open(tmp_path)
    assert again.take(100) == [item(n) for n in range(3, 10)]
    assert again.take(100) == []
    again.close()
    assert len(Telemetry.open(tmp_path)) == 0


def test_the_oldest_go_first_and_are_counted(tmp_path: Path) -> None:
    ring = Telemetry.open(tmp_path, most=5)
    for n in range(12):
        ring.add(**item(n))
    first, *rest = ring.take(100)
    assert (first["kind"], first["data"]) == ("telemetry.dropped", {"count": 7})
    assert rest == [item(n) for n in range(7, 12)]
    ring.close()


def test_impossible_items_and_a_broken_file_only_count(tmp_path: Path) -> None:
    (tmp_path / "telemetry.sqlite").write_bytes(b"not a database" * 100)
    ring = Telemetry.open(tmp_path)
    ring.add("telemetry.zone", "t", {"bad": object()})  # type: ignore[dict-item]
    ring.add("telemetry.zone", "t", {"long": "x" * 5000})
    ring.add(**item(1))
    assert ring.dropped == 2
    assert ring.take(2)[1] == item(1)
    ring.add(**item(2))
    ring.close()
    assert Telemetry.open(tmp_path).take() == [item(2)]


def test_a_folder_that_cannot_be_written_costs_only_the_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    ring = Telemetry.open(tmp_path / "file")
    ring.add(**item(1))
    assert ring.take() == [item(1)]
    ring.close()
