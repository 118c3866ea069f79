"""The rig's hand inside the guest: answers JSON lines on a virtio-serial port. It runs in the guest, as root.

It comes with the rig (QEMU hands it to systemd as a credential) and is in no image. The standard library alone: the
guest has what the image has.
"""

import base64
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PORT = "/dev/virtio-ports/fenghuo.rig"
_PLATFORM = Path("/sys/devices/platform")
LINES = next(_PLATFORM.glob("gpio-sim*/gpiochip0"), _PLATFORM / "gpio-sim/gpiochip0")
"""A chip of the device tree has that name; one that configfs made has a number behind it."""
UP, DOWN = "pull-up", "pull-down"
OUT_LIMIT = 256 * 1024
MOST_AT_ONCE = 16
AT_REST = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nonexistent")) / "rig.levels"
"""How the lines stand when the board boots."""
RNDADDTOENTCNT, RNDRESEEDCRNG = 0x40045201, 0x5207

Words = dict[str, Any]
Answer = dict[str, Any]


# --- lines of the simulated GPIO chip ---------------------------------------------------------------------------


class Wires:
    """What hangs on the chip's lines: levels that are held on inputs, and changes of outputs that are noted.

    A contact pulls its line down against the pull-up that the panel asks for. gpio-sim knows no such contest: who
    claims a line with a pull-up moves it. So what is to be low is looked at every pass, and pulled down again.
    """

    MOST = 20_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._low: dict[int, int] = {}
        self._changes: list[tuple[int, int, int]] = []
        self._files: dict[int, int] = {}
        self._last: dict[int, int] = {}
        self._every_s = 0.01
        self._life = os.urandom(8).hex()
        threading.Thread(target=self._run, daemon=True).start()

    def drive(self, words: Words) -> Answer:
        """Bring input lines to levels, all in one go, and hold them there: `levels` maps a line's number to 0 or 1."""
        with self._lock:
            for word, level in words["levels"].items():
                line = int(word)
                (LINES / f"sim_gpio{line}" / "pull").write_text(UP if level else DOWN)
                if level and line in self._low:
                    os.close(self._low.pop(line))
                elif not level and line not in self._low:
                    self._low[line] = os.open(LINES / f"sim_gpio{line}" / "pull", os.O_RDWR)
        return {"boot_ns": now_ns()}

    def levels(self, words: Words) -> Answer:
        """What these lines carry now."""
        return {"levels": {str(line): _level(int(line)) for line in words["lines"]}}

    def watch(self, words: Words) -> Answer:
        """Note the changes of these lines from now on, looking every so many milliseconds; the first look counts."""
        with self._lock:
            for file in self._files.values():
                os.close(file)
            self._files = {
                int(line): os.open(LINES / f"sim_gpio{int(line)}" / "value", os.O_RDONLY) for line in words["lines"]
            }
            self._every_s = words.get("every_ms", 10) / 1000
            self._last, self._changes = {}, []
        return {}

    def changes(self, _words: Words) -> Answer:
        """What changed since it was last asked: guest boot clock in ns, line, level. `life`: of this agent."""
        with self._lock:
            taken, self._changes = self._changes, []
        return {"changes": taken, "life": self._life}

    def _run(self) -> None:
        while True:
            with self._lock:
                self._sample()
                self._hold()
            time.sleep(self._every_s)

    def _sample(self) -> None:
        for line, file in self._files.items():
            level = os.pread(file, 1, 0) == b"1"
            if self._last.get(line) != level:
                self._last[line] = level
                self._changes.append((now_ns(), line, int(level)))
                del self._changes[: -self.MOST]

    def _hold(self) -> None:
        for file in self._low.values():
            if os.pread(file, 16, 0).strip() != DOWN.encode():
                os.pwrite(file, DOWN.encode(), 0)


def _level(line: int) -> int:
    return int((LINES / f"sim_gpio{line}" / "value").read_text())


def now_ns() -> int:
    """The guest's boot clock, nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


# --- files, programs, sockets ------------------------------------------------------------------------------------


def run(words: Words) -> Answer:
    """Run a program; its exit code and the first 256 KiB of what it said."""
    given = base64.b64decode(words.get("input", ""))
    try:
        done = subprocess.run(words["argv"], input=given, capture_output=True, timeout=words["timeout_s"])
    except subprocess.TimeoutExpired:
        return {"code": None, "out": "", "err": f"not done within {words['timeout_s']} s"}
    return {"code": done.returncode, "out": _text(done.stdout), "err": _text(done.stderr)}


def _text(data: bytes) -> str:
    return data[:OUT_LIMIT].decode(errors="replace")


def put(words: Words) -> Answer:
    """Write a file, whole or not at all: in pieces from `offset` 0 on, while there is `more`."""
    path = Path(words["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with part.open("ab" if words.get("offset", 0) else "wb") as file:
        file.write(base64.b64decode(words["data"]))
    if words.get("more"):
        return {}
    part.chmod(words.get("mode", 0o600))
    if owner := words.get("owner"):
        import shutil

        shutil.chown(part, owner, owner)
    part.replace(path)
    return {}


def get(words: Words) -> Answer:
    """A piece of a file; `size` is the whole file's."""
    with Path(words["path"]).open("rb") as file:
        file.seek(words.get("offset", 0))
        data = file.read(OUT_LIMIT)
        size = os.fstat(file.fileno()).st_size
    return {"data": base64.b64encode(data).decode(), "size": size}


