"""The panel's own layer: /opt/fenghuo, a virtual environment of wheels for the target, with our rooms in it.

Wheels are taken for the target's Python and architecture and unpacked; lgpio, which has none, is cross-built from its
source; of the Pi camera's parts some are pure Python from their source, some Debian's modules. What moves simulated
pins, and `hil`, stay out.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Container, Iterable, Iterator
from email.parser import BytesParser
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from firmware.version import VERSION
from images.architecture import Architecture
from images.packages import Package, unpack
from images.settings import PYTHON, REPOSITORY, Csi

PIP_S, BUILD_S = 600, 300
HOME = "opt/fenghuo"
SITE = f"{HOME}/lib/python{PYTHON}/site-packages"
ROOMS = ("rules", "drivers", "firmware", "provisioning")
LEFT_OUT = (
    *("drivers/simulated.py", "drivers/simulated_adc.py", "drivers/simulated_i2c.py", "drivers/simulated_pins.py"),
    *("drivers/simulated_supply.py", "firmware/core/desk.py", "firmware/core/desk_port.py"),
    *("firmware/core/simulated.py", "firmware/protocol/vectors.py", "firmware/protocol/schemas.py"),
    *("firmware/protocol/asyncapi.py", "firmware/protocol/vocabulary_table.py", "rules/diagram.py"),
)
"""The desk socket with the simulated site, and what writes documentation."""
LGPIO = "lgpio==0.2.2.0"
DEBIANS = "usr/lib/python3/dist-packages"
_WHOLE = ".whole"
_NO_WHEEL = ("lgpio", "picamera2")
_GLIBC = range(17, 42)
_ENVIRONMENT = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.5",
    "sys_platform": "linux",
    "implementation_name": "cpython",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "extra": "",
}


def requirements(whose: Architecture, pyproject: Path = REPOSITORY / "pyproject.toml") -> list[str]:
    """What the panel needs on the target, by the project's file: its dependencies, and the cameras' streams."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["streams"]]
    parsed = [Requirement(text) for text in wanted]
    there = {**_ENVIRONMENT, "platform_machine": whose.machine}
    return [
        f"{r.name}{r.specifier}"
        for r in parsed
        if (r.marker is None or r.marker.evaluate(there)) and r.name not in _NO_WHEEL
    ]


def fetch_wheels(cache: Path, whose: Architecture, csi: Csi) -> list[Path]:
    """The wheels for the target, some sources among them; those fetched before for the same requirements, where
    there are. Newer ones come with other requirements or an empty cache. Raises `CalledProcessError`."""
    wanted = requirements(whose)
    named = "\n".join([*wanted, *csi.wheels, LGPIO, *csi.sources, PYTHON, whose.debian])
    folder = cache / hashlib.sha256(named.encode()).hexdigest()[:16]
    if not (folder / _WHOLE).exists():
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir(parents=True)
        _download(folder, wanted, whose, csi)
        (folder / _WHOLE).touch()
    return sorted([*folder.glob("*.whl"), *folder.glob("*.tar.gz")])


