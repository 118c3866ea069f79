"""`fenghuo flash` as a person uses it at a terminal: a block device, the question, Ctrl-C, a closed door"""

import ctypes
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil.bad_cards import Fault, served
from hil.logged_disk import why_not
from hil.small_release import MIB, SmallRelease
from provisioning.flash.medium import Medium
from tests.provisioning.flash.test_flash import BANK, holds
from tests.provisioning.person import at_terminal, ended, interrupted

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"a block device {why_not()}")
NOBODY = 65534
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A block device with partitions on it, and the file behind it."""
    held = tmp_path / "held"
    with held.open("wb") as file:
        file.truncate(24 * MIB)
    script = "label: gpt\nstart=2048, size=8192, name=old-boot\nstart=10240, size=16384, name=photos\n"
    subprocess.run(("/usr/sbin/sfdisk", "--quiet", str(held)), input=script, text=True, check=True)
    made = subprocess.run(("losetup", "--find", "--show", held), check=True, capture_output=True, text=True)
    device = Path(made.stdout.strip())
    yield device, held
    subprocess.run(("losetup", "--detach", device), check=True)


def words(release: SmallRelease, device: Path, *more: str) -> tuple[str, ...]:
    return ("flash", str(release.image), str(device), "--key", str(release.key), "--force", *more)


def test_a_person_sees_what_is_lost_and_types_the_name(
    release: SmallRelease, loop: tuple[Path, Path], tmp_path: Path
) -> None:
    device, held = loop
    person = at_terminal(*words(release, device, "--config", str(BANK)), cwd=tmp_path)
    person.expect("LOST .*4.0 MiB.*old-boot")
    person.expect("LOST .*8.0 MiB.*photos")
    person.expect("puts in .*bank-0001")
    person.expect(f"Type {device.name} to go on: ")
    person.sendline("y")
    code, said = ended(person)
    assert (code, "nothing was written" in said) == (1, True)
    assert b"EFI PART" in held.read_bytes()[:1024]

    person = at_terminal(*words(release, device), cwd=tmp_path, lang="zh", term="xterm")
    person.expect(f"输入 {device.name} 继续：")
    person.sendline(device.name)
    code, said = ended(person)
    assert (code, "全部读回核对一致" in said, "读回核对" in said) == (0, True, True)
    assert holds(held, release)


def test_a_mounted_card_is_refused_by_force_too(release: SmallRelease, tmp_path: Path) -> None:
    held, place = tmp_path / "stick", tmp_path / "place"
    with held.open("wb") as file:
        file.truncate(24 * MIB)
    subprocess.run(("/sbin/mke2fs", "-q", "-F", held), check=True)
    place.mkdir()
    subprocess.run(("mount", "-o", "loop", held, place), check=True)
    try:
        found = subprocess.run(("findmnt", "-no", "SOURCE", place), check=True, capture_output=True, text=True)
        device = Path(found.stdout.strip())
        for target in (device, held):
            code, said = ended(at_terminal(*words(release, target, "--yes"), cwd=tmp_path))
            assert (code, "umount" in said or "in use" in said) == (1, True)
        with pytest.raises(OSError, match=os.strerror(errno.EBUSY)):
            Medium(device)  # the kernel's own word, should the tables have said nothing
    finally:
        subprocess.run(("umount", place), check=True)


def test_ctrl_c_in_the_middle_and_the_same_command_goes_on(release: SmallRelease, tmp_path: Path) -> None:
    held = tmp_path / "held"
    with held.open("wb") as file:
        file.truncate(24 * MIB)
    with served(held, Fault(slow_ms=100)) as card:
        person = at_terminal(*words(release, card, "--yes"), cwd=tmp_path)
        person.expect("writing: [0-9]+ %")
        code, said = interrupted(person)
        assert (code, "Traceback" in said, "goes on where it stopped" in said) == (130, False, True)
        assert not holds(held, release)
        code, said = ended(at_terminal(*words(release, card, "--yes"), cwd=tmp_path))
    assert (code, "0.0 MiB were there already" in said, "were there already" in said) == (0, False, True)
    assert holds(held, release)


def test_sigterm_ends_it_as_ctrl_c_does(release: SmallRelease, tmp_path: Path) -> None:
    held = tmp_path / "held"
    with held.open("wb") as file:
        file.truncate(24 * MIB)
    with served(held, Fault(slow_ms=100)) as card:
        person = at_terminal(*words(release, card, "--yes"), cwd=tmp_path)
        person.expect("writing: [0-9]+ %")
        person.kill(15)
        assert ended(person)[0] == 130


def test_without_rights_it_says_how_to_get_them(release: SmallRelease, tmp_path: Path, card: Path) -> None:
    os.chown(card, NOBODY, NOBODY)
    card.chmod(0o600)
    before = card.read_bytes()
    code, said = ended(at_terminal(*words(release, card, "--yes"), cwd=tmp_path, preexec=_without_override))
    assert (code, "sudo fenghuo flash" in said) == (1, True), said
    assert card.read_bytes() == before


def _without_override() -> None:
    """Root's right over other people's files is gone for what is executed from here."""
    assert ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0) == 0
