"""The builder's pure parts: mirrors, requirements, the hash tree, partitions, a slot, keys, lists, inspection."""

import datetime
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.boot import slots
from firmware.protocol.jws import KeyRing
from firmware.protocol.release import release_keys
from images import disk, inspection, kernel, keys, make, packages, panel, rootfs, sbom, slot, verity
from images import settings as image_settings
from images.architecture import AMD64, ARM64, Architecture

CSI = image_settings.read().csi
NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC)


# --- packages


def test_the_mirror_is_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://old/debian x main\ndeb [signed-by=/k] http://m/debian a main\n"
    )
    assert packages.mirrors(tmp_path) == ("http://m/debian", "http://m/debian-security")
    (tmp_path / "sources.list.d/debian.sources").write_text(
        "Types: deb deb-src\nURIs: http://n/debian\nSuites: a a-updates\n\n"
        "Types: deb\nURIs: http://s/sec\nSuites: a-security\n"
    )
    assert packages.mirrors(tmp_path) == ("http://n/debian", "http://s/sec")


def test_no_mirror_is_told(tmp_path: Path) -> None:
    with pytest.raises(packages.NoMirror, match="expected one"):
        packages.mirrors(tmp_path)


# --- the panel's layer


def test_the_wheels_are_those_of_the_target() -> None:
    wanted = panel.requirements(ARM64)
    names = {text.split("<")[0].split(">")[0].split("=")[0] for text in wanted}
    assert {"pydantic", "gpiozero", "paho-mqtt", "ai-edge-litert", "av"} <= names
    assert not names & {"tflite-runtime", "lgpio", "picamera2", "iotcore", "pytest"}


def test_wheels_are_fetched_once_and_anew_where_it_broke_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Path] = []

    def download(folder: Path, *_: object) -> None:
        fetched.append(folder)
        (folder / f"x-{len(fetched)}-py3-none-any.whl").touch()
        if len(fetched) == 1:
            raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(panel, "_download", download)
    with pytest.raises(subprocess.CalledProcessError):
        panel.fetch_wheels(tmp_path, ARM64, CSI)
    assert [path.name for path in panel.fetch_wheels(tmp_path, ARM64, CSI)] == ["x-2-py3-none-any.whl"]
    assert [path.name for path in panel.fetch_wheels(tmp_path, ARM64, CSI)] == ["x-2-py3-none-any.whl"]
    monkeypatch.setattr(panel, "requirements", lambda _: ["other>=1"])
    assert [path.name for path in panel.fetch_wheels(tmp_path, ARM64, CSI)] == ["x-3-py3-none-any.whl"]


def test_nothing_of_the_desk_is_in_the_image_and_nothing_needs_it() -> None:
    own = {str(path.relative_to(image_settings.REPOSITORY)) for path in panel._own()}
    assert "firmware/core/main.py" in own
    assert not [name for name in own if name.startswith(("hil/", "tests/", "images/"))]
    assert not own & set(panel.LEFT_OUT)
    for name in panel.LEFT_OUT:
        assert (image_settings.REPOSITORY / name).exists(), name


def test_core_and_uplink_load_without_what_is_left_out(tmp_path: Path) -> None:
    for source in panel._own():
        if source.suffix in (".py", ".md", ".toml", ".txt"):
            target = tmp_path / source.relative_to(image_settings.REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    code = "import firmware.core.main, firmware.core.outside, firmware.uplink.main, firmware.timekeeper.main\n"
    code += "import firmware.core.inside, firmware.boot.site, drivers.gpio, firmware.commands\nprint(firmware.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


# --- the Pi's own cameras


def distribution(site: Path, name: str, asks: tuple[str, ...] = ()) -> None:
    info = site / f"{name}.dist-info"
    info.mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {text}\n" for text in asks)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: x\n{lines}\nRequires-Dist: only-in-the-description\n")


def test_what_the_pis_cameras_ask_for_is_there_or_left_out_with_a_reason(tmp_path: Path) -> None:
    csi = replace(CSI, wheels=("picamera2==1.0", "simplejpeg>=1"), left_out=("OpenEXR",))
    asks = ("numpy", "PiDNG", "OpenEXR", "python-prctl", 'pyqt5; extra == "gui"')
    distribution(tmp_path, "picamera2-1.0", asks)
    distribution(tmp_path, "simplejpeg-1.9", ("numpy>=2",))
    assert panel.unmet(tmp_path, csi) == ["PiDNG", "numpy", "python-prctl"]
    for name in ("numpy-2.4.1", "pidng-4.0.9"):
        distribution(tmp_path, name)
    (tmp_path / "python_prctl-1.8.1.egg-info").mkdir()
    assert panel.unmet(tmp_path, csi) == []