def _download(folder: Path, wanted: list[str], whose: Architecture, csi: Csi) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--dest", str(folder)]
    target = ["--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
    for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none"):
        target += ["--abi", abi]
    for glibc in _GLIBC:
        target += ["--platform", f"manylinux_2_{glibc}_{whose.machine}"]
    target += ["--platform", f"manylinux2014_{whose.machine}"]
    _run([*pip, *target, *wanted], PIP_S)
    # Alone: what they ask for is among the others, comes from Debian, or is left out (`unmet` looks).
    _run([*pip, *target, "--no-deps", *csi.wheels], PIP_S)
    _run([*pip, "--no-deps", "--no-binary=:all:", LGPIO, *csi.sources], PIP_S)


def install(root: Path, wheels: Iterable[Path], headers: Iterable[Package], work: Path, whose: Architecture) -> None:
    """Make /opt/fenghuo in the tree. `headers`: the packages with the target's Python.h, to build lgpio against."""
    site = root / SITE
    site.mkdir(parents=True, exist_ok=True)
    for file in sorted(wheels):
        if file.suffix == ".whl":
            _unpack_wheel(file, site)
        elif file.name.startswith("lgpio-"):
            _build_lgpio(file, headers, work, site, whose)
        else:
            _unpack_source(file, site)
    for source in _own():
        target = site / source.relative_to(REPOSITORY)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    _metadata(site)
    _environment(root / HOME)


def add_modules(root: Path, packages: Iterable[Package], work: Path) -> None:
    """Put the modules of Debian's `python3-*` packages with the panel's own, which alone its Python sees."""
    if work.exists():
        shutil.rmtree(work)
    for package in packages:
        unpack(package, work)
    if (work / DEBIANS).is_dir():
        shutil.copytree(work / DEBIANS, root / SITE, dirs_exist_ok=True)


def unmet(site: Path, csi: Csi) -> list[str]:
    """What the wheels of the Pi's cameras ask for (but in their extras) and is neither in the tree nor left out."""
    there = {canonicalize_name(re.split(r"-\d", info.name)[0]) for info in site.glob("*.*-info")}
    there |= {canonicalize_name(name) for name in csi.left_out}
    asked = []
    for wheel in csi.wheels:
        name = Requirement(wheel).name
        about = next(site.glob(f"{name}-*.dist-info")) / "METADATA"
        found = BytesParser().parsebytes(about.read_bytes()).get_all("Requires-Dist", [])
        asked += [Requirement(text) for text in found]
    return sorted({r.name for r in asked if r.marker is None and canonicalize_name(r.name) not in there})


def untried(wheels: Iterable[Path], other: Container[str]) -> list[str]:
    """Wheels whose version no test has run: here the same package has another first number, or below 1.0 another
    second one. `other`: those that may. What is not installed here is not looked at.
    """
    found = []
    for wheel in wheels:
        if wheel.suffix != ".whl":
            continue
        name, version, *_ = parse_wheel_filename(wheel.name)
        try:
            here = Version(metadata.version(name))
        except metadata.PackageNotFoundError:
            continue
        if name not in other and _line(version) != _line(here):
            found.append(f"{name} {version}, {here} where the tests run")
    return found


def _line(version: Version) -> tuple[int, ...]:
    return version.release[:1] if version.major else version.release[:2]


def distributions(site: Path) -> dict[str, str]:
    """Name and version of everything in a site-packages, for the list of parts."""
    found = {}
    for info in sorted(site.glob("*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").rpartition("-")
        found[name.replace("_", "-").lower()] = version
    return found


def _own() -> Iterator[Path]:
    left_out = {REPOSITORY / name for name in LEFT_OUT}
    for room in ROOMS:
        for path in sorted((REPOSITORY / room).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path not in left_out:
                yield path


def _unpack_wheel(file: Path, site: Path) -> None:
    with zipfile.ZipFile(file) as wheel:
        for member in wheel.infolist():
            # A wheel's scripts and headers are for people who develop.
            if ".data/" not in member.filename and not re.search(r"(^|/)tests?/", member.filename):
                wheel.extract(member, site)
    name, version, *_ = parse_wheel_filename(file.name)
    if not list(site.glob(f"*-{version}.dist-info")):
        raise OSError(f"{file}: {name} {version} has no metadata")


def _unpack_source(file: Path, site: Path) -> None:
    """Its Python alone, where the rest is not needed."""
    name, version = file.name.removesuffix(".tar.gz").rsplit("-", 1)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    with tarfile.open(file) as archive:
        for member in archive.getmembers():
            place = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = archive.extractfile(member)
            if content is None or ".." in place.parts:
                continue
            if place.parts[:2] == ("src", name) and place.suffix == ".py":
                target = site / place.relative_to("src")
            elif str(place) == "PKG-INFO":
                target = info / "METADATA"
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())
    if not (site / name).is_dir():
        raise OSError(f"{file}: no src/{name} in it")


def _build_lgpio(source: Path, headers: Iterable[Package], work: Path, site: Path, whose: Architecture) -> None:
    """swig and the compiler for the target, here; nothing of them reaches the image."""
    if work.exists():
        shutil.rmtree(work)
    for package in headers:
        unpack(package, work / "sysroot")
    with tarfile.open(source) as archive:
        archive.extractall(work, filter="data")
    folder = next(work.glob("lgpio-*"))
    _run(
        ["swig", f"-I{folder}", "-python", "-outdir", str(work), "-o", str(folder / "wrap.c"), str(folder / "lgpio.i")],
        BUILD_S,
    )
    include = work / f"sysroot/usr/include/python{PYTHON}"
    sources = sorted(str(path) for path in (folder / "src").glob("lg*.c"))
    tag = PYTHON.replace(".", "")
    library = work / f"_lgpio.cpython-{tag}-{whose.multiarch}.so"
    compiler = [f"{whose.multiarch}-gcc", "-shared", "-fPIC", "-O2", "-pthread", f"-ffile-prefix-map={work}=."]
    places = [f"-I{include}", f"-I{include.parent}", f"-I{folder}/src"]
    code = [str(folder / "wrap.c"), *sources, str(folder / "src/rgpiod.c")]
    _run([*compiler, *places, *code, "-lrt", "-ldl", "-s", "-o", str(library)], BUILD_S)
    shutil.copyfile(library, site / library.name)
    shutil.copyfile(work / "lgpio.py", site / "lgpio.py")
    info = site / f"lgpio-{LGPIO.partition('==')[2]}.dist-info"
    info.mkdir(exist_ok=True)
    shutil.copyfile(folder / "PKG-INFO", info / "METADATA")


def _metadata(site: Path) -> None:
    """What `fenghuo` finds its commands by, but for those of the desk."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    commands = {k: v for k, v in project["entry-points"]["fenghuo.commands"].items() if not v.startswith("hil.")}
    info = site / f"fenghuo-{VERSION}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fenghuo\nVersion: {VERSION}\n")
    lines = "".join(f"{name} = {target}\n" for name, target in commands.items())
    (info / "entry_points.txt").write_text(f"[fenghuo.commands]\n{lines}")


def _environment(home: Path) -> None:
    (home / "bin").mkdir(exist_ok=True)
    (home / "pyvenv.cfg").write_text(f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n")
    for name in ("python", "python3"):
        link = home / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(f"/usr/bin/python{PYTHON}")
    script = home / "bin/fenghuo"
    script.write_text("#!/opt/fenghuo/bin/python\nimport sys\n\nfrom firmware.cli import main\n\nsys.exit(main())\n")
    script.chmod(0o755)


def _run(words: list[str], limit_s: int) -> None:
    subprocess.run(words, check=True, capture_output=True, text=True, timeout=limit_s)
