"""The wiring plan of a bench: the drawing in the docs is the example's, and every wire stands at both its ends"""

from pathlib import Path

import pytest

from hil.rigs.bench import __main__ as commands
from hil.rigs.bench.file import names, read_bench
from hil.rigs.bench.plan import plan, plan_svg
from hil.rigs.site import LOADS
from tests.provisioning.calling import call

ROOT = Path(__file__).parents[4]
EXAMPLE = ROOT / "docs/examples/bench.toml"


def test_the_drawing_in_the_docs_is_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "en")
    drawn = (ROOT / "docs/wiring/bench.svg").read_text()
    assert drawn == plan_svg(read_bench(EXAMPLE)) + "\n", "python -m hil.rigs.bench plan … --out docs/wiring/bench.svg"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_wire_stands_at_both_ends(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", lang)
    header, *boards = plan(read_bench(EXAMPLE))
    ends = [terminal.to for board in boards for terminal in board.terminals]
    for line, name in {**names(), **LOADS}.items():
        at_pin = next(terminal for terminal in header.terminals if terminal.mark.endswith(f" GPIO{line}"))
        assert at_pin.to == name
        assert sum(to.startswith((f"GPIO{line},", f"GPIO{line}，")) for to in ends) == 1
    assert len(header.terminals) == 40


def test_the_commands(tmp_path: Path) -> None:
    assert "16 relays, 5 inputs, 2 boards" in call(commands.main, "check", str(EXAMPLE)).stdout
    out = tmp_path / "plan.svg"
    assert call(commands.main, "plan", str(EXAMPLE), "--out", str(out)).returncode == 0
    assert out.read_text().startswith("<svg")
    wrong = tmp_path / "bench.toml"
    wrong.write_text(EXAMPLE.read_text().replace("line = 20", "line = 2"))
    done = call(commands.main, "check", str(wrong))
    assert (done.returncode, "line 2 is not used" in done.stderr) == (2, True)
    assert call(commands.main, "prove", str(EXAMPLE)).returncode == 1
