"""Errors of the board's pins: each names what was found and how to go on without GPIO."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from drivers.pins import DriverError, open_factory

# Not importorskip: importing lgpio leaves its pipe in the working directory, which is what is tested here.
pytestmark = pytest.mark.skipif(find_spec("lgpio") is None, reason="lgpio has wheels up to CPython 3.12 only")


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: lgpio can be imported only once, and keeps a thread."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, timeout=20
    )


OPEN = """
from pathlib import Path
from drivers.pins import DriverError, open_factory
try:
    open_factory("board", 9, Path("run"))
except DriverError as error:
    print(error.text[0]); print(error.text[1]); print(Path.cwd())
"""


@pytest.mark.skipif(Path("/dev/gpiochip9").exists(), reason="this machine has ten GPIO chips")
def test_an_absent_chip_is_named_and_the_way_without_gpio_told(tmp_path: Path) -> None:
    done = python(OPEN, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "There is no /dev/gpiochip9 (GPIO chips found: " in done.stdout
    assert 'pins = "simulated"' in done.stdout
    assert "fenghuo demo" in done.stdout
    assert "没有 /dev/gpiochip9" in done.stdout
    assert done.stdout.splitlines()[-1] == str(tmp_path), "the working directory was not put back"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"], "lgpio's pipe lies about"
    assert list((tmp_path / "run").iterdir()), "lgpio's pipe is not in the run folder"


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    done = python("import sys; sys.modules['lgpio'] = None\n" + OPEN, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "lgpio" in done.stdout
    assert "pip install 'fenghuo[board]'" in done.stdout
    assert 'pins = "simulated"' in done.stdout


def test_simulated_pins_need_neither_lgpio_nor_a_board(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['lgpio'] = None\n"
        "from pathlib import Path\nfrom drivers.pins import open_factory\n"
        "pin = open_factory('simulated', 0, Path('run')).pin(57); pin.output_with_state(True); print(pin.state)"
    )
    done = python(code, tmp_path)
    assert done.stdout == "True\n", done.stderr


def test_a_run_folder_that_takes_no_pipe_is_named(tmp_path: Path) -> None:
    code = OPEN.replace('Path("run")', 'Path("/sys/kernel")')
    done = python(code, tmp_path)
    assert "notification pipe in /sys/kernel" in done.stdout, done.stderr
    assert str(tmp_path) in done.stdout.splitlines()[-1]


BOARD = """
import os
os.environ["LG_WD"] = os.getcwd()
from pathlib import Path
from drivers.board import line_failed, no_chip
"""


def test_busy_and_absent_lines_are_told_with_their_holder(tmp_path: Path) -> None:
    code = BOARD + (
        "print(line_failed(8, 'gpiochip0 (pinctrl-bcm2711)', 58, 'spi0 CS0', 'GPIO busy')[0])\n"
        "print(line_failed(8, 'gpiochip0', 58, '', 'GPIO busy')[0])\n"
        "print(line_failed(60, 'gpiochip0 (pinctrl-bcm2711)', 58, '', 'bad GPIO number')[0])\n"
        "print(line_failed(7, 'gpiochip0', 58, '', 'bad event request')[0])\n"
        "print(all(line_failed(8, 'gpiochip0', 58, 'x', e)[1] for e in ('GPIO busy', 'other')))\n"
    )
    busy, unknown, absent, other, chinese = python(code, tmp_path).stdout.splitlines()
    assert busy.startswith("Line 8 of gpiochip0 (pinctrl-bcm2711) is in use by spi0 CS0.")
    assert "in use by something the kernel does not name" in unknown
    assert absent == "gpiochip0 (pinctrl-bcm2711) has no line 60: it has lines 0 to 57."
    assert other == "Line 7 of gpiochip0 can't be claimed: bad event request."
    assert chinese == "True"


def test_a_chip_that_may_not_be_opened(tmp_path: Path) -> None:
    (tmp_path / "gpiochip2").write_bytes(b"")
    code = BOARD + "print(no_chip(2, 'can not open gpiochip', Path('.'))[0])"
    assert "gpiochip2 can't be opened: can not open gpiochip." in python(code, tmp_path).stdout
    listing = python(BOARD + "print(no_chip(0, '', Path('.'))[0])", tmp_path).stdout
    assert "There is no gpiochip0 (GPIO chips found: gpiochip2)" in listing


def test_an_error_is_english_as_str_and_both_as_text() -> None:
    error = DriverError(("no", "没有"))
    assert (str(error), error.text) == ("no", ("no", "没有"))
    assert open_factory("simulated", 0, Path()) is not open_factory("simulated", 0, Path())
