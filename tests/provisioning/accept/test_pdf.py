"""The reports as PDF: every word is there with a glyph of its own, and nothing lies over the edge of a page."""

import io
import re
import socket
from collections.abc import Iterator
from html import unescape

import pytest

from firmware.language import Language
from hil.fuzz import reports
from hil.life.lived_trial import lived
from provisioning.accept import paper
from provisioning.accept.page import page
from provisioning.accept.pdf import printer
from provisioning.accept.trial_page import page as trial_page
from tests.provisioning.accept.test_trial import trial

pdfium = pytest.importorskip("pypdfium2")
WIDE = re.compile(r"[\u4e00-\u9fff]")
CJK_FONTS = ("cjk", "wenquanyi", "wqy", "droid", "fallback")
EDGE = 20.0
"""Points of the white margin that must stay white at the left and the right."""


def pdf(html: str) -> bytes:
    to_pdf = printer()
    if to_pdf is None:
        pytest.skip("WeasyPrint or Pango is not installed")
    return to_pdf(html)


def outside(data: bytes) -> list[str]:
    """Whatever lies over the edges of its page."""
    found = []
    for number, sheet in enumerate(pdfium.PdfDocument(io.BytesIO(data)), 1):
        width, height = sheet.get_size()
        text = sheet.get_textpage()
        for left, bottom, right, top in (text.get_rect(n) for n in range(text.count_rects())):
            if left < EDGE or right > width - EDGE or bottom < 0 or top > height:
                found.append(f"page {number}: {text.get_text_bounded(left, bottom, right, top)!r}")
        for thing in sheet.get_objects(max_depth=1):
            left, bottom, right, top = thing.get_bounds()
            if right > width + 1 or left < -1 or top > height + 1 or bottom < -1:
                found.append(f"page {number}: an object at {left:.0f},{bottom:.0f},{right:.0f},{top:.0f}")
    return found


def words(data: bytes) -> str:
    """All text, without white space."""
    pages = (sheet.get_textpage().get_text_range() for sheet in pdfium.PdfDocument(io.BytesIO(data)))
    return re.sub(r"[\s\ufffe\u00ad]", "", "".join(pages))


def fonts(data: bytes) -> dict[str, set[str]]:
    """The fonts that draw Chinese characters, and the characters of each."""
    import ctypes

    found: dict[str, set[str]] = {}
    for sheet in pdfium.PdfDocument(io.BytesIO(data)):
        text = sheet.get_textpage()
        for n in range(text.count_chars()):
            code = pdfium.raw.FPDFText_GetUnicode(text, n)
            if 0x4E00 <= code <= 0x9FFF:
                name = ctypes.create_string_buffer(128)
                pdfium.raw.FPDFText_GetFontInfo(text, n, name, 128, None)
                found.setdefault(name.value.decode(errors="replace").lower(), set()).add(chr(code))
    return found


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[str, bytes]]:
    """Acceptance in Chinese, trial in English: page and PDF."""
    pages: dict[str, str] = {
        "acceptance": page(reports.sound(), {"lobby.jpg": reports.PICTURE}, "zh"),
        "trial": trial_page(trial(lived("bank", 7, 30)), "en"),
    }
    return {name: (html, pdf(html)) for name, html in pages.items()}


def shown(html: str) -> Iterator[str]:
    """The texts of the cells, headings and paragraphs, without white space."""
    for text in re.findall(r"<(?:td|th|h1|h2|h3|p)[^>]*>([^<]+)<", html):
        yield re.sub(r"\s", "", unescape(text))


@pytest.mark.parametrize("name", ["acceptance", "trial"])
def test_nothing_lies_over_the_edge_and_every_word_is_there(made: dict[str, tuple[str, bytes]], name: str) -> None:
    html, data = made[name]
    assert outside(data) == []
    text = words(data)
    # A cell that goes on on another line may be told in pieces between its neighbours: by characters then.
    missing = [cell for cell in shown(html) if cell[:6] not in text]
    assert missing == []
    assert set(WIDE.findall("".join(shown(html)))) <= set(text)


def test_chinese_is_drawn_by_a_font_that_has_it(made: dict[str, tuple[str, bytes]]) -> None:
    drawn = fonts(made["acceptance"][1])
    assert sum(map(len, drawn.values())) > 100
    assert [name for name in drawn if not any(part in name for part in CJK_FONTS)] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_runs_over_the_edge_would_be_found(lang: Language) -> None:
    far = f'<p style="white-space:nowrap">{"很长 " * 200}</p>'
    assert outside(pdf(paper.document("x", lang, [far]))) != []
    wrapped = paper.table(["a", "b"], [("", [("", "0123456789abcdef" * 30), ("", "b")])], (20, 80))
    assert outside(pdf(paper.document("x", lang, [wrapped]))) == []


def test_a_page_fetches_nothing_from_elsewhere() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        pdf(paper.document("x", "en", [f'<img src="http://127.0.0.1:{port}/x.png">']))
        with pytest.raises(BlockingIOError):
            server.accept()
