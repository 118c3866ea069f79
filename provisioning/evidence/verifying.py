"""`fenghuo evidence verify` and `verify-bundle`: prove an event on the panel, or a bundle anywhere."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from firmware.journal.texts import BAD_KEY
from firmware.language import Text, pick
from firmware.protocol.jws import load_public
from provisioning.evidence.bundle_check import check_bundle
from provisioning.evidence.commands import EXIT_FINDINGS, Config, EventWord, Place, in_words, shelf_of
from provisioning.evidence.proof import Finding, prove
from provisioning.journal_source import BadUse

SOUND: Text = (
    "event {event}: sound. {files} files, records {first} to {last}, {checkpoint}",
    "警情 {event}：完好。{files} 个文件，记录 {first} 至 {last}，{checkpoint}",
)
SIGNED: Text = ("signed checkpoint {seq}", "签名检查点 {seq}")
UNSIGNED: Text = ("not under a signed checkpoint yet", "尚无签名检查点")
UNSOUND: Text = ("event {event}: NOT sound, {count} findings", "警情 {event}：不完好，{count} 项问题")
GENUINE: Text = (
    "genuine: {files} files of incident {incident} of panel {panel}, exported by {by} at {time}",
    "真实：主机 {panel} 警情 {incident} 的 {files} 个文件，{by} 于 {time} 导出",
)
ABSENT: Text = ("not on the card when it was exported: {file}", "导出时存储卡上已无：{file}")
COMPARE: Text = (
    "compare the panel's key with what you know of it: {kids}",
    "请核对主机公钥标识：{kids}",
)
FALSE: Text = ("NOT genuine, {count} findings", "不真实，{count} 项问题")


AsJson = Annotated[bool, typer.Option("--json", help="One JSON object. 输出一个 JSON 对象。")]


def verify(event: EventWord, data: Place = None, config: Config = None, as_json: AsJson = False) -> None:
    """Check every picture against its manifest, its record, the chain and its signature. 校验警情图像。

    Exit code 0: sound. 1: findings, each named. 2: can't be checked. Example: fenghuo evidence verify 7
    """
    with in_words():
        shelf = shelf_of(data, config)
        found = shelf.event(event)
        proof = prove(shelf, found)
    if as_json:
        _print(proof.findings, event=found.name, files=len(proof.files), checkpoint=proof.checkpoint or None)
    for note in (*proof.notes, *proof.findings):
        print(note.say())
    if proof.findings:
        print(pick(UNSOUND, event=found.name, count=len(proof.findings)))
        raise typer.Exit(EXIT_FINDINGS)
    checkpoint = pick(SIGNED, seq=proof.checkpoint) if proof.checkpoint else pick(UNSIGNED)
    first, last = proof.chain[0].seq, proof.chain[-1].seq
    print(pick(SOUND, event=found.name, files=len(proof.files), first=first, last=last, checkpoint=checkpoint))


def verify_bundle(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE.zip", help="A bundle. 证据包。")],
    key: Annotated[
        Path | None, typer.Option("--key", help="core.jwk of the panel, from elsewhere. 另行取得的主机公钥。")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a bundle as the script in it does, and name everything that is wrong. 校验证据包。

    Exit code 0: genuine. 1: findings. 2: can't be read.
    Example: fenghuo evidence verify-bundle event.zip --key core.jwk
    """
    with in_words():
        checked = check_bundle(bundle, _public(key) if key else None)
    if as_json:
        about = checked.claim.model_dump(mode="json") if checked.claim else None
        _print(checked.found, bool(checked.claim), files=checked.files, claim=about, missing=list(checked.missing))
    for said in (*checked.found, *checked.notes):
        print(said)
    if checked.found or checked.claim is None:
        print(pick(FALSE, count=len(checked.found)))
        raise typer.Exit(EXIT_FINDINGS)
    for file in checked.missing:
        print(pick(ABSENT, file=file))
    claim = checked.claim
    print(
        pick(
            GENUINE,
            files=checked.files,
            incident=claim.incident,
            panel=claim.panel,
            by=claim.by,
            time=claim.time,
        )
    )
    if key is None:
        print(pick(COMPARE, kids=", ".join(checked.kids)))


def _print(findings: Iterable[object], readable: bool = True, **figures: object) -> NoReturn:
    """One JSON object, and the exit code of its findings."""
    told = [finding.say() if isinstance(finding, Finding) else str(finding) for finding in findings]
    ok = readable and not told
    print(json.dumps({"ok": ok, **figures, "findings": told}, ensure_ascii=False, indent=2, default=str))
    raise typer.Exit(0 if ok else EXIT_FINDINGS)


def _public(key: Path) -> Ed25519PublicKey:
    try:
        return load_public(json.loads(key.read_bytes())["x"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadUse(pick(BAD_KEY, place=key, found=error)) from None
