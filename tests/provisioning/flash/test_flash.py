"""`fenghuo flash` onto a file, as a card: what is proven before a byte is written, what is written, and a second run"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from firmware.protocol.jws import Signer
from firmware.protocol.one_time_code import new_code, printed
from hil.small_release import BOOT_AT, MIB, SmallRelease, make_release
from provisioning.flash import commands
from provisioning.flash.blockmap import BLOCK, read_block_map
from tests.provisioning.calling import Done, call

BANK = Path(__file__).parents[3] / "docs/examples/bank.toml"
_DROP = {"ca": "", "path": "", "take_keys": False}
CENTER, CODE = "https://enrol.example.org:8443", printed(new_code())


def flash(image: Path, card: Path, release: SmallRelease, *words: str, lang: str = "en") -> Done:
    return call(commands.main, str(image), str(card), "--key", str(release.key), "--force", "--yes", *words, lang=lang)


def holds(card: Path, release: SmallRelease) -> bool:
    """Whether each mapped block is there."""
    data, image = card.read_bytes(), release.image.read_bytes()
    ranges = read_block_map(release.block_map.read_bytes()).ranges
    return all(
        data[part.first * BLOCK : (part.last + 1) * BLOCK] == image[part.first * BLOCK : (part.last + 1) * BLOCK]
        for part in ranges
    )


def lying(card: Path, name: str, folder: str = "fenghuo/") -> bytes:
    """A file in the boot partition's folder for the first boot, as mtools reads it from the card."""
    words = ("mtype", "-i", f"{card}@@{BOOT_AT}", f"::{folder}{name}")
    told = {**os.environ, "MTOOLSRC": "/dev/null", "MTOOLS_SKIP_CHECK": "1"}
    return subprocess.run(words, check=True, env=told, capture_output=True).stdout


@pytest.mark.parametrize("packed", [False, True])
def test_the_mapped_blocks_and_no_others_are_written(release: SmallRelease, card: Path, packed: bool) -> None:
    before = card.read_bytes()
    done = flash(release.packed if packed else release.image, card, release)
    assert (done.returncode, "all read back and equal" in done.stdout) == (0, True)
    assert holds(card, release)
    hole = read_block_map(release.block_map.read_bytes()).ranges[1].last * BLOCK + BLOCK
    assert card.read_bytes()[hole : hole + BLOCK] == before[hole : hole + BLOCK]


def test_a_second_run_writes_nothing_and_a_third_mends_what_differs_alone(release: SmallRelease, card: Path) -> None:
    flash(release.image, card, release)
    again = json.loads(flash(release.packed, card, release, "--json").stdout)
    assert again["written_bytes"] == 0
    with card.open("r+b") as file:
        file.seek(12 * MIB)
        file.write(b"spoiled")
    third = json.loads(flash(release.image, card, release, "--json").stdout)
    assert 0 < third["written_bytes"] <= 4 * MIB
    assert holds(card, release)


def test_the_panel_file_and_the_enrolment_lie_in_the_boot_partition(
    release: SmallRelease, card: Path, tmp_path: Path
) -> None:
    enrol = tmp_path / "enrol.json"
    enrol.write_text(json.dumps({"center": CENTER, "code": CODE}))
    words = ("--config", str(BANK), "--enrol", str(enrol))
    done = flash(release.packed, card, release, *words)
    assert (done.returncode, done.stderr.count("%") > 0) == (0, True)
    assert lying(card, "panel.toml") == BANK.read_bytes()
    assert json.loads(lying(card, "enrol.json")) == {**_DROP, "center": CENTER, "code": CODE}
    again = json.loads(flash(release.image, card, release, *words, "--json").stdout)
    assert (again["written_bytes"], again["panel"], again["center"]) == (
        0,
        "bank-0001",
        "https://enrol.example.org:8443",
    )


def test_the_outputs_are_at_rest_from_the_very_first_power_on(release: SmallRelease, card: Path) -> None:
    assert flash(release.image, card, release, "--config", str(BANK)).returncode == 0
    lines = lying(card, "gpio.txt", "").decode().splitlines()
    assert lines[1:] == [f"gpio={line}=op,dl" for line in (10, 11, 18, 20, 21, 26)]


