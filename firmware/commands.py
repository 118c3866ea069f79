"""`fenghuo run`: one process of the panel in the foreground, or all of them as children.

The panel file is read here, so that a bad one is told in the same words whoever starts; then only the process asked
for is imported.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware import log
from firmware.config import kept
from firmware.config.loaded import Loaded
from firmware.language import Text, pick

PROCESSES = ("core", "uplink", "camera", "clock", "updater")
EXIT_CONFIG = 2
"""The panel file or the board is wrong: trying again does not help."""
MAX_SOCKET_PATH = 107

_NO_CAMERA: Text = ("{file} has no [[camera]]: nothing to run", "{file} 中没有 [[camera]]：无需运行")
_NO_PATH: Text = ("{file} has no [[path]]: nothing to run", "{file} 中没有 [[path]]：无需运行")
_NO_CLOCK: Text = (
    "{file} does not say [clock] from_center = true: nothing to run",
    "{file} 未设置 [clock] from_center = true：无需运行",
)
_LONG: Text = (
    "{path}: {found} bytes, expected at most {most} for a socket; set a shorter `run` under [storage], as /run/fenghuo",
    "{path}：{found} 字节，套接字路径至多 {most} 字节；请在 [storage] 中设置更短的 run，如 /run/fenghuo",
)
_FAILED: Text = ("{process} ended by an error", "{process} 因错误退出")


def main(argv: Sequence[str]) -> int:
    """Run a process of the panel: core, uplink, camera, clock, updater, or all. 运行主机进程。"""
    words = _parser().parse_args(argv)
    log.setup(words.log_level)
    loaded = (kept.load(words.config) if words.process == "core" else None) or _checked(words.config)
    if loaded is None:
        return EXIT_CONFIG
    if too_long := _too_long(loaded):
        print(too_long, file=sys.stderr)
        return EXIT_CONFIG
    if words.process == "all":
        from firmware.supervise import run_all

        return run_all(loaded, words.log_level)
    if lacking := _lacking(words.process, loaded):
        print(pick(lacking, file=loaded.path.name), file=sys.stderr)
        return EXIT_CONFIG
    return _guarded(words.process, loaded)


def _checked(path: Path) -> Loaded | None:
    from firmware.config import BadPanelFile, load

    try:
        return load(path)
    except BadPanelFile as bad:
        print(bad.say(), file=sys.stderr)
        return None


def _guarded(process: str, loaded: Loaded) -> int:
    try:
        return _entry(process)(loaded)
    except Exception:
        # The guard restarts it; the log must hold why, in a form that journald takes line by line.
        logging.getLogger(f"fenghuo.{process}").critical(pick(_FAILED, process=process), exc_info=True)
        return 1


def _entry(process: str) -> Callable[[Loaded], int]:
    """The `run` of the process; nothing of the others is imported."""
    if process == "core":
        from firmware.core.main import run as core

        return core
    if process == "uplink":
        from firmware.uplink.main import run as uplink

        return uplink
    if process == "updater":
        from firmware.updater.main import run as updater

        return updater
    if process == "clock":
        from firmware.timekeeper.main import run as clock

        return clock
    from firmware.camera.main import run as camera

    return camera


def _too_long(loaded: Loaded) -> str:
    """The kernel takes 107 bytes of a socket's path; told here once, not as an error of each process."""
    path = loaded.run / "technician.sock"
    found = len(os.fsencode(path))
    return pick(_LONG, path=path, found=found, most=MAX_SOCKET_PATH) if found > MAX_SOCKET_PATH else ""


def _lacking(process: str, loaded: Loaded) -> Text | None:
    if process == "camera" and not loaded.file.camera:
        return _NO_CAMERA
    if process == "uplink" and not loaded.file.path:
        return _NO_PATH
    if process == "clock" and not loaded.file.clock.from_center:
        return _NO_CLOCK
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fenghuo run", description=main.__doc__)
    parser.add_argument("process", choices=(*PROCESSES, "all"))
    parser.add_argument("--config", type=Path, default=Path("panel.toml"), help="the panel file. 配置文件。")
    parser.add_argument("--log-level", choices=log.LEVELS, default="info")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
