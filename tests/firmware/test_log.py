import io
import logging
from collections.abc import Iterator

import pytest

from firmware import log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_journald_gets_a_priority_on_every_line(level: int, priority: int) -> None:
    stream = io.StringIO()
    log.setup("debug", stream, {})
    logging.getLogger("fenghuo.core").log(level, "one\ntwo %s", "三")
    assert stream.getvalue() == f"<{priority}>fenghuo.core: one\n<{priority}>two 三\n"


def test_a_traceback_is_prefixed_too() -> None:
    stream = io.StringIO()
    log.setup("info", stream, {})
    try:
        raise KeyError("x")
    except KeyError:
        logging.getLogger("a").exception("it broke")
    lines = stream.getvalue().splitlines()
    assert len(lines) > 3
    assert all(line.startswith("<3>") for line in lines)


def test_a_person_gets_the_time() -> None:
    stream = Terminal()
    log.setup("info", stream, {})
    logging.getLogger("fenghuo.core").info("up")
    logging.getLogger("fenghuo.core").debug("not shown")
    (line,) = stream.getvalue().splitlines()
    clock, level, rest = line.split(maxsplit=2)
    assert len(clock) == 12
    assert clock[8] == "."
    assert (level, rest) == ("info", "fenghuo.core: up")


def test_under_systemd_a_terminal_does_not_count() -> None:
    stream = Terminal()
    log.setup("info", stream, {"JOURNAL_STREAM": "8:1"})
    logging.getLogger("a").info("up")
    assert stream.getvalue() == "<6>a: up\n"
