"""What writes a part of docs, asked for help or called with a word it does not know: nothing is written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITERS = (
    *(f"firmware.protocol.{name}" for name in ("schemas", "vectors", "asyncapi", "vocabulary_table")),
    "provisioning.loop_table",
    "rules.diagram",
    "tests.conformance.page",
)


@pytest.mark.parametrize("module", WRITERS)
def test_a_word_that_is_no_place_becomes_none(tmp_path: Path, module: str) -> None:
    for word in ("--help", "--halp"):
        done = subprocess.run(
            [sys.executable, "-m", module, word],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        refuses = word == "--halp" or module == "rules.diagram"
        assert (done.returncode, "Traceback" in done.stderr) == (2 if refuses else 0, False), done.stderr
    assert list(tmp_path.iterdir()) == []
