"""The telemetry ring: bounded, counted, kept over a restart, never in anybody's way."""

from pathlib import Path
from typing import Any

from firmware.journal import Telemetry
from firmware.journal.telemetry import ROOM_BYTES
from tests.firmware.journal.rig import Rig, small_disk
from tests.firmware.journal.test_storage_trouble import fill, numbers


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


def test_it_gives_way_where_room_is_short_and_comes_back(tmp_path: Path) -> None:
    free = ROOM_BYTES
    told: list[tuple[bool, int]] = []
    ring = Telemetry(tmp_path / "telemetry.sqlite", most=80, free=lambda _folder: free)
    ring.told = lambda thin, dropped: told.append((thin, dropped))
    for n in range(40):
        ring.add(**item(n))
        ring.add("telemetry.health", "2026-11-23T07:00:00.000Z", {"n": n})
    ring.turn()
    assert (tmp_path / "telemetry.sqlite").exists()
    free -= 1
    ring.turn()
    assert not (tmp_path / "telemetry.sqlite").exists()
    assert told == [(True, 70)]
    for n in range(40, 60):
        ring.add(**item(n))
        ring.add("telemetry.health", "2026-11-23T07:00:00.000Z", {"n": n})
    assert not ring.give_way(), "it has done so"
    free = 2 * ROOM_BYTES - 1
    ring.turn()
    assert (len(told), (tmp_path / "telemetry.sqlite").exists()) == (1, False)
    free += 1
    ring.turn()
    assert told[1:] == [(False, 0)]
    ring.add(**item(99))
    first, *rest = ring.take(100)
    assert first["data"] == {"count": 70 + 20 + 20}
    assert [(i["kind"], i["data"]["n"]) for i in rest] == [
        *(("telemetry.health", n) for n in range(50, 60)),
        ("telemetry.zone", 99),
    ]
    ring.close()
    assert (tmp_path / "telemetry.sqlite").exists()


def test_on_a_full_card_telemetry_goes_first_then_the_reserve_and_no_record_ever(rig: Rig) -> None:
    with small_disk(rig.data, "8m"):
        ring = Telemetry.open(rig.data)
        for n in range(4096):
            ring.add("telemetry.health", "2026-11-23T07:00:00.000Z", {"n": n, "pad": "x" * 600})
        ring.turn()
        assert ring.thin is False
        journal = rig.open(make_room=ring.give_way)
        fill(rig.data)
        went: list[str] = []
        n = 0
        while journal.place == "disk":
            n += 1
            journal.commit([rig.commit("alarm.intruder", f"state {n}", n=n, pad="x" * 500)])
            for name in ("telemetry.sqlite", "ballast"):
                if name not in went and not (rig.data / name).exists():
                    went.append(name)
                    assert journal.place == "disk"
            assert n < 20_000
        assert went == ["telemetry.sqlite", "ballast"]
        assert n > 250, "the room of the telemetry carried records"
        assert ring.thin
        assert numbers(journal) == list(range(1, n + 1))
        assert journal.prune("2099-01-01T00:00:00.000Z") == 0, "nothing is delivered, nothing goes"
        ring.close()
