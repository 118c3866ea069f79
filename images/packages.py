"""Debian's packages of another suite and architecture, by an apt configuration of our own.

The machine's stays as it is; the mirror is the one that its apt uses. apt checks the signatures; a package is unpacked,
never run.
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

APT_S, UNPACK_S = 600, 120
UNSTABLE = "sid"
"""Has neither updates nor backports."""
_COMPONENTS = "main non-free-firmware"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_LINE = re.compile(r"^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)")


class NoMirror(Exception):
    """The machine's apt has no Debian mirror, which is where packages come from."""


@dataclass(frozen=True)
class Package:
    """A package as it was fetched."""

    name: str
    version: str
    architecture: str
    sha256: str
    file: Path


def mirrors(etc: Path = Path("/etc/apt")) -> tuple[str, str]:
    """The machine's own mirror of Debian, and the one of its security updates. Raises `NoMirror`."""
    found = list(_addresses(etc))
    plain = [uri for uri, suite in found if "security" not in suite and "backports" not in suite]
    if not plain:
        raise NoMirror(f"{etc}: no source of Debian's packages, expected one as `deb http://MIRROR/debian SUITE main`")
    security = [uri for uri, suite in found if "security" in suite]
    return plain[0], security[0] if security else plain[0].rstrip("/") + "-security"


def _addresses(etc: Path) -> Iterable[tuple[str, str]]:
    """(URI, suite) in order."""
    for file in sorted((etc / "sources.list.d").glob("*.sources")):
        for block in file.read_text(encoding="utf-8").split("\n\n"):
            fields = dict(re.findall(r"^(Types|URIs|Suites): *(.+)$", block, re.MULTILINE))
            if "deb" in fields.get("Types", "").split():
                yield from ((uri, suite) for uri in fields["URIs"].split() for suite in fields["Suites"].split())
    for file in (etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))):
        if file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                if match := _LINE.match(line):
                    yield match[1], match[2]


class Apt:
    """An apt of its own under `folder`, for one suite and architecture."""

    def __init__(self, folder: Path, suite: str, architecture: str) -> None:
        """Raises `NoMirror`."""
        self._folder = folder / f"{suite}-{architecture}"
        self._suite = suite
        for name in ("etc/preferences.d", "lists/partial", "archives/partial", "none/partial", "state"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        (self._folder / "sources.list").write_text(_sources(suite, *mirrors()))
        self._config = self._folder / "apt.conf"
        self._config.write_text(_config(self._folder.resolve(), architecture, suite))

    def update(self) -> None:
        """Fetch the lists. Raises `CalledProcessError`."""
        self._run("update", "-qq")

    def fetch(self, names: Sequence[str], without: Iterable[str] = (), release: str = "") -> list[Package]:
        """These packages and what they depend on, from the cache or the mirror, by name; but for `without`.

        Raises `CalledProcessError`.
        """
        words = ["install", "-y", "-qq", *(["-t", release] if release else []), *names]
        # Where nothing lies yet: apt does not list what it has.
        listed = self._run(*words, "--print-uris", "-o", f"Dir::Cache::Archives={self._folder}/none").stdout
        self._run(*words, "--download-only")
        files = [line.split()[1] for line in listed.splitlines() if line.startswith("'")]
        packages = [_described(self._folder / "archives" / file) for file in files]
        left_out = set(without)
        return sorted((p for p in packages if p.name not in left_out), key=lambda p: p.name)

    def alone(self, names: Sequence[str]) -> list[Package]:
        """These packages without what they depend on: newer ones, for an older suite. Raises `CalledProcessError`."""
        archives = self._folder / "archives"
        listed = self._run("download", "--print-uris", *names).stdout
        files = [line.split()[1] for line in listed.splitlines() if line.startswith("'")]
        if not all((archives / file).exists() for file in files):
            self._run("download", "-qq", *names, folder=archives)
        return [_described(archives / file) for file in files]

    def _run(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "APT_CONFIG": str(self._config), "LC_ALL": "C"}
        return subprocess.run(
            ["apt-get", *words],
            env=environment,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=APT_S,
        )


def unpack(package: Package, root: Path) -> None:
    """Its files, over those that are there; nothing of it is run. A folder that is a link there stays a link."""
    root.mkdir(parents=True, exist_ok=True)
    files = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package.file], stdout=subprocess.PIPE)
    tar = ["tar", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", "--delay-directory-restore", "-x"]
    try:
        subprocess.run(tar, stdin=files.stdout, check=True, timeout=UNPACK_S)
    finally:
        files.stdout.close() if files.stdout else None
        code = files.wait(UNPACK_S)
    if code:
        raise OSError(f"{package.file}: dpkg-deb ended with {code}")


def _described(file: Path) -> Package:
    # NAME_VERSION_ARCHITECTURE.deb, with the version's colon escaped.
    name, version, architecture = file.name.removesuffix(".deb").split("_")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    return Package(name, version.replace("%3a", ":"), architecture, sha256, file)


def _sources(suite: str, mirror: str, security: str) -> str:
    if suite == UNSTABLE:
        return f"deb [signed-by={_KEYRING}] {mirror} {suite} {_COMPONENTS}\n"
    places = [(mirror, suite), (mirror, f"{suite}-updates"), (mirror, f"{suite}-backports")]
    places.append((security, f"{suite}-security"))
    return "".join(f"deb [signed-by={_KEYRING}] {uri} {name} {_COMPONENTS}\n" for uri, name in places)


def _config(folder: Path, architecture: str, suite: str) -> str:
    # Unstable's lists are good for a week only: a mirror that stands still is read too; `--like` holds the versions.
    valid = "false" if suite == UNSTABLE else "true"
    return f"""\
Dir::Etc "{folder}/etc";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/lists";
Dir::State::Status "{folder}/status";
Dir::Cache "{folder}";
Dir::Cache::Archives "{folder}/archives";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
Acquire::Check-Valid-Until "{valid}";
APT::Sandbox::User "root";
Acquire::Languages "none";
"""