def test_a_wheel_whose_version_no_test_has_run_goes_into_no_image() -> None:
    here = metadata.version("av")
    later = int(here.partition(".")[0]) + 1
    wheels = [
        Path(f"av-{later}.0.2-cp313-abi3-manylinux_2_28_aarch64.whl"),
        Path(f"pyserial-{metadata.version('pyserial')}-py2.py3-none-any.whl"),
        Path("nowhere_installed-3.0-py3-none-any.whl"),
        Path("pidng-4.0.9.tar.gz"),
    ]
    assert panel.untried(wheels, ()) == [f"av {later}.0.2, {here} where the tests run"]
    assert panel.untried(wheels, {"av"}) == []
    assert panel.untried([Path(f"av-{here}.1-cp313-abi3-manylinux_2_28_aarch64.whl")], ()) == []


def test_of_a_source_its_python_alone_goes_in(tmp_path: Path) -> None:
    source = tmp_path / "pidng-4.0.9.tar.gz"
    with tarfile.open(source, "w:gz") as archive:
        for name in ("PKG-INFO", "setup.py", "src/pidng/core.py", "src/pidng/pack.c", "src/../../out.py", "src/x/y.py"):
            member = tarfile.TarInfo(f"pidng-4.0.9/{name}")
            member.size = len(name)
            archive.addfile(member, io.BytesIO(name.encode()))
    site = tmp_path / "deep/site"
    site.mkdir(parents=True)
    panel._unpack_source(source, site)
    found = sorted(str(path.relative_to(tmp_path)) for path in site.rglob("*") if path.is_file())
    assert found == ["deep/site/pidng-4.0.9.dist-info/METADATA", "deep/site/pidng/core.py"]
    assert panel.distributions(site) == {"pidng": "4.0.9"}
    with pytest.raises(OSError, match="no src/other"):
        panel._unpack_source(source.rename(tmp_path / "other-1.tar.gz"), site)


# --- the slot


@pytest.mark.parametrize("blocks", [2, 127, 128, 129, 200])
def test_the_hash_tree_is_that_of_veritysetup(blocks: int, tmp_path: Path) -> None:
    tool = shutil.which("veritysetup", path="/usr/sbin:/sbin:/usr/bin")
    if not tool:
        pytest.skip("needs veritysetup (cryptsetup-bin)")
    data, tree, whole = tmp_path / "data", tmp_path / "tree", tmp_path / "whole"
    data.write_bytes(b"".join(bytes([n % 251]) * verity.BLOCK for n in range(blocks)))
    shutil.copyfile(data, whole)
    root_hash, counted = verity.append_tree(whole, b"salt" * 8)
    assert counted == blocks
    words = [tool, "format", "--no-superblock", f"--salt={(b'salt' * 8).hex()}", str(data), str(tree)]
    said = subprocess.run(words, check=True, capture_output=True, text=True, timeout=30).stdout
    assert root_hash in said
    assert whole.read_bytes() == data.read_bytes() + tree.read_bytes()


@pytest.mark.parametrize("size", [0, 1, verity.BLOCK, 2 * verity.BLOCK + 1])
def test_half_blocks_have_no_tree(size: int, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"x" * size)
    with pytest.raises(ValueError, match="whole blocks"):
        verity.append_tree(tmp_path / "data", b"")


def small_rootfs(folder: Path) -> Path:
    (folder / "root/etc").mkdir(parents=True)
    for name in ("root", "tmp"):
        (folder / "root" / name).mkdir()
    for name in ("shadow", "gshadow", "passwd"):
        (folder / "root/etc" / name).write_text("root:*:\n")
    (folder / "root/etc/noise").write_bytes(b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256)) * 2)
    (folder / "vmlinuz").write_bytes(b"kernel" * 1000)
    (folder / "initrd").write_bytes(b"initrd" * 777)
    return folder