def ask(words: Words) -> Answer:
    """Send lines to a unix socket and read as many lines back as wanted."""
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(words["timeout_s"])
        link.connect(words["socket"])
        link.sendall("".join(f"{line}\n" for line in words["lines"]).encode())
        with link.makefile("rb") as file:
            return {"lines": [file.readline(OUT_LIMIT).decode() for _ in range(words["answers"])]}


class Streams:
    """Connections to unix sockets that stay open: for a peer of core that says what it likes."""

    MOST = 16

    def __init__(self) -> None:
        self._open: dict[int, socket.socket] = {}
        self._heard: dict[int, bytes] = {}

    def dial(self, words: Words) -> Answer:
        """Connect to a socket; the stream's number."""
        if len(self._open) >= self.MOST:
            raise OSError("too many streams")
        link = socket.socket(socket.AF_UNIX)
        link.connect(words["socket"])
        number = max(self._open, default=0) + 1
        self._open[number], self._heard[number] = link, b""
        return {"stream": number}

    def say(self, words: Words) -> Answer:
        """Send a line."""
        self._open[words["stream"]].sendall(words["line"].encode() + b"\n")
        return {}

    def hear(self, words: Words) -> Answer:
        """The next line; None when none came in time, an empty one when the other end has hung up."""
        number, end = words["stream"], time.monotonic() + words["timeout_s"]
        while b"\n" not in self._heard[number]:
            self._open[number].settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self._open[number].recv(65536)
            except TimeoutError:
                return {"line": None}
            if not data or len(self._heard[number]) > 4 * OUT_LIMIT:
                return {"line": ""}
            self._heard[number] += data
        line, _, self._heard[number] = self._heard[number].partition(b"\n")
        return {"line": line.decode() + "\n"}

    def hang_up(self, words: Words) -> Answer:
        """Close it."""
        self._open.pop(words["stream"]).close()
        return {}


# --- clock and randomness ----------------------------------------------------------------------------------------


def clock(words: Words) -> Answer:
    """Set the wall clock where `unix_ns` is given; all clocks."""
    if "unix_ns" in words:
        time.clock_settime_ns(time.CLOCK_REALTIME, words["unix_ns"])
    return {"unix_ns": time.time_ns(), "boot_ns": now_ns()}


def reseed(words: Words) -> Answer:
    """Stir bytes of the host into the kernel's randomness and make it use them: a snapshot has always the same."""
    seed = base64.b64decode(words["seed"])
    with Path("/dev/urandom").open("wb", buffering=0) as device:
        device.write(seed)
        fcntl.ioctl(device, RNDADDTOENTCNT, struct.pack("i", 8 * len(seed)))
        fcntl.ioctl(device, RNDRESEEDCRNG)
    return {}


def hang(_words: Words) -> Answer:
    """Stop the whole guest: a kernel that panics, or hangs where it does not restart by itself."""
    Path("/proc/sys/kernel/sysrq").write_text("1")
    Path("/proc/sys/kernel/panic").write_text("0")
    threading.Timer(0.2, lambda: Path("/proc/sysrq-trigger").write_text("c")).start()
    return {}


def sync(_words: Words) -> Answer:
    """Everything written is on the disk."""
    ctypes.CDLL(None).sync()
    return {}


# --- the port ----------------------------------------------------------------------------------------------------


class Agent:
    """Reads requests, does each in a thread of its own, answers in the order in which they end."""

    def __init__(self, port: str) -> None:
        self._file = os.open(port, os.O_RDWR)
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        wires, streams = Wires(), Streams()
        acts: list[Callable[[Words], Answer]] = [run, put, get, ask, clock, reseed, hang, sync]
        acts += [wires.drive, wires.levels, wires.watch, wires.changes]
        acts += [streams.dial, streams.say, streams.hear, streams.hang_up]
        self._acts = {act.__name__: act for act in acts}
        if AT_REST.exists():
            wires.drive({"levels": json.loads(AT_REST.read_text())})

    def serve(self) -> None:
        """Until the port is gone."""
        # What was asked of the guest before it restarted, nobody answers any more.
        self._say({"hello": True})
        rest = b""
        while True:
            data = os.read(self._file, 65536)
            if not data:  # nobody is at the other end
                time.sleep(0.02)
                continue
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            words = json.loads(line)
            number, act = words["id"], self._acts[words["do"]]
        except (ValueError, KeyError, TypeError):
            return  # the rest of a line that a snapshot cut, or noise
        self._slots.acquire()
        threading.Thread(target=self._do, args=(number, act, words), daemon=True).start()

    def _do(self, number: int, act: Callable[[Words], Answer], words: Words) -> None:
        try:
            answer = {"id": number, "ok": True, **act(words)}
        except Exception as error:
            answer = {"id": number, "ok": False, "why": f"{type(error).__name__}: {error}"}
        finally:
            self._slots.release()
        self._say(answer)

    def _say(self, answer: Answer) -> None:
        data = json.dumps(answer).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._file, data) :]


def main() -> int:
    """Serve the rig's port."""
    while not Path(PORT).exists():
        time.sleep(0.05)
    Agent(sys.argv[1] if len(sys.argv) > 1 else PORT).serve()
    return 0


if __name__ == "__main__":
    sys.exit(main())
