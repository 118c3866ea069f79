"""The other side of `firmware.updater.rauc` on a desk: its slots are files, and the boot loader's counters too.

`python -m hil.rauc FOLDER WORD...` answers in the words of the real one. Bundles are real: their signature is verified
by the real `rauc`, which is asked for `info`, and their image is taken out by it.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.version import VERSION

TRIES = 3
NAMES = ("A", "B")
_BOOK = "rauc.json"
_CONF = """[system]
compatible={compatible}
bootloader=noop

[keyring]
path={ca}
check-purpose=codesign
"""


@dataclass
class FakeMachine:
    """The folder of a machine with two slots: `A`, `B` (images), `rauc.json` (which one starts), `ca.pem`."""

    folder: Path
    compatible: str = "fenghuo-arm64"

    @property
    def ca(self) -> Path:
        """The keyring: which signatures count."""
        return self.folder / "ca.pem"

    @property
    def words(self) -> list[str]:
        """How the real `rauc` is called, so that it trusts as this machine does."""
        return ["rauc", f"--conf={self.folder / 'system.conf'}"]

    def make(self) -> None:
        """From the factory: A runs, both can start."""
        (self.folder / "system.conf").write_text(_CONF.format(compatible=self.compatible, ca=self.ca))
        self.write({"booted": "A", "order": ["A", "B"], "left": {"A": TRIES, "B": TRIES}})

    def read(self) -> dict[str, Any]:
        """The counters, and which slot runs."""
        told: dict[str, Any] = json.loads((self.folder / _BOOK).read_text())
        return told

    def write(self, told: dict[str, Any]) -> None:
        """As `read`."""
        part = self.folder / f"{_BOOK}.part"
        part.write_text(json.dumps(told))
        part.replace(self.folder / _BOOK)

    def boot(self) -> str:
        """What the boot loader does: the first slot in order that has a try left; it is spent. Where none has, all."""
        told = self.read()
        ready = [name for name in told["order"] if told["left"][name] > 0]
        if not ready:
            told["left"] = dict.fromkeys(NAMES, TRIES)
            ready = told["order"]
        told["left"][ready[0]] -= 1
        told["booted"] = ready[0]
        self.write(told)
        return str(ready[0])

    def version(self) -> str:
        """Of the software in the slot that runs: the first line of its image."""
        return self.image(self.read()["booted"]).split(b"\n", 1)[0].decode() or VERSION

    def image(self, slot: str) -> bytes:
        """What is in a slot; nothing from the factory."""
        path = self.folder / slot
        return path.read_bytes() if path.exists() else b""


def main(words: Sequence[str]) -> int:
    """Answer one call; its exit code."""
    machine = FakeMachine(Path(words[0]))
    match list(words[1:]):
        case ["status", "--output-format=json"]:
            print(_status(machine))
            return 0
        case ["status", mark, which] if mark.startswith("mark-"):
            return _mark(machine, mark, which)
        case ["info", *rest]:
            return subprocess.run([*machine.words, "info", *rest], check=False).returncode
        case ["install", source]:
            return _install(machine, source)
        case other:
            print(f"Unknown words {other}", file=sys.stderr)
            return 1


def _status(machine: FakeMachine) -> str:
    told = machine.read()
    slots = [
        {
            f"rootfs.{number}": {
                "class": "rootfs",
                "device": f"/dev/fenghuo/slot-{name.lower()}",
                "type": "raw",
                "bootname": name,
                "state": "booted" if name == told["booted"] else "inactive",
                "parent": None,
                "mountpoint": None,
                "boot_status": "good" if told["left"][name] else "bad",
            }
        }
        for number, name in reversed(list(enumerate(NAMES)))
    ]
    first = next((name for name in told["order"] if told["left"][name]), told["order"][0])
    return json.dumps(
        {
            "compatible": machine.compatible,
            "variant": "",
            "booted": told["booted"],
            "boot_primary": f"rootfs.{NAMES.index(first)}",
            "slots": slots,
        }
    )


def _mark(machine: FakeMachine, mark: str, which: str) -> int:
    told = machine.read()
    name = told["booted"] if which == "booted" else next(n for n in NAMES if n != told["booted"])
    if mark == "mark-active":
        told["order"] = [name, *(n for n in told["order"] if n != name)]
    told["left"][name] = 0 if mark == "mark-bad" else TRIES
    machine.write(told)
    print(f"rauc status: marked slot(s) rootfs.{NAMES.index(name)} as {mark.removeprefix('mark-')}")
    return 0


def _install(machine: FakeMachine, source: str) -> int:
    """As the real one: the other slot can't start while it is written, and is not made the one that starts."""
    told = machine.read()
    other = next(name for name in NAMES if name != told["booted"])
    print("installing\n  0% Installing\n  0% Determining slot states\n 20% Determining slot states done.", flush=True)
    asked = [*machine.words, "info", "--output-format=json", source]
    info = subprocess.run(asked, check=False, capture_output=True)
    if info.returncode:
        return _failed(source, info.stderr.decode().strip().splitlines()[-1])
    told["left"][other] = 0
    machine.write(told)
    (machine.folder / other).unlink(missing_ok=True)
    print(" 40% Checking bundle\n 60% Copying images", flush=True)
    image = json.loads(info.stdout)["images"][0]["rootfs"]
    with tempfile.TemporaryDirectory(dir=machine.folder) as folder:
        taken = Path(folder) / "taken"
        words = [*machine.words, "extract", source, str(taken)]
        subprocess.run(words, check=False, capture_output=True)
        raw = _read(taken / image["filename"])
    if hashlib.sha256(raw).hexdigest() != image["checksum"]:
        return _failed(source, "Failed updating slot rootfs.1: failed to copy data: Input/output error")
    (machine.folder / other).write_bytes(raw)
    print(f"100% Installing done.\nInstalling `{source}` succeeded", flush=True)
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _failed(source: str, why: str) -> int:
    print(f"100% Installing failed.\nLastError: Installation error: {why}\nInstalling `{source}` failed", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
