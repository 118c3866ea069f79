"""The self-check of a bench: real frames to boards in software, wires that are broken, swapped, shorted, and relays
that stick: each named by its wire, and none of it a fault of the panel"""

from collections.abc import Callable
from pathlib import Path

import pytest

from hil.rigs.bench.fake import FakeBenchRig, Harm, fake_bench
from hil.rigs.protocol import RigFault
from hil.rigs.site import Wanted

SIREN, STROBE, DOOR, PIR, MAINS = 20, 26, 24, 22, 4


def checked(folder: Path, harm: Harm, before: Callable[[FakeBenchRig], object] = lambda _: None) -> str:
    """What the self-check says; empty when all is well."""
    rig = fake_bench(folder, Wanted(), harm)
    before(rig)
    try:
        rig.self_check()
    except RigFault as fault:
        return str(fault)
    finally:
        rig.end()
    return ""


def test_sound_wires_pass(tmp_path: Path) -> None:
    assert checked(tmp_path, Harm()) == ""


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (Harm(broken={DOOR}), ["wire of back-door (line 24): broken"]),
        (Harm(broken={SIREN}), ["wire of siren-outside (line 20): broken"]),
        (
            Harm(swapped={DOOR: PIR, PIR: DOOR}),
            [
                "wire of hall-pir (line 22): swapped: back-door (line 24) changed instead",
                "wire of back-door (line 24): swapped: hall-pir (line 22) changed instead",
            ],
        ),
        (
            Harm(swapped={SIREN: STROBE, STROBE: SIREN}),
            [
                "wire of siren-outside (line 20): swapped: strobe (line 26) changed instead",
                "wire of strobe (line 26): swapped",
            ],
        ),
        (Harm(shorted={DOOR: PIR}), ["wire of back-door (line 24): shorted: hall-pir (line 22) changed with it"]),
        (Harm(stuck={MAINS}), ["wire of mains (line 4): broken"]),
    ],
)
def test_a_wire_that_fails_is_named_and_no_other(harm: Harm, said: list[str], tmp_path: Path) -> None:
    found = checked(tmp_path, harm)
    assert found.count("wire of") == len(said), found
    assert all(words in found for words in said), found


def test_a_board_that_is_silent_is_named(tmp_path: Path) -> None:
    def silent(rig: FakeBenchRig) -> None:
        rig.units[2].silent = True

    found = checked(tmp_path, Harm(), silent)
    assert "board b1, address 2: no answer, 3 times" in found


def test_a_relay_whose_board_forgets_the_order_is_named(tmp_path: Path) -> None:
    def deaf(rig: FakeBenchRig) -> None:
        rig.units[1].stuck = {0}

    assert "wire of mains (line 4): board: board b0, relay 1: ordered, and not energised" in checked(
        tmp_path, Harm(), deaf
    )


def test_a_power_socket_that_does_not_switch_is_a_rig_fault(tmp_path: Path) -> None:
    def broken(rig: FakeBenchRig) -> None:
        rig.socket.broken = True

    assert "power socket http://127.0.0.1" in checked(tmp_path, Harm(), broken)


def test_noise_on_the_line_is_asked_again(tmp_path: Path) -> None:
    def late(rig: FakeBenchRig) -> None:
        rig.units[1].late_s = 0.05

    assert checked(tmp_path, Harm(), late) == ""