def test_a_code_that_is_typed_lies_there_too_and_is_never_said(release: SmallRelease, card: Path) -> None:
    words = (str(release.image), str(card), "--key", str(release.key), "--force", "--yes", "--center", CENTER)
    done = call(commands.main, *words, "--code-file", "-", typed=f"{CODE.lower()}\n")
    assert (done.returncode, CENTER in done.stdout) == (0, True)
    assert json.loads(lying(card, "enrol.json"))["code"] == CODE
    assert CODE not in done.stdout + done.stderr
    wrong = call(commands.main, *words, "--code-file", "-", typed="7XK2M\n")
    assert wrong.returncode == 2
    assert call(commands.main, *words[:-1], "http://x", "--code-file", "-", typed=CODE).returncode == 2


def test_ssh_keys_and_network_files_lie_there_too(release: SmallRelease, card: Path, tmp_path: Path) -> None:
    keys, network = tmp_path / "installer.pub", tmp_path / "10-office.network"
    keys.write_text(f"# Li Wei\nno-pty {PUBLIC_KEY} li@office\n")
    network.write_text("[Match]\nName=end0\n")
    done = flash(release.image, card, release, "--ssh-keys", str(keys), "--network", str(network))
    assert (done.returncode, "10-office.network" in done.stdout) == (0, True)
    assert lying(card, "authorized_keys") == keys.read_bytes()
    assert lying(card, "10-office.network") == network.read_bytes()


