"""The root of the command line and `fenghuo run`, as processes; and what they import."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.synopsis import synopsis
from firmware.version import VERSION

HEAVY = (
    *("paho", "numpy", "asyncio", "rich", "typer", "click", "joserfc", "iotcore", "PIL", "tomlkit", "cryptography"),
    *("gpiozero", "sqlite3", "ctypes", "http", "ssl", "multiprocessing", "difflib", "firmware.supervise"),
    *("firmware.config.shape", "firmware.config.places", "firmware.config.warnings", "rules.stepping"),
)


def fenghuo(*words: str, lang: str = "en", **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FENGHUO_LANG": lang, **more}
    argv = [sys.executable, "-m", "firmware.cli", *words]
    return subprocess.run(argv, capture_output=True, text=True, timeout=25, env=environment, check=False)


def test_the_list_of_commands_has_a_line_for_each() -> None:
    done = fenghuo("--help")
    assert done.returncode == 0
    for name in ("run", "site", "users"):
        assert re.search(rf"^  {name} +[A-Z].*\. .*。$", done.stdout, re.MULTILINE), name
    assert "命令" in fenghuo(lang="zh").stdout


def test_the_version() -> None:
    assert fenghuo("--version").stdout == f"fenghuo {VERSION}\n"


@pytest.mark.parametrize(
    ("word", "said"), [("rnu", "fenghuo run"), ("site-check", "fenghuo site"), ("zzz", "Commands: ")]
)
def test_an_unknown_command_gets_a_suggestion(word: str, said: str) -> None:
    done = fenghuo(word)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    argv = [sys.executable, "-m", "firmware.cli", "site", "check", "docs/examples/bank.toml"]
    done = subprocess.run(argv, stdout=write, stderr=subprocess.PIPE, timeout=25, check=False)
    os.close(write)
    assert done.returncode != 0
    assert done.stderr == b""


def test_a_terminal_without_chinese_gets_escapes() -> None:
    done = fenghuo("site", "check", "docs/examples/nowhere.toml", lang="zh", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert "\\u6587" in done.stdout


def test_run_tells_every_mistake_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text("[panel]\nid = 5\n")
    done = fenghuo("run", "core", "--config", str(tmp_path / "panel.toml"))
    assert done.returncode == 2
    assert "panel.toml:2: [panel] id: wrong type" in done.stderr
    assert "zone: this key is missing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("process", "table"), [("camera", "[[camera]]"), ("uplink", "[[path]]")])
def test_a_process_without_work_says_so(process: str, table: str, tmp_path: Path) -> None:
    text = Path("docs/examples/bank.toml").read_text()
    text = text[: text.index("[[camera]]")] + text[text.index("[timings]") :]
    (tmp_path / "panel.toml").write_text(text.replace('cameras = ["lobby"]', ""))
    done = fenghuo("run", process, "--config", str(tmp_path / "panel.toml"))
    assert (done.returncode, done.stderr) == (2, f"panel.toml has no {table}: nothing to run\n")


def test_a_folder_too_deep_for_sockets_is_told_before_anything_starts(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    (folder / "panel.toml").write_bytes(Path("docs/examples/bank.toml").read_bytes())
    done = fenghuo("run", "all", "--config", str(folder / "panel.toml"))
    assert done.returncode == 2
    assert "technician.sock: " in done.stderr
    assert "at most 107" in done.stderr
    assert not (folder / "run").exists()


def test_run_without_or_with_a_wrong_process() -> None:
    assert fenghuo("run").returncode == 2
    assert fenghuo("run", "console").returncode == 2


def test_on_the_way_to_a_process_nothing_heavy_is_imported() -> None:
    """Start-up is a bar (DESIGN §6): reading a fine panel file must not import what only others need."""
    code = (
        "import sys\nfrom pathlib import Path\nimport firmware.cli, firmware.commands\n"
        "from firmware.config import load\n"
        "load(Path('docs/examples/bank.toml'))\n"
        f"print(sorted(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=25, check=True)
    assert done.stdout == "[]\n"


def test_a_synopsis_is_read_without_running_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd_command.py").write_text(
        '"""The module."""\nraise SystemExit\ndef main(argv):\n    """Do. 做。\n\n    More."""\n'
    )
    (tmp_path / "bare_command.py").write_text('"""Only the module."""\nfrom x import main\n')
    (tmp_path / "broken_command.py").write_text("def (")
    monkeypatch.syspath_prepend(tmp_path)
    assert synopsis("odd_command:main") == "Do. 做。"
    assert synopsis("bare_command:main") == "Only the module."
    assert synopsis("broken_command:main") == ""
    assert synopsis("no_such_command:main") == ""
