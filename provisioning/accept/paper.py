"""The paper of the reports: its style for screen and print, tables, facts, signature lines. One file, no scripts.

Texts wrap everywhere and tables have fixed columns, so that nothing runs over the edge of an A4 page.
"""

from collections.abc import Iterable, Sequence
from html import escape

from firmware.language import Language, Text, pick
from provisioning.drawing import COLOURS

FONT = "'Noto Sans CJK SC','WenQuanYi Micro Hei','Droid Sans Fallback','Microsoft YaHei','PingFang SC',sans-serif"
STYLE = f"""
@page {{ size: A4; margin: 14mm 12mm 16mm; @bottom-center {{ content: counter(page) " / " counter(pages);
  font-size: 9pt; font-family: {FONT} }} }}
html {{ font-family: {FONT}; font-size: 10pt; color: #111; line-height: 1.35 }}
body {{ max-width: 186mm; margin: 0 auto }}
h1 {{ font-size: 17pt; margin: 0 0 2mm }} h2 {{ font-size: 12.5pt; margin: 6mm 0 1.5mm; break-after: avoid }}
h3 {{ font-size: 10.5pt; margin: 3mm 0 1mm; break-after: avoid }}
p {{ margin: 1mm 0; overflow-wrap: anywhere }}
table {{ border-collapse: collapse; width: 100%; table-layout: fixed; margin: 1mm 0 }}
th, td {{ border: .2mm solid #999; padding: .6mm 1.2mm; text-align: left; vertical-align: top;
  overflow-wrap: anywhere }}
tr {{ break-inside: avoid }} thead {{ display: table-header-group }} th {{ background: #eee; font-weight: bold }}
.facts th {{ width: 32% }}
.mono {{ font-family: 'DejaVu Sans Mono','Noto Sans Mono',monospace; font-size: 8.5pt }}
.passed {{ color: #06631f; font-weight: bold }} .failed {{ color: #a40000; font-weight: bold }}
.waived {{ color: #8a5a00; font-weight: bold }} .open {{ color: #a40000 }}
.verdict {{ font-size: 13pt; border: .4mm solid #333; padding: 2mm 3mm; margin: 3mm 0 }}
.small {{ font-size: 8.5pt; color: #444 }}
svg {{ width: 100%; height: auto; display: block }}
figure {{ margin: 1.5mm 0; break-inside: avoid }} figcaption {{ font-size: 8.5pt }}
figure img {{ max-width: 100%; max-height: 95mm; display: block }}
.drawing {{ break-inside: avoid }}
.drawing svg {{ max-height: 255mm }}
.sign td {{ height: 17mm }}
""" + "\n".join(f".{use} {{ background: {colour} }}" for use, colour in COLOURS.items())

_SIGN: tuple[Text, ...] = (
    ("party", "单位/人员"),
    ("name", "姓名"),
    ("signature and seal", "签字、盖章"),
    ("date", "日期"),
)
PARTIES: tuple[Text, ...] = (
    ("user", "使用方"),
    ("installer", "施工方"),
    ("acceptance party", "验收方"),
)


def document(title: str, lang: Language, parts: Iterable[str]) -> str:
    """The whole page."""
    code = "zh-CN" if lang == "zh" else "en"
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="{code}"><head>{head}</head><body>\n' + "\n".join(parts) + "\n</body></html>\n"


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, css: str = "") -> str:
    """A paragraph."""
    return f'<p class="{css}">{escape(text)}</p>' if css else f"<p>{escape(text)}</p>"


def facts(rows: Iterable[tuple[str, Text, str]]) -> str:
    """Names and values, two columns. Each row has an id, by which the check of a report finds it."""
    body = "".join(
        f'<tr id="f-{escape(id_)}"><th>{escape(pick(name))}</th><td>{escape(value)}</td></tr>\n'
        for id_, name, value in rows
    )
    return f'<table class="facts"><tbody>{body}</tbody></table>'


def table(
    heads: Sequence[str], rows: Iterable[tuple[str, Sequence[tuple[str, str]]]], widths: Sequence[int] = ()
) -> str:
    """A table; a row is an id (may be empty) and cells of css class and text. `widths`: of the columns, in per cent."""
    columns = "".join(f'<col style="width:{width}%">' for width in widths)
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(_row(id_, cells) for id_, cells in rows)
    return f"<table><colgroup>{columns}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(id_: str, cells: Sequence[tuple[str, str]]) -> str:
    row = f' id="{escape(id_, quote=True)}"' if id_ else ""
    made = "".join(
        f'<td class="{css}">{escape(text)}</td>' if css else f"<td>{escape(text)}</td>" for css, text in cells
    )
    return f"<tr{row}>{made}</tr>\n"


def signatures(names: Sequence[str]) -> str:
    """The lines on which the parties sign."""
    rows = [
        ("", [("", pick(party)), ("", name), ("", ""), ("", "")]) for party, name in zip(PARTIES, names, strict=True)
    ]
    made = table([pick(head) for head in _SIGN], rows, (20, 22, 38, 20))
    return made.replace("<table>", '<table class="sign">', 1)
