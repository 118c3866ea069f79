"""A report is genuine only as the panel signed it: every alteration is found and named, also one that is signed."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import Signer
from hil.fuzz import reports
from provisioning.accept import bundle
from provisioning.accept.account import ACCOUNT
from provisioning.accept.checking import check, rows_of

Files = dict[str, bytes]


def codes(data: bytes) -> list[tuple[str, str]]:
    return check(io.BytesIO(data), reports.SIGNER.public).codes


@pytest.fixture(scope="module")
def made() -> Files:
    return reports.parts(reports.sound())


def test_a_sound_report_is_genuine_as_a_zip_and_as_a_folder(made: Files, tmp_path: Path) -> None:
    assert codes(reports.zipped(made)) == []
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, made)
    for out in (tmp_path / "report", tmp_path / "report.zip"):
        bundle.write(out, made, listed, lambda _digest: reports.token(listed))
        checked = check(out, reports.SIGNER.public)
        assert (checked.codes, checked.notes, checked.files) == ([], [], len(made))
    assert check(tmp_path / "report").notes != []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report", "report.zip"]


def test_an_output_that_exists_or_a_signature_that_is_refused_leaves_nothing(made: Files, tmp_path: Path) -> None:
    out = tmp_path / "report"
    out.mkdir()
    with pytest.raises(FileExistsError):
        bundle.write(out, made, b"{}", lambda _digest: "x")

    def refuse(_digest: str) -> str:
        raise PermissionError

    with pytest.raises(PermissionError):
        bundle.write(tmp_path / "other", made, b"{}", refuse)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize("name", ["acceptance.json", "report.zh.html", "report.en.html", "pictures/lobby.jpg"])
def test_every_altered_or_missing_file_is_named(made: Files, name: str) -> None:
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, made)
    altered = {**made, name: made[name].replace(b"301", b"201") if b"301" in made[name] else made[name] + b"x"}
    assert ("altered", name) in codes(reports.zipped(altered, listed))
    gone = {other: data for other, data in made.items() if other != name}
    assert ("missing", name) in codes(reports.zipped(gone, listed))


def test_a_file_more_another_key_and_another_signature_are_found(made: Files) -> None:
    assert ("extra", "note.txt") in codes(_more(made))
    other = Signer(Ed25519PrivateKey.generate())
    forged = {**made, bundle.KEYS: bundle.keys_file([other.public])}
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, forged)
    data = reports.zipped(forged, listed, reports.token(listed, other))
    assert codes(data) == [("key", "")]
    assert check(io.BytesIO(data)).codes == []  # by itself it is in order: its key has to be known from elsewhere
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, made)
    assert codes(reports.zipped(made, listed, reports.token(listed, other))) == [("signature", "manifest.jws")]
    assert codes(reports.zipped(made, listed + b" ")) == []  # signed anew by us: the manifest may look as it likes
    assert codes(reports.zipped(made, listed + b" ", reports.token(listed))) == [("altered", "manifest.json")]
    assert ("other", "manifest.json") in codes(reports.zipped(made, listed, reports.token(listed, what="trial")))


def _more(made: Files) -> bytes:
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, made)
    return reports.zipped({**made, "note.txt": b"hello"}, listed)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda a: replace(a, verdict="failed"), "verdict"),
        (lambda a: replace(a, samples=a.samples[1:]), "figures"),
        (lambda a: replace(a, pictures=(replace(a.pictures[0], sha256="0" * 64),)), "picture"),
        (lambda a: replace(a, panel="bank-other"), "other"),
    ],
)
def test_data_that_contradict_themselves_are_found_though_they_are_signed(
    edit: Callable[[object], object], code: str
) -> None:
    account = edit(reports.sound())
    made = reports.parts(account)  # type: ignore[arg-type]
    assert code in [found for found, _ in codes(reports.zipped(made))]


def test_a_page_that_tells_another_figure_than_the_data_is_found_though_it_is_signed(made: Files) -> None:
    page = made["report.en.html"]
    lied = {**made, "report.en.html": page.replace(b"input to output 301 ms", b"input to output 31 ms", 1)}
    assert codes(reports.zipped(lied)) == [("page", "report.en.html")]
    hidden = page.replace(b'<tr id="r-mains">', b"<tr>", 1)
    assert codes(reports.zipped({**made, "report.en.html": hidden})) == [("page", "report.en.html")]
    twice = page.replace(b'<tr id="r-mains">', b'<tr id="r-mains"><td>passed</td></tr><tr id="r-mains">', 1)
    assert codes(reports.zipped({**made, "report.en.html": twice})) == [("page", "report.en.html")]
    judged = page.replace(b"PASSED", b"BRILLIANT", 1)
    assert codes(reports.zipped({**made, "report.en.html": judged})) == [("page", "report.en.html")]


def test_data_of_another_shape_and_what_is_no_zip_are_refused(made: Files) -> None:
    broken = {**made, "acceptance.json": b'{"format": "fenghuo.acceptance.v1"}'}
    assert ("unreadable", "acceptance.json") in codes(reports.zipped(broken))
    assert [code for code, _ in codes(b"PK no")] == ["not-a-report"]
    assert [code for code, _ in codes(reports.zipped(made, b"[]"))] == ["unreadable"]


def test_each_row_of_a_page_is_read_back_as_its_data_say(made: Files) -> None:
    rows = rows_of(made["report.zh.html"].decode())
    account = ACCOUNT.validate_json(made["acceptance.json"])
    assert len([id_ for id_ in rows if id_.startswith("r-")]) == len(account.steps)
    assert rows["f-panel"] == ["主机编号", "bank-demo"]
    assert rows["r-standby"][:3] == ["备用电源时间", "合格", "9.5 h, 测试人员实测, 不少于 8.0 h"]


def test_pages_of_another_build_are_signed_but_not_compared(made: Files) -> None:
    account = reports.sound()
    older = replace(account, software=replace(account.software, tree="0" * 64))
    files = {**reports.parts(older), "report.en.html": b"<p>in other words</p>"}
    checked = check(io.BytesIO(reports.zipped(files)), reports.SIGNER.public)
    assert (checked.codes, len(checked.notes)) == ([], 1)
    listed = bundle.manifest("acceptance", "bank-demo", reports.RUN, reports.parts(older))
    assert codes(reports.zipped(files, listed)) == [("altered", "report.en.html")]