PUBLIC_KEY = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
PRIVATE_KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("option", "name", "text", "why"),
    [
        ("--ssh-keys", "id", PRIVATE_KEY, "line 1"),
        ("--ssh-keys", "id", f"{PUBLIC_KEY}\nssh-ed25519 AAAA\n", "line 2"),
        ("--ssh-keys", "id", "# none\n", "no SSH public key"),
        ("--ssh-keys", "id", "#" * 70_000, "more than"),
        ("--network", "a.txt", "[Match]\n", "NAME.network"),
        ("--network", "a.network", "Name=end0\n", "[Match]"),
    ],
    ids=["private", "cut", "none", "long", "name", "section"],
)
def test_a_file_that_a_first_boot_could_not_use_is_named(
    option: str, name: str, text: str, why: str, release: SmallRelease, card: Path, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(text)
    before = card.read_bytes()
    done = flash(release.image, card, release, option, str(file))
    assert (done.returncode, why in done.stderr, name in done.stderr) == (2, True, True), done.stderr
    assert card.read_bytes() == before


def test_without_a_panel_file_it_says_that_the_panel_waits(release: SmallRelease, card: Path) -> None:
    assert "等待 panel.toml" in flash(release.image, card, release, "--dry-run", lang="zh").stdout


def test_a_file_that_is_not_there_yet_is_made(release: SmallRelease, tmp_path: Path) -> None:
    card = tmp_path / "new.img"
    assert flash(release.packed, card, release).returncode == 0
    assert card.read_bytes() == release.image.read_bytes()


def test_a_dry_run_checks_all_and_writes_nothing(release: SmallRelease, card: Path, own_release: SmallRelease) -> None:
    before = card.read_bytes()
    told = json.loads(flash(release.image, card, release, "--dry-run", "--json", "--config", str(BANK)).stdout)
    assert (told["ok"], told["dry_run"], told["version"]) == (True, True, "0.2.0")
    with own_release.image.open("r+b") as file:
        file.seek(12 * MIB)
        file.write(b"x")
    assert flash(own_release.image, card, own_release, "--dry-run").returncode == 1
    assert card.read_bytes() == before


def _flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def _foreign_key(made: SmallRelease) -> None:
    other = make_release(made.folder / "other", size=12 * MIB)
    shutil.copy(other.key, made.key)


def _other_signer(made: SmallRelease) -> None:
    SmallRelease(made.folder, made.version, Signer(Ed25519PrivateKey.generate()), made.key).sign()


def _unmapped(made: SmallRelease) -> None:
    """A sound signature over a map that maps nothing of what the image holds."""
    made.block_map.write_bytes(made.block_map.read_bytes().replace(b"sha256", b"sha512"))
    made.sign()


def _renamed(made: SmallRelease) -> None:
    for file in (made.image, made.block_map, made.manifest):
        file.rename(file.with_name(file.name.replace("0.2.0", "0.3.0")))


BROKEN: dict[str, tuple[Callable[[SmallRelease], object], str]] = {
    "a changed byte in the image": (lambda made: _flip(made.image, 12 * MIB), "not what was signed"),
    "a cut image": (lambda made: os.truncate(made.image, 12 * MIB), "download it again"),
    "a changed byte in the map": (lambda made: _flip(made.block_map, 300), "not what was signed"),
    "a map of another kind, signed": (_unmapped, "ChecksumType"),
    "no map": (lambda made: made.block_map.unlink(), "not there"),
    "no manifest": (lambda made: made.manifest.unlink(), "not there"),
    "a changed signature": (lambda made: _flip(made.manifest, made.manifest.stat().st_size - 9), "does not count"),
    "an empty manifest": (lambda made: made.manifest.write_text(""), "does not count"),
    "another vendor's key": (_foreign_key, "not trusted"),
    "signed by somebody else": (_other_signer, "not trusted"),
    "no key": (lambda made: made.key.unlink(), "can't be read"),
    "a key that is none": (lambda made: made.key.write_text("{}"), "no release key"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_nothing_is_written_of(name: str, own_release: SmallRelease, card: Path) -> None:
    spoil, why = BROKEN[name]
    spoil(own_release)
    before = card.read_bytes()
    done = flash(own_release.image, card, own_release)
    assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    assert card.read_bytes() == before


def test_a_renamed_image_is_not_in_its_manifest(own_release: SmallRelease, card: Path) -> None:
    _renamed(own_release)
    moved = own_release.image.with_name("fenghuo-0.3.0.img")
    done = flash(moved, card, own_release)
    assert (done.returncode, "is not in the manifest" in done.stderr) == (1, True)


def test_a_packed_image_that_unpacks_to_something_else_is_found_though_it_is_signed(
    own_release: SmallRelease, card: Path
) -> None:
    other = make_release(own_release.folder / "other", seed=2)
    shutil.copy(other.packed, own_release.packed)
    own_release.sign()
    done = flash(own_release.packed, card, own_release)
    assert (done.returncode, "expected" in done.stderr) == (1, True)


def test_no_trusted_key_at_all_is_an_error_that_says_how_to_give_one(release: SmallRelease, card: Path) -> None:
    empty = card.parent / "keys"
    empty.mkdir()
    done = call(commands.main, str(release.image), str(card), "--key", str(empty), "--force", "--yes")
    assert (done.returncode, "--key" in done.stderr) == (1, True)


def test_a_wrong_panel_file_stops_it_before_anything_else(release: SmallRelease, card: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "panel.toml"
    wrong.write_text("[panel]\nid = 7\n")
    before = card.read_bytes()
    done = flash(release.image, card, release, "--config", str(wrong))
    assert (done.returncode, "[panel] id" in done.stderr) == (2, True)
    assert card.read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"center": 7}', "x" * 70_000])
def test_a_wrong_enrolment_file_is_named(text: str, release: SmallRelease, card: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "enrol.json"
    wrong.write_text(text)
    done = flash(release.image, card, release, "--enrol", str(wrong))
    assert (done.returncode, "enrol.json" in done.stderr) == (2, True)


def test_a_boot_partition_without_room_is_found_before_a_write(
    release: SmallRelease, card: Path, tmp_path: Path
) -> None:
    big = tmp_path / "panel.toml"
    big.write_text(BANK.read_text() + "# padding\n" * 500_000)
    before = card.read_bytes()
    done = flash(release.image, card, release, "--config", str(big))
    assert done.returncode in (1, 2)
    assert card.read_bytes() == before


def test_what_may_not_be_written_is_refused(release: SmallRelease, card: Path, tmp_path: Path) -> None:
    def plain(device: Path, *words: str) -> Done:
        return call(commands.main, str(release.image), str(device), "--key", str(release.key), "--yes", *words)

    small = tmp_path / "small"
    small.write_bytes(bytes(MIB))
    for device, words, why in (
        (card, (), "--force"),
        (tmp_path, ("--force",), "not a disk"),
        (Path("/dev/null"), ("--force",), "not a disk"),
        (Path("/dev/no-such-disk"), ("--force",), "--list"),
        (release.image, ("--force",), "the image itself"),
        (small, ("--force",), "take a larger card"),
    ):
        done = plain(device, *words)
        assert (done.returncode, why in done.stderr) == (1, True), (device, done.stderr)


def test_words_that_do_not_fit_are_not_understood(release: SmallRelease, card: Path) -> None:
    assert call(commands.main, str(release.image)).returncode == 2
    done = call(commands.main, str(release.image), str(card), "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (2, False)


def test_the_disk_of_this_computer_is_never_written(release: SmallRelease) -> None:
    disks = json.loads(call(commands.main, "--list", "--force", "--json").stdout)["disks"]
    own = [disk["device"] for disk in disks if disk["why_not"] == "system"]
    for device in own:
        done = call(commands.main, str(release.image), device, "--key", str(release.key), "--force", "--yes")
        assert (done.returncode, "never written" in done.stderr) == (1, True)
    assert own or not Path("/sys/block").exists() or os.environ.get("CI")
