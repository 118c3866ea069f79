"""`fenghuo accept report`: the signed report of a run that has ended, in Chinese and English, as HTML and PDF."""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from firmware.config import Loaded, load
from firmware.language import Language, Text, pick
from firmware.protocol.messages import SignReport
from provisioning.accept import bundle
from provisioning.accept.account import ACCOUNT, Account, Who, account
from provisioning.accept.page import page
from provisioning.accept.pdf import MISSING, printer
from provisioning.accept.results import Run, load_run
from provisioning.accept.running import (
    EXIT_FAILED,
    AsJson,
    By,
    CodeStdin,
    Config,
    Folder,
    asked_code,
    in_words,
)
from provisioning.accept.talking import Talk, Typed
from provisioning.journal_source import BadUse, sources
from provisioning.technician import Technician, connected

LANGUAGES: tuple[Language, Language] = ("zh", "en")
_NOT_ENDED: Text = (
    "{folder}: no run has ended there; go on: fenghuo accept run --dir {folder}",
    "{folder}：没有已结束的测试；请继续：fenghuo accept run --dir {folder}",
)
_EXISTS: Text = ("{out}: exists already; give another name", "{out}：已存在，请另取文件名")
_DONE: Text = (
    "{out}: signed; check it: fenghuo accept verify {out}",
    "{out}：已签名；校验：fenghuo accept verify {out}",
)
_PRINTING: Text = ("making {name}", "正在生成 {name}")
Name = Annotated[str, typer.Option(help="For a signature line; empty: written by hand. 签字栏姓名，可留空。")]
NoPdf = Annotated[bool, typer.Option("--no-pdf", help="HTML alone. 仅 HTML。")]
Out = Annotated[Path, typer.Option("--out", help="A folder, or a name that ends in .zip. 输出目录或 .zip 文件。")]


@dataclass(frozen=True)
class Signing:
    """Who has a report signed, on which panel."""

    technician: Technician
    code: str
    by: str


def report(
    out: Out,
    by: By,
    config: Config = Path("panel.toml"),
    folder: Folder = Path("acceptance"),
    user: Name = "",
    installer: Name = "",
    acceptor: Name = "",
    no_pdf: NoPdf = False,
    code_stdin: CodeStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make the signed report of the run in --dir. 生成签名验收报告。

    Exit code 0: made. 1: the panel refused, or it can't be written. 2: not understood.
    Example: fenghuo accept report --out report.zip --by "Wang Gong" --user "Li Wei"
    """
    with in_words():
        loaded = load(config)
        run = load_run(folder)
        if run is None or run.ended is None:
            raise BadUse(pick(_NOT_ENDED, folder=folder))
        if out.exists():
            raise BadUse(pick(_EXISTS, out=out))
        typed = Typed(sys.stdin.fileno())
        talk = Talk(typed, as_json)
        with connected(loaded) as technician:
            signing = Signing(technician, asked_code(code_stdin, typed), by)
            made = make(loaded, folder, run, out, signing, Who(user, installer, acceptor), talk, not no_pdf)
    raise typer.Exit(0 if made.verdict == "passed" else EXIT_FAILED)


def make(
    loaded: Loaded, folder: Path, run: Run, out: Path, signing: Signing, who: Who, talk: Talk, pdf: bool
) -> Account:
    """Make the report of a run that has ended, at `out`. Raises `NoAnswer`, `OSError`."""
    assert run.ended is not None  # noqa: S101
    found = account(loaded, run, run.ended, signing.by, who, time.time())
    pictures = {p.file: (folder / "pictures" / p.file).read_bytes() for p in run.pictures}
    files = {bundle.DATA["acceptance"]: ACCOUNT.dump_json(found, indent=1)}
    files |= {f"{bundle.PICTURES}{name}": data for name, data in pictures.items()}
    files |= pages(lambda lang: page(found, pictures, lang), talk, pdf)
    save(loaded, out, "acceptance", run.run, files, signing)
    talk.tell("report", _DONE, said={"out": out}, out=str(out), verdict=found.verdict)
    return found


def pages(made: Callable[[Language], str], talk: Talk, pdf: bool) -> dict[str, bytes]:
    """The pages in both languages, as HTML and, where it can be had, as PDF."""
    files: dict[str, bytes] = {}
    to_pdf = printer() if pdf else None
    if pdf and to_pdf is None:
        talk.tell("no-pdf", MISSING)
    for lang in LANGUAGES:
        html = made(lang)
        files[f"report.{lang}.html"] = html.encode()
        if to_pdf is not None:
            name = f"report.{lang}.pdf"
            talk.tell("printing", _PRINTING, said={"name": name}, name=name)
            files[name] = to_pdf(html)
    return files


def save(
    loaded: Loaded,
    out: Path,
    what: Literal["acceptance", "trial"],
    run: str,
    files: Mapping[str, bytes],
    signing: Signing,
) -> None:
    """Write the report and have the panel sign it. Raises `NoAnswer`, `OSError`; nothing is left then."""
    source = sources(None, loaded.path, None, snapshot=False)
    whole = {**files, bundle.KEYS: bundle.keys_file([source.public_key(), *source.former_keys()])}
    listed = bundle.manifest(what, loaded.file.panel.id, run, whole)

    def sign(digest: str) -> str:
        wish = SignReport(what=what, run=run, manifest=digest, by=signing.by, code=signing.code)
        return str(signing.technician.ask(wish).detail["jws"])

    bundle.write(out, whole, listed, sign)
