"""What no panel file may say: numbers beyond a standard, zones that must not be switched off."""

from pathlib import Path

import pytest

from firmware.config import load
from tests.firmware.test_config_mistakes import BANK, mistakes_in

PROFILE = 'profile = "cn" '
ENTRY, HOLD_UP = "entry_delay_s = 30 ", 'id = "holdup-1"'


def refused(text: str, folder: Path, *edits: tuple[str, str]) -> list[tuple[str, str]]:
    """The mistakes of the bank's file with these edits: key and what was found."""
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return [(mistake.key.rpartition(" ")[2].rpartition(".")[2], mistake.found) for mistake in mistakes_in(text, folder)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("entry_delay_s = 30 ", "entry_delay_s = 46 ", marks=pytest.mark.clause("EN 50131-1 entry 45 s")),
        pytest.param("siren_s = 300 ", "siren_s = 89 ", marks=pytest.mark.clause("EN 50131-1 siren 90 s to 15 min")),
        pytest.param(
            "siren_max_s = 900 ", "siren_max_s = 901 ", marks=pytest.mark.clause("EN 50131-1 siren 90 s to 15 min")
        ),
        pytest.param("code_attempts = 5 ", "code_attempts = 2 ", marks=pytest.mark.clause("EN 50131-1 wrong codes")),
        pytest.param("code_attempts = 5 ", "code_attempts = 11 ", marks=pytest.mark.clause("EN 50131-1 wrong codes")),
        pytest.param("lockout_s = 90 ", "lockout_s = 89 ", marks=pytest.mark.clause("EN 50131-1 lock-out")),
        pytest.param(
            "mains_report_delay_s = 600",
            "mains_report_delay_s = 3601",
            marks=pytest.mark.clause("EN 50131-1 mains report delay"),
        ),
        pytest.param(
            "entry_hold_s = 30 ", "entry_hold_s = 29 ", marks=pytest.mark.clause("EN 50131-1 entry deviation held")
        ),
        pytest.param("debounce_ms = 50 ", "debounce_ms = 401 ", marks=pytest.mark.clause("EN 50131-1 signals 400 ms")),
        pytest.param("confirm_min = 30 ", "confirm_min = 29 ", marks=pytest.mark.clause("Confirmation time")),
        pytest.param("confirm_min = 30 ", "confirm_min = 61 ", marks=pytest.mark.clause("Confirmation time")),
        pytest.param(
            "hold_up_window_h = 8 ", "hold_up_window_h = 21 ", marks=pytest.mark.clause("Confirmation hold-up window")
        ),
        pytest.param("cancel_window_min = 5 ", "cancel_window_min = 4 ", marks=pytest.mark.clause("CP-01 11")),
        pytest.param(
            "retention_days = 400",
            "retention_days = 183",
            marks=pytest.mark.clause("Retention alarm log 90 d", "Retention shortening"),
        ),
    ],
)
def test_a_number_beyond_the_standard_is_refused(old: str, new: str, tmp_path: Path) -> None:
    key, _, value = new.partition(" = ")
    assert (key, value.split()[0]) in refused(BANK, tmp_path, (old, new))


@pytest.mark.clause("EN 50131-1 code digits", "EN 50131-1 code variations")
@pytest.mark.parametrize(("profile", "digits"), [("eu-g2", 4), ("eu-g3", 5)])
def test_codes_shorter_than_the_grade_are_refused(profile: str, digits: int, tmp_path: Path) -> None:
    edits = ((PROFILE, f'profile = "{profile}" '), ("pin_digits = 6 ", f"pin_digits = {digits} "))
    assert ("pin_digits", str(digits)) in refused(BANK, tmp_path, *edits)


@pytest.mark.clause("CP-01 9")
def test_entry_delay_and_abort_window_beyond_60_s_together_are_refused(tmp_path: Path) -> None:
    assert refused(BANK, tmp_path, ("abort_window_s = 0 ", "abort_window_s = 31 "))
    (tmp_path / "panel.toml").write_text(BANK.replace("abort_window_s = 0 ", "abort_window_s = 30 "))
    assert load(tmp_path / "panel.toml").file.timings.abort_window_s == 30


@pytest.mark.clause("GB 50394 hold-up non-disarmable", "EN 50131-1 not inhibitable")
def test_a_file_makes_no_hold_up_button_bypassable(tmp_path: Path) -> None:
    assert ("bypassable", "true") in refused(BANK, tmp_path, (HOLD_UP, f"{HOLD_UP}\nbypassable = true"))


@pytest.mark.clause("CP-01 never held")
@pytest.mark.parametrize("choice", ["swinger_trips = 2", 'cross_group = "x"', "soak = true", "pulses = 2"])
def test_a_file_holds_back_no_hold_up_button(choice: str, tmp_path: Path) -> None:
    assert choice.split()[0] in [key for key, _ in refused(BANK, tmp_path, (HOLD_UP, f"{HOLD_UP}\n{choice}"))]
