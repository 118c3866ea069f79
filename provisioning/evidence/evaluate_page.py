"""The page of `fenghuo evidence evaluate`: the table, and the pictures of hits and misses with their boxes.

One file without scripts or links, so that it can be sent and kept; in both languages.
"""

import base64
import io
from collections.abc import Iterator, Sequence
from html import escape

from firmware.camera.outlines import blacken
from firmware.language import Text
from provisioning.evidence import evaluate_texts as texts
from provisioning.evidence.scoring import MEAN, Scored, read
from provisioning.evidence.summary import Summary

SHOWN = 60
"""Pictures of one sort; more are counted."""
SIZE = (280, 280)
QUALITY = 70
_STYLE = """
body { font: 15px/1.5 system-ui, "Noto Sans SC", "Microsoft YaHei", sans-serif; margin: 2rem auto; max-width: 1240px;
  padding: 0 1rem; color: #1d2330; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem }
table { border-collapse: collapse; margin: .8rem 0 } th, td { padding: .25rem .9rem; text-align: right }
th { border-bottom: 2px solid #1d2330; font-weight: 600; vertical-align: bottom }
td { border-bottom: 1px solid #d9dde5; font-variant-numeric: tabular-nums }
th:first-child, td:first-child { text-align: left } tr.chosen td { background: #fff3c4; font-weight: 600 }
small, .zh { color: #5b6475 } .zh { margin-left: .5em; font-weight: 400 }
code { font-size: .85rem; word-break: break-all }
.shots { display: flex; flex-wrap: wrap; gap: 14px } figure { margin: 0; width: 280px }
.shot { position: relative; display: inline-block; line-height: 0; border: 3px solid transparent }
.missed .shot, .mistaken .shot { border-color: #c62828 } .found .shot, .calm .shot { border-color: #2e7d32 }
.box { position: absolute; border: 2px solid #ffb300; box-shadow: 0 0 0 1px #0008 }
figcaption { font-size: .8rem; overflow-wrap: anywhere } b { white-space: nowrap; font-weight: 400 }
@media (prefers-color-scheme: dark) { body { background: #14171d; color: #e6e9ef } td { border-color: #333a47 }
  th { border-color: #e6e9ef } small, .zh { color: #9aa4b5 } tr.chosen td { background: #4a3d00 } }
"""


def page(summary: Summary) -> Iterator[str]:
    """The page, piece by piece; pictures are read again one at a time."""
    title = texts.TITLE[0].format(count=len(summary.items)), texts.TITLE[1].format(count=len(summary.items))
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    yield "style-src 'unsafe-inline'\">\n"
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{escape(title[0])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{_both(title)}</h1>\n"
    yield from _about(summary)
    yield from _table(summary.heading(), [(line.cells, line.chosen) for line in summary.rows()])
    caution = summary.caution_values()
    yield f"<p>{_both((texts.WARNING[0].format(**caution), texts.WARNING[1].format(**caution)))}</p>\n"
    yield from _groups(summary)
    sorts = summary.sorts()
    yield from _gallery(summary, texts.MISSES, "missed", sorts.missed)
    yield from _gallery(summary, texts.FALSE, "mistaken", sorts.mistaken)
    yield from _gallery(summary, texts.HITS, "found", sorts.found)
    yield from _gallery(summary, texts.CALM, "calm", sorts.calm)
    if sorts.other:
        yield from _gallery(summary, texts.UNCOUNTED, "other", sorts.other)
    yield from _unread(summary)
    yield "</body>\n</html>\n"


def _about(summary: Summary) -> Iterator[str]:
    yield f"<p>{escape(summary.used.runtime)} · {_both(texts.THRESHOLD)} {summary.threshold}"
    yield f" · {summary.milliseconds():.1f} {_both(texts.MILLISECONDS)}</p>\n"
    for file, sha256 in summary.used.models:
        yield f"<div><code>{escape(file)} SHA-256 {sha256}</code></div>\n"


def _table(heading: Sequence[Text], rows: Sequence[tuple[Sequence[Text], bool]]) -> Iterator[str]:
    yield f"<table>\n<tr>{''.join(f'<th>{_both(cell)}</th>' for cell in heading)}</tr>\n"
    for cells, chosen in rows:
        yield '<tr class="chosen">' if chosen else "<tr>"
        yield "".join(f"<td>{_both(cell)}</td>" for cell in cells)
        yield "</tr>\n"
    yield "</table>\n"


def _groups(summary: Summary) -> Iterator[str]:
    rows = [
        (((group, group), says, (str(many), str(many)), (str(taken), str(taken))), False)
        for group, says, many, taken in summary.groups()
    ]
    yield from _table([texts.GROUP, texts.TRUTH, texts.PICTURES, texts.TAKEN], rows)


def _gallery(summary: Summary, title: Text, name: str, items: Sequence[Scored]) -> Iterator[str]:
    yield f'<h2>{_both(title)} <small>{len(items)}</small></h2>\n<div class="shots {name}">\n'
    for item in items[:SHOWN]:
        yield _figure(summary, item)
    yield "</div>\n"
    if not items:
        yield f"<p>{_both(texts.NONE)}</p>\n"
    if len(items) > SHOWN:
        count = len(items) - SHOWN
        yield f"<p>{_both((texts.MORE[0].format(count=count), texts.MORE[1].format(count=count)))}</p>\n"


def _figure(summary: Summary, item: Scored) -> str:
    boxes = "".join(
        f'<span class="box" style="left:{box.left / 10}%;top:{box.top / 10}%;width:{(box.right - box.left) / 10}%;'
        f'height:{(box.bottom - box.top) / 10}%"></span>'
        for box in item.boxes
    )
    scores = " · ".join(
        f"<b>{escape('mean' if name == MEAN else name.split('.')[0])} {item.scores[name]}</b>"
        for name in summary.names
        if name in item.scores
    )
    name = escape(summary.name(item.path), quote=True)
    return (
        f'<figure><span class="shot"><img alt="{name}" src="data:image/jpeg;base64,{_small(summary, item)}">{boxes}'
        f"</span><figcaption>{name}<br>{scores}</figcaption></figure>\n"
    )


def _small(summary: Summary, item: Scored) -> str:
    picture = blacken(read(item.path), summary.eye.mask)
    picture.thumbnail(SIZE)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return base64.b64encode(out.getvalue()).decode()


def _unread(summary: Summary) -> Iterator[str]:
    if not summary.unread:
        return
    yield f"<h2>{_both(texts.NOT_READ)} <small>{len(summary.unread)}</small></h2>\n<ul>\n"
    for item in summary.unread[:SHOWN]:
        yield f"<li>{escape(summary.name(item.path))}: {escape(item.why)}</li>\n"
    yield "</ul>\n"


def _both(text: Text) -> str:
    english, chinese = (escape(part) for part in text)
    return english if english == chinese else f'{english}<span class="zh" lang="zh">{chinese}</span>'