def test_a_slot_is_what_its_entry_says_and_the_same_when_made_again(tmp_path: Path) -> None:
    if not shutil.which("mksquashfs"):
        pytest.skip("needs mksquashfs (squashfs-tools)")
    rootfs = small_rootfs(tmp_path / "rootfs")
    made = slot.make(rootfs, tmp_path / "a.slot", 1_700_000_000)
    again = slot.make(small_rootfs(tmp_path / "other"), tmp_path / "b.slot", 1_700_000_000)
    assert made.file.read_bytes() == again.file.read_bytes()
    raw = made.file.read_bytes()
    entry = slots.unpack(raw[: slots.SIZE])
    assert entry == made.entry
    at = int(entry["fh_kernel"], 16) * slot.SECTOR
    assert raw[at:].startswith((rootfs / "vmlinuz").read_bytes())
    at = int(entry["fh_initrd"], 16) * slot.SECTOR
    assert raw[at : at + int(entry["fh_initrd_bytes"], 16)] == (rootfs / "initrd").read_bytes()
    words = dict(word.split("=") for word in entry["fh_words"].split())
    at = int(words["fenghuo.start"]) * slot.SECTOR
    assert raw[at : at + 4] == b"hsqs"
    tree = tmp_path / "root.squashfs"
    tree.write_bytes(raw[at : at + int(words["fenghuo.blocks"]) * verity.BLOCK])
    assert verity.append_tree(tree, slot.salt_of(entry["fh_version"]))[0] == words["fenghuo.root_hash"]
    listed = subprocess.run(["unsquashfs", "-ll", str(tree)], check=True, capture_output=True, text=True, timeout=30)
    assert next(line for line in listed.stdout.splitlines() if "etc/shadow" in line).startswith("-rw------- root/root")


# --- the card


def test_the_partition_table_is_read_by_sfdisk(tmp_path: Path) -> None:
    tool = shutil.which("sfdisk", path="/usr/sbin:/sbin:/usr/bin")
    if not tool:
        pytest.skip("needs sfdisk (fdisk)")
    mib = disk.MIB
    card = tmp_path / "card"
    card.write_bytes(disk.table([(disk.FAT, 8 * mib), (disk.RAW, mib), (disk.RAW, mib), (disk.LINUX, 2 * mib)]))
    os.truncate(card, 20 * mib)
    done = subprocess.run([tool, "--json", str(card)], check=True, capture_output=True, text=True, timeout=30)
    table = json.loads(done.stdout)["partitiontable"]
    assert table["id"] == "0xf39f0901"
    starts = [(part["start"], part["size"], part["type"]) for part in table["partitions"]]
    assert starts == [(8192, 16384, "c"), (24576, 2048, "da"), (26624, 2048, "da"), (28672, 4096, "83")]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from([0x0C, 0x83]), st.integers(1, 2**42)), min_size=1, max_size=6))
def test_a_table_is_one_sector_or_refused(sizes: list[tuple[int, int]]) -> None:
    fits = len(sizes) <= 4 and not any(size % disk.SECTOR for _, size in sizes)
    fits = fits and disk.START + sum(size for _, size in sizes) < 2**32 * disk.SECTOR
    if fits:
        assert len(disk.table(sizes)) == disk.SECTOR
    else:
        with pytest.raises(ValueError, match="does not fit"):
            disk.table(sizes)


def test_the_script_and_the_panel_mean_the_same_places() -> None:
    script = (image_settings.HERE / "boot.txt").read_text()
    assert [f"{offset // 512:x}" for offset in slots.COPIES] == ["800", "880"]
    assert "read ${fh_addr} 800 8" in script
    assert "read ${fh_addr} 880 8" in script
    assert f"{slots.SIZE:x}" == "1000"
    assert f"{disk.SIGNATURE:08x}-0" in script
    rules = (image_settings.HERE / "files/etc/udev/rules.d/70-fenghuo.rules").read_text()
    assert rules.count(f"{disk.SIGNATURE:08x}") == 5
    first = {name: value for name, value in slots.FIRST.items() if name != "BOOT_ORDER"}
    assert all(f"setenv {name} {value}" in script for name, value in first.items())


