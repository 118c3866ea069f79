"""The page of a bundle: what happened, the pictures with what the models found, and how all of it is proven.

One file without scripts and without anything from elsewhere, in Chinese and English side by side, since nobody knows
who will read it.
"""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from firmware.protocol.evidence import CaptureManifest
from firmware.protocol.messages import Picture
from provisioning.evidence.events import Event
from provisioning.evidence.proof import SAYS, Finding, Proof
from rules.vocabulary import KINDS

if TYPE_CHECKING:
    from provisioning.evidence.bundle import Export

_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans SC",sans-serif;margin:2em auto;max-width:72em;padding:0 1em;color:#222}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left;vertical-align:top}
.shots{display:flex;flex-wrap:wrap;gap:1em}figure{margin:0;width:320px}.shot{position:relative}
img{width:100%;display:block}.box{position:absolute;border:2px solid #e02020}
figcaption,code{font-size:12px;word-break:break-all}
"""
_HOW = (
    "python3 verify.py BUNDLE.zip 可独立校验本证据包；请将其显示的公钥标识与验收报告或报警中心登记的主机公钥核对。",
    "python3 verify.py BUNDLE.zip checks this bundle; compare the key that it prints with the panel's, as the "
    "acceptance report or the alarm center has it. <code>unverified</code> does not mean that nobody was there.",
)


def page(event: Event, proof: Proof, export: "Export", kids: list[str]) -> str:
    """The HTML. Everything from files and records is escaped."""
    header = event.records[0].header
    kind = KINDS.get(event.kind)
    facts = [
        ("警情 Event", f"{event.incident}  ({event.journal})"),
        ("类型 Kind", f"{kind.zh} {kind.en} ({event.kind})" if kind else event.kind),
        ("时间 Time (UTC)", f"{event.time}  {header.get('clock')}"),
        ("主机 Panel", str(header.get("panel"))),
        ("主机公钥 Keys of the panel", ", ".join(kids)),
        ("导出人 Exported by", f"{export.by}, {export.time} UTC"),
        ("事由 Reason", export.reason),
    ]
    captures = "".join(_capture(manifest, proof) for manifest in proof.manifests)
    return (
        '<!DOCTYPE html>\n<html lang="zh"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';img-src 'self' file:;"
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(str(header.get('panel')))} {event.incident}</title><style>{_STYLE}</style></head><body>"
        f"<h1>证据 Evidence</h1>{_table(facts)}{''.join(f'<p>{text}</p>' for text in _HOW)}"
        f"{_notes(proof.notes)}{captures}{_records(event, proof)}</body></html>\n"
    )


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{cells}</table>"


def _notes(notes: list[Finding]) -> str:
    if not notes:
        return ""
    said = [
        f"{n.place}: " + " / ".join(text.format(found=n.found, expected=n.expected) for text in reversed(SAYS[n.code]))
        for n in notes
    ]
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in said)}</ul>"


def _capture(manifest: CaptureManifest, proof: Proof) -> str:
    facts = [
        ("摄像机 Camera", manifest.camera),
        ("防区 Zone", manifest.zone),
        ("结论 Verdict", f"{manifest.verdict}  {manifest.score}/1000 (≥ {manifest.threshold}: person)"),
        ("模型 Models", ", ".join(f"{m.file} {m.sha256}" for m in manifest.models) or manifest.model),
        ("略去 Left out", str(manifest.thinned)),
    ]
    alarm = datetime.fromisoformat(manifest.time).astimezone(UTC)
    shots = "".join(_shot(p, alarm, p.file in proof.files) for p in manifest.pictures)
    return f'<h2>{escape(manifest.camera)}</h2>{_table(facts)}<div class="shots">{shots}</div>'


def _shot(picture: Picture, alarm: datetime, there: bool) -> str:
    taken = (alarm + timedelta(milliseconds=picture.offset_ms)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    boxes = "".join(
        f'<div class="box" style="left:{b.left / 10}%;top:{b.top / 10}%;width:{max(0, b.right - b.left) / 10}%;'
        f'height:{max(0, b.bottom - b.top) / 10}%" title="{b.score}/1000"></div>'
        for b in picture.boxes
    )
    image = f'<img src="evidence/{escape(picture.file)}" alt="" loading="lazy">' if there else "缺失 missing"
    return (
        f'<figure><div class="shot">{image}{boxes}</div><figcaption>{taken} UTC ({picture.offset_ms / 1000:+.1f} s)'
        f"<br>{escape(picture.file)}<br>SHA-256 {picture.sha256}</figcaption></figure>"
    )


def _records(event: Event, proof: Proof) -> str:
    rows = "".join(
        f"<tr><td>{r.seq}</td><td>{escape(str(r.header.get('time')))}</td><td>{escape(str(r.header.get('kind')))}</td>"
        f"<td><code>{escape(r.hash)}</code></td></tr>"
        for r in event.records
    )
    span = f"{proof.chain[0].seq}–{proof.chain[-1].seq}" if proof.chain else "–"
    return (
        f"<h2>日志链 Chain of records</h2><p>chain.jsonl: {span}; 签名检查点 signed checkpoint: {proof.checkpoint}</p>"
        f"<table><tr><th>seq</th><th>UTC</th><th>kind</th><th>SHA-256</th></tr>{rows}</table>"
    )
