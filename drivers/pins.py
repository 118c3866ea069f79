"""Where the pins come from: the board's GPIO chip through lgpio, or simulated ones; and errors that help.

gpiozero is imported only when asked for: the import costs more than everything else core needs.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

Text = tuple[str, str]
"""English, Chinese."""


class DriverError(Exception):
    """Hardware is not as the panel file says. `text` is English and Chinese; `str` is English."""

    def __init__(self, text: Text) -> None:
        super().__init__(text[0])
        self.text = text


class Pin(Protocol):
    """What the drivers use of a gpiozero pin. Each call may raise whatever the library raises."""

    state: bool
    when_changed: Callable[[Any, Any], None] | None

    def output_with_state(self, state: bool) -> None:
        """Claim as output with this level in one go."""
        ...

    def input_with_pull(self, pull: str) -> None:
        """Claim as input with `up`, `down` or `floating`."""
        ...

    def close(self) -> None:
        """Give the line back."""
        ...


class Factory(Protocol):
    """What the drivers use of a gpiozero pin factory; lines are the chip's line numbers."""

    def pin(self, name: int) -> Any:
        """The pin of a line: a `Pin`. Not claimed yet."""
        ...

    def spi(self, *, port: int, device: int) -> Any:
        """The SPI interface of a chip select, with `transfer(bytes)` and `close()`."""
        ...

    def close(self) -> None:
        """Give back every line and the chip."""
        ...


SIMULATED_HINT: Text = (
    'To run without GPIO, write pins = "simulated" under [panel] in the panel file, or try `fenghuo demo`.',
    '若无 GPIO,可在面板文件 [panel] 下写 pins = "simulated",或运行 `fenghuo demo` 试用。',
)


def open_factory(
    pins: Literal["board", "simulated"],
    chip: int,
    run: Path,
    observe: Callable[[int, bool], None] | None = None,
) -> Factory:
    """The pin factory of this panel; raises `DriverError` when the board's chip can't be had.

    `run` is the folder for lgpio's notification pipe. `observe(line, level)` hears every level that a simulated
    output line takes, from the moment it is claimed; the board has no observer.
    """
    if pins == "simulated":
        from drivers.simulated_pins import SimulatedFactory

        return SimulatedFactory(observe)
    _load_lgpio(run)
    from drivers.board import open_board

    return open_board(chip)


def _load_lgpio(run: Path) -> None:
    """Import lgpio so that its notification pipe lies in `run`.

    lgpio makes the pipe at import and changes the working directory to it (gpiozero #1106); the directory is put
    back, so this must happen before threads that open relative paths start.
    """
    before = Path.cwd()
    run.mkdir(parents=True, exist_ok=True)
    os.environ["LG_WD"] = str(run.resolve())
    try:
        import lgpio  # noqa: F401
    except ImportError as error:
        raise DriverError(with_hint(_missing(error))) from error
    except OSError as error:
        raise DriverError(_no_pipe(run, error)) from error
    finally:
        os.chdir(before)


def with_hint(text: Text) -> Text:
    """The text, followed by how to go on without GPIO."""
    return f"{text[0]}\n{SIMULATED_HINT[0]}", f"{text[1]}\n{SIMULATED_HINT[1]}"


def _missing(error: ImportError) -> Text:
    return (
        f"The library lgpio, which reaches the board's GPIO lines, can't be loaded ({error}). "
        "Install it with: pip install 'fenghuo[board]'.",
        f"无法加载访问主板 GPIO 的 lgpio 库({error})。请安装:pip install 'fenghuo[board]'。",
    )


def _no_pipe(run: Path, error: OSError) -> Text:
    return (
        f"lgpio can't make its notification pipe in {run} ({error}). The run folder (storage.run) must be "
        "on a local file system and writable.",
        f"lgpio 无法在 {run} 中创建通知管道({error})。运行目录(storage.run)须位于本地文件系统且可写。",
    )
