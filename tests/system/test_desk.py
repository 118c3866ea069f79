"""`fenghuo desk` against a real core: what the keypad shows comes back to who typed."""

import pytest

from hil import desk
from tests.system.rig import CODE, rig


def typed(panel_folder: object, digits: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert desk.main(["code", f"{digits}#", "--dir", str(panel_folder)]) == 0
    return capsys.readouterr().out


def test_the_keypads_word_for_a_wrong_a_right_and_a_second_code(capsys: pytest.CaptureFixture[str]) -> None:
    with rig() as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        assert typed(panel.folder, "9999", capsys) == "Keypad: Wrong code\n"
        assert typed(panel.folder, CODE, capsys).startswith("Keypad: Arming: leave now · hall, vault")
        assert typed(panel.folder, CODE, capsys) == "Keypad: Disarmed · hall, vault\n"
