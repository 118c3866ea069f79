"""`fenghuo accept verify REPORT`: whether a report is the panel's own and whole; every alteration is named."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.language import Text, pick
from firmware.protocol.jws import load_public
from provisioning.accept.checking import Checked, check
from provisioning.accept.running import EXIT_FAILED, AsJson, in_words
from provisioning.journal_lines import read_file
from provisioning.journal_source import BadUse, Source, sources

_GENUINE: Text = (
    "{report}: genuine; {files} files, {what} of panel {panel}, signed {time} for {by}",
    "{report}：有效；{files} 个文件，主机 {panel} 的{what}，{time} 由 {by} 签名",
)
_NOT: Text = ("{report}: NOT genuine, {count} findings", "{report}：无效，{count} 项问题")
_WHAT: dict[str, Text] = {
    "acceptance": ("acceptance report", "验收报告"),
    "trial": ("trial-run report", "试运行报告"),
}
_BAD_KEY: Text = (
    "--key {key}: expected a core.jwk file or the `x` of the panel's public key",
    "--key {key}：应为 core.jwk 文件或主机公钥的 x",
)
_IN_JOURNAL: Text = ("the panel's journal tells of it: record {seq}", "主机日志中有其记录：{seq}")


def verify(
    report: Annotated[Path, typer.Argument(help="Its folder or ZIP. 报告目录或 ZIP。", metavar="REPORT")],
    key: Annotated[str, typer.Option("--key", help="The panel's core.jwk, or its x. 主机公钥。")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", help="On the panel: compare with its key and journal. 与主机核对。")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a report: signature, every file, and that its pages tell what its data tell. 校验报告。

    Exit code 0: genuine. 1: not. 2: not understood, or it can't be read.
    Example: fenghuo accept verify report.zip --key core.jwk
    """
    with in_words():
        if not report.exists():
            raise BadUse(f"{report}: ?")
        source = sources(None, config, None) if config is not None else None
        pinned = source.public_key() if source is not None else _key(key)
        checked = check(report, pinned)
        seq = _recorded(source, checked) if source is not None else 0
    _tell(report, checked, seq, as_json)
    raise typer.Exit(EXIT_FAILED if checked.found else 0)


def _key(word: str) -> Ed25519PublicKey | None:
    """The public key that the option means. Raises `BadUse`."""
    if not word:
        return None
    try:
        path = Path(word)
        return load_public(json.loads(path.read_bytes())["x"] if path.is_file() else word)
    except (OSError, ValueError, KeyError, TypeError):
        raise BadUse(pick(_BAD_KEY, key=word[:100])) from None


def _recorded(source: Source, checked: Checked) -> int:
    """The number of the record that tells of the report; a finding where there is none."""
    if checked.claim is None:
        return 0
    for path in source.files:
        with closing(read_file(path, word=f'"{checked.claim.manifest}"')) as rows:
            for record in rows:
                if record.header.get("kind") == "acceptance.signed":
                    return record.seq
    checked.wrong("record")
    return 0


def _tell(report: Path, checked: Checked, seq: int, as_json: bool) -> None:
    claim = checked.claim
    if as_json:
        told = claim.model_dump() if claim else None
        members = {"ok": not checked.found, "found": checked.found, "notes": checked.notes}
        print(json.dumps({**members, "claim": told, "kid": checked.kid, "record": seq}, ensure_ascii=False, indent=2))
        return
    for line in (*checked.found, *checked.notes):
        print(line)
    if seq:
        print(pick(_IN_JOURNAL, seq=seq))
    if checked.found or claim is None:
        print(pick(_NOT, report=report, count=len(checked.found)))
        return
    values = {"what": pick(_WHAT[claim.what]), "panel": claim.panel, "time": claim.time, "by": claim.by}
    print(pick(_GENUINE, report=report, files=checked.files, **values))
