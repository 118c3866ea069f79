"""Bundles by the real `rauc`: what is signed is read, and what is not, is damaged, older or foreign is refused."""

import itertools
import json
import random
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.protocol.updates import VERSION_PATTERN
from firmware.updater import bundle
from firmware.updater.bundle import Manifest, NotTaken, Ours, description, fits, newest, older, read_info
from firmware.updater.rauc import NoRauc, Rauc, read_status
from hil.bundle_signer import BundleSigner
from hil.rauc import FakeMachine
from images.bundle import COMPATIBLE, About, NotBundled, make
from tests.firmware.protocol.strategies import any_json

OURS = Ours("fenghuo-arm64", "0.1.0", 1, (1,))


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> BundleSigner:
    return BundleSigner.make(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def rauc(tmp_path: Path, signer: BundleSigner) -> Rauc:
    machine = FakeMachine(tmp_path)
    machine.make()
    machine.ca.write_bytes(signer.ca.read_bytes())
    return Rauc([sys.executable, "-m", "hil.rauc", str(tmp_path)])


def made(folder: Path, signer: BundleSigner, about: About | None = None, size: int = 200_000) -> Path:
    image = folder / "slot.img"
    image.write_bytes(random.Random(size).randbytes(size))
    out = folder / "fenghuo.raucb"
    make(image, out, about or About(version="0.2.0"), signer.cert, signer.key)
    return out


def test_what_a_bundle_says_comes_back_whole(tmp_path: Path, signer: BundleSigner, rauc: Rauc) -> None:
    about = About("1.2.3-rc1", "0.9.0", 3, (1, 2, 3), ("new \\journal; = # [x]", "新日志格式"))
    told = rauc.info(str(made(tmp_path, signer, about)))
    assert (told.version, told.compatible, told.floor) == ("1.2.3-rc1", "fenghuo-arm64", "0.9.0")
    assert (told.data, told.reads, told.note_en, told.note_zh) == (3, [1, 2, 3], *about.notes)


def test_another_signature_and_damaged_bundles_are_refused(tmp_path: Path, signer: BundleSigner, rauc: Rauc) -> None:
    whole = made(tmp_path, signer).read_bytes()
    other = BundleSigner.make(tmp_path / "other")
    refused = {
        "signature": made(tmp_path, other).read_bytes(),
        "broken": whole[: len(whole) // 2],
    }
    path = tmp_path / "x.raucb"
    for why, raw in refused.items():
        path.write_bytes(raw)
        with pytest.raises(NotTaken) as caught:
            rauc.info(str(path))
        assert caught.value.reason == why
    # One bit of the signature or of the signed manifest.
    path.write_bytes(whole[:-200] + bytes([whole[-200] ^ 1]) + whole[-199:])
    with pytest.raises(NotTaken) as caught:
        rauc.info(str(path))
    assert caught.value.reason in ("signature", "broken", "source-unreadable")
    with pytest.raises(NotTaken) as caught:
        rauc.info(str(tmp_path / "nothing"))
    assert caught.value.reason == "source-unreadable"


def test_a_key_for_something_else_signs_no_bundle(tmp_path: Path, signer: BundleSigner) -> None:
    image = tmp_path / "slot.img"
    image.write_bytes(b"x" * 8192)
    (tmp_path / "none.key").write_text("no key")
    with pytest.raises(NotBundled):
        make(image, tmp_path / "out.raucb", About(), signer.cert, tmp_path / "none.key")
    assert not (tmp_path / "out.raucb").exists()


def manifest(**changed: object) -> Manifest:
    told = {
        "version": "0.2.0",
        "compatible": "fenghuo-arm64",
        "sha256": "a" * 64,
        "floor": "0.1.0",
        "data": 1,
        "reads": [1],
    }
    return Manifest.model_validate({**told, **changed})


@pytest.mark.parametrize(
    ("told", "ours", "why"),
    [
        (manifest(compatible="doorbell"), OURS, "foreign"),
        (manifest(version="0.0.9"), OURS, "below-floor"),
        (manifest(version="0.1.0-rc9"), OURS, "below-floor"),
        (manifest(), Ours("fenghuo-arm64", "0.1.0", 1, (1,), "a" * 64), "same"),
        (manifest(reads=[2]), OURS, "data-unreadable"),
        (manifest(data=2, reads=[1, 2]), OURS, "no-way-back"),
    ],
)
def test_what_does_not_fit_is_refused(told: Manifest, ours: Ours, why: str) -> None:
    with pytest.raises(NotTaken) as caught:
        fits(told, ours, no_way_back=False)
    assert caught.value.reason == why
    assert all(bundle.REASONS[why])


def test_what_fits_is_taken_and_a_way_without_return_in_words_only() -> None:
    fits(manifest(), OURS, no_way_back=False)
    fits(manifest(version="0.1.0"), OURS, no_way_back=False)
    fits(manifest(data=2, reads=[1, 2]), OURS, no_way_back=True)
    with pytest.raises(NotTaken):
        fits(manifest(data=2, reads=[2]), OURS, no_way_back=True)


def test_a_bundle_is_for_the_hardware_that_the_image_says_it_is() -> None:
    conf = Path("images/files/etc/rauc/system.conf").read_text()
    assert f"\ncompatible={COMPATIBLE}\n" in conf


versions = st.from_regex(VERSION_PATTERN, fullmatch=True).filter(str.isascii)


@given(versions, versions, versions)
def test_versions_have_one_order(one: str, two: str, three: str) -> None:
    assert not older(one, one)
    assert not (older(one, two) and older(two, one))
    if older(one, two) and older(two, three):
        assert older(one, three)


@given(versions, versions)
def test_a_floor_never_goes_down(floor: str, other: str) -> None:
    risen = newest(floor, other)
    assert not older(risen, floor)
    assert not older(risen, other)


def test_the_order_of_versions() -> None:
    ordered = ["0.9.9", "0.10.0-rc1", "0.10.0-rc1.2", "0.10.0-rc1.10", "0.10.0", "1.0.0"]
    assert all(older(one, two) for one, two in itertools.pairwise(ordered))


@given(st.binary(max_size=400) | any_json.map(lambda value: json.dumps(value).encode()))
def test_no_answer_of_rauc_does_harm(raw: bytes) -> None:
    with pytest.raises(NotTaken):
        read_info(raw)
    with pytest.raises(NoRauc):
        read_status(raw)


@given(st.text(max_size=200), st.lists(st.integers(-5, 20_000), max_size=5))
def test_a_description_is_one_or_refused(note: str, reads: list[int]) -> None:
    try:
        line = description("0.1.0", 1, tuple(reads), note)
    except ValueError:
        assert not reads or not all(1 <= number <= 10_000 for number in reads)
        return
    assert "\n" not in line
    info = {
        "version": "0.2.0",
        "compatible": "c",
        "description": line,
        "images": [{"rootfs": {"checksum": "a" * 64, "filename": "x"}}],
    }
    assert read_info(json.dumps(info).encode()).note_en == note


@pytest.mark.parametrize(
    ("source", "asked"),
    [("https://h:8/x.raucb", "--tls-no-verify https://h:8/x.raucb"), ("http://h/x", "http://h/x"), ("/x", "/x")],
)
def test_of_a_bundle_on_the_web_no_authority_is_asked(source: str, asked: str) -> None:
    """On the image there is none: the bundle's signature counts."""
    says_its_words = Rauc(["sh", "-c", 'echo "$@" >&2; exit 1', "rauc"])
    with pytest.raises(NotTaken) as not_taken:
        says_its_words.info(source)
    assert not_taken.value.detail == f"info --output-format=json {asked}"
    writing = says_its_words.install(source)
    while writing.poll() is None:
        pass
    assert writing.said == f"install {asked}"


def test_what_reads_a_bundle_on_the_web_may_become_its_user_and_is_let_out() -> None:
    conf = Path("images/files/etc/rauc/system.conf").read_text()
    unit = Path("images/units/fenghuo-updater.service").read_text()
    assert "sandbox-user=fenghuo-stream" in conf
    assert "CAP_SETUID" in unit
    assert "CAP_SETGID" in unit
    assert 'skuid "fenghuo-stream" meta l4proto tcp accept' in Path("images/files/etc/nftables.conf").read_text()