def test_the_data_partition_is_the_same_when_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin:/sbin")
    made = []
    for name in ("one", "two"):
        work = tmp_path / name
        work.mkdir()
        disk._data(work / "data.ext4", work, 16, 1_700_000_000)
        made.append((work / "data.ext4").read_bytes())
        time.sleep(1.1)  # what would differ is the second in which a folder was made
    assert made[0] == made[1]
    done = subprocess.run(
        ["e2fsck", "-fn", str(tmp_path / "one/data.ext4")], capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stdout


# --- keys and lists


def test_keys_are_made_once_and_belong_together(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.make(folder, NOW)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.glob("*.pem")}
    assert {modes[name] for name in keys.MAKES} == {0o600}
    root = x509.load_pem_x509_certificate((folder / "keyring.pem").read_bytes())
    leaf = x509.load_pem_x509_certificate((folder / "signer.crt").read_bytes())
    leaf.verify_directly_issued_by(root)
    assert not root.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature
    token = keys.signer(folder).sign("t", {"a": 1})
    assert KeyRing(release_keys([folder / "release.jwk"])).verify("t", token) == {"a": 1}
    with pytest.raises(keys.KeysThere, match="never replaced"):
        keys.make(folder, NOW)


def test_rauc_takes_what_these_keys_sign_and_nothing_else(tmp_path: Path) -> None:
    if not shutil.which("rauc"):
        pytest.skip("needs rauc")
    for name in ("one", "other"):
        keys.make(tmp_path / name, datetime.datetime.now(datetime.UTC))
    (tmp_path / "in").mkdir()
    (tmp_path / "in/root.img").write_bytes(os.urandom(65536))
    (tmp_path / "in/manifest.raucm").write_text(
        "[update]\ncompatible=t\nversion=1\n[bundle]\nformat=verity\n[image.rootfs]\nfilename=root.img\n"
    )
    one = tmp_path / "one"
    signing = [f"--cert={one / 'signer.crt'}", f"--key={one / 'signer.pem'}"]
    bundled = str(tmp_path / "x.raucb")
    words = ["rauc", "bundle", *signing, str(tmp_path / "in"), bundled]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    config = tmp_path / "system.conf"

    def info(folder: str) -> int:
        config.write_text(
            f"[system]\ncompatible=t\nbootloader=noop\n"
            f"[keyring]\npath={tmp_path / folder / 'keyring.pem'}\ncheck-purpose=codesign\n"
        )
        words = ["rauc", "info", f"--conf={config}", bundled]
        return subprocess.run(words, capture_output=True, timeout=60, check=False).returncode

    assert info("one") == 0
    assert info("other") != 0


PARTS = {
    "debian": [{"name": "libc6", "version": "2.41-12+deb13u5", "architecture": "arm64", "sha256": "a" * 64}],
    "python": [{"name": "pydantic", "version": "2.14.4", "sha256": ""}],
}


def test_the_list_of_parts_is_cyclonedx_and_the_same_when_made_again() -> None:
    made = sbom.document(PARTS, "1.0", "2026-11-27T00:00:00.000Z", "trixie")
    assert made == sbom.document(PARTS, "1.0", "2026-11-27T00:00:00.000Z", "trixie")
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    refs = [component["bom-ref"] for component in made["components"]]
    assert refs == ["pkg:deb/debian/libc6@2.41-12%2Bdeb13u5?arch=arm64&distro=trixie", "pkg:pypi/pydantic@2.14.4"]
    assert made["dependencies"][0]["dependsOn"] == refs


def test_other_versions_than_listed_are_refused() -> None:
    listed = sbom.document(PARTS, "1.0", "2026-11-27T00:00:00.000Z", "trixie")
    make.compare(PARTS, listed)
    newer = {**PARTS, "python": [{"name": "pydantic", "version": "3.0", "sha256": ""}]}
    with pytest.raises(make.OtherParts, match=r"pydantic: found 3\.0, expected 2\.14\.4"):
        make.compare(newer, listed)


# --- the inspection


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in (*inspection.WRITABLE, "etc", "usr/bin", f"{panel.SITE}/firmware"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/shadow").write_text("root:*:1\n")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nwww:x:33:33::/:/usr/sbin/nologin\n")
    (root / panel.SITE / "firmware/cli.py").write_text("")
    return root


def test_a_good_tree_has_no_faults(tree: Path) -> None:
    assert inspection.faults(tree, ARM64) == []


@pytest.mark.parametrize(
    ("name", "content", "mode", "why"),
    [
        ("usr/bin/ping", b"x", 0o4755, "setuid"),
        ("etc/note", b"x", 0o666, "others may write"),
        ("usr/bin/aarch64-linux-gnu-gcc-14", b"x", 0o755, "tool"),
        ("usr/bin/sudo", b"x", 0o755, "tool"),
        ("etc/key.pem", b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64, 0o644, "private key"),
        ("usr/bin/x", b"\x7fELF" + b"\0" * 14 + b"\x3e\0", 0o755, "architecture"),
        (f"{panel.SITE}/hil/demo.py", b"", 0o644, "desk"),
        (f"{panel.SITE}/firmware/core/desk_port.py", b"", 0o644, "desk"),
        ("etc/shadow", b"root:$y$x:1\n", 0o600, "password"),
        ("etc/passwd", b"lp:x:7:7::/:/bin/sh\n", 0o644, "shell"),
        ("etc/nftables.conf", b'meta skuid { "root", "nobody-knows" } accept\n', 0o644, "no user nobody-knows"),
        ("etc/nftables.conf", b'meta skuid "stranger" tcp dport 53 accept\n', 0o644, "no user stranger"),
        ("var/lib/x", b"", 0o644, "mount would hide"),
    ],
)
def test_each_fault_is_found(tree: Path, name: str, content: bytes, mode: int, why: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    assert why in "".join(inspection.faults(tree, ARM64))


def test_a_library_that_nobody_has_is_found(tree: Path) -> None:
    if not shutil.which("readelf"):
        pytest.skip("needs readelf (binutils)")
    library = next(Path("/usr/lib").glob("*-linux-gnu/libz.so.1"), None)
    if library is None:
        pytest.skip("needs zlib1g")
    shutil.copyfile(library, tree / "usr/bin/libz.so.1")
    found = list(inspection._libraries(tree))
    assert "usr/bin/libz.so.1: needs libc.so.6, which is not there" in found
    (tree / "usr/bin/libc.so.6").write_bytes(b"")
    assert len(list(inspection._libraries(tree))) == len(found) - 1


def test_a_tree_that_is_of_our_files_as_they_are_is_not_asked_for_anew_within_its_time(tmp_path: Path) -> None:
    chosen, hours = image_settings.read(), 3600.0
    assert not rootfs.made_lately(tmp_path, chosen, "ring", hours)
    rootfs.stand(tmp_path, chosen, "ring")
    assert rootfs.made_lately(tmp_path, chosen, "ring", hours)
    assert not rootfs.made_lately(tmp_path, chosen, "another ring", hours)
    assert not rootfs.made_lately(tmp_path, replace(chosen, target="other"), "ring", hours)
    stamp = tmp_path / rootfs.OURS
    for long_ago in (1.5 * hours, -1.0 * hours):  # a clock that went back is no proof either
        os.utime(stamp, (time.time() - long_ago,) * 2)
        assert not rootfs.made_lately(tmp_path, chosen, "ring", hours)


# --- another architecture


def test_another_architecture_is_the_release_but_for_its_own_lines() -> None:
    release, other = image_settings.read(), image_settings.read(architecture=AMD64)
    assert (release.architecture, other.architecture) == (ARM64, AMD64)
    assert other.kernel.startswith("linux-image-amd64/")
    assert release.kernel.startswith("linux-image-arm64/")
    assert (release.boot_packages != (), other.boot_packages) == (True, ())
    same = replace(other, kernel=release.kernel, target=release.target, boot_packages=release.boot_packages)
    assert replace(same, architecture=ARM64) == release
    assert image_settings.read(architecture=AMD64, kernel="x/y").kernel == "x/y"


@pytest.mark.parametrize("whose", [ARM64, AMD64])
def test_wheels_are_asked_for_by_the_targets_name(
    whose: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(panel, "_run", lambda words, _: asked.extend(words))
    panel.fetch_wheels(tmp_path, whose, CSI)
    platforms = {word for word in asked if word.startswith("manylinux")}
    assert f"manylinux_2_28_{whose.machine}" in platforms
    assert {name.endswith(whose.machine) for name in platforms} == {True}
    assert "pydantic" in " ".join(panel.requirements(whose))


def test_wheels_of_one_are_not_taken_for_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "_download", lambda folder, *_: (folder / f"{folder.name}.whl").touch())
    assert panel.fetch_wheels(tmp_path, ARM64, CSI) != panel.fetch_wheels(tmp_path, AMD64, CSI)


@pytest.mark.parametrize(("whose", "other"), [(ARM64, AMD64), (AMD64, ARM64)])
def test_a_kernel_of_the_other_architecture_is_refused(
    whose: Architecture, other: Architecture, tmp_path: Path
) -> None:
    (tmp_path / "modules/7.0").mkdir(parents=True)
    offset, magic = whose.kernel_magic
    (tmp_path / "Image").write_bytes(b"\0" * offset + magic + b"\0" * 1024)
    assert kernel.of_folder(tmp_path, whose).release == "7.0"
    with pytest.raises(kernel.BadKernel, match=f"not {other.kernel_kind}"):
        kernel.of_folder(tmp_path, other)


@pytest.mark.parametrize(("whose", "other"), [(ARM64, AMD64), (AMD64, ARM64)])
def test_a_program_of_the_other_architecture_is_a_fault(whose: Architecture, other: Architecture, tree: Path) -> None:
    (tree / "usr/bin/x").write_bytes(b"\x7fELF" + b"\0" * 14 + whose.elf.to_bytes(2, "little"))
    (tree / "usr/bin/x").chmod(0o755)
    assert inspection.faults(tree, whose) == []
    assert inspection.faults(tree, other) == ["usr/bin/x: not for this architecture"]
