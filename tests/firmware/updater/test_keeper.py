"""An update from the offer to its end, on a machine whose boot loader counts, and whose power may be cut anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.updater.bundle import REASONS as NOT_TAKEN
from firmware.updater.keeper import LAPSE_S
from firmware.updater.kept import Kept, Shelf, read
from firmware.updater.trial import REASONS, RECEIPT_MS
from tests.firmware.updater.machine import NEW, OLD, WELL, Machine, Power, manifest

WHOLE = ["offered", "consented", "checked", "installing", "installed", "restarting", "trying", "good"]


def panel(**changed: Any) -> Any:
    return WELL.model_copy(update=changed)


def updated(machine: Machine) -> Machine:
    machine.offer()
    machine.consent()
    machine.until("good", "gone-back", "refused")
    return machine


def test_an_update_from_the_offer_to_its_end(tmp_path: Path) -> None:
    machine = updated(Machine(tmp_path))
    assert (machine.kept.stage, machine.runs, machine.kept.home) == ("good", NEW, "B")
    assert machine.kinds() == WHOLE
    assert [step.number for step in machine.recorded] == list(range(1, 9))
    assert machine.recorded[-1].by == ["user", "installer"]
    assert machine.fake.read()["left"]["B"] == 3
    machine.boot()
    machine.turn()
    assert machine.runs == NEW


def test_without_both_consents_nothing_happens(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.offer()
    machine.consent("installer")
    for _ in range(5):
        machine.turn()
    assert machine.kept.stage == "offered"
    assert machine.keeper.status().missing == ["user"]
    machine.clock.turn(int(LAPSE_S * 1000) + 1)
    machine.until("refused")
    assert machine.kept.why == "lapsed"


def test_a_consent_counts_for_the_bundle_that_was_seen(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.offer()
    seen = machine.bundle
    machine.bundle = manifest("0.3.0")
    machine.consent()
    machine.until("refused")
    assert (machine.kept.why, machine.fake.image("B")) == ("other", OLD.encode())
    machine.bundle = seen
    assert updated(machine).kept.stage == "good"


def test_an_armed_panel_is_not_restarted_unless_told_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "one", panels={OLD: panel(at_rest=False)})
    machine.offer()
    machine.consent()
    machine.until("installed")
    for _ in range(50):
        machine.turn()
    assert (machine.kept.stage, machine.keeper.status().waiting) == ("installed", "disarmed")
    machine.panels[OLD] = WELL
    machine.until("good")
    told = Machine(tmp_path / "two", panels={OLD: panel(at_rest=False), NEW: panel(at_rest=False)})
    told.offer(even_armed=True, reason="the keypad is dead")
    told.consent()
    told.until("good")
    assert all(step.reason == "the keypad is dead" for step in told.recorded)


def test_an_installed_update_can_be_withdrawn_and_nothing_restarts(tmp_path: Path) -> None:
    machine = Machine(tmp_path, panels={OLD: panel(at_rest=False)})
    machine.offer()
    machine.consent()
    machine.until("installed")
    machine.said(lambda keeper: keeper.withdraw())
    machine.panels.clear()
    for _ in range(20):
        machine.turn()
    assert (machine.kept.stage, machine.kept.why, machine.runs) == ("refused", "withdrawn", OLD)


BACK: list[tuple[str, Callable[[Machine], None]]] = [
    ("did-not-start", lambda machine: machine.starts.discard(NEW)),
    ("core-silent", lambda machine: machine.panels.update({NEW: None})),
    ("state-lost", lambda machine: machine.panels.update({NEW: panel(restored=False)})),
    ("journal-new", lambda machine: machine.panels.update({NEW: panel(journal="k")})),
    ("inputs-unread", lambda machine: machine.panels.update({NEW: panel(read=False)})),
    ("inputs-failing", lambda machine: machine.panels.update({NEW: panel(failing=1)})),
    ("no-receipt", lambda machine: machine.panels.update({NEW: panel(receipt=False)})),
]


@pytest.mark.parametrize(("why", "harm"), BACK, ids=[why for why, _ in BACK])
def test_what_does_not_prove_itself_goes_back(tmp_path: Path, why: str, harm: Callable[[Machine], None]) -> None:
    machine = Machine(tmp_path)
    harm(machine)
    updated(machine)
    assert (machine.kept.stage, machine.kept.why, machine.runs, machine.kept.home) == ("gone-back", why, OLD, "A")
    kinds = machine.kinds()
    assert kinds[-1] == "gone-back"
    assert machine.recorded[-1].why == why
    assert "B" not in machine.kept.slots
    # It is not started again, by nobody.
    machine.boot()
    machine.turn()
    assert machine.runs == OLD


def test_the_receipt_is_waived_only_where_there_was_no_way_before(tmp_path: Path) -> None:
    dark = panel(linked=False, receipt=False)
    machine = updated(Machine(tmp_path / "dark", panels={OLD: dark, NEW: dark}))
    assert (machine.kept.stage, machine.kept.why) == ("good", "receipt-waived")
    # The line is cut between the consents and the restart: no reason to waive it.
    cut = Machine(tmp_path / "cut", panels={OLD: panel(at_rest=False), NEW: dark})
    cut.offer()
    cut.consent()
    cut.until("installed")
    cut.panels[OLD] = dark
    cut.until("gone-back")
    assert cut.kept.why == "no-receipt"
    assert cut.clock.now_ms < 2 * RECEIPT_MS


def test_back_by_rollback_and_the_floor_holds(tmp_path: Path) -> None:
    machine = updated(Machine(tmp_path, bundle=manifest(floor=OLD)))
    machine.offer("slot:other")
    machine.consent()
    machine.until("good")
    assert (machine.runs, machine.kept.home) == (OLD, "A")
    machine.offer("slot:other")
    machine.consent()
    machine.until("restarting")
    machine.until("good")
    assert machine.runs == NEW
    # One that raises the floor: nothing older is taken any more, not even what is in the other slot.
    machine.bundle = manifest("0.3.0", floor=NEW)
    machine.starts.add("0.3.0")
    updated(machine)
    assert machine.kept.floor == NEW
    machine.bundle = manifest("0.1.9", floor=OLD)
    machine.offer()
    assert (machine.kept.stage, machine.kept.why) == ("refused", "below-floor")
    machine.offer("slot:other")
    assert machine.kept.stage == "offered"  # 0.2.0 is the floor itself


def test_a_slot_that_can_not_be_written_leaves_home_as_it_is(tmp_path: Path) -> None:
    machine = updated(Machine(tmp_path, io_error=True))
    assert (machine.kept.stage, machine.kept.why, machine.runs) == ("refused", "write", OLD)
    machine.boot()
    assert machine.runs == OLD
    assert all(NOT_TAKEN["write"])


def test_home_that_does_not_start_any_more_is_told(tmp_path: Path) -> None:
    machine = updated(Machine(tmp_path))
    machine.starts.discard(NEW)
    machine.boot()
    machine.turn()
    assert (machine.kept.stage, machine.kept.why, machine.kept.home) == ("gone-back", "slot-lost", "A")


def cuts(tmp_path: Path, harm: Callable[[Machine], None], wanted: str, runs: str) -> int:
    """An update of each kind, cut at each thing in turn; the number of cuts."""
    at = 0
    while True:
        at += 1
        machine = Machine(tmp_path / str(at))
        harm(machine)
        machine.power = machine.keeper.parts.book._shelf._power = Power(at)  # type: ignore[attr-defined]
        for _ in range(8):  # people come back to a panel whose power was cut while they were at it
            if machine.kept.stage in ("none", "refused"):
                machine.offer()
            if machine.kept.stage == "offered":
                machine.consent()
            for _ in range(1300):
                machine.turn()
                if machine.kept.stage in ("good", "gone-back", "refused", "offered", "none"):
                    break
            if machine.kept.stage == wanted:
                break
        assert (machine.kept.stage, machine.runs) == (wanted, runs), f"cut {at}: {machine.recorded}"
        kinds = machine.kinds()
        assert kinds[-1] == wanted
        numbers = [step.number for step in machine.recorded]
        assert numbers == list(range(1, len(numbers) + 1)), f"cut {at}: a step is missing or twice"
        assert machine.kept.home == machine.fake.read()["booted"]
        if machine.power.done < at:
            return at - 1


def test_power_cut_at_each_point_of_an_update_that_is_good(tmp_path: Path) -> None:
    assert cuts(tmp_path, lambda _: None, "good", NEW) >= 40


@pytest.mark.parametrize(("why", "harm"), [BACK[0], BACK[2]], ids=["did-not-start", "state-lost"])
def test_power_cut_at_each_point_of_an_update_that_goes_back(
    tmp_path: Path, why: str, harm: Callable[[Machine], None]
) -> None:
    del why
    assert cuts(tmp_path, harm, "gone-back", OLD) >= 40


def test_a_slot_whose_writing_was_interrupted_is_written_anew_and_the_journal_says_so(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.offer()
    machine.consent()
    machine.until("installing")
    machine.boot()
    machine.until("good")
    assert machine.kinds() == [*WHOLE[:4], *WHOLE[1:]]
    assert {number: step.why for number, step in enumerate(machine.recorded) if step.why} == {4: "interrupted"}
    assert "interrupted" in REASONS


# --- the book -------------------------------------------------------------------------------------------


def test_the_book_of_a_newer_version_is_read(tmp_path: Path) -> None:
    Shelf(tmp_path).save(Kept().but(offers=3))
    raw = (tmp_path / "update.json").read_bytes()
    assert read(raw[:-1] + b',"of_the_future":[1]}') == Kept(offers=3)
    assert (tmp_path / "update.json").stat().st_mode & 0o777 == 0o600


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_no_book_does_harm(raw: bytes) -> None:
    assert read(raw) is None or isinstance(read(raw), Kept)
