"""Byte code of all Python in the tree, made here: a read-only root can't keep what the target would make at each start.

Byte code is the same on every architecture, so the suite's own Python for *this* machine makes it, unpacked beside, run
by its own loader. Unchecked hashes: no file's date counts, and the same sources give the same bytes.
"""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from images.architecture import BUILDER
from images.packages import Package, unpack
from images.settings import PYTHON

COMPILE_S = 600
_PLACES = (f"usr/lib/python{PYTHON}", f"opt/fenghuo/lib/python{PYTHON}/site-packages")


def compile_all(root: Path, python: Iterable[Package], work: Path) -> None:
    """Compile every module under the tree. `python`: the suite's interpreter for this machine with its libraries."""
    if work.exists():
        shutil.rmtree(work)
    for package in python:
        unpack(package, work)
    for cache in sorted(root.rglob("__pycache__")):
        shutil.rmtree(cache)
    loader = work / "usr" / BUILDER.loader
    libraries = work / "usr/lib" / BUILDER.multiarch
    program = [str(loader), "--library-path", str(libraries), str(work / f"usr/bin/python{PYTHON}"), "-s", "-S"]
    words = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/"]
    environment = {"PYTHONHOME": str(work.resolve() / "usr"), "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}
    # What the compiler itself has loaded shows in what it writes (which strings are shared). So both load their modules
    # from source: with byte code of one another it would depend on who comes first.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    # Some wheels carry templates that are no Python of this version; they are nobody's import, so its verdict is not
    # asked for. One process for each place: its own pool would start the interpreter without our loader.
    running = [
        subprocess.Popen([*program, *words, str(root / place)], env=environment, stdout=subprocess.DEVNULL)
        for place in _PLACES
    ]
    for process in running:
        process.wait(COMPILE_S)
    if not list((root / _PLACES[1] / "firmware/__pycache__").glob(f"cli.cpython-{PYTHON.replace('.', '')}.pyc")):
        raise OSError(f"{root / _PLACES[1]}: nothing was compiled")
