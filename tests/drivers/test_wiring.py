"""Wiring: positions to levels to conditions and back, for every wiring there is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.wiring import CONDITIONS, LEVELS, MEANT, Input, OutputLine, Position, Wiring, condition, levels, seen_as
from rules.site import Condition

WIRINGS, POSITIONS = st.sampled_from(Wiring), st.sampled_from(Position)


@given(WIRINGS, POSITIONS)
def test_every_position_has_levels_and_every_level_a_condition(wiring: Wiring, position: Position) -> None:
    found = levels(wiring, position)
    assert len(found) == (2 if wiring is Wiring.CHANGEOVER else 1)
    assert isinstance(condition(wiring, found), Condition)


@given(WIRINGS)
def test_rest_is_normal_and_tripped_is_active(wiring: Wiring) -> None:
    assert seen_as(wiring, Position.CLOSE) is Condition.NORMAL
    assert seen_as(wiring, Position.OPEN) is Condition.ACTIVE


@pytest.mark.clause("GB 55029 3.5.1(3) open", "GB 55029 3.5.1(3) short")
@given(st.sampled_from([p for p in Position if p not in (Position.MASK, Position.UNPOWERED)]))
def test_changeover_tells_everything_about_its_contact_and_lines(position: Position) -> None:
    assert seen_as(Wiring.CHANGEOVER, position) is MEANT[position]


def test_what_plain_contacts_cannot_tell() -> None:
    blind = {(w, p): seen_as(w, p) for w in (Wiring.NC, Wiring.NO) for p in (Position.CUT, Position.SHORT)}
    assert blind == {
        (Wiring.NC, Position.CUT): Condition.ACTIVE,
        (Wiring.NC, Position.SHORT): Condition.NORMAL,
        (Wiring.NO, Position.CUT): Condition.NORMAL,
        (Wiring.NO, Position.SHORT): Condition.ACTIVE,
    }


@given(WIRINGS, st.data())
def test_a_harmed_line_never_changes_what_a_closed_circuit_is(wiring: Wiring, data: st.DataObject) -> None:
    """A cut leaves every line high and a short every line low, whatever the wiring."""
    assert set(levels(wiring, Position.CUT)) == {True}
    assert set(levels(wiring, Position.SHORT)) == {False}
    found = data.draw(st.sampled_from(list(CONDITIONS[wiring])))
    assert found in LEVELS[wiring].values()


def test_an_input_names_its_lines() -> None:
    assert Input("door", 17).lines == (17,)
    assert Input("door", 17, Wiring("changeover"), 27).lines == (17, 27)
    assert Input("door", 17, "no").wiring is Wiring.NO  # type: ignore[arg-type]


@pytest.mark.parametrize(("wiring", "line_no"), [("nc", 5), ("no", 5), ("changeover", None)])
def test_line_no_goes_with_changeover_only(wiring: str, line_no: int | None) -> None:
    with pytest.raises(ValueError, match="zone door: line_no goes with changeover"):
        Input("door", 17, Wiring(wiring), line_no)


@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize("on", [True, False])
def test_polarity_of_an_output(active_high: bool, on: bool) -> None:
    assert OutputLine("siren", 4, active_high).level(on) is (on if active_high else not on)
