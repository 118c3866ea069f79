import io
import logging
import os
import subprocess
import sys
import threading
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


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def read_until(reader: int, end: bytes) -> bytes:
    data = b""
    while end not in data:
        data += os.read(reader, 65536)
    return data


def test_a_reader_that_does_not_read_stops_nobody(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    handler = log.AsideHandler(writer)
    handler.setFormatter(log.JournalFormatter())
    count = log.MAX_WAITING + 500

    def talk() -> None:
        for n in range(count):
            handler.handle(logging.LogRecord("a", logging.WARNING, "", 0, f"{n} {'x' * 200}", (), None))

    talker = threading.Thread(target=talk, daemon=True)
    talker.start()
    talker.join(10.0)
    assert not talker.is_alive()
    assert handler.dropped > 0
    text = read_until(reader, b"were lost").decode()
    lines = text.splitlines()
    lost = int(lines[-1].split()[1])
    assert lines[-1].startswith("<4>fenghuo.log: ")
    assert lost + len(lines) - 1 == count
    numbers = [int(line.split()[1]) for line in lines[:-1]]
    assert numbers == sorted(set(numbers))
    assert numbers[: log.MAX_WAITING // 2] == list(range(log.MAX_WAITING // 2))


def test_what_was_logged_last_is_written_before_the_process_ends() -> None:
    program = "import logging; from firmware import log; log.setup('info'); logging.getLogger('a').info('last words')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert ended.stderr == "<6>a: last words\n"


def test_a_process_ends_though_nobody_reads_its_log(pipe: tuple[int, int]) -> None:
    program = (
        "import logging; from firmware import log; log.setup('info')\n"
        "for n in range(900): logging.getLogger('a').info('x' * 1000)"
    )
    assert subprocess.run([sys.executable, "-c", program], stderr=pipe[1], timeout=20, check=False).returncode == 0
